"""DeLong's test of two areas under ROC curves on the same bins.

DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837, by the ranks of Sun & Xu 2014, IEEE Signal Process. Lett.
21:1389. It takes bins as independent: it is for sequences that are, not for neighbours in a genome.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

from lociflow.evaluation.metrics import MISSING


class DeLong(NamedTuple):
    """Two areas and whether they differ."""

    first: float
    second: float
    deviation: float
    """Standard error of the difference; 0 where both rank all bins alike."""
    p: float
    """Two-sided; NaN without a difference or without two positives and two negatives."""


def delong(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> DeLong:
    """Compare the areas of two scores.

    Parameters
    ----------
    labels
        1, 0, or -1 for missing, which is left out, shape (n,).
    first, second
        Scores of the same bins, shape (n,) each.
    """
    known = labels != MISSING
    positive = labels[known] == 1
    scores = np.stack([first[known], second[known]]).astype(np.float64)
    m, n = int(positive.sum()), int((~positive).sum())
    if m < 2 or n < 2:
        return DeLong(np.nan, np.nan, np.nan, np.nan)
    whole, among = rankdata(scores, axis=1), np.empty_like(scores)
    among[:, positive] = rankdata(scores[:, positive], axis=1)
    among[:, ~positive] = rankdata(scores[:, ~positive], axis=1)
    # For each positive the share of negatives below it, and for each negative that of positives above it.
    above = (whole - among)[:, positive] / n
    below = 1 - (whole - among)[:, ~positive] / m
    areas = above.mean(axis=1)
    variance = np.cov(above) / m + np.cov(below) / n
    spread = variance[0, 0] + variance[1, 1] - 2 * variance[0, 1]
    # Of two rankings that are alike there is nothing left but rounding.
    deviation = float(np.sqrt(spread)) if spread > 1e-15 else 0.0
    p = float(2 * norm.sf(abs(areas[0] - areas[1]) / deviation)) if deviation else np.nan
    return DeLong(float(areas[0]), float(areas[1]), deviation, p)
