"""Build the objects that a configuration names by ``_target_``, from trusted modules only."""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra.utils
from hydra.errors import InstantiationException
from omegaconf import OmegaConf

from lociflow.command import UserError

# Of lociflow what a configuration chooses among, and not what fetches, writes and deletes files.
TRUSTED = (
    *(f"lociflow.{part}" for part in ("data", "evaluation", "genome", "interpretation", "models", "training")),
    "torch.nn",
    "torch.optim",
    "torchmetrics",
)
RESERVED = ("_target_", "_partial_", "_args_", "_convert_", "_recursive_")

# Without a handler, Hydra's account of an unknown name would reach stderr beside the sentence about it.
logging.getLogger("hydra").addHandler(logging.NullHandler())


def targets_of(config: Any) -> Iterator[str]:
    """Yield every ``_target_`` inside a nested configuration of mappings and lists."""
    for value in _values(config):
        if isinstance(value, Mapping) and "_target_" in value:
            yield str(value["_target_"])


def _values(config: Any) -> Iterator[Any]:
    """Yield a nested configuration and everything inside it."""
    yield config
    if isinstance(config, Mapping):
        for value in config.values():
            yield from _values(value)
    elif isinstance(config, Sequence) and not isinstance(config, str | bytes):
        for value in config:
            yield from _values(value)


def trusted_object(target: str, trusted: tuple[str, ...] = TRUSTED) -> Callable[..., Any]:
    """Return the object that a ``_target_`` names, which must have been defined in a trusted module.

    The name must begin like one, as looking it up imports it, and then the object's own ``__module__`` decides:
    ``lociflow.training.train.torch.load`` begins with a trusted name and is not one.

    A step, which takes paths and writes files, is none of the objects that a configuration may name.

    Raises
    ------
    UserError
        There is no such object, it comes from elsewhere, it is private or a step, or it is nothing to call.
    """
    expected = f"expected one of {', '.join(trusted)}; name an object that one of these defines"
    if not is_trusted_name(target, trusted):
        raise UserError(f"_target_ {target}: comes from {target.rpartition('.')[0] or 'no module'}, {expected}")
    try:
        found = hydra.utils.get_object(target)
    except Exception as error:
        told = " ".join(str(error).split())
        raise UserError(f"_target_ {target}: no such object ({told}); check its spelling") from None
    home = getattr(found, "__module__", None)
    if not isinstance(home, str) or not is_trusted_name(home, trusted):
        raise UserError(f"_target_ {target}: comes from {home or 'no module'}, {expected}")
    if not callable(found):
        raise UserError(f"_target_ {target}: found {type(found).__name__}, expected a function or a class")
    if any(part.startswith("_") for part in target.split(".")) or _takes_paths(found):
        raise UserError(
            f"_target_ {target}: is no part that a configuration chooses, expected a model, loss, optimiser, maker of "
            "windows or the like"
        )
    return found


def is_trusted_name(name: str, trusted: tuple[str, ...] = TRUSTED) -> bool:
    """Tell whether a dotted name is that of a trusted module, or of something in one."""
    return any(name == module or name.startswith(f"{module}.") for module in trusted)


def _takes_paths(found: Callable[..., Any]) -> bool:
    """Tell whether a parameter is declared as a path and nothing else: configurations hold text."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except ValueError:
        return False
    return any(parameter.annotation in (Path, Path | None) for parameter in parameters)


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
        A ``_target_`` is unknown or not trusted, the arguments do not fit it, or it refuses them.
    """
    plain: Any = OmegaConf.to_container(config, resolve=True) if OmegaConf.is_config(config) else dict(config)
    for value in _values(plain):
        if isinstance(value, Mapping) and "_target_" in value:
            is_whole = value is plain
            _check_arguments(value, args if is_whole else (), more if is_whole else {}, trusted)
        elif isinstance(value, str) and "${" in value:
            # Hydra would resolve it after the checks, to whatever object it likes.
            raise UserError(f"{value}: stands for another value and is still unresolved; write the value itself")
    try:
        return hydra.utils.instantiate(plain, *args, _convert_="all", **more)
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from None
        if isinstance(error.__cause__, TypeError | ValueError):
            told = " ".join(str(error.__cause__).split())
            raise UserError(f"_target_ {plain.get('_target_')}: its arguments do not fit it ({told})") from None
        raise


def _check_arguments(
    config: Mapping[str, Any], args: Sequence[Any], more: Mapping[str, Any], trusted: tuple[str, ...]
) -> None:
    target = str(config["_target_"])
    found = trusted_object(target, trusted)
    try:
        signature = inspect.signature(found)
    except ValueError:
        # Some functions of compiled modules do not tell theirs.
        return
    named = {**config, **more}
    bind = signature.bind_partial if named.get("_partial_") else signature.bind
    try:
        bind(*(args or named.get("_args_", ())), **{key: value for key, value in named.items() if key not in RESERVED})
    except TypeError as error:
        known = ", ".join(signature.parameters) or "none"
        raise UserError(f"_target_ {target}: {error}; its arguments are {known}") from None
