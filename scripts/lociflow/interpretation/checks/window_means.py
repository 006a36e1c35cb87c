"""Means over explained windows, and how far the choice of windows moves them."""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

# Sets these draws apart from others with the same seed.
PURPOSE = 0x3EA4


class WindowMean(NamedTuple):
    """A mean over windows with the ends of its bootstrap interval; NaN without any window."""

    value: float
    low: float
    high: float


def window_mean(values: np.ndarray, seed: int, draws: int = 1000, level: float = 0.95) -> WindowMean:
    """Average over windows, with the percentiles of a bootstrap.

    Explained windows are a random sample of a target's positives, so that windows and not blocks of the genome are
    drawn: the interval speaks of other windows of the same test split.

    Parameters
    ----------
    values
        One a window, shape ``(n,)``.
    seed
        Of the draws, at least 0.
    draws
        Resamplings.
    level
        Share of the draws inside the interval.
    """
    if not len(values):
        return WindowMean(np.nan, np.nan, np.nan)
    generator = np.random.Generator(np.random.Philox(key=[seed, PURPOSE]))
    means = values[generator.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return WindowMean(float(values.mean()), float(low), float(high))


def pearson(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Correlate windows row by row.

    Parameters
    ----------
    one, other
        Contributions, shape ``(n, length)``.

    Returns
    -------
    numpy.ndarray
        ``float64``, shape ``(n,)``. 0 where a row is constant: it has no profile that could be like another.
    """
    centred = [np.asarray(rows, dtype=np.float64) - rows.mean(axis=1, keepdims=True) for rows in (one, other)]
    norm = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    product = (centred[0] * centred[1]).sum(axis=1)
    return np.divide(product, norm, out=np.zeros(len(product)), where=norm > 0)


def spearman(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Correlate the ranks of windows row by row, as :func:`pearson`; ties share their mean rank."""
    return pearson(rankdata(one, axis=1), rankdata(other, axis=1))
