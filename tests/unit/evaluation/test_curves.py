import numpy as np
import pytest

from lociflow.evaluation.curves import curve, grid
from lociflow.evaluation.metrics import auprc, auroc


def at(values, place):
    return values[np.abs(grid() - place).argmin()]


def test_a_perfect_ranking():
    found = curve(np.array([1, 1, 0, 0, -1], np.int8), np.array([4.0, 3.0, 2.0, 1.0, 9.0]))
    assert (found.true_positive_rate == 1).all()
    assert (found.precision == 1).all()


def test_the_worst_ranking():
    found = curve(np.array([0, 0, 1, 1], np.int8), np.array([4.0, 3.0, 2.0, 1.0]))
    assert found.true_positive_rate.tolist() == [0] * 199 + [1]
    assert at(found.precision, 0.4) == pytest.approx(1 / 3)
    assert at(found.precision, 1) == 0.5


def test_one_score_for_all_is_the_diagonal():
    found = curve(np.array([1, 0, 0, 0], np.int8), np.zeros(4))
    np.testing.assert_allclose(found.true_positive_rate, grid(), atol=1e-7)
    np.testing.assert_array_equal(found.precision, 0.25)


def test_precision_at_a_recall_is_that_of_the_threshold_that_reaches_it():
    found = curve(np.array([1, 0, 1, 0], np.int8), np.array([4.0, 3.0, 2.0, 1.0]))
    assert at(found.precision, 0) == 1
    assert at(found.precision, 0.49) == 1
    assert at(found.precision, 0.51) == pytest.approx(2 / 3)


def test_areas_under_the_curves_are_the_metrics():
    generator = np.random.default_rng(0)
    labels = (generator.random(5000) < 0.2).astype(np.int8)
    scores = labels + generator.normal(size=5000)
    found = curve(labels, scores)
    assert np.trapezoid(found.true_positive_rate, grid()) == pytest.approx(auroc(labels, scores), abs=1e-3)
    assert np.trapezoid(found.precision, grid()) == pytest.approx(auprc(labels, scores), abs=3e-3)


@pytest.mark.parametrize("labels", [[0, 0], [1, 1], [-1, -1]])
def test_undefined_curves_are_nan(labels):
    found = curve(np.array(labels, np.int8), np.array([1.0, 2.0]))
    assert np.isnan(found.true_positive_rate).all()
    assert np.isnan(found.precision).all()
