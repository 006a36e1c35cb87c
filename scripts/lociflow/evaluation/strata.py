"""Strata of test bins, by which it shows whether a model knows more than where bins lie and what they are made of.

A score over all test bins can come from one kind of bins alone, or from telling kinds of bins apart. So the bins are
put into strata by GC content, chromosome, likeness to the training bins and distance from the nearest gene start, and
each stratum is scored by itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.evaluation.metrics import KIND_METRICS, METRICS

# Draws of the intervals in strata, of which there are many.
DRAWS = 200
# Contigs beyond which each is too small a part to be told of.
MOST_CONTIGS = 30
# Identity and coverage from which on two sequences are taken as relatives (docs/data.md, homology_aware).
IDENTITY, COVERAGE = 0.8, 0.5
# A stratum carries a score where without it less than this share of what lies above chance is left.
CARRIED = 0.5


class Strata(NamedTuple):
    """One way to put bins into strata."""

    by: str
    """Such as "GC content"."""
    levels: tuple[str, ...]
    """Of the strata, in order."""
    level: np.ndarray
    """Index of each bin's stratum, -1 for none, int64, shape (bins,)."""


def strata_of(
    windows: pd.DataFrame, properties: pd.DataFrame | None, similarity: pd.DataFrame | None
) -> Iterator[Strata]:
    """Yield every way to put test bins into strata of which there are at least two.

    Parameters
    ----------
    windows
        ``contig``, ``start``, ``end`` of the test bins, whose index is the bin's number.
    properties
        ``gc`` and ``gene_distance`` of all bins of the data set, see
        :func:`lociflow.genome.bin_properties.describe_bins`; None: no strata by them.
    similarity
        ``row``, ``identity`` and ``coverage`` of each test bin that the audit has looked up among the training bins;
        None: no strata by it.
    """
    ways = [_contigs(windows)]
    if properties is not None:
        known = properties.iloc[windows.index]
        ways.append(_by_quantile("GC content", known["gc"].to_numpy(np.float64), 5, _percent))
        distance = known["gene_distance"].to_numpy(np.float64)
        ways.append(
            _by_quantile("distance from the nearest gene start", np.where(distance < 0, np.nan, distance), 4, _bases)
        )
    if similarity is not None:
        ways.append(_similarity(windows, similarity))
    for way in ways:
        if len(np.unique(way.level[way.level >= 0])) > 1:
            yield way


def _contigs(windows: pd.DataFrame) -> Strata:
    names = windows["contig"].astype(str)
    found = list(dict.fromkeys(names))
    # A sequence without a genome is no chromosome.
    if len(found) > MOST_CONTIGS or len(found) == len(names):
        return Strata("chromosome", (), np.full(len(names), -1))
    return Strata("chromosome", tuple(found), names.map({name: place for place, name in enumerate(found)}).to_numpy())


def _by_quantile(by: str, values: np.ndarray, count: int, told: Callable[[float, float], str]) -> Strata:
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return Strata(by, (), np.full(len(values), -1))
    inner = np.quantile(values[known], np.linspace(0, 1, count + 1)[1:-1])
    # Many equal values make fewer strata.
    group = np.unique(np.searchsorted(inner, values[known], side="right"), return_inverse=True)[1]
    level = np.full(len(values), -1)
    level[known] = group
    parts = (values[known][group == number] for number in range(group.max() + 1))
    return Strata(by, tuple(told(part.min(), part.max()) for part in parts), level)


def _percent(low: float, high: float) -> str:
    return f"{100 * low:.1f}–{100 * high:.1f} %" if high > low else f"{100 * low:.1f} %"


def _bases(low: float, high: float) -> str:
    return f"{low:,.0f}–{high:,.0f} bp" if high > low else f"{low:,.0f} bp"


def _similarity(windows: pd.DataFrame, similarity: pd.DataFrame) -> Strata:
    levels = ("no likeness found", "some likeness", f"{IDENTITY:.0%} identity over {COVERAGE:.0%} or more")
    found = similarity.set_index("row").reindex(windows.index)
    identity, coverage = found["identity"].to_numpy(np.float64), found["coverage"].to_numpy(np.float64)
    level = np.where(identity > 0, 1, 0)
    level = np.where((identity >= IDENTITY) & (coverage >= COVERAGE), 2, level)
    return Strata("likeness to the training set", levels, np.where(np.isnan(identity), -1, level))


def judged_by(kind: str) -> str:
    """Return the metric by which strata are compared: one that does not depend on how many positives a stratum has."""
    return "auroc" if KIND_METRICS[kind].ranked else KIND_METRICS[kind].headline


def carrying(
    strata: Sequence[Mapping[str, Any]], whole: float | None, low: float | None, kind: str
) -> list[Mapping[str, Any]]:
    """Return the strata that carry a score: without them less than half of what lies above chance is left.

    Parameters
    ----------
    strata
        Rows as the file of metrics has them under ``strata``: ``without`` is the median of :func:`judged_by` over all
        other bins; where it is undefined, all positives or all negatives lie in the stratum.
    whole
        The median over all bins; None where it is undefined.
    low
        The lower end of its interval; where that is not above chance nothing is carried.
    kind
        Of the labels.
    """
    metric = METRICS[judged_by(kind)]
    if whole is None or metric.chance is None or low is None or low <= metric.chance:
        return []
    least = metric.chance + CARRIED * (whole - metric.chance)
    return [row for row in strata if row["without"] is None or row["without"] < least]


def between(strata: Sequence[Mapping[str, Any]], whole: float | None, low: float | None, kind: str) -> list[str]:
    """Return the ways to make strata within which less than half of what lies above chance is left.

    The score then tells the strata apart more than the bins within them.

    Parameters are those of :func:`carrying`.
    """
    metric = METRICS[judged_by(kind)]
    if whole is None or metric.chance is None or low is None or low <= metric.chance:
        return []
    found = []
    for by in dict.fromkeys(row["by"] for row in strata):
        rows = [row for row in strata if row["by"] == by and row[judged_by(kind)]["value"] is not None]
        bins = sum(row["bins"] for row in rows)
        if len(rows) < 2:
            continue
        within = sum(row["bins"] * row[judged_by(kind)]["value"] for row in rows) / bins
        if within - metric.chance < CARRIED * (whole - metric.chance):
            found.append(by)
    return found
