"""Build the objects that a configuration names by ``_target_``, from trusted modules only."""

from collections.abc import Iterator, Mapping
from typing import Any

import hydra.utils
from omegaconf import OmegaConf

from lociflow.command import UserError

TRUSTED = ("lociflow", "torch.nn", "torch.optim", "torchmetrics")


def targets_of(config: Any) -> Iterator[str]:
    """Yield every ``_target_`` inside a nested configuration of mappings and lists."""
    if isinstance(config, Mapping):
        if "_target_" in config:
            yield str(config["_target_"])
        for value in config.values():
            yield from targets_of(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from targets_of(value)


def check_target(target: str, trusted: tuple[str, ...] = TRUSTED) -> None:
    """Refuse a ``_target_`` whose object was not defined in a trusted module.

    The object's own ``__module__`` decides: ``lociflow.command.os.system`` begins with a trusted name and is not one.

    Raises
    ------
    UserError
        There is no such object, or it comes from elsewhere.
    """
    try:
        found = hydra.utils.get_object(target)
    except Exception as error:
        raise UserError(f"_target_ {target}: no such object ({error}); check its spelling") from None
    home = getattr(found, "__module__", None)
    if not isinstance(home, str) or not any(home == name or home.startswith(f"{name}.") for name in trusted):
        raise UserError(
            f"_target_ {target}: comes from {home or 'no module'}, expected one of {', '.join(trusted)}; "
            "name the module in trusted_modules if you trust it"
        )


def instantiate(config: Mapping[str, Any], *args: Any, trusted: tuple[str, ...] = TRUSTED, **more: Any) -> Any:
    """Build the object that ``config`` describes.

    A thin door before ``hydra.utils.instantiate`` that first checks every ``_target_``.

    Parameters
    ----------
    config
        A mapping with ``_target_`` and the arguments; may be nested.
    *args, **more
        Arguments that only the caller knows, such as the number of targets.
    trusted
        Module names whose objects, and those of their submodules, may be built.

    Raises
    ------
    UserError
        A ``_target_`` is unknown or not trusted, or the arguments do not fit it.
    """
    plain = OmegaConf.to_container(config, resolve=True) if OmegaConf.is_config(config) else dict(config)
    for target in targets_of(plain):
        check_target(target, trusted)
    return hydra.utils.instantiate(plain, *args, _convert_="all", **more)
