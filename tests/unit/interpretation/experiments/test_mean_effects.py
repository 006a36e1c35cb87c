import numpy as np
import pytest
from scipy.stats import ttest_1samp

from lociflow.interpretation.experiments.mean_effects import against_zero, mean_effect


def test_of_equal_effects_the_interval_is_their_value() -> None:
    found = mean_effect(np.full((12, 2), 2.5), draws=50, level=0.95, seed=1)
    assert [part.tolist() for part in found] == [[2.5, 2.5]] * 3


def test_intervals_are_those_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = mean_effect(values, draws=2000, level=0.95, seed=1)
    error = values.std() / 20
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_few_sequences_have_a_mean_and_no_interval() -> None:
    found = mean_effect(np.arange(9.0), draws=50, level=0.95, seed=1)
    assert found.mean == 4
    assert np.isnan([found.low, found.high]).all()


def test_the_test_is_students() -> None:
    values = np.random.default_rng(2).normal(0.2, 1, (30, 3))
    assert against_zero(values, scale=1.0) == pytest.approx(ttest_1samp(values, 0).pvalue)


def test_exact_effects_are_surely_not_0_and_rounding_is() -> None:
    values = np.stack([np.full(20, 1.0), np.zeros(20), np.full(20, 1e-6)], axis=1)
    assert against_zero(values, scale=1.0).tolist() == [0, 1, 1]
    assert against_zero(values * 3, scale=1e6).tolist() == [1, 1, 1]
    assert against_zero(values[:1], scale=1.0).tolist() == [1, 1, 1]
