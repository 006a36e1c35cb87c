import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lociflow.evaluation.logistic import batches, fit_path, predict_logits, whiten_basis


@pytest.fixture(scope="module")
def case():
    """Correlated features, three targets of which the last has missing labels, and one without positives."""
    generator = np.random.default_rng(1)
    size, count = 900, 25
    raw = generator.normal(size=(size, count)) @ generator.normal(size=(count, count))
    features = ((raw - raw.mean(0)) / raw.std(0)).astype(np.float32)
    effect = generator.normal(size=(count, 3)) * 0.4
    labels = (features @ effect + generator.logistic(size=(size, 3)) > 1.5).astype(np.int8)
    labels[generator.random(size) < 0.3, 2] = -1
    return features, np.column_stack([labels, np.zeros(size, np.int8)])


@pytest.mark.parametrize("strength", [1e-3, 1e-2, 1.0])
def test_solution_is_that_of_scikit_learn(case, strength):
    features, labels = case
    eigenvalues, rotation = whiten_basis(features)
    weights = fit_path(features @ rotation, eigenvalues, labels, [strength], tolerance=1e-9)[0]
    logits = predict_logits(features @ rotation, weights)
    for target in range(3):
        known = labels[:, target] >= 0
        reference = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
        reference.fit(features[known].astype(np.float64), labels[known, target])
        expected = reference.decision_function(features.astype(np.float64))
        np.testing.assert_allclose(logits[:, target], expected, atol=5e-3)
        np.testing.assert_allclose(rotation @ weights[:-1, target], reference.coef_[0], atol=2e-3)
        assert weights[-1, target] == pytest.approx(reference.intercept_[0], abs=2e-3)


def test_a_warm_start_reaches_the_same_solution(case):
    features, labels = case
    eigenvalues, rotation = whiten_basis(features)
    path = fit_path(features @ rotation, eigenvalues, labels, [1e-3, 1e-2, 1e-1], tolerance=1e-9)
    direct = fit_path(features @ rotation, eigenvalues, labels, [1e-1], tolerance=1e-9)[0]
    np.testing.assert_allclose(path[2], direct, atol=2e-3)


def test_targets_do_not_depend_on_each_other(case):
    features, labels = case
    eigenvalues, rotation = whiten_basis(features)
    together = fit_path(features @ rotation, eigenvalues, labels, [1e-2])[0]
    alone = fit_path(features @ rotation, eigenvalues, labels[:, 1:2], [1e-2])[0]
    np.testing.assert_allclose(together[:, 1], alone[:, 0], atol=2e-3)


def test_a_target_without_positives_gets_its_base_rate(case):
    features, labels = case
    eigenvalues, rotation = whiten_basis(features)
    weights = fit_path(features @ rotation, eigenvalues, labels, [1e-2])[0]
    assert (weights[:-1, 3] == 0).all()
    assert weights[-1, 3] == pytest.approx(np.log(0.5 / 900.5))


def test_features_without_information_give_the_base_rate():
    features = np.zeros((10, 3), np.float32)
    labels = np.array([[1], [1]] + [[0]] * 8, np.int8)
    weights = fit_path(features, *whiten_basis(features)[:1], labels, [1.0], tolerance=1e-12)[0]
    assert weights[-1, 0] == pytest.approx(np.log(2 / 8), abs=1e-4)
    np.testing.assert_array_equal(weights[:-1], 0)


def test_batches_cover_all_rows():
    assert [(part.start, part.stop) for part in batches(5, 2)] == [(0, 2), (2, 4), (4, 5)]
    assert batches(0, 2) == []
