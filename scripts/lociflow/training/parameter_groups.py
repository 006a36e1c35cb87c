"""Groups of parameters that the optimiser treats differently: without weight decay, and with smaller learning rates."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from lociflow.command import UserError

# One-dimensional parameters are biases and the scales of normalisations: decaying them towards 0 regularises nothing
# (Loshchilov & Hutter 2019 and most training recipes since leave them out).
MATRIX = 2


def parameter_groups(
    model: nn.Module,
    decay_all: bool = False,
    multipliers: Mapping[str, float] | None = None,
    layer_decay: float = 1.0,
) -> list[dict[str, Any]]:
    """Arrange the trained parameters of a model in groups for an optimiser.

    Parameters
    ----------
    model
        Only what requires a gradient is taken.
    decay_all
        Whether biases and normalisations decay too, as the papers before 2019 have it.
    multipliers
        Factors on the learning rate, by sub-module; of nested ones the innermost holds.
    layer_decay
        Factor on the learning rate for each layer of ``trunk`` further away from the head (Howard & Ruder 2018,
        arXiv:1801.06146): the last layer has the factor itself, the one before it its square; the rest of the model 1.
        A multiplier comes on top.

    Returns
    -------
    list[dict]
        In a fixed order, each with ``params``, ``scale`` (factor on the learning rate) and, where nothing decays,
        ``weight_decay`` 0. One group where nothing is asked for.

    Raises
    ------
    UserError
        A multiplier names no sub-module, or a factor is not positive.
    """
    scales = dict(multipliers or {})
    modules = dict(model.named_modules())
    for name, factor in scales.items():
        if name not in modules or not name:
            known = [name for name in modules if name and name.count(".") < 2]
            raise UserError(
                f"training.learning_rate_multipliers: the model has no part {name}, expected one of {', '.join(known)}"
            )
        _check_factor(f"training.learning_rate_multipliers.{name}", factor)
    _check_factor("training.layer_decay", layer_decay)
    depth = _depths(model)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        inside = [module for module in scales if name.startswith(f"{module}.")]
        scale = scales[max(inside, key=len)] if inside else 1.0
        scale *= layer_decay ** next((steps for child, steps in depth.items() if name.startswith(f"{child}.")), 0)
        decays = decay_all or parameter.ndim >= MATRIX
        groups.setdefault((scale, decays), []).append(parameter)
    return [
        {"params": parameters, "scale": scale, **({} if decays else {"weight_decay": 0.0})}
        for (scale, decays), parameters in groups.items()
    ]


def scaled(groups: list[dict[str, Any]], learning_rate: float) -> list[dict[str, Any]]:
    """Give each group its own learning rate: the recipe's times its ``scale``."""
    return [
        {**{key: value for key, value in group.items() if key != "scale"}, "lr": learning_rate * group["scale"]}
        for group in groups
    ]


def _depths(model: nn.Module) -> dict[str, int]:
    """Number the layers of the trunk from the head: the last is 1."""
    trunk = getattr(model, "trunk", None)
    layers = list(_layers(trunk, "trunk")) if isinstance(trunk, nn.Module) else []
    return {name: number for number, name in enumerate(reversed(layers), start=1)}


def _layers(module: nn.Module, place: str) -> Iterator[str]:
    """Yield the names of a module's parts that have parameters, a list or sequence of parts as its own parts.

    A block that is a class of its own, such as a residual unit or a transformer's layer, is one layer.
    """
    for name, child in module.named_children():
        if type(child) in (nn.Sequential, nn.ModuleList) or _holds_layers(child):
            yield from _layers(child, f"{place}.{name}")
        elif any(True for _ in child.parameters()):
            yield f"{place}.{name}"


def _holds_layers(module: nn.Module) -> bool:
    return any(isinstance(child, nn.ModuleList) for child in module.children())


def _check_factor(key: str, value: Any) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise UserError(f"{key}: found {value!r}, expected a number above 0")
