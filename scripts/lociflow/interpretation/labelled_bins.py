"""Which bins have the label that an output of a model is about: those on which it is explained and asked about motifs.

======================  ================================================================================================
labels                  bins
======================  ================================================================================================
``binary``              the positives of the target
``class``               those of the class
``real``                the quarter with the highest labels of the target
``position_class``      those in which the class stands anywhere
``profile``             the quarter with the most signal, for the counts and for the profile
a contrast              bins of the first output that are known not to be bins of the second
======================  ================================================================================================

Windows of bins on ``-`` are read from the other strand, where targets that are pairs of strands have changed places:
what such an output says there is about its partner's label.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lociflow.command import UserError
from lociflow.models.outputs import Outputs

# Of the bins with known labels, those with the highest ones.
TOP = 0.25
# Rows of the labels that are in memory at a time.
CHUNK = 1 << 16


class Answers(NamedTuple):
    """For some bins, what their labels say of one output, each ``bool`` of shape ``(bins,)``."""

    yes: np.ndarray
    """They have the label."""
    no: np.ndarray
    """Known not to have it; neither where labels are missing."""


class OtherStrand(NamedTuple):
    """Where targets that are pairs of strands have changed places."""

    reverse: np.ndarray
    """Of all bins: whether they are read from the other strand, ``bool``."""
    order: Sequence[int]
    """The order of the data set's targets there."""


def target_columns(outputs: Outputs, targets: Sequence[str], checkpoint: Path, target_table: Path) -> list[int]:
    """Return the columns of the data set's targets that a model was asked for; it may have been some of them.

    Parameters
    ----------
    outputs
        What the model was asked for.
    targets
        Names of the data set's targets.
    checkpoint, target_table
        Where both are from.

    Raises
    ------
    UserError
        The data set has no such target.
    """
    if unknown := [target for target in outputs.targets if target not in targets]:
        raise UserError(
            f"{checkpoint}: has an output {unknown[0]}, expected targets of {target_table}: "
            f"{', '.join(targets[:10])}; train the model again on this data set"
        )
    return [targets.index(target) for target in outputs.targets]


def labels_as_read(
    labels: np.ndarray, rows: np.ndarray, columns: Sequence[int], other: OtherStrand | None
) -> np.ndarray:
    """Return the labels of some bins as a model that reads each from its own strand should answer.

    Parameters
    ----------
    labels
        Of all bins, as :func:`lociflow.data.targets.open_targets` maps them.
    rows
        Bin indices.
    columns
        Of the targets that the model was asked for.
    other
        None: no target has a partner.

    Returns
    -------
    numpy.ndarray
        Labels of ``rows``, the last axis in the order of ``columns``.
    """
    found = np.asarray(labels[rows])
    if other is not None:
        reverse = other.reverse[rows].reshape(-1, *[1] * (found.ndim - 1))
        found = np.where(reverse, found[..., list(other.order)], found)
    return found[..., list(columns)]


def label_places(outputs: Outputs) -> list[tuple[int, int]]:
    """Return the number of the model's target and that of the class of each scalar of a model, without contrasts.

    In the order of :func:`lociflow.interpretation.scalar_names.scalar_names`; the class is 0 where labels have none.
    """
    if outputs.kind == "profile":
        return [(target, 0) for target in range(len(outputs.targets)) for _ in ("counts", "profile")]
    if not outputs.classes:
        return [(target, 0) for target in range(len(outputs.targets))]
    first = 1 if outputs.kind == "position_class" else 0
    return [(target, number) for target, names in enumerate(outputs.classes) for number in range(first, len(names))]


def answers(
    labels: np.ndarray,
    rows: np.ndarray,
    outputs: Outputs,
    targets: Sequence[str],
    column: int,
    other: OtherStrand | None = None,
) -> Answers:
    """Tell which bins have the label that an output is about.

    Parameters
    ----------
    labels
        Of all bins, as :func:`lociflow.data.targets.open_targets` maps them.
    rows
        Bin indices, ``int64``, ascending.
    outputs
        What the model was asked for.
    targets
        Names of the data set's targets, the last axis of ``labels``; the model may have been asked for some of them.
    column
        Of its scalars, without contrasts.
    other
        None: no target has a partner.
    """
    own, number = label_places(outputs)[column]
    target = targets.index(outputs.targets[own])
    if outputs.kind in ("real", "profile"):

        def amount(part: np.ndarray) -> np.ndarray:
            return part if outputs.kind == "real" else part.sum(axis=1)

        return _top(_read(labels, rows, target, amount, other))
    if outputs.kind == "position_class":
        return Answers(
            _read(labels, rows, target, lambda part: (part == number).any(axis=1), other),
            _read(labels, rows, target, lambda part: ((part != number) & (part >= 0)).all(axis=1), other),
        )
    found = _read(labels, rows, target, np.asarray, other)
    wanted = 1 if outputs.kind == "binary" else number
    return Answers(found == wanted, (found != wanted) & (found >= 0))


def contrast_rows(plus: Answers, minus: Answers) -> np.ndarray:
    """Tell which bins a contrast is about: those of the first output and not of the second."""
    found: np.ndarray = plus.yes & minus.no
    return found


def count_bins(
    labels: np.ndarray,
    rows: np.ndarray,
    outputs: Outputs,
    targets: Sequence[str],
    other: OtherStrand | None = None,
) -> np.ndarray:
    """Count the bins of each scalar of a model, without contrasts, ``int64``; parameters as :func:`answers`."""
    if outputs.kind == "binary" and other is None:
        # All targets in one pass: there may be thousands.
        counts = np.zeros(labels.shape[1], dtype=np.int64)
        for first in range(0, len(rows), CHUNK):
            counts += (labels[rows[first : first + CHUNK]] == 1).sum(axis=0)
        return counts[[targets.index(name) for name in outputs.targets]]
    columns = range(len(label_places(outputs)))
    return np.array(
        [answers(labels, rows, outputs, targets, column, other).yes.sum() for column in columns], dtype=np.int64
    )


def unlabelled_bins(labels: np.ndarray, rows: np.ndarray, kind: str) -> np.ndarray:
    """Return the bins that are known to have no label, ``int64``, ascending.

    Raises
    ------
    UserError
        Labels are not binary.
    """
    if kind != "binary":
        raise UserError(
            f"importance.backgrounds.kind: found negatives, which {kind} labels do not have, expected shuffled"
        )
    return np.asarray(rows[(np.asarray(labels[rows]) == 0).all(axis=1)])


def outputs_asked(wanted: int | str | Sequence[str], names: Sequence[str], outputs: Outputs) -> int | str | list[str]:
    """Return which outputs are asked for, by their names: a target stands for all of its outputs.

    Parameters
    ----------
    wanted
        A number or ``all``, returned as they are; or names of outputs and targets.
    names
        Of the scalars, without contrasts.
    outputs
        What the model was asked for.
    """
    if isinstance(wanted, int) or wanted == "all":
        return wanted
    of: dict[str, list[str]] = {}
    for name, (target, _) in zip(names, label_places(outputs), strict=True):
        of.setdefault(outputs.targets[target], []).append(name)
    return [name for one in ([wanted] if isinstance(wanted, str) else wanted) for name in (of.get(one) or [one])]


def _top(values: np.ndarray) -> Answers:
    known = ~np.isnan(values)
    order = np.argsort(np.where(known, -values, np.inf), kind="stable")
    yes = np.zeros(len(values), dtype=bool)
    yes[order[: math.ceil(TOP * known.sum())]] = True
    return Answers(yes, known & ~yes)


def other_strand(reverse: np.ndarray, order: Sequence[int] | None) -> OtherStrand | None:
    """Return where targets have changed places, None where none has a partner or no bin is read from there."""
    return OtherStrand(reverse, order) if order is not None and reverse.any() else None


def _read(
    labels: np.ndarray,
    rows: np.ndarray,
    target: int,
    reduce: Callable[[np.ndarray], np.ndarray],
    other: OtherStrand | None,
) -> np.ndarray:
    if other is not None and other.order[target] != target:
        own, partner = (_read(labels, rows, place, reduce, None) for place in (target, other.order[target]))
        return np.where(other.reverse[rows], partner, own)
    parts = [reduce(labels[rows[first : first + CHUNK], ..., target]) for first in range(0, len(rows), CHUNK)]
    return np.concatenate(parts) if parts else np.empty(0)
