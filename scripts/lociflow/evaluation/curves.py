"""ROC and precision-recall curves of one target, brought to common grids so that targets can be averaged and drawn."""

from typing import NamedTuple

import numpy as np

from lociflow.evaluation.metrics import MISSING

POINTS = 200


class Curve(NamedTuple):
    """One target's curves on the common grid :func:`grid`, float32 of shape (points,), NaN where undefined."""

    true_positive_rate: np.ndarray
    """At each false-positive rate of the grid."""
    precision: np.ndarray
    """At each recall of the grid."""


def grid() -> np.ndarray:
    """Return the false-positive rates, and the recalls, at which curves are given: float64, shape (points,)."""
    return np.linspace(0.0, 1.0, POINTS)


def curve(labels: np.ndarray, scores: np.ndarray) -> Curve:
    """Trace the curves of one target.

    The ROC curve is interpolated linearly between thresholds; where it rises vertically, its upper end is taken.
    Precision at a recall is that of the highest threshold that reaches the recall, as average precision counts it: a
    line between thresholds would promise too much (Davis & Goadrich 2006, ICML).

    Parameters
    ----------
    labels
        1, 0, or -1 for missing, shape (n,).
    scores
        Shape (n,).
    """
    known = labels != MISSING
    positive, score = labels[known] == 1, scores[known]
    total = int(positive.sum())
    if not 0 < total < len(score):
        return Curve(np.full(POINTS, np.nan, np.float32), np.full(POINTS, np.nan, np.float32))
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    true_positives = np.cumsum(positive[order])[last]
    called = last + 1
    recall, false_positive_rate = true_positives / total, (called - true_positives) / (len(score) - total)
    rate, sensitivity = np.append(0.0, false_positive_rate), np.append(0.0, recall)
    # The last point at or before each rate of the grid, so that the denominator below is never 0.
    before = np.searchsorted(rate, grid(), side="right") - 1
    after = np.minimum(before + 1, len(rate) - 1)
    width = np.where(after > before, rate[after] - rate[before], 1.0)
    rise = (sensitivity[after] - sensitivity[before]) * (grid() - rate[before]) / width
    # Recalls of the grid that equal a threshold's but for rounding belong to it.
    reached = np.minimum(np.searchsorted(recall, grid() - 1e-12), len(recall) - 1)
    return Curve(
        (sensitivity[before] + rise).astype(np.float32),
        (true_positives / called)[reached].astype(np.float32),
    )
