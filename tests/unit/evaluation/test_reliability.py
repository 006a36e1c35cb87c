import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from lociflow.evaluation.reliability import calibration_error, reliability, reliability_curve


def test_two_groups_by_hand():
    labels = np.array([0, 1, 1, 1, -1])
    probabilities = np.array([0.1, 0.3, 0.6, 0.8, 0.9])
    sums = reliability(labels, probabilities, np.array([0, 0, 1, 1, 1]), 2, groups=2)
    curve = reliability_curve(sums, groups=2)
    assert curve[0].tolist() == [2, 2]
    assert curve[1] == pytest.approx([0.2, 0.7])
    assert curve[2] == pytest.approx([0.5, 1.0])
    # Each group is off by 0.3, and so is each block, which has one of them.
    assert calibration_error(sums, np.array([[1, 2, 0], [1, 0, 0]], float)) == pytest.approx(
        [0.3, 0.3, np.nan], nan_ok=True
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_scikit_learns(seed):
    generator = np.random.default_rng(seed)
    probabilities = generator.integers(0, 30, 400) / 29
    labels = (generator.random(400) < probabilities).astype(int)
    observed, predicted = calibration_curve(labels, probabilities, n_bins=15, strategy="quantile")
    curve = reliability_curve(reliability(labels, probabilities, np.zeros(400, int), 1))
    filled = curve[0] > 0
    assert curve[1][filled] == pytest.approx(predicted, abs=1e-9)
    assert curve[2][filled] == pytest.approx(observed, abs=1e-9)
    error = (curve[0][filled] * np.abs(predicted - observed)).sum() / 400
    assert calibration_error(reliability(labels, probabilities, np.zeros(400, int), 1), np.ones((1, 1)))[
        0
    ] == pytest.approx(error, abs=1e-9)


def test_scores_that_are_no_probabilities_have_no_calibration():
    assert reliability(np.array([0, 1]), np.array([-0.1, 3.0]), np.zeros(2, int), 1) is None
    assert np.isnan(calibration_error(None, np.ones((1, 2)))).all()
    curve = reliability_curve(None)
    assert curve.shape == (3, 15)
    assert curve[0].sum() == 0
    assert np.isnan(curve[1:]).all()


def test_without_labels_it_is_undefined():
    sums = reliability(np.array([-1, -1]), np.array([0.2, 0.4]), np.zeros(2, int), 1)
    assert np.isnan(calibration_error(sums, np.ones((1, 1)))).all()
