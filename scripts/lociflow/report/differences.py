"""Which entries differ clearly from the best one, and how models stand over many data sets."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from lociflow.evaluation.metrics import METRICS
from lociflow.evaluation.pair_table import BETTER, NEITHER
from lociflow.report.results import DatasetResults, RunResults

# With fewer data sets ranks say nothing (Demšar 2006 asks for more than ten, and for five at the least).
LEAST_DATASETS = 5
LEAST_MODELS = 3


class Difference(NamedTuple):
    """How an entry stands to the best one."""

    words: str
    q: float | None
    value: float | None
    """Its value less that of the best one."""
    low: float | None
    high: float | None


class MeanRanks(NamedTuple):
    """How models rank over data sets."""

    ranks: Mapping[str, float]
    """Mean rank of each model, 1 for the best, best first."""
    datasets: int
    p: float
    """Of Friedman's test: whether the models differ at all."""
    critical: float
    """The difference of mean ranks from which on two models differ (Nemenyi, at 0.05)."""


def from_best(comparisons: pd.DataFrame, dataset: DatasetResults) -> dict[str, Difference]:
    """Say how each entry of a data set's split differs from the best one.

    The best is one of the models and of the baselines that are to be beaten; others, which know more than a predictor
    may or come from elsewhere, are held against it as well, and may be better.

    Parameters
    ----------
    comparisons
        As :func:`lociflow.evaluation.comparison.compare_entries` returns them.
    dataset
        The data set and split.

    Returns
    -------
    dict
        By label; the best one first. Empty where nothing was compared.
    """
    allowed = {entry.label for entry in dataset.entries if entry.kind == "model" or entry.to_beat}
    here = _pairs(comparisons, dataset)
    # The first of every pair is the better one, so that the best of all is second in none with another that may be it.
    beaten = {row.second for row in here if row.first in allowed}
    seen = dict.fromkeys(label for row in here for label in (row.first, row.second))
    best = next((str(label) for label in seen if label in allowed - beaten), None)
    if best is None:
        return {}
    found = {best: Difference("the best", None, None, None, None)}
    for row in here:
        if row.first == best:
            words = {BETTER: "clearly worse", NEITHER: NEITHER}.get(str(row.verdict), str(row.verdict))
            # The table has first less second.
            ends = _negative(row.difference), _negative(row.high), _negative(row.low)
            found[str(row.second)] = Difference(words, _known(row.q), *ends)
        elif row.second == best:
            words = {BETTER: "clearly better"}.get(str(row.verdict), str(row.verdict))
            found[str(row.first)] = Difference(words, _known(row.q), *map(_known, (row.difference, row.low, row.high)))
    return found


def undecided(comparisons: pd.DataFrame, dataset: DatasetResults, label: str) -> set[str]:
    """Return the labels of the entries from which one does not differ clearly."""
    pairs = [row for row in _pairs(comparisons, dataset) if row.verdict == NEITHER and label in (row.first, row.second)]
    return {str(row.second if row.first == label else row.first) for row in pairs}


def _pairs(comparisons: pd.DataFrame, dataset: DatasetResults) -> list[Any]:
    here = comparisons[(comparisons["dataset"] == dataset.dataset) & (comparisons["split"] == dataset.split)]
    return list(here.itertuples())


def _known(value: object) -> float | None:
    return None if pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]


def _negative(value: object) -> float | None:
    known = _known(value)
    return None if known is None else -known


def mean_ranks(results: RunResults) -> MeanRanks | None:
    """Rank the models of a run on each of its data sets by the headline metric, and test the mean ranks.

    Friedman's test, and Nemenyi's critical difference from the studentised range (Demšar 2006, J. Mach. Learn. Res.
    7:1). Seeds are averaged; a data set counts once, with its first split, and only where all models have a score.

    Returns
    -------
    MeanRanks or None
        None with fewer than :data:`LEAST_DATASETS` data sets or :data:`LEAST_MODELS` models.
    """
    firsts = [dataset for dataset in results.datasets if dataset.is_first]
    labels = list(dict.fromkeys(entry.label for dataset in firsts for entry in dataset.of_kind("model")))
    rows = [scores for dataset in firsts if (scores := _scores(dataset, labels)) is not None]
    if len(rows) < LEAST_DATASETS or len(labels) < LEAST_MODELS:
        return None
    table = np.array(rows)
    ranks = np.array([rankdata(-row) for row in table])
    mean = dict(zip(labels, ranks.mean(axis=0).tolist(), strict=True))
    count, number = ranks.shape
    critical = studentized_range.ppf(0.95, number, np.inf) / np.sqrt(2) * np.sqrt(number * (number + 1) / (6 * count))
    alike = bool((ranks == ranks[:, :1]).all())
    p = 1.0 if alike else float(friedmanchisquare(*table.T).pvalue)
    return MeanRanks(dict(sorted(mean.items(), key=lambda each: each[1])), count, p, float(critical))


def _scores(dataset: DatasetResults, labels: list[str]) -> list[float] | None:
    """Return the mean over seeds of each label's headline score, larger being better; None where one is missing."""
    sign = 1 if METRICS[dataset.headline].larger_is_better else -1
    found = []
    for label in labels:
        values = [
            value
            for entry in dataset.of_kind("model")
            if entry.label == label and (value := entry.summary(dataset.headline, "median")) is not None
        ]
        if not values:
            return None
        found.append(sign * float(np.mean(values)))
    return found


def alike(ranks: MeanRanks) -> list[tuple[str, ...]]:
    """Return the groups of models that do not differ, each as large as it can be: the bars of the picture."""
    labels = list(ranks.ranks)
    groups: list[tuple[str, ...]] = []
    for place, first in enumerate(labels):
        group = tuple(label for label in labels[place:] if ranks.ranks[label] - ranks.ranks[first] < ranks.critical)
        if len(group) > 1 and not any(set(group) <= set(other) for other in groups):
            groups.append(group)
    return groups
