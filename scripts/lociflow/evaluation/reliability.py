"""Whether predicted probabilities are shares of positives: the reliability curve and the expected calibration error.

Bins of the genome are put into groups of equal size by their probability. With few positives, groups of equal width
(Guo et al. 2017, ICML) would have nearly all bins in the first; those of equal size are told from each other where the
predictions are (Nixon et al. 2019, CVPR Workshops).
"""

from typing import NamedTuple

import numpy as np

GROUPS = 15


class Reliability(NamedTuple):
    """Sums by group and block, float64, shape (groups, blocks) each."""

    bins: np.ndarray
    predicted: np.ndarray
    """Probabilities, added up."""
    observed: np.ndarray
    """Labels, added up."""


def group_by_probability(probabilities: np.ndarray, groups: int = GROUPS) -> np.ndarray:
    """Number the group of each probability, ascending; equal ones are in one group.

    The edges are quantiles of the probabilities, as ``sklearn.calibration.calibration_curve`` with the strategy
    "quantile" sets them.

    Parameters
    ----------
    probabilities
        Shape (n,).
    groups
        How many there are at the most.

    Returns
    -------
    numpy.ndarray
        int64, shape (n,), in [0, groups).
    """
    if not len(probabilities):
        return np.empty(0, np.int64)
    edges = np.quantile(probabilities, np.linspace(0, 1, groups + 1))
    return np.searchsorted(edges[1:-1], probabilities).astype(np.int64)


def reliability(
    labels: np.ndarray, probabilities: np.ndarray, blocks: np.ndarray, count: int, groups: int = GROUPS
) -> Reliability | None:
    """Count what is predicted and what is observed in groups of equal size.

    Parameters
    ----------
    labels
        1 or 0, or a negative number for missing, which is left out, shape (n,).
    probabilities
        Shape (n,).
    blocks
        Block of each bin, in [0, count), shape (n,).
    count
        Number of blocks.
    groups
        How many there are at the most.

    Returns
    -------
    Reliability or None
        None where a score is below 0 or above 1, and so no probability.
    """
    known = labels >= 0
    label, probability, block = labels[known].astype(np.float64), probabilities[known].astype(np.float64), blocks[known]
    if len(probability) and not 0 <= probability.min() <= probability.max() <= 1:
        return None
    cell, size = group_by_probability(probability, groups) * count + block, groups * count
    sums = (np.bincount(cell, weights, minlength=size) for weights in (None, probability, label))
    return Reliability(*(each.astype(np.float64).reshape(groups, count) for each in sums))


def calibration_error(sums: Reliability | None, weights: np.ndarray) -> np.ndarray:
    """Compute the expected calibration error for one or many weightings of the blocks.

    The mean over all bins of the distance between the mean probability of a bin's group and its share of positives. It
    is above 0 for calibrated predictions too, by the chance in the share of positives of a group.

    Parameters
    ----------
    sums
        From :func:`reliability`.
    weights
        Not negative, shape (blocks, draws).

    Returns
    -------
    numpy.ndarray
        Shape (draws,), NaN without labels or without probabilities.
    """
    if sums is None:
        return np.full(weights.shape[1], np.nan)
    total = (sums.bins @ weights).sum(axis=0)
    apart = np.abs((sums.predicted - sums.observed) @ weights).sum(axis=0)
    return np.divide(apart, total, out=np.full_like(total, np.nan), where=total > 0)


def reliability_curve(sums: Reliability | None, groups: int = GROUPS) -> np.ndarray:
    """Return bins, mean probability and share of positives of each group.

    Parameters
    ----------
    sums
        From :func:`reliability`.
    groups
        How many columns there are.

    Returns
    -------
    numpy.ndarray
        float64, shape (3, groups); NaN for probability and share of an empty group, and 0 bins.
    """
    if sums is None:
        return np.vstack([np.zeros(groups), np.full((2, groups), np.nan)])
    bins, predicted, observed = (part.sum(axis=1) for part in sums)
    means = (np.divide(part, bins, out=np.full_like(part, np.nan), where=bins > 0) for part in (predicted, observed))
    return np.vstack([bins, *means])
