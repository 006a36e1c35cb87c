"""Published numbers beside measured ones: every verdict by hand, intervals against second implementations."""

import math
from typing import Any

import pytest
from scipy.stats import binomtest, norm

from lociflow.evaluation import ledger as ledgers
from lociflow.evaluation.intervals import Interval
from lociflow.evaluation.ledger import (
    BETTER,
    CONSISTENT,
    NOT_COMPARABLE,
    NOT_TOLD_APART,
    REPRODUCED,
    VERDICTS,
    WORSE,
    Measured,
    Scored,
    difference_interval,
    judge,
    ledger,
    measure,
    published_interval,
    standing,
)

NONE = Interval(None, None)


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": "toy/net", "method": "Net", "models": {"net": "faithful", "net+mended": "corrected", "kin": "similar"},
        "metric": "auroc", "target": "TF", "statistic": None, "over": None, "value": 0.8, "count": None, "trials": None,
        "exact": False, "source": {"paper": "p", "address": "https://a.org", "place": "table 1"}, "data": "d",
        "protocol": "p", "dataset": "toy", "split": "holdout", "tolerance": {"value": 0.05, "reason": "r"},
        "not_comparable": None, "caveats": [], **changes,
    }  # fmt: skip


def measured(value: float, low: float | None = None, high: float | None = None, reason: str | None = None) -> Measured:
    return Measured(value, Interval(low, high, reason), None, 1, 100)


def metrics(value: float | None, width: float | None = 0.01, metric: str = "auroc") -> dict[str, Any]:
    bounded = value is not None and width is not None
    ends = {"low": value - width, "high": value + width} if bounded else {"low": None, "high": None}  # type: ignore[operator]
    score = {**ends, "reason": None if bounded else "3 blocks"}
    spread = {"median": value, "mean": None if value is None else value / 2, **score}
    mean_ends = {"mean_low": ends["low"], "mean_high": ends["high"]}
    return {
        "bins": {"test": 100, "validation": 0},
        "interval": {"level": 0.95},
        "targets": [{"target": "TF", metric: {"value": value, **score}}],
        "whole_targets": [{"target": "whole", "accuracy": {"value": value, **score}}],
        "summary": {metric: {**spread, **mean_ends}},
    }


# value, low, high -> verdict by the published recipe, and by another model; published 0.8, tolerance 0.05
CASES = [
    pytest.param((0.82, 0.80, 0.84), REPRODUCED, NOT_TOLD_APART, id="interval within the tolerance"),
    pytest.param((0.82, 0.75, 0.85), REPRODUCED, NOT_TOLD_APART, id="interval ends at the tolerance"),
    pytest.param((0.83, 0.81, 0.84), REPRODUCED, NOT_TOLD_APART, id="a difference that is sure and does not matter"),
    pytest.param((0.82, 0.70, 0.90), CONSISTENT, NOT_TOLD_APART, id="wide interval"),
    pytest.param((0.84, 0.81, 0.87), CONSISTENT, NOT_TOLD_APART, id="sure difference that may matter"),
    pytest.param((0.88, 0.79, 0.95), CONSISTENT, NOT_TOLD_APART, id="large difference that is not sure"),
    pytest.param((0.88, 0.81, 0.95), BETTER, BETTER, id="better"),
    pytest.param((0.72, 0.65, 0.79), WORSE, WORSE, id="worse"),
    pytest.param((0.82, None, None), CONSISTENT, NOT_TOLD_APART, id="no interval, within the tolerance"),
    pytest.param((0.90, None, None), NOT_COMPARABLE, NOT_COMPARABLE, id="no interval, beyond the tolerance"),
]


@pytest.mark.parametrize(("score", "faithful", "other"), CASES)
def test_verdicts_where_larger_is_better(score: Any, faithful: str, other: str) -> None:
    assert judge(entry(), NONE, "faithful", measured(*score)).word == faithful
    for how in ("corrected", "similar", "other"):
        assert judge(entry(), NONE, how, measured(*score)).word == other


MIRRORED = {BETTER: WORSE, WORSE: BETTER}


@pytest.mark.parametrize(("score", "faithful", "other"), CASES)
def test_verdicts_where_smaller_is_better(score: Any, faithful: str, other: str) -> None:
    error = entry(metric="error")
    assert judge(error, NONE, "faithful", measured(*score)).word == MIRRORED.get(faithful, faithful)
    assert judge(error, NONE, "other", measured(*score)).word == MIRRORED.get(other, other)


def test_every_verdict_is_tried() -> None:
    tried = {word for case in CASES for word in case.values[1:]}
    assert tried == set(VERDICTS)


def test_reasons_say_what_was_found() -> None:
    def because(*score: Any, how: str = "faithful") -> str:
        return judge(entry(), NONE, how, measured(*score)).because

    assert because(0.82, 0.80, 0.84) == "a difference beyond the tolerance of 0.05 is excluded"
    assert because(0.82, 0.80, 0.84, how="similar") == "a difference beyond the tolerance of 0.05 is excluded"
    assert because(0.82, 0.70, 0.90) == "a difference beyond the tolerance of 0.05 is not excluded"
    assert because(0.88, 0.79, 0.95) == "the difference is beyond the tolerance of 0.05, but its interval holds 0"
    assert because(0.88, 0.81, 0.95) == "the difference is beyond the tolerance of 0.05, and its interval leaves out 0"
    assert because(0.90, None, None, "3 blocks") == "the score has no interval (3 blocks)"
    assert because(0.82, None, None, "3 blocks") == (
        "the difference is within the tolerance of 0.05, but the score has no interval (3 blocks)"
    )


def test_an_entry_that_cannot_be_compared_gets_no_other_verdict_but_its_difference() -> None:
    apart = entry(not_comparable="it is of other examples\n", exact=True)
    for score in ((0.8, 0.8, 0.8), (0.95, 0.94, 0.96), (0.2, None, None)):
        found = judge(apart, NONE, "faithful", measured(*score))
        assert (found.word, found.because) == (NOT_COMPARABLE, "it is of other examples")
        assert found.difference == pytest.approx(score[0] - 0.8)


def test_published_predictions_are_judged_by_the_difference_alone() -> None:
    exact = entry(exact=True)
    assert judge(exact, NONE, "faithful", measured(0.82, 0.5, 1.0)).word == REPRODUCED
    assert judge(exact, NONE, "faithful", measured(0.82)).word == REPRODUCED
    assert judge(exact, NONE, "faithful", measured(0.74, 0.5, 1.0)).word == WORSE
    assert judge(exact, NONE, "faithful", measured(0.86, 0.5, 1.0)).word == BETTER
    # of another model the scores have their chances
    assert judge(exact, NONE, "similar", measured(0.86, 0.5, 1.0)).word == NOT_TOLD_APART


def test_a_difference_of_decimals_may_be_the_tolerance_itself() -> None:
    assert 0.3 - 0.2 < 0.1 < 0.8 - 0.7
    decimals = entry(value=0.7, tolerance={"value": 0.1, "reason": "r"}, exact=True)
    assert judge(decimals, NONE, "faithful", measured(0.8)).word == REPRODUCED


def test_the_published_interval_widens_that_of_the_difference() -> None:
    of_count = entry(value=0.8, count=80, trials=100)
    alone = judge(entry(), NONE, "other", measured(0.88, 0.81, 0.95))
    both = judge(of_count, published_interval(of_count, 0.95), "other", measured(0.88, 0.81, 0.95))
    assert (alone.word, both.word) == (BETTER, NOT_TOLD_APART)
    assert both.interval.low < 0 < alone.interval.low  # type: ignore[operator]


# ---------------------------------------------------------------------------------------------------------- intervals
@pytest.mark.parametrize(("count", "trials"), [(0, 106), (4, 106), (8, 106), (19, 106), (106, 106)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_of_a_count_is_wilsons(count: int, trials: int, level: float) -> None:
    found = published_interval(entry(count=count, trials=trials), level)
    # Wilson 1927, J. Am. Stat. Assoc. 22:209
    z, p = norm.ppf((1 + level) / 2), count / trials
    centre, spread = p + z**2 / (2 * trials), z * math.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    assert found.low == pytest.approx(max(0, (centre - spread) / scale), abs=1e-12)
    assert found.high == pytest.approx(min(1, (centre + spread) / scale), abs=1e-12)


def test_a_number_without_a_count_has_no_interval() -> None:
    assert published_interval(entry(), 0.95)[:2] == (None, None)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0)],
)
def test_the_interval_of_a_difference_of_counts_is_newcombes(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Stat. Med. 17:873, table II, method 10."""
    intervals = [Interval(*binomtest(*counts).proportion_ci(0.95, method="wilson")) for counts in (one, other)]
    found = difference_interval(one[0] / one[1], intervals[0], other[0] / other[1], intervals[1])
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_certain_number_shifts_the_interval() -> None:
    found = difference_interval(0.82, Interval(0.80, 0.86), 0.8, NONE)
    assert found[:2] == (pytest.approx(0.0), pytest.approx(0.06))


def test_a_score_outside_its_own_interval_does_not_shrink_the_other_end() -> None:
    # a bootstrap percentile interval need not hold the score
    found = difference_interval(0.9, Interval(0.80, 0.89), 0.8, NONE)
    assert found[:2] == (pytest.approx(0.0), pytest.approx(0.1))


# -------------------------------------------------------------------------------------------------------------- scores
def test_a_score_of_seeds_is_their_mean_with_the_means_of_the_ends_and_the_deviation() -> None:
    found = measure(entry(), [metrics(0.80, 0.01), metrics(0.84, 0.03)])
    assert found is not None
    assert found.value == pytest.approx(0.82)
    assert found.interval[:2] == (pytest.approx(0.80), pytest.approx(0.84))
    assert found.sd == pytest.approx(0.02 * math.sqrt(2))
    assert (found.seeds, found.bins) == (2, 100)


def test_a_seed_without_a_score_or_an_interval_leaves_the_mean_without() -> None:
    assert measure(entry(), [metrics(0.8), metrics(None)]) is None
    found = measure(entry(), [metrics(0.8), metrics(0.9, None)])
    assert found is not None
    assert found.value == pytest.approx(0.85)
    assert found.interval == Interval(None, None, "3 blocks")


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({}, 0.8),
        ({"target": "whole", "metric": "accuracy"}, 0.8),
        ({"target": None, "statistic": "median"}, 0.8),
        ({"target": None, "statistic": "mean"}, 0.4),
        ({"target": "nobody"}, None),
        ({"metric": "auprc"}, None),
        ({"metric": "auprc", "target": None, "statistic": "median"}, None),
    ],
)
def test_a_score_is_found_by_target_or_statistic(changes: dict[str, Any], value: float | None) -> None:
    found = measure(entry(**changes), [metrics(0.8)])
    assert (found.value if found else None) == value


# ---------------------------------------------------------------------------------------------------------------- rows
def test_how_a_label_stands_for_the_method() -> None:
    toy = entry()
    labels = {"net": "faithful", "net+mended": "corrected", "net+long": "similar", "kin": "similar", "kin+x": "similar"}
    assert {label: standing(toy, label) for label in labels} == labels
    assert standing(toy, "network") == "other"


def scored(label: str, value: float | None, kind: str = "model", split: str = "holdout") -> Scored:
    return Scored("toy", split, label, kind, [metrics(value)])


def test_rows_are_those_that_stand_for_the_method_then_the_best_other() -> None:
    run = [
        scored("net", 0.80), scored("net+mended", 0.90), scored("a", 0.70), scored("b", 0.95, "baseline"),
        scored("shuffled", 0.99, "control"), scored("ceiling", 0.99, "ceiling"), scored("c", 0.99, split="leakfree"),
        scored("undefined", None),
    ]  # fmt: skip
    rows = ledger([entry()], run)
    assert [(row.label, row.standing, row.verdict.word) for row in rows] == [
        ("net", "faithful", REPRODUCED),
        ("net+mended", "corrected", BETTER),
        ("b", "other", BETTER),
    ]
    assert rows[2].verdict.because.endswith("; it is the best of 2 by this score on the test set, which favours it")


def test_the_best_is_the_lowest_where_smaller_is_better() -> None:
    run = [Scored("toy", "holdout", label, "model", [metrics(value, metric="error")]) for label, value in
           (("a", 0.3), ("b", 0.1), ("c", 0.2))]  # fmt: skip
    (row,) = ledger([entry(metric="error", models={})], run)
    assert row.label == "b"


def test_the_only_other_model_is_not_said_to_be_chosen() -> None:
    (row,) = ledger([entry(models={})], [scored("a", 0.9)])
    assert "best of" not in row.verdict.because


def test_a_number_that_no_model_has_a_score_for_is_kept() -> None:
    (row,) = ledger([entry()], [scored("net", None)])
    assert (row.label, row.measured, row.verdict.word) == (None, None, NOT_COMPARABLE)
    assert row.verdict.because == "no model of the run has this score"


def test_the_level_of_a_published_interval_is_that_of_the_scores() -> None:
    of_count = entry(value=0.8, count=80, trials=100, models={})
    wide = metrics(0.9)
    narrow = {**wide, "interval": {"level": 0.5}}
    ends = [
        ledgers.ledger([of_count], [Scored("toy", "holdout", "a", "model", [found])])[0].published
        for found in (wide, narrow)
    ]
    assert ends[0].low < ends[1].low < 0.8 < ends[1].high < ends[0].high  # type: ignore[operator]


def test_no_error_among_independent_examples_is_no_certainty():
    # The bootstrap of 0 errors has no width. Newcombe (1998), method 10, for 0 of 106 against 4 of 106.
    found = {**metrics(0.0, 0.0, "error"), "interval": {"level": 0.95, "blocks": 100}}
    counted = entry(metric="error", value=4 / 106, count=4, trials=106, tolerance={"value": 0.02, "reason": "r"})
    score = measure(counted, [found])
    wilson = binomtest(0, 100).proportion_ci(0.95, method="wilson")
    assert score == Measured(0.0, Interval(wilson.low, wilson.high), None, 1, 100)
    verdict = judge(counted, published_interval(counted, 0.95), "faithful", score)
    assert verdict.word == CONSISTENT
    below = math.hypot(0, binomtest(4, 106).proportion_ci(0.95, method="wilson").high - 4 / 106)
    above = math.hypot(wilson.high, 4 / 106 - binomtest(4, 106).proportion_ci(0.95, method="wilson").low)
    assert (verdict.interval.low, verdict.interval.high) == pytest.approx((-4 / 106 - below, -4 / 106 + above))
    # Neighbours in a genome are no independent examples.
    found["interval"]["blocks"] = 20
    assert measure(counted, [found]).interval == Interval(0.0, 0.0)


def test_the_best_of_the_others_is_the_best_on_the_whole():
    def scores(accuracy: float, error: float) -> dict[str, Any]:
        found = metrics(error, 0.01, "class_error")
        return {**found, "kind": "class", "summary": {"accuracy": {"median": accuracy}}}

    counted = entry(models={}, metric="class_error", value=0.05, tolerance={"value": 0.01, "reason": "r"})
    # What calls every bin one class has no error in it.
    scored = [
        Scored("toy", "holdout", label, kind, [scores(accuracy, error)])
        for label, kind, accuracy, error in (("cnn", "model", 0.9, 0.05), ("prevalence", "baseline", 0.5, 0.0))
    ]
    (row,) = ledger([counted], scored)
    assert row.label == "cnn"
    assert row.verdict.because.endswith("it is the best of 2 by accuracy on the test set, which favours it")
