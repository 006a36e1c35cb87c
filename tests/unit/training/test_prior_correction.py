"""Corrected probabilities against a simulation whose probabilities are known."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from lociflow.command import UserError
from lociflow.data.balancing import SomeNegatives
from lociflow.genome.label_kinds import KINDS
from lociflow.models.outputs import Outputs
from lociflow.training.prior_correction import fit_calibration, stated_logarithms


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def corrected(calibration, logits):
    return logits * calibration.slope + calibration.intercept


def test_a_model_of_the_sample_is_calibrated_to_the_whole_by_the_exact_offset():
    draws = np.random.default_rng(1)
    x = draws.normal(size=200_000)
    truth = draws.random(len(x)) < sigmoid(2 * x - 4)
    labels = truth.astype(np.int8)[:, None]
    balance = SomeNegatives(ratio=0.5)(np.arange(len(x)), labels, KINDS["binary"], ("a",), ())
    chosen = balance.draw(1, 0)
    model = LogisticRegression(C=np.inf).fit(x[chosen, None], truth[chosen])
    sampled = model.decision_function(x[:, None])
    probability = sigmoid(sampled + balance.offsets[0])
    assert sigmoid(sampled).mean() > 4 * truth.mean()
    assert probability.mean() == pytest.approx(truth.mean(), rel=0.03)
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.0)):
        inside = (probability >= low) & (probability < high)
        assert probability[inside].mean() == pytest.approx(truth[inside].mean(), rel=0.1)


def test_of_many_labels_a_fitted_line_is_that_of_unregularised_logistic_regression():
    draws = np.random.default_rng(2)
    logits = draws.normal(2.0, 3.0, (50_000, 1))
    labels = (draws.random((50_000, 1)) < sigmoid(0.4 * logits - 2)).astype(np.int8)
    found = fit_calibration(logits, labels)
    reference = LogisticRegression(C=np.inf).fit(logits, labels[:, 0])
    assert found.slope[0] == pytest.approx(reference.coef_[0, 0], abs=1e-3)
    assert found.intercept[0] == pytest.approx(reference.intercept_[0], abs=1e-3)


def test_a_stated_prevalence_shifts_the_odds_in_proportion():
    # Of 1,000 bins 100 are positive, half of which have the word, and 90 of the negatives: its odds are 5 / 9.
    two = Outputs("binary", ("a", "b"))
    stated = stated_logarithms({"a": 0.5}, two)
    assert np.isnan(stated[1])
    with_word = np.log(50 / 90) + stated[0] - np.log(100 / 900)
    # Where half are positive, the word is in 50 % of one half and in 10 % of the other.
    assert sigmoid(with_word) == pytest.approx(0.5 / (0.5 + 0.1))
    assert stated_logarithms(0.2, two) == pytest.approx([np.log(0.25)] * 2)
    classes = Outputs("class", ("c",), (("N", "EI", "IE"),))
    assert stated_logarithms({"EI": 0.25, "N": 0.5, "IE": 0.25}, classes) == pytest.approx(np.log([0.5, 0.25, 0.25]))


@pytest.mark.parametrize(
    ("stated", "classes", "told"),
    [
        ({"d": 0.5}, (), "found 'd', expected names out of a, b"),
        ({"a": 1}, (), "found 1 for a, expected a share above 0 and below 1"),
        (0.5, (("x", "y", "z"),), "expected a share for each of x, y, z, which sum to 1"),
        ({"x": 0.5, "y": 0.5}, (("x", "y", "z"),), "expected a share for each of x, y, z, which sum to 1"),
        (0.5, (("x", "y"), ("x", "y")), "found 2 targets with classes, expected one"),
    ],
)
def test_shares_that_cannot_be(stated, classes, told):
    with pytest.raises(UserError, match=told):
        stated_logarithms(stated, Outputs("class" if classes else "binary", ("a", "b"), classes))


def test_a_handful_of_positives_makes_no_certainty():
    draws = np.random.default_rng(3)
    logits = np.concatenate([draws.normal(-3, 1, 2_000), [3.0, 3.5, 4.0]])[:, None]
    labels = (logits > 2).astype(np.int8)
    found = fit_calibration(logits, labels)
    probability = sigmoid(corrected(found, logits))
    assert 1 < found.slope[0] < 3
    assert probability.max() < 1 - 1e-4
    assert probability.mean() == pytest.approx(3 / 2_003, rel=1e-3)

    # By hand: the minimum of the loss, with the slope drawn towards 1 by half of ((slope - 1) / 0.5) ** 2.
    def loss(line):
        z = line[0] * logits[:, 0] + line[1]
        return (np.logaddexp(0, z) - labels[:, 0] * z).sum() + ((line[0] - 1) / 0.5) ** 2 / 2

    least = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 5000})
    assert [found.slope[0], found.intercept[0]] == pytest.approx(least.x, abs=5e-3)


def test_missing_labels_and_targets_of_one_kind_are_left_alone():
    logits = np.array([[1.0, 1.0, 9.0], [-1.0, 2.0, 1.0], [0.5, 3.0, -1.0], [-2.0, 1.0, 0.0]])
    labels = np.array([[1, 0, -1], [0, 0, 1], [1, 0, 0], [0, 0, 1]], np.int8)
    found = fit_calibration(logits, labels)
    assert (found.slope[1], found.intercept[1]) == (1.0, 0.0)
    without = fit_calibration(logits[1:, 2:], labels[1:, 2:])
    assert found.slope[2] == without.slope[0]


def test_separable_labels_give_finite_numbers_and_the_order_stays():
    logits = np.linspace(-1, 1, 40)[:, None]
    labels = (logits > 0).astype(np.int8)
    found = fit_calibration(logits, labels)
    assert np.isfinite(found.slope[0])
    assert found.slope[0] > 1
    turned = fit_calibration(logits, 1 - labels)
    assert turned.slope[0] > 0


def test_constant_logits_give_the_prevalence():
    logits, labels = np.full((100, 1), 3.0), np.zeros((100, 1), np.int8)
    labels[:7] = 1
    assert sigmoid(corrected(fit_calibration(logits, labels), logits))[0, 0] == pytest.approx(0.07, abs=1e-6)


def test_several_targets_trained_on_the_same_sample_are_calibrated_by_a_fit():
    draws = np.random.default_rng(3)
    x = draws.normal(size=(100_000, 2))
    labels = (draws.random(x.shape) < sigmoid(2 * x - np.array([4.0, 2.0]))).astype(np.int8)
    bins = np.arange(50_000)
    balance = SomeNegatives(ratio=0.3)(bins, labels, KINDS["binary"], ("a", "b"), ())
    chosen = balance.draw(1, 0)
    models = [LogisticRegression(C=np.inf).fit(x[chosen], labels[chosen, target]) for target in range(2)]
    logits = np.stack([model.decision_function(x) for model in models], axis=1)
    validation, test = slice(50_000, 75_000), slice(75_000, None)
    assert np.isnan(balance.offsets).all()
    found = fit_calibration(logits[validation], labels[validation])
    before, after = sigmoid(logits[test]), sigmoid(corrected(found, logits[test]))
    for target in range(2):
        truth = labels[test, target]
        assert before[:, target].mean() > 1.3 * truth.mean()
        assert after[:, target].mean() == pytest.approx(truth.mean(), rel=0.05)
        order = np.argsort(after[:, target])
        for part in np.array_split(order, 5)[3:]:
            assert after[part, target].mean() == pytest.approx(truth[part].mean(), rel=0.12)
