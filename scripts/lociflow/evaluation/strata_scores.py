"""The scores of every stratum, with intervals, and what is left of the whole without it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from lociflow.evaluation.intervals import bootstrap, over_targets, summary_interval
from lociflow.evaluation.labels import Labels
from lociflow.evaluation.metrics import KIND_METRICS, prevalence
from lociflow.evaluation.score_rows import number
from lociflow.evaluation.scored_split import Split
from lociflow.evaluation.strata import DRAWS, Strata, judged_by


def score_strata(
    labels: Labels,
    predictions: pd.DataFrame,
    test: Split,
    ways: Iterable[Strata],
    blocks: np.ndarray,
    multiplicities: np.ndarray,
    level: float,
) -> list[dict[str, Any]]:
    """Score every stratum of the test bins.

    Parameters
    ----------
    labels
        Of the data set.
    predictions
        As :func:`lociflow.evaluation.predictions.read_predictions` gives them.
    test
        The whole.
    ways
        How the test bins are put into strata.
    blocks
        Block of each test bin, shape (bins,).
    multiplicities
        From :func:`lociflow.evaluation.intervals.draw_blocks`, shape (blocks, draws).
    level
        Of the intervals, such as 0.95.

    Returns
    -------
    list of dict
        JSON values: ``by`` and ``level`` (texts), ``bins``, where labels are ranked ``prevalence`` (median over
        targets), for each metric of a column that models are shown by ``value`` (median over targets), ``low`` and
        ``high``, and ``without``: the median of :func:`lociflow.evaluation.strata.judged_by` over all test bins but
        these.
    """
    kind = KIND_METRICS[test.kind]
    shown = [metric for metric in kind.columns if metric in (*kind.shown, judged_by(test.kind))]
    count = len(multiplicities)
    rows = []
    for way in ways:
        for place, level_name in enumerate(way.levels):
            inside = np.flatnonzero(way.level == place)
            if not len(inside):
                continue
            part = _part(labels, predictions, test, inside)
            drawn = bootstrap(part.measured(blocks[inside], count), multiplicities[:, :DRAWS], part.metrics)
            present = len(np.unique(blocks[inside]))
            row: dict[str, Any] = {"by": way.by, "level": level_name, "bins": len(inside)}
            if kind.ranked:
                shares = np.array([prevalence(part.label(column)) for column in range(len(part.names))])
                row["prevalence"] = number(over_targets(shares[:, np.newaxis], np.median)[0])
            for metric in shown:
                value = number(over_targets(drawn.observed[metric][:, np.newaxis], np.median)[0])
                interval = summary_interval(drawn.resampled[metric], np.median, level, present)
                row[metric] = {"value": value, "low": interval.low, "high": interval.high}
                if value is None:
                    row[metric] |= {"low": None, "high": None}
            row["without"] = _without(labels, predictions, test, np.flatnonzero(way.level != place))
            rows.append(row)
    return rows


def _part(labels: Labels, predictions: pd.DataFrame, test: Split, inside: np.ndarray) -> Split:
    # Read from all training bins, once for all strata.
    average = test.average_profiles() if test.kind == "profile" else None
    return Split(labels, predictions, test.bins[inside], test.threshold, test.chosen, average)


def _without(labels: Labels, predictions: pd.DataFrame, test: Split, others: np.ndarray) -> float | None:
    if not len(others):
        return None
    rest = _part(labels, predictions, test, others)
    observed = bootstrap(rest.measured(np.zeros(len(others), np.int64), 1), np.ones((1, 0)), rest.metrics).observed
    return number(over_targets(observed[judged_by(test.kind)][:, np.newaxis], np.median)[0])
