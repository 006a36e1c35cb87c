"""Published numbers beside measured ones, and what may be said of their difference.

The difference is the measured score less the published one. Its interval is put together from those of the two scores
(MOVER; Zou & Donner 2008, Stat. Med. 27:1693): for two counts this is Newcombe's tenth method (1998, Stat. Med.
17:873). The measured score has its bootstrap interval; a published count of errors or right calls, and the share of
independent examples that is measured beside it, have the interval of Wilson (1927); a published number without a count
is taken as it stands, since nobody knows how uncertain it is. Both scores are treated as if they were of different test
examples: where the examples are the same, the interval is rather too wide than too narrow.

With t for the tolerance of the entry:

=================== ==================================================================================================
reproduced          by the published recipe, and the whole interval of the difference lies within -t and t: a
                    difference that matters is excluded
better, worse       the difference is larger than t, and its interval leaves out 0
consistent          by the published recipe, and none of these: a difference is not shown, and one that matters is not
                    excluded; a small test set can say no more
not told apart      the same of another model than the published one, which reproduces nothing
not comparable      the entry says why, or there is no score, or it has no interval and differs by more than t
=================== ==================================================================================================

Better is larger or smaller as the metric has it.

Where the published predictions themselves are scored on the same examples (``exact``), no chance is involved: the
interval of the difference is the difference. The verdict speaks of other loci of the same genome, as intervals do, and
not of other seeds; with several seeds value and interval are means over them, and their standard deviation stands
beside.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from scipy.stats import binomtest

from lociflow.evaluation.intervals import Interval
from lociflow.evaluation.metrics import HEADLINES, METRICS
from lociflow.layout import split_label

REPRODUCED, CONSISTENT, BETTER, WORSE = "reproduced", "consistent", "better", "worse"
NOT_TOLD_APART, NOT_COMPARABLE = "not told apart", "not comparable"
VERDICTS = (REPRODUCED, CONSISTENT, BETTER, WORSE, NOT_TOLD_APART, NOT_COMPARABLE)
FAITHFUL, SIMILAR, OTHER = "faithful", "similar", "other"
# What the summary of a metric calls the ends of the mean's interval.
MEAN_ENDS = ("mean_low", "mean_high")
# Metrics that are a count of test examples over all of them.
SHARES = ("error", "accuracy")
# Numbers are read from decimal text: 0.3 - 0.2 is to be within a tolerance of 0.1.
ROUNDING = 1e-9


class Scored(NamedTuple):
    """A model or a baseline on one split of a data set, with what the evaluation step has written of each seed."""

    dataset: str
    split: str
    label: str
    kind: str
    """``model`` or ``baseline``; what is neither can stand for nothing."""
    metrics: Sequence[Mapping[str, Any]]


class Measured(NamedTuple):
    """A score with its interval, and the spread of several seeds."""

    value: float
    interval: Interval
    sd: float | None
    """Standard deviation of a sample of seeds, None of one."""
    seeds: int
    bins: int
    """Test bins."""


class Verdict(NamedTuple):
    """What may be said of a difference."""

    word: str
    """Of :data:`VERDICTS`."""
    because: str
    difference: float | None
    """Measured less published."""
    interval: Interval


class Row(NamedTuple):
    """One line of the ledger: a published number and a measured one."""

    entry: Mapping[str, Any]
    published: Interval
    """The interval of the published number."""
    label: str | None
    """The measured model, None where no model of the run has the score."""
    standing: str
    """How the model stands for the published method: faithful, corrected, similar, or other."""
    measured: Measured | None
    verdict: Verdict


def ledger(entries: Sequence[Mapping[str, Any]], scored: Sequence[Scored]) -> list[Row]:
    """Set what a run has measured beside the published numbers that it covers.

    Parameters
    ----------
    entries
        As :func:`lociflow.published.read_published` returns them.
    scored
        What the run compares; controls and ceilings are left out.

    Returns
    -------
    list of Row
        For each entry a row for every model that stands for the published method, then one for the best of all other
        models and baselines by the headline metric of the labels, which choosing it favours.
    """
    return [row for entry in entries for row in entry_rows(entry, scored)]


def entry_rows(entry: Mapping[str, Any], scored: Sequence[Scored]) -> list[Row]:
    """Return the rows of one published number."""
    here = [
        one
        for one in scored
        if (one.dataset, one.split) == (entry["dataset"], entry["split"]) and one.kind in ("model", "baseline")
    ]
    found = {one.label: score for one in here if (score := measure(entry, one.metrics)) is not None}
    level = next((each["interval"]["level"] for one in here for each in one.metrics), 0.95)
    published = published_interval(entry, level)
    standings = {label: standing(entry, label) for label in found}
    rows = [
        Row(entry, published, label, how, found[label], judge(entry, published, how, found[label]))
        for label, how in standings.items()
        if how != OTHER
    ]
    others = [label for label, how in standings.items() if how == OTHER]
    if others:
        ranks = _ranks(entry, [one for one in here if one.label in others], found)
        rows.append(_best_row(entry, published, {label: found[label] for label in others}, *ranks))
    if not rows:
        nothing = Verdict(NOT_COMPARABLE, "no model of the run has this score", None, Interval(None, None))
        rows.append(Row(entry, published, None, OTHER, None, nothing))
    return rows


def _ranks(
    entry: Mapping[str, Any], scored: Sequence[Scored], found: Mapping[str, Measured]
) -> tuple[Mapping[str, float], str]:
    """Return by which score the best of the others is chosen, larger being better, and what it is called.

    The headline of the labels: by the error in one class alone a model that calls nothing else would be the best.
    """
    headline = HEADLINES[scored[0].metrics[0].get("kind", "binary")]
    medians: dict[str, list[float]] = {}
    for one in scored:
        values = ((each["summary"].get(headline) or {}).get("median") for each in one.metrics)
        medians[one.label] = [value for value in values if value is not None]
    if any(len(medians[one.label]) < len(one.metrics) for one in scored):
        sign = 1 if METRICS[entry["metric"]].larger_is_better else -1
        return {one.label: sign * found[one.label].value for one in scored}, "this score"
    sign = 1 if METRICS[headline].larger_is_better else -1
    return {label: sign * statistics.fmean(values) for label, values in medians.items()}, METRICS[headline].title


def _best_row(
    entry: Mapping[str, Any], published: Interval, found: Mapping[str, Measured], ranks: Mapping[str, float], by: str
) -> Row:
    label = max(found, key=lambda each: ranks[each])
    verdict = judge(entry, published, OTHER, found[label])
    if len(found) > 1 and entry["not_comparable"] is None:
        chosen = f"it is the best of {len(found)} by {by} on the test set, which favours it"
        verdict = verdict._replace(because=f"{verdict.because}; {chosen}")
    return Row(entry, published, label, OTHER, found[label], verdict)


def standing(entry: Mapping[str, Any], label: str) -> str:
    """Return how a model stands for the published method; a variant that is not named is merely similar."""
    models: Mapping[str, str] = entry["models"]
    if label in models:
        return models[label]
    return SIMILAR if split_label(label)[0] in models else OTHER


def measure(entry: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]]) -> Measured | None:
    """Return the score that an entry is about, the mean over seeds; None where it is undefined for one of them.

    The ends of the interval are the means of those of the seeds; None where one of them has none.
    """
    found = [_score(entry, each) for each in metrics]
    values = [value for value, _ in found if value is not None]
    if not values or len(values) < len(found):
        return None
    if len(found) == 1 and (counted := _counted(entry, values[0], metrics[0])):
        return counted
    lows = [interval.low for _, interval in found if interval.low is not None]
    highs = [interval.high for _, interval in found if interval.high is not None]
    if len(lows) == len(highs) == len(found):
        interval = Interval(statistics.fmean(lows), statistics.fmean(highs))
    else:
        reason = next((interval.reason for _, interval in found if interval.reason), None)
        interval = Interval(None, None, reason)
    return Measured(
        statistics.fmean(values),
        interval,
        statistics.stdev(values) if len(values) > 1 else None,
        len(values),
        metrics[0]["bins"]["test"],
    )


def _counted(entry: Mapping[str, Any], value: float, metrics: Mapping[str, Any]) -> Measured | None:
    """Return a share of independent test examples with Wilson's interval; None where it is none of these.

    The percentiles of a bootstrap have no width where nothing, or everything, is called wrongly.
    """
    bins = metrics["bins"]["test"]
    if entry["count"] is None or entry["metric"] not in SHARES or metrics["interval"]["blocks"] != bins:
        return None
    low, high = binomtest(round(value * bins), bins).proportion_ci(metrics["interval"]["level"], method="wilson")
    return Measured(value, Interval(float(low), float(high)), None, 1, bins)


def _score(entry: Mapping[str, Any], metrics: Mapping[str, Any]) -> tuple[float | None, Interval]:
    """Return the score of one seed with its interval."""
    metric, target = entry["metric"], entry["target"]
    if target is None:
        found: Mapping[str, Any] = metrics["summary"].get(metric) or {}
        value, low, high = entry["statistic"], *(("low", "high") if entry["statistic"] == "median" else MEAN_ENDS)
    else:
        rows = [*metrics["targets"], *metrics.get("whole_targets", [])]
        found = next((row[metric] for row in rows if row["target"] == target and row.get(metric)), {})
        value, low, high = "value", "low", "high"
    return found.get(value), Interval(found.get(low), found.get(high), found.get("reason"))


def published_interval(entry: Mapping[str, Any], level: float) -> Interval:
    """Return the interval of Wilson of a published count; none for a number without one.

    Parameters
    ----------
    entry
        ``count`` of ``trials``, or None for both.
    level
        Coverage, such as 0.95.
    """
    if entry["count"] is None:
        return Interval(None, None, "the number of test examples behind the score is not published")
    low, high = binomtest(entry["count"], entry["trials"]).proportion_ci(level, method="wilson")
    return Interval(float(low), float(high))


def difference_interval(value: float, measured: Interval, reference: float, published: Interval) -> Interval:
    """Return the interval of ``value`` less ``reference`` from the intervals of both.

    Parameters
    ----------
    value, measured
        The measured score; without an interval there is none of the difference either.
    reference, published
        The published one; without an interval it is taken as certain.
    """
    if measured.low is None or measured.high is None:
        return measured
    below, above = max(0.0, value - measured.low), max(0.0, measured.high - value)
    if published.low is not None and published.high is not None:
        below = math.hypot(below, published.high - reference)
        above = math.hypot(above, reference - published.low)
    return Interval(value - reference - below, value - reference + above)


def judge(entry: Mapping[str, Any], published: Interval, how: str, measured: Measured) -> Verdict:
    """Say what may be said of the difference, by the rules at the top of this file.

    Parameters
    ----------
    entry
        ``value``, ``metric``, ``tolerance``, ``exact`` and ``not_comparable``.
    published
        The interval of the published number.
    how
        How the model stands for the published method.
    measured
        Its score.
    """
    difference, tolerance = measured.value - entry["value"], entry["tolerance"]["value"]
    exact = entry["exact"] and how == FAITHFUL
    interval = (
        Interval(difference, difference)
        if exact
        else difference_interval(measured.value, measured.interval, entry["value"], published)
    )
    word, because = _word(entry, how, difference, interval, tolerance + ROUNDING)
    return Verdict(word, because, difference, interval)


def _word(
    entry: Mapping[str, Any], how: str, difference: float, interval: Interval, tolerance: float
) -> tuple[str, str]:
    if entry["not_comparable"] is not None:
        return NOT_COMPARABLE, entry["not_comparable"].strip()
    same, within = how == FAITHFUL, abs(difference) <= tolerance
    told = f"the tolerance of {entry['tolerance']['value']:g}"
    if interval.low is None or interval.high is None:
        reason = f"the score has no interval ({interval.reason or 'no reason is given'})"
        if within:
            return (CONSISTENT if same else NOT_TOLD_APART), f"the difference is within {told}, but {reason}"
        return NOT_COMPARABLE, reason
    if same and -tolerance <= interval.low and interval.high <= tolerance:
        return REPRODUCED, f"a difference beyond {told} is excluded"
    larger_is_better = METRICS[entry["metric"]].larger_is_better
    if not within and (interval.low > 0 or interval.high < 0):
        better = (difference > 0) == larger_is_better
        return (BETTER if better else WORSE), f"the difference is beyond {told}, and its interval leaves out 0"
    if not within:
        because = "the difference is beyond {}, but its interval holds 0"
    elif -tolerance <= interval.low and interval.high <= tolerance:
        because = "a difference beyond {} is excluded"
    else:
        because = "a difference beyond {} is not excluded"
    return (CONSISTENT if same else NOT_TOLD_APART), because.format(told)
