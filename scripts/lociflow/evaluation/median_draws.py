"""The file of bootstrap draws: the medians over targets in every draw, by which entries of the same bins are paired.

Draw ``d`` is a function of (seed, d) alone, so that draw ``d`` of two entries has the same bins, and what both share
cancels in their difference.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lociflow.command import UserError, atomic
from lociflow.evaluation.intervals import Draws, over_targets


class MedianDraws(NamedTuple):
    """What :func:`write_draws` wrote."""

    observed: dict[str, float]
    """Median over targets by metric, NaN where undefined."""
    resampled: dict[str, np.ndarray]
    """The same in every draw, float64, shape (draws,)."""
    pairing: str
    """Equal in two files of which the draws belong together."""


def pairing(labels: str, split: str, settings: Sequence[Any]) -> str:
    """Digest all that decides which bins a draw has.

    Parameters
    ----------
    labels, split
        Digests.
    settings
        Of the intervals.
    """
    return hashlib.sha256(repr((labels, split, tuple(settings))).encode()).hexdigest()


def write_draws(path: Path, drawn: Iterable[Draws], metrics: Sequence[str], pairing: str) -> None:
    """Write the medians over targets of some metrics, observed and in every draw.

    Parameters
    ----------
    path
        ``.npz`` to write (read it with ``allow_pickle=False``): ``pairing``, ``metrics``, ``observed`` (float64, shape
        (metrics,)) and ``resampled`` (float64, shape (metrics, draws)).
    drawn
        That hold the metrics.
    metrics
        Names.
    pairing
        See :func:`pairing`.
    """
    observed, resampled = {}, {}
    for each in drawn:
        for metric in each.observed:
            if metric in metrics:
                observed[metric] = over_targets(each.observed[metric][:, np.newaxis], np.median)[0]
                resampled[metric] = over_targets(each.resampled[metric], np.median)
    with atomic(path) as temporary:
        np.savez_compressed(
            temporary,
            pairing=np.array(pairing),
            metrics=np.array(metrics),
            observed=np.array([observed[metric] for metric in metrics]),
            resampled=np.array([resampled[metric] for metric in metrics]),
        )


def read_draws(path: Path) -> MedianDraws:
    """Read what :func:`write_draws` wrote.

    Raises
    ------
    UserError
        The file is missing or no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            names = [str(name) for name in found["metrics"]]
            return MedianDraws(
                dict(zip(names, map(float, found["observed"]), strict=True)),
                dict(zip(names, found["resampled"], strict=True)),
                str(found["pairing"]),
            )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: cannot be read as bootstrap draws ({error}); run the evaluation again") from None
