"""Balanced sampling of the training split (``training.balance``): which of its bins make an epoch.

Loss weights are another matter: they count what an epoch has after the draws
(:func:`lociflow.training.labels.epoch_statistics`). Validation and test keep the natural prevalence. What a model of
such epochs says is not calibrated to it; ``offsets`` tells where a constant on its outputs is all that is missing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from lociflow.command import UserError, status
from lociflow.data.draws import Purpose, stream
from lociflow.data.some_targets import SomeTargets
from lociflow.genome.label_kinds import LabelKind
from lociflow.instantiate import instantiate

# Bytes of labels that are read at once.
CHUNK = 1 << 26


class Part(NamedTuple):
    """Bins of which an epoch takes equally many each time."""

    name: str
    bins: np.ndarray
    """Indices, ``int64``, ascending."""
    drawn: int
    """How many of them an epoch takes."""


class Balance(NamedTuple):
    """Bins of an epoch: a sample of each part, drawn anew in every epoch."""

    parts: tuple[Part, ...]
    offsets: np.ndarray
    """``float64``, shape ``(columns,)``: what is to be added to each output of a model of these epochs, so that its
    probabilities are those of the natural prevalence; NaN where no constant does it exactly."""

    @property
    def size(self) -> int:
        """Bins of an epoch, the same in every epoch."""
        return sum(part.drawn for part in self.parts)

    def draw(self, seed: int, epoch: int) -> np.ndarray:
        """Draw the bins of an epoch, ``int64``, ascending: a pure function of (seed, epoch)."""
        chosen = [
            part.bins
            if part.drawn == len(part.bins)
            else stream(seed, Purpose.BALANCE, epoch, number).choice(part.bins, part.drawn, replace=False)
            for number, part in enumerate(self.parts)
        ]
        return np.sort(np.concatenate(chosen))

    def tell(self) -> str:
        """Tell the sizes in words."""
        return ", ".join(f"{part.drawn:,} of {len(part.bins):,} {part.name}" for part in self.parts)


class Balancing(Protocol):
    """What ``training.balance`` names."""

    def __call__(
        self,
        bins: np.ndarray,
        labels: np.ndarray | SomeTargets,
        kind: LabelKind,
        targets: Sequence[str],
        classes: Sequence[Sequence[str]],
        rows: np.ndarray | None = None,
    ) -> Balance:
        """Sort the training bins into parts.

        Parameters
        ----------
        bins
            Of the training split, ``int64``, ascending.
        labels
            Of all bins, shape ``(bins, targets)``.
        kind
            Of the labels.
        targets
            Names of the columns of ``labels``.
        classes
            Names of each target's classes; empty for binary labels.
        rows
            Row of ``labels`` that belongs to each bin; None for each bin's own.
        """


def make_balance(
    asked: Mapping[str, Any] | None,
    bins: np.ndarray,
    labels: np.ndarray | SomeTargets,
    kind: LabelKind,
    targets: Sequence[str],
    classes: Sequence[Sequence[str]],
    rows: np.ndarray | None = None,
) -> Balance | None:
    """Sort the training bins as a recipe asks; None where it asks for nothing.

    Parameters
    ----------
    asked
        The recipe's ``balance``: the ``_target_`` of a :class:`Balancing` and its arguments.
    bins, labels, kind, targets, classes, rows
        As in :class:`Balancing`.

    Raises
    ------
    UserError
        It does not fit the labels.
    """
    if not asked:
        return None
    found: Balance = instantiate(asked)(bins, labels, kind, targets, classes, rows=rows)
    status(f"an epoch has {found.tell()}")
    return found


class SomeNegatives:
    """All positives and a sample of the negatives, for binary labels.

    With one target the odds of a model of such epochs are exactly 1 / r times the natural ones where a share r of the
    negatives is drawn, as each of them has the same chance. The same holds for a target that is named, where there are
    several. It does not hold for the others, nor for any of several targets when none is named: a bin that is negative
    for one target is then kept for sure if it is positive for another, and with probability r if not.

    Parameters
    ----------
    ratio
        Negatives per positive, above 0; where there are fewer, all of them.
    target
        Name of the target that counts; None: positives are the bins that are positive for any target, negatives those
        that are known to be negative for some and positive for none. Bins of which no label that counts is known make
        no part of any epoch.

    Raises
    ------
    UserError
        The ratio is not above 0.
    """

    def __init__(self, ratio: float = 1.0, target: str | None = None) -> None:
        if not ratio > 0:
            raise UserError(f"training.balance.ratio: found {ratio}, expected a number above 0")
        self.ratio = ratio
        self.target = target

    def __call__(
        self,
        bins: np.ndarray,
        labels: np.ndarray | SomeTargets,
        kind: LabelKind,
        targets: Sequence[str],
        classes: Sequence[Sequence[str]],
        rows: np.ndarray | None = None,
    ) -> Balance:
        """Sort the training bins into positives and negatives.

        Raises
        ------
        UserError
            Labels are not binary, there is no such target, or there are no positives or no negatives.
        """
        _check_kind("SomeNegatives", kind, "binary", "ClassesAlike")
        columns = _columns(self.target, targets)
        highest = _highest(bins, labels, columns, rows)
        positive, negative = bins[highest == 1], bins[highest == 0]
        of = f"of {self.target}" if self.target is not None else "of any target"
        for name, found in (("positive", positive), ("negative", negative)):
            if not len(found):
                raise UserError(
                    f"training.balance: found no {name} bins {of} in the training split, expected some; set "
                    "training.balance to null or choose another target"
                )
        drawn = min(len(negative), max(1, round(self.ratio * len(positive))))
        offsets = np.full(len(targets), np.nan)
        if len(columns) == 1:
            offsets[columns] = np.log(drawn / len(negative))
        if drawn == len(negative) and self.target is None:
            offsets[:] = 0.0
        return Balance((Part("positives", positive, len(positive)), Part("negatives", negative, drawn)), offsets)


class ClassesAlike:
    """Equally many bins of each class, as many as the rarest has, for labels that are classes.

    Parameters
    ----------
    target
        Name of the target whose classes count; may be left out where there is one target.
    """

    def __init__(self, target: str | None = None) -> None:
        self.target = target

    def __call__(
        self,
        bins: np.ndarray,
        labels: np.ndarray | SomeTargets,
        kind: LabelKind,
        targets: Sequence[str],
        classes: Sequence[Sequence[str]],
        rows: np.ndarray | None = None,
    ) -> Balance:
        """Sort the training bins by class; a class without bins has no part.

        Raises
        ------
        UserError
            Labels are not classes, there is no such target, or none is named and there are several.
        """
        _check_kind("ClassesAlike", kind, "class", "SomeNegatives")
        columns = _columns(self.target, targets)
        if len(columns) != 1:
            raise UserError(
                f"training.balance.target: found nothing, expected one of {', '.join(targets[:10])}, as bins are "
                "balanced by the classes of one target; name it"
            )
        value = _highest(bins, labels, columns, rows)
        names = classes[columns[0]]
        found = [(number, name, bins[value == number]) for number, name in enumerate(names)]
        parts = [(number, name, own) for number, name, own in found if len(own)]
        drawn = min((len(own) for _, _, own in parts), default=0)
        begin = sum(len(names) for names in classes[: columns[0]])
        offsets = np.full(sum(len(names) for names in classes), np.nan)
        offsets[begin : begin + len(names)] = 0.0
        for number, _, own in parts:
            offsets[begin + number] = np.log(len(own) / drawn)
        return Balance(tuple(Part(name, own, drawn) for _, name, own in parts), offsets)


def _highest(
    bins: np.ndarray, labels: np.ndarray | SomeTargets, columns: Sequence[int], rows: np.ndarray | None
) -> np.ndarray:
    """Return the highest label of each bin in some columns: -1 where none is known."""
    step = max(1, CHUNK // max(1, labels.itemsize * labels.shape[1]))
    found = np.empty(len(bins), dtype=np.int64)
    for first in range(0, len(bins), step):
        index = bins[first : first + step]
        part = np.asarray(labels[index if rows is None else rows[index]])
        found[first : first + len(part)] = part[:, columns].max(axis=1)
    return found


def _columns(target: str | None, targets: Sequence[str]) -> list[int]:
    if target is None:
        return list(range(len(targets)))
    if target not in targets:
        raise UserError(
            f"training.balance.target: found {target}, expected one of {', '.join(targets[:10])}; correct the name"
        )
    return [list(targets).index(target)]


def _check_kind(own: str, kind: LabelKind, expected: str, other: str) -> None:
    if kind.name != expected:
        raise UserError(
            f"training.balance: found {own}, which is for {expected} labels, with {kind.name} labels; set "
            f"training.balance to null, or for {'class' if expected == 'binary' else 'binary'} labels to "
            f"lociflow.data.balancing.{other}"
        )
