"""What the labels of the training split say about its targets."""

from typing import NamedTuple

import numpy as np

# Rows of the label table that are read at once: 60 MB of them at 919 targets.
CHUNK = 1 << 16


class LabelCounts(NamedTuple):
    """Known labels of each target, ``int64``, shape ``(targets,)``."""

    positives: np.ndarray
    negatives: np.ndarray


def count_labels(targets: np.ndarray, rows: np.ndarray) -> LabelCounts:
    """Count the labels in some rows of the table without loading all of it.

    Parameters
    ----------
    targets
        ``int8``, shape ``(bins, targets)``: 1, 0, or -1 where missing.
    rows
        Row numbers.
    """
    positives = np.zeros(targets.shape[1], dtype=np.int64)
    negatives = np.zeros(targets.shape[1], dtype=np.int64)
    for first in range(0, len(rows), CHUNK):
        chunk = targets[rows[first : first + CHUNK]]
        positives += (chunk == 1).sum(axis=0)
        negatives += (chunk == 0).sum(axis=0)
    return LabelCounts(positives, negatives)


def prevalence(counts: LabelCounts) -> np.ndarray:
    """Return each target's share of positives, between 0 and 1 exclusive.

    Half a label of each kind is added, so that a target without positives has a finite log odds.
    """
    return (counts.positives + 0.5) / (counts.positives + counts.negatives + 1.0)
