"""The optimiser and the schedule of a recipe, for the groups of a model's parameters."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from lociflow.command import UserError
from lociflow.instantiate import instantiate, trusted_object
from lociflow.training.parameter_groups import parameter_groups, scaled

# Under this key a group holds the factor on its learning rate, where groups have different ones.
SCALE = "scale"


def make_optimizer(recipe: Mapping[str, Any], model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimiser of a model's trained parameters.

    Parameters
    ----------
    recipe
        The configuration's ``training``: ``optimizer``, and perhaps ``learning_rate_multipliers``, ``layer_decay``,
        ``decay_all``.
    model
        The model.

    Raises
    ------
    UserError
        Nothing is left to train, learning rates differ and the optimiser does not say its own, or a part of the model
        does not exist.
    """
    settings = recipe["optimizer"]
    factors, layer_decay = recipe.get("learning_rate_multipliers") or {}, recipe.get("layer_decay", 1.0)
    uniform = not factors and layer_decay == 1
    optimizer = instantiate(settings)
    if uniform and (recipe.get("decay_all") or not _weight_decay(settings)):
        # One group: the optimiser then works on all parameters at once.
        return optimizer(_some([parameter for parameter in model.parameters() if parameter.requires_grad]))
    groups = _some(parameter_groups(model, bool(recipe.get("decay_all")), factors, layer_decay))
    if uniform:
        return optimizer([{key: value for key, value in group.items() if key != SCALE} for group in groups])
    if "lr" not in settings:
        raise UserError(
            "training.optimizer.lr: found nothing, expected a number, as layers have different learning rates; add it"
        )
    rates = scaled(groups, settings["lr"])
    return optimizer([{**rate, SCALE: group[SCALE]} for rate, group in zip(rates, groups, strict=True)])


def make_schedule(
    settings: Mapping[str, Any], optimizer: torch.optim.Optimizer, total_steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Return a schedule of the learning rate; a ``max_lr`` is scaled like the learning rates of the groups."""
    more: dict[str, Any] = {}
    scales = [group[SCALE] for group in optimizer.param_groups if SCALE in group]
    if scales and "max_lr" in settings:
        more["max_lr"] = [settings["max_lr"] * scale for scale in scales]
    schedule: torch.optim.lr_scheduler.LRScheduler = instantiate(settings)(optimizer, total_steps=total_steps, **more)
    return schedule


def _weight_decay(settings: Mapping[str, Any]) -> float:
    """Return the weight decay that an optimiser is given or, as AdamW, has by itself."""
    own = inspect.signature(trusted_object(settings["_target_"])).parameters.get("weight_decay")
    default = 0.0 if own is None or own.default is inspect.Parameter.empty else own.default
    return float(settings.get("weight_decay", default) or 0.0)


def _some(parameters: list[Any]) -> list[Any]:
    if not parameters:
        raise UserError(
            "training.transfer.freeze: leaves nothing of the model to train, expected some of its parts; freeze fewer"
        )
    return parameters
