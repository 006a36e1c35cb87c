"""How far the scores of explanations would move with other windows: the bootstrap over explained windows.

Positions of one window are explained by one pass of a method and are not independent, so whole windows are drawn with
replacement. All factors share the draws: a window that is explained for two of them is drawn for both. Methods and
models that explain the same windows share them too, so that their differences can be read draw by draw. The intervals
speak of other windows of the same genome, not of other trainings.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lociflow.evaluation.evaluate import IntervalConfig
from lociflow.evaluation.intervals import (
    Interval,
    draw_blocks,
    over_targets,
    percentile_interval,
    summary_interval,
    why_no_interval,
)
from lociflow.evaluation.metrics import rank, score


class DrawnWindows(NamedTuple):
    """Bootstrap draws of explained windows."""

    block: np.ndarray
    """Number of each row's window among the distinct ones, ``int64``, shape (rows,)."""
    weights: np.ndarray
    """How many times each distinct window was drawn, ``float64``, shape (windows, draws)."""


class DrawnScores(NamedTuple):
    """AUPRC of one factor in every draw."""

    auprc: np.ndarray
    """``float64``, shape (draws,); NaN where undefined."""
    reason: str | None
    """Why there can be no interval, or None."""


def draw_windows(bins: np.ndarray, draws: int, seed: int) -> DrawnWindows:
    """Draw the distinct windows of a file of attributions with replacement.

    Parameters
    ----------
    bins
        Bin index of each row, shape (rows,); a window that is explained for several targets is there several times.
    draws, seed
        As :func:`lociflow.evaluation.intervals.draw_blocks`.
    """
    distinct, block = np.unique(bins, return_inverse=True)
    return DrawnWindows(block.astype(np.int64), draw_blocks(len(distinct), draws, seed))


def draw_scores(evidence: np.ndarray, bound: np.ndarray, block: np.ndarray, weights: np.ndarray) -> DrawnScores:
    """Score one factor in every draw.

    Parameters
    ----------
    evidence
        Positive contribution of each scored position, shape (positions,).
    bound
        Whether it lies in a bound site, ``bool``, shape (positions,).
    block
        Number of its window, shape (positions,).
    weights
        As :class:`DrawnWindows`.
    """
    ranking = rank(bound.astype(np.int8), evidence, block, len(weights))
    return DrawnScores(score(ranking, weights).auprc, why_no_interval(ranking))


def factor_interval(drawn: DrawnScores, level: float) -> Interval:
    """Return the interval of one factor's AUPRC."""
    return percentile_interval(drawn.auprc, level, drawn.reason)


def mean_interval(drawn: Sequence[DrawnScores], settings: IntervalConfig, windows: int) -> Mapping[str, Any]:
    """Return the interval of the mean AUPRC over factors, and the mean in every draw.

    Parameters
    ----------
    drawn
        Of every factor, with the same draws.
    settings
        ``level`` is looked at.
    windows
        Distinct windows that were drawn from.

    Returns
    -------
    dict
        ``low``, ``high`` and ``reason`` as :class:`lociflow.evaluation.intervals.Interval`; ``draws``, the mean of each
        draw with six decimals, empty without an interval.
    """
    if not drawn:
        return {**Interval(None, None, "no factor is explained")._asdict(), "draws": []}
    resampled = np.array([found.auprc for found in drawn])
    interval = summary_interval(resampled, _mean, settings.level, windows)
    if interval.low is None:
        return {**interval._asdict(), "draws": []}
    means = over_targets(resampled, _mean)
    return {**interval._asdict(), "draws": [None if np.isnan(mean) else round(float(mean), 6) for mean in means]}


def _mean(values: np.ndarray) -> float:
    return float(values.mean())
