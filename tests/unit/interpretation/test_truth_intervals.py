import numpy as np
import pytest

from lociflow.evaluation.evaluate import IntervalConfig
from lociflow.evaluation.metrics import auprc
from lociflow.interpretation.truth_intervals import (
    DrawnScores,
    draw_scores,
    draw_windows,
    factor_interval,
    mean_interval,
)

SETTINGS = IntervalConfig(block=None, draws=200, level=0.9, seed=3)


def test_a_window_of_two_targets_is_drawn_for_both():
    block, weights = draw_windows(np.array([7, 9, 7, 30]), 20, 1)
    assert block.tolist() == [0, 1, 0, 2]
    assert weights.shape == (3, 20)
    assert (weights.sum(axis=0) == 3).all()


def test_a_draw_scores_as_the_windows_repeated_by_hand():
    # Window 0: evidence 4 bound, 3 not; window 1: 2 bound, 1 not. Window 0 twice and window 1 never: 4, 4 before 3, 3.
    evidence, bound = np.array([4.0, 3, 2, 1]), np.array([True, False, True, False])
    drawn = draw_scores(evidence, bound, np.array([0, 0, 1, 1]), np.array([[1.0, 2, 0], [1, 0, 2]]))
    assert drawn.auprc.tolist() == [pytest.approx((1 + 2 / 3) / 2), 1, 1]
    assert drawn.reason == "2 blocks have labelled bins, at least 10 are needed"


def test_draws_agree_with_scoring_the_repeated_windows():
    generator = np.random.Generator(np.random.Philox(5))
    evidence, bound = generator.random((12, 6)), generator.random((12, 6)) < 0.3
    block, weights = draw_windows(np.arange(12), 10, 4)
    drawn = draw_scores(evidence.ravel(), bound.ravel(), block.repeat(6), weights)
    for draw in range(10):
        rows = np.repeat(np.arange(12), weights[:, draw].astype(int))
        expected = auprc(bound[rows].ravel().astype(np.int8), evidence[rows].ravel())
        assert drawn.auprc[draw] == pytest.approx(expected)
    assert drawn.reason is None


def test_no_interval_from_few_windows():
    drawn = DrawnScores(np.array([0.1, 0.2]), "4 blocks have positives, at least 5 are needed")
    assert factor_interval(drawn, 0.9).low is None
    found = mean_interval([drawn], SETTINGS, 9)
    assert (found["low"], found["high"], found["draws"]) == (None, None, [])
    assert found["reason"] == "9 blocks, at least 10 are needed"


def test_the_mean_over_factors_is_taken_draw_by_draw():
    first = DrawnScores(np.array([0.2, 0.4, np.nan, 0.4]), None)
    second = DrawnScores(np.array([0.6, 0.8, 0.5, np.nan]), None)
    found = mean_interval([first, second], SETTINGS, 10)
    assert found["draws"] == [0.4, 0.6, 0.5, 0.4]
    assert [found["low"], found["high"]] == pytest.approx(np.quantile(found["draws"], [0.05, 0.95]).tolist())


def test_without_factors():
    assert mean_interval([], SETTINGS, 0)["reason"] == "no factor is explained"


def test_more_windows_narrow_the_interval():
    def width(windows):
        generator = np.random.Generator(np.random.Philox(windows))
        bound = generator.random((windows, 40)) < 0.2
        evidence = bound + generator.normal(size=bound.shape)
        block, weights = draw_windows(np.arange(windows), 200, 1)
        interval = factor_interval(draw_scores(evidence.ravel(), bound.ravel(), block.repeat(40), weights), 0.95)
        return interval.high - interval.low

    assert width(20) > 2 * width(320)
