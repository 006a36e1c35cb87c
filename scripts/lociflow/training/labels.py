"""What the labels that are trained on say about their targets."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lociflow.data.balancing import Balance
from lociflow.data.some_targets import SomeTargets
from lociflow.genome.label_kinds import KINDS, LabelKind, known
from lociflow.models.outputs import Outputs

# Bytes of labels that are read at once.
CHUNK = 1 << 26


class LabelStatistics(NamedTuple):
    """Known labels of the bins that are trained on: of the training split, or of an epoch of some of its bins."""

    outputs: Outputs
    """The targets and their classes."""
    known: np.ndarray
    """Known labels of each target (of bins, or of bases), ``int64``, shape ``(targets,)``; for ``profile`` the bins of
    which every base is known."""
    counts: np.ndarray
    """``int64``, shape ``(columns,)``: labels of each class, for ``binary`` the positives; zeros for other kinds."""
    mean: np.ndarray
    """``float64``, shape ``(targets,)``: mean label of ``real``, mean sum over a bin's bases of ``profile``, else 0."""
    log_mean: np.ndarray
    """``float64``, shape ``(targets,)``: for ``profile`` the mean of log(1 + sum over a bin's bases), else 0."""

    @property
    def positives(self) -> np.ndarray:
        """Positive binary labels of each target."""
        return self.counts

    @property
    def negatives(self) -> np.ndarray:
        """Negative binary labels of each target."""
        return self.known - self.counts


def label_statistics(targets: np.ndarray | SomeTargets, rows: np.ndarray, outputs: Outputs) -> LabelStatistics:
    """Count the labels in some rows of the table without loading all of it.

    Parameters
    ----------
    targets
        As the kind says, shape ``(bins, targets)`` or ``(bins, positions, targets)``.
    rows
        Row numbers.
    outputs
        Kind, targets and classes.
    """
    count = np.zeros(len(outputs.targets), dtype=np.int64)
    of_column = np.zeros(len(outputs.columns), dtype=np.int64)
    total, logarithms = np.zeros(len(outputs.targets)), np.zeros(len(outputs.targets))
    for labels, present in _parts(targets, rows, KINDS[outputs.kind]) if outputs.kind in KINDS else ():
        if outputs.kind == "profile":
            sums, present = profile_totals(labels), np.asarray(present.all(axis=1))
            total += np.where(present, sums, 0).sum(axis=0)
            logarithms += np.where(present, np.log1p(sums), 0).sum(axis=0)
        elif outputs.kind == "real":
            total += np.where(present, labels, 0).sum(axis=0, dtype=np.float64)
        elif outputs.classes:
            flat = labels.reshape(-1, len(outputs.targets))
            for target, columns in enumerate(outputs.groups):
                values = flat[:, target]
                of_column[columns] += np.bincount(values[values >= 0], minlength=columns.stop - columns.start)
        else:
            of_column += (labels == 1).sum(axis=0)
        count += present.sum(axis=tuple(range(present.ndim - 1)))
    least = np.maximum(count, 1)
    return LabelStatistics(outputs, count, of_column, total / least, logarithms / least)


def even_statistics(outputs: Outputs, each: int = 100) -> LabelStatistics:
    """Return what as many labels of each class, or positives and negatives, of every target would say."""
    counts = np.full(len(outputs.columns), each, dtype=np.int64)
    classes = [max(2, columns.stop - columns.start) for columns in outputs.groups]
    ones = np.ones(len(outputs.targets))
    return LabelStatistics(outputs, each * np.array(classes, dtype=np.int64), counts, ones, ones)


def epoch_statistics(
    balance: Balance, targets: np.ndarray | SomeTargets, outputs: Outputs, rows: np.ndarray | None = None
) -> LabelStatistics:
    """Count the labels that an epoch of a balance has on average over epochs, rounded to whole ones.

    What is drawn of a part has on average the part's labels in proportion, so nothing hangs on a seed. A loss that
    weighs what is rare must count these: of a kind that the draws have made as frequent as the other, nothing is left
    to be weighed.

    Parameters
    ----------
    balance
        Of the epochs.
    targets, outputs
        As in :func:`label_statistics`.
    rows
        Row of ``targets`` that belongs to each bin; None for each bin's own.
    """
    found = [
        label_statistics(targets, part.bins if rows is None else np.sort(rows[part.bins]), outputs)
        for part in balance.parts
    ]
    shares = [part.drawn / len(part.bins) for part in balance.parts]
    weighed = list(zip(shares, found, strict=True))
    known = np.sum([share * part.known for share, part in weighed], axis=0)
    counts = np.sum([share * part.counts for share, part in weighed], axis=0)
    mean, log_mean = (
        np.sum([share * part.known * getattr(part, name) for share, part in weighed], axis=0)
        / np.where(known > 0, known, 1)
        for name in ("mean", "log_mean")
    )
    return LabelStatistics(outputs, np.rint(known).astype(np.int64), np.rint(counts).astype(np.int64), mean, log_mean)


def label_counts(statistics: LabelStatistics) -> dict[str, int | None]:
    """Return how many labels there are, as they are written beside a model's configuration.

    Returns
    -------
    dict
        ``training_labels``: known ones of all targets together; ``training_positives``: the positive ones, None where
        labels are not binary; ``fewest_training_positives``: those of the target that has the fewest.
    """
    binary = statistics.outputs.kind == "binary"
    return {
        "training_labels": int(statistics.known.sum()),
        "training_positives": int(statistics.positives.sum()) if binary else None,
        "fewest_training_positives": int(statistics.positives.min()) if binary else None,
    }


def profile_totals(labels: np.ndarray) -> np.ndarray:
    """Return the sum over a bin's bases, ``(bins, positions, targets)`` to ``(bins, targets)``; negative ones are 0."""
    totals: np.ndarray = np.where(labels > 0, labels, 0).sum(axis=1, dtype=np.float64)
    return totals


def _parts(
    targets: np.ndarray | SomeTargets, rows: np.ndarray, kind: LabelKind
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    size = targets.itemsize * int(np.prod(targets.shape[1:]))
    step = max(1, CHUNK // max(1, size))
    for first in range(0, len(rows), step):
        labels = np.asarray(targets[rows[first : first + step]])
        yield labels, known(labels, kind)


def log_odds(statistics: LabelStatistics) -> np.ndarray:
    """Return the log odds of each binary target, ``float64``, shape ``(targets,)``.

    Half a label of each kind is added, so that a target without positives has a finite one.
    """
    return np.log(statistics.positives + 0.5) - np.log(statistics.negatives + 0.5)


def log_shares(statistics: LabelStatistics) -> np.ndarray:
    """Return the logarithm of each class's share of its target's labels, ``float64``, shape ``(columns,)``.

    Half a label of each class is added, so that a class without labels has a finite one.
    """
    found = np.log(statistics.counts + 0.5)
    for columns in statistics.outputs.groups:
        found[columns] -= np.log((statistics.counts[columns] + 0.5).sum())
    return found
