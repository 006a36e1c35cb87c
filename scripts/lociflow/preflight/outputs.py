"""What a data set will ask of a model, as far as its configuration tells before the data are made."""

from collections.abc import Mapping, Sequence
from typing import Any

from lociflow.config import Configuration, label_kind_of
from lociflow.data.some_targets import choose_targets
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.sequence_labels import target_columns
from lociflow.genome.signal_config import STRANDED, strand_order
from lociflow.models.outputs import UNLABELLED, Outputs
from lociflow.trainings import target_names

# Where only the files tell which targets or classes there are.
STAND_INS = ("1", "2")


def expected_outputs(config: Mapping[str, Any], groups: Configuration, recipe: Mapping[str, Any]) -> Outputs:
    """Return what a training on a data set will ask of its model.

    Parameters
    ----------
    config
        The data set.
    groups
        Where its sample sheet is looked for.
    recipe
        The resolved configuration's ``training``.

    Returns
    -------
    Outputs
        As windows and labels will give it; targets and classes that only the data set's files name are
        :data:`STAND_INS`.

    Raises
    ------
    UserError
        The training names a target that the data set does not have.
    """
    if recipe.get("objective"):
        return Outputs(UNLABELLED, ())
    kind, labels, asked = label_kind_of(config), config.get("labels") or {}, recipe.get("targets")
    windows = config["windows"]
    positions = int(windows.get("bin") or windows["length"]) if label_kind(kind).positional else 0
    names = _names(config, groups)
    if "columns" in config["targets"]:
        outputs = Outputs(kind, tuple(names), _classes(config) if kind == "class" else ())
    elif kind in ("class", "position_class"):
        # One target, whose classes are those that the data set calls targets.
        background = str(labels.get("background", "background"))
        outputs = Outputs(kind, ("class",), ((background, *(names or STAND_INS)),), positions)
    else:
        outputs = Outputs(kind, tuple(names or asked or STAND_INS), (), positions)
    columns, _ = choose_targets(outputs.targets, asked, None)
    return outputs.only(columns)


def guessed(*outputs: Outputs) -> bool:
    """Tell whether some of these outputs are :data:`STAND_INS`."""
    every = [names for found in outputs for names in (found.targets, *found.classes)]
    return any(names[-len(STAND_INS) :] == STAND_INS for names in every)


def other_strand(config: Mapping[str, Any], wanted: Sequence[str] | None) -> list[int] | None:
    """Return the order of a training's targets on the other strand, None where it is the same.

    Parameters
    ----------
    config
        The data set.
    wanted
        Names of those that are learnt; None: all.

    Raises
    ------
    UserError
        Only one strand of a pair is learnt.
    """
    strands = _strands(config)
    order = strand_order(strands)
    return None if order is None else choose_targets(_track_names(strands), wanted, order)[1]


def control_shape(config: Mapping[str, Any], groups: Configuration) -> tuple[int, ...] | None:
    """Return the shape of a data set's control experiment for one bin, or None where it has none."""
    if not (config["targets"].get("signal") or {}).get("control"):
        return None
    outputs = expected_outputs(config, groups, {})
    tracks = len(outputs.targets)
    return (outputs.positions, tracks) if outputs.positions else (tracks,)


def _strands(config: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the strands of each of a data set's tracks, "" of one without."""
    tracks = (config["targets"].get("signal") or {}).get("tracks") or {}
    return {str(name): STRANDED if set(STRANDED) <= set(entry) else ("",) for name, entry in tracks.items()}


def _track_names(strands: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{name}.{strand}" if strand else name for name, found in strands.items() for strand in found]


def _names(config: Mapping[str, Any], groups: Configuration) -> list[str]:
    """Return the names of what a data set predicts; none where only its files tell them."""
    targets = config["targets"]
    if "signal" in targets:
        return _track_names(_strands(config))
    return list(target_names(config["name"], groups))


def _classes(config: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    wanted = (config.get("labels") or {}).get("classes")
    of_columns = [
        wanted.get(column) if isinstance(wanted, Mapping) else wanted
        for column in target_columns(config["targets"]).values()
    ]
    return tuple(tuple(map(str, names or STAND_INS)) for names in of_columns)
