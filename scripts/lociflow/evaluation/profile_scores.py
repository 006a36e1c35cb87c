"""How well the shape and the height of signal profiles are predicted, for any weighting of the blocks."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from lociflow.evaluation.intervals import Measured, why_too_few
from lociflow.evaluation.real_scores import pearson, ratio

# Bins whose profiles are compared at once.
ROWS = 4096


def profile_scores(
    labels: np.ndarray,
    predictions: np.ndarray,
    log_counts: np.ndarray,
    average: np.ndarray,
    blocks: np.ndarray,
    count: int,
) -> Measured:
    """Measure the mean Jensen-Shannon divergence of the bins' profiles, and the correlation of their log counts.

    The divergence is in bits, from 0 to 1 (Lin 1991, IEEE Trans. Inf. Theory 37:145), between counts and predictions
    that are each divided by their sum; a bin without any count has no profile. ``jsd_uniform`` and ``jsd_average``, the
    worst cases, are those of a flat profile and of the average one in the place of the predictions. ``jsd_smoothed``,
    the best case, is that of the counts themselves, smoothed: what remains is the noise of single positions, which no
    model can know (:func:`smooth`). Log counts are log(1 + sum); a negative signal counts as 0.

    Parameters
    ----------
    labels
        Counts, NaN for missing, shape (n, positions); a position without a label is left out of its bin.
    predictions
        Probabilities, shape (n, positions).
    log_counts
        Predicted, shape (n,).
    average
        The average profile of the training bins, shape (positions,); NaN where there are none.
    blocks
        Block of each bin, in [0, count), shape (n,).
    count
        Number of blocks.
    """
    against = {"jsd": predictions, "jsd_uniform": np.ones((1, labels.shape[1])), "jsd_average": average[np.newaxis]}
    divergences = {name: np.full(len(labels), np.nan) for name in (*against, "jsd_smoothed")}
    observed = np.full(len(labels), np.nan)
    for first in range(0, len(labels), ROWS):
        rows = slice(first, first + ROWS)
        known = ~np.isnan(labels[rows])
        counts = np.where(known, np.maximum(labels[rows], 0), 0).astype(np.float64)
        for name, other in against.items():
            part = other[rows] if name == "jsd" else other
            divergences[name][rows] = divergence(counts, np.where(known, part, 0).astype(np.float64))
        divergences["jsd_smoothed"][rows] = divergence(counts, np.where(known, smooth(counts), 0))
        some = known.any(axis=1)
        observed[rows] = np.where(some, np.log1p(counts.sum(axis=1)), np.nan)
    labelled = ~np.isnan(observed)
    heights = log_counts[labelled].astype(np.float64), observed[labelled]
    sums = {}
    for name, values in divergences.items():
        known = ~np.isnan(values)
        sums[name] = (
            np.bincount(blocks[known], values[known], minlength=count),
            np.bincount(blocks[known], minlength=count).astype(np.float64),
        )

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = {}
        for name, (total, bins) in sums.items():
            number = bins @ weights
            found[name] = ratio(total @ weights, number, number > 0)
        found["count_pearson"] = pearson(*heights, blocks[labelled], count, weights)
        return found

    return Measured(score, why_too_few(blocks[labelled], count))


def smooth(counts: np.ndarray) -> np.ndarray:
    """Smooth profiles along their positions with a Gaussian of 7 bases' standard deviation, cut at 40 bases.

    As basepairmodels (Kundaje lab) does to bound what BPNet's predictions can reach. Beyond its ends a profile is 0.

    Parameters
    ----------
    counts
        float64, shape (n, positions).
    """
    return np.asarray(gaussian_filter1d(counts, 7, axis=1, mode="constant", radius=40))


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon divergence in bits between rows that are each divided by their sum.

    Parameters
    ----------
    p, q
        Not negative, float64, shape (n, positions).

    Returns
    -------
    numpy.ndarray
        float64, shape (n,); NaN for a row whose sum is 0 or no number in one of both.
    """
    sums = [rows.sum(axis=1, keepdims=True) for rows in (p, q)]
    defined = ((sums[0] > 0) & (sums[1] > 0)).ravel()
    a, b = (
        np.divide(rows, total, out=np.zeros_like(rows), where=total > 0)
        for rows, total in zip((p, q), sums, strict=True)
    )
    middle = (a + b) / 2
    return np.where(defined, (_relative(a, middle) + _relative(b, middle)) / 2, np.nan)


def average_profile(labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the mean counts at each position over some bins: float64, shape (positions, targets), NaN without any.

    Parameters
    ----------
    labels
        Counts, NaN for missing, shape (bins, positions, targets), usually a memory map.
    rows
        The bins.
    """
    total, number = np.zeros(labels.shape[1:]), np.zeros(labels.shape[1:])
    for first in range(0, len(rows), ROWS):
        part = np.asarray(labels[rows[first : first + ROWS]])
        known = ~np.isnan(part)
        total += np.where(known, np.maximum(part, 0), 0).sum(axis=0, dtype=np.float64)
        number += known.sum(axis=0)
    return ratio(total, number, number > 0)


def _relative(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the relative entropy of rows in bits; 0 log 0 is 0."""
    logs = np.log2(np.divide(a, b, out=np.ones_like(a), where=a > 0))
    return np.asarray((a * logs).sum(axis=1))
