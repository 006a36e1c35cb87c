"""Means of effects over sequences, with bootstrap intervals and tests against 0."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.stats import ttest_1samp

from lociflow.evaluation.intervals import draw_blocks

# Of the largest scalar that an effect is a difference of: what is smaller is rounding of 32-bit numbers.
ROUNDING = 1e-5
# With fewer sequences the percentiles of a bootstrap mean nothing.
MIN_SEQUENCES = 10


class MeanEffect(NamedTuple):
    """A mean over sequences; arrays of one shape, ``float64``."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    """Ends of the interval; NaN where there are fewer than :data:`MIN_SEQUENCES` sequences."""


def mean_effect(values: np.ndarray, draws: int, level: float, seed: int) -> MeanEffect:
    """Average effects over independent sequences, with the interval of a percentile bootstrap.

    Parameters
    ----------
    values
        Effect on each sequence, shape ``(sequences, …)``; at least one sequence. All share the draws.
    draws
        Of the bootstrap; draw ``d`` is a function of ``seed`` and ``d``.
    level
        Such as 0.95.
    seed
        At least 0.

    Returns
    -------
    MeanEffect
        Of shape ``(…)``.
    """
    values = np.asarray(values, np.float64)
    count = len(values)
    mean = values.mean(axis=0)
    if count < MIN_SEQUENCES:
        nothing = np.full_like(mean, np.nan)
        return MeanEffect(mean, nothing, nothing)
    resampled = _draws(count, draws, seed) @ values.reshape(count, -1) / count
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return MeanEffect(mean, low.reshape(mean.shape), high.reshape(mean.shape))


@lru_cache(maxsize=4)
def _draws(count: int, draws: int, seed: int) -> np.ndarray:
    # A generator for each draw: longer work than the products, and the same for all effects on as many sequences.
    found = np.ascontiguousarray(draw_blocks(count, draws, seed).T)
    found.setflags(write=False)
    return found


def against_zero(values: np.ndarray, scale: float) -> np.ndarray:
    """Test with Student's t whether mean effects over sequences differ from 0.

    Parameters
    ----------
    values
        As :func:`mean_effect`.
    scale
        The largest of the scalars, in absolute value, of which effects are differences: a mean that is smaller than
        :data:`ROUNDING` times it is 0.

    Returns
    -------
    numpy.ndarray
        Two-sided p-values, shape ``(…)``; 1 with fewer than two sequences.
    """
    values = np.asarray(values, np.float64)
    nothing = np.abs(values.mean(axis=0)) <= ROUNDING * max(scale, 1.0)
    if len(values) < 2:
        return np.ones(values.shape[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = values.std(axis=0)
        # Equal effects, as of an exact model, leave the statistic undefined or infinite.
        exact = spread <= ROUNDING * np.abs(values.mean(axis=0))
        p = ttest_1samp(np.where(exact, np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1)), values), 0).pvalue
    return np.where(nothing, 1.0, np.where(exact, 0.0, p))
