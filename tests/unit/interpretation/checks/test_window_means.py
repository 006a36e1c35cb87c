import numpy as np
import pytest
from scipy.stats import spearmanr

from lociflow.interpretation.checks.window_means import pearson, spearman, window_mean


def test_correlations_by_hand() -> None:
    one = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [0.0, 1.0, 10.0]])
    other = np.array([[2.0, 4.0, 6.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [0.0, 2.0, 3.0]])
    np.testing.assert_allclose(pearson(one, other)[:3], [1, -1, 0])
    assert pearson(one, other)[3] == pytest.approx(np.corrcoef(one[3], other[3])[0, 1])
    np.testing.assert_allclose(spearman(one, other), [1, -1, 0, 1])


def test_ranks_with_ties_as_scipy_has_them() -> None:
    draws = np.random.default_rng(1)
    one, other = draws.integers(0, 5, (2, 6, 40)).astype(float)
    expected = [spearmanr(first, second).statistic for first, second in zip(one, other, strict=True)]
    np.testing.assert_allclose(spearman(one, other), expected)


def test_a_mean_over_windows_and_its_interval() -> None:
    found = window_mean(np.array([1.0, 1.0, 1.0]), seed=1)
    assert found == (1.0, 1.0, 1.0)
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = window_mean(values, seed=1, draws=4000)
    error = 1.96 * values.std() / np.sqrt(400)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - error, abs=0.03)
    assert found.high == pytest.approx(values.mean() + error, abs=0.03)
    assert window_mean(values, seed=1) == window_mean(values, seed=1) != window_mean(values, seed=2)


def test_no_window_has_no_mean() -> None:
    assert np.isnan(window_mean(np.empty(0), seed=1)).all()
