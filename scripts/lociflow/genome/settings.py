"""Functions that a data set's configuration names by ``_target_``, with their settings bound and checked."""

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import hydra.utils

from lociflow.command import UserError
from lociflow.instantiate import instantiate, is_trusted_name, trusted_object

# What a data set's configuration may name where.
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "windows": (
        "lociflow.genome.windows.tile_bins",
        "lociflow.genome.windows.peak_centred_bins",
        "lociflow.genome.windows.region_bins",
        "lociflow.genome.whole_sequences.whole_sequences",
    ),
    "windows.negatives": tuple(
        f"lociflow.genome.negatives.{name}" for name in ("background", "matched", "flanks", "shuffled")
    ),
    "split": tuple(
        f"lociflow.genome.splits.{name}"
        for name in (
            "by_contig", "balanced_contigs", "contig_folds", "by_group", "published", "random", "homology_aware",
        )
    ),
}  # fmt: skip


def partial(entry: Any, where: str, unless: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Build the function that a part of a configuration names, with its settings bound and the data still to come.

    Parameters
    ----------
    entry
        A mapping with ``_target_``; nested ones, also in lists, are functions with bound settings too.
    where
        The entry's place in the configuration, for messages.
    unless
        Settings that are not for this function.

    Raises
    ------
    UserError
        There is no such function, or it has no such setting.
    """
    if not isinstance(entry, Mapping) or "_target_" not in entry:
        raise UserError(f"{where}: found {entry!r}, expected a mapping with _target_")
    settings = {name: value for name, value in entry.items() if name not in unless}
    _check(settings, where)
    return instantiate(_as_partials(settings))


def takes(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a function has an argument of that name."""
    return name in inspect.signature(function).parameters


def check_keys(config: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Refuse a key that is not known.

    Raises
    ------
    UserError
        Names the key and the known one that is nearest.
    """
    for key in config:
        if key not in known:
            raise UserError(f"{where}: found the key {key!r}, {_did_you_mean(key, list(known))}")


def _as_partials(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_as_partials(value) for value in entry]
    if not isinstance(entry, Mapping):
        return entry
    nested = {name: _as_partials(value) for name, value in entry.items()}
    return {**nested, "_partial_": True} if "_target_" in nested else nested


def _check(entry: Mapping[str, Any], where: str) -> None:
    function = _function(entry["_target_"], where)
    parameters = inspect.signature(function).parameters
    for name, value in entry.items():
        if name not in (*parameters, "_target_"):
            known = [known for known, parameter in parameters.items() if parameter.kind is not parameter.VAR_KEYWORD]
            raise UserError(f"{where}: found the key {name!r}, {_did_you_mean(name, known)}")
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Mapping) and "_target_" in inner:
                _check(inner, f"{where}.{name}")
    for name, parameter in parameters.items():
        needed = parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        if needed and name not in entry:
            raise UserError(f"{where}: found no key {name!r}, which {function.__name__} needs; add it")


def _function(target: Any, where: str) -> Callable[..., Any]:
    """Look up a function, or say which there are for this place of the configuration."""
    known = list(FUNCTIONS.get(where, ()))
    if isinstance(target, str) and not known and (home := target.rpartition(".")[0]):
        known = _public(home)
    if not isinstance(target, str) or "." not in target or not _exists(target):
        named = {name.rpartition(".")[2]: name for name in known}
        close = get_close_matches(str(target).rpartition(".")[2], list(named), n=1)
        hint = f"did you mean {named[close[0]]}?" if close else "correct its spelling"
        expected = f"one of {', '.join(known)}" if known else "the dotted name of a function"
        raise UserError(f"{where}._target_: found {target!r}, which does not exist; expected {expected}; {hint}")
    return trusted_object(target)


def _exists(target: str) -> bool:
    if not is_trusted_name(target):
        # Not looked up, which would import it; that it is not trusted is told instead.
        return True
    try:
        hydra.utils.get_object(target)
    except Exception:
        return False
    return True


def _public(module: str) -> list[str]:
    """Return the dotted names of the functions of one of this package's modules; none where there is no such."""
    try:
        if not module.startswith("lociflow.") or importlib.util.find_spec(module) is None:
            return []
    except (ImportError, ValueError):
        return []
    found = vars(importlib.import_module(module))
    names = found.get("__all__") or [
        name
        for name, value in found.items()
        if inspect.isfunction(value) and value.__module__ == module and not name.startswith("_")
    ]
    return [f"{module}.{name}" for name in names]


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"expected one of {', '.join(known)}" + (f"; did you mean {close[0]}?" if close else "")
