"""Variants of models: those that a run declares, and those that its learning curves, single targets and searches make.

A label names a model and its variants: ``danq_small``, ``danq_small+long``, ``danq_small+long+labels-5pct``. Names that
are made here tell what they change, so that two runs that make the same name mean the same.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lociflow.command import UserError
from lociflow.config import did_you_mean
from lociflow.layout import split_label

# What a name of a variant may not hold.
UNNAMED = re.compile(r"[^A-Za-z0-9_.-]+")
CHOSEN = "chosen-"


class Share(NamedTuple):
    """A point of a learning curve."""

    of: str
    """Label of the model that is trained on a share of the labels."""
    share: float
    """From 0 (exclusive) to 1."""


class Single(NamedTuple):
    """A model that is trained on one target."""

    of: str
    """Label of the model with all targets."""
    target: str


def shares(run: Mapping[str, Any]) -> dict[str, Share]:
    """Return the labels of a run's learning curves; the share 1 is the model itself."""
    asked = run.get("learning_curve") or {"models": [], "shares": []}
    return {
        label if share == 1 else f"{label}+{_share_name(share)}": Share(label, share)
        for label in asked["models"]
        for share in asked["shares"]
    }


def singles(run: Mapping[str, Any], targets: Sequence[str]) -> dict[str, Single]:
    """Return the labels of the models that a run trains on single targets of a data set with these targets.

    Raises
    ------
    UserError
        Two targets would have one name.
    """
    asked = run.get("single_task") or {"models": []}
    wanted = [target for target in targets if asked.get("targets") is None or target in asked["targets"]]
    found: dict[str, Single] = {}
    for label in asked["models"]:
        for target in wanted:
            name = f"{label}+{_only_name(target)}"
            if name in found:
                raise UserError(
                    f"single_task: targets {found[name].target} and {target} would both be {name}; rename one target"
                )
            found[name] = Single(label, target)
    return found


def trials(run: Mapping[str, Any], search: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the trials of one search of a run, or of all: what each sets (key to value), by its label.

    A trial is a combination of the grid's values; one that several searches of a model hold is trained once.

    Raises
    ------
    UserError
        Two different trials, or a trial and a variant, would have one name.
    """
    found: dict[str, dict[str, Any]] = {}
    for searched, asked in (run.get("search") or {}).items():
        if search not in (None, searched):
            continue
        grid, own = asked["grid"], set()
        for values in itertools.product(*grid.values()):
            settings = dict(zip(grid, values, strict=True))
            name = "_".join(f"{key.rpartition('.')[2]}-{_value_name(value)}" for key, value in settings.items())
            label = f"{asked['model']}+{name}"
            if name in (run.get("variants") or {}):
                raise UserError(
                    f"search.{searched}: a trial would be {label}, and the run declares a variant {name}; rename that"
                )
            if label in own or found.get(label, settings) != settings:
                raise UserError(f"search.{searched}: two combinations would both be {label}; drop one of the values")
            own.add(label)
            found[label] = settings
    return found


def chosen(run: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of the best trials of a run's searches, each with its search.

    The label tells the grid too: the same search over other values has another best trial.
    """
    return {
        f"{asked['model']}+{CHOSEN}{search}-{_digest(asked['grid'])}": search
        for search, asked in (run.get("search") or {}).items()
    }


def overrides(run: Mapping[str, Any], label: str, targets: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the Hydra overrides of all variants that a label names, in their order.

    Parameters
    ----------
    run
        The configuration of the run.
    label
        MODEL, MODEL+VARIANT or MODEL+VARIANT+VARIANT.
    targets
        Names of the data set's targets.

    Raises
    ------
    UserError
        A variant is neither declared by the run nor made by it.
    """
    _, names = split_label(label)
    known: dict[str, tuple[str, ...]] = {
        name: tuple(map(str, declared)) for name, declared in (run.get("variants") or {}).items()
    }
    made: dict[str, tuple[str, ...]] = {
        **{_share_name(one.share): (f"training.label_fraction={one.share}",) for one in shares(run).values()},
        **{
            _only_name(one.target): (f"training.targets=[{_quoted(one.target)}]",)
            for one in singles(run, targets).values()
        },
    }
    for name in known.keys() & made.keys():
        raise UserError(f"variants.{name}: the run's experiments make a variant of this name; give it another one")
    known |= made
    if (trial := trials(run).get(label)) is not None:
        # Of a trial the whole label counts: another model's search may have one of the same name.
        base = label.rpartition("+")[0]
        return (
            *overrides(run, base, targets),
            *(f"{key}={_literal(value)}" for key, value in trial.items()),
        )
    found: list[str] = []
    for name in names.split("+") if names else []:
        if name not in known:
            raise UserError(
                f"models: {label} names the variant {name}{did_you_mean(name, known)}; declare it under variants"
            )
        found += known[name]
    return tuple(found)


def check_override(where: str, override: str) -> None:
    """Refuse an override of what runs share, or one that would change nothing.

    Raises
    ------
    UserError
        See above.
    """
    key = override.partition("=")[0].lstrip("+~")
    part, _, rest = key.partition(".")
    if part not in ("model", "training"):
        raise UserError(
            f"{where}: {override} changes {part}, which runs share; "
            "a variant overrides model.… or training.…; for other data write another data set"
        )
    if not rest:
        raise UserError(f"{where}: {override} replaces the whole {part}; override one of its keys")
    if part == "model" and rest.partition(".")[0] == "training":
        raise UserError(f"{where}: {override} would change nothing; write {key[len('model.') :]}=…")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:6]


def _share_name(share: float) -> str:
    return f"labels-{100 * share:.15g}pct"


def _only_name(target: str) -> str:
    return f"only-{UNNAMED.sub('-', target)}"


def _value_name(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return "-".join(UNNAMED.sub("-", f"{one:g}" if isinstance(one, float) else str(one)) for one in values)


def _literal(value: Any) -> str:
    """Write a value as Hydra's grammar reads it."""
    if isinstance(value, list):
        return f"[{','.join(map(_literal, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_literal(one)}" for key, one in value.items()) + "}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
