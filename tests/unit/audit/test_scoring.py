import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score

from lociflow.audit.drift import chance_distance, distance
from lociflow.audit.scoring import fit_binary, fit_real, prevalences, score_binary, score_real, standardised


@pytest.fixture
def draws() -> np.random.Generator:
    return np.random.default_rng(1)


def test_binary_scores_are_those_of_scikit_learn(draws: np.random.Generator):
    x = draws.normal(size=(900, 3)).astype(np.float32)
    labels = (x @ [[1.0, 0.0], [0.5, 0.0], [0.0, -1.0]] + draws.normal(size=(900, 2)) > 0).astype(np.int8)
    train, test = standardised(x[:600], x[600:], squares=False)
    predicted = fit_binary(train, labels[:600], test)
    found = score_binary(labels[600:], predicted, np.arange(300) // 5, 0)
    for outcome in range(2):
        fitted = LogisticRegression(C=1.0, tol=1e-8).fit(train, labels[:600, outcome])
        expected = roc_auc_score(labels[600:, outcome], fitted.decision_function(test))
        assert found.value[outcome] == pytest.approx(expected, abs=2e-3)
        assert found.low[outcome] < found.value[outcome] < found.high[outcome]


def test_a_property_whose_extremes_are_positive_needs_its_square(draws: np.random.Generator):
    x = draws.normal(size=(2000, 1)).astype(np.float32)
    labels = (np.abs(x) > 1).astype(np.int8)
    for squares, least, most in ((False, 0.3, 0.7), (True, 0.95, 1.0)):
        train, test = standardised(x[:1000], x[1000:], squares)
        found = score_binary(labels[1000:], fit_binary(train, labels[:1000], test), np.arange(1000) // 10, 0)
        assert least <= found.value[0] <= most


def test_real_scores(draws: np.random.Generator):
    x = draws.normal(size=(800, 2)).astype(np.float32)
    y = (x @ [[2.0], [0.0]] + draws.normal(size=(800, 1))).astype(np.float32)
    y[::7] = np.nan
    train, test = standardised(x[:500], x[500:], squares=False)
    predicted = fit_real(train, y[:500], test)
    found = score_real(y[500:], predicted, np.arange(300) // 3, 0)
    known = ~np.isnan(y[500:, 0])
    assert found.value[0] == pytest.approx(np.corrcoef(y[500:, 0][known], predicted[known, 0])[0, 1])
    assert found.second[0] == pytest.approx(r2_score(y[500:, 0][known], predicted[known, 0]))
    assert found.low[0] < found.value[0] < found.high[0]


def test_an_outcome_without_positives_is_undefined():
    labels = np.zeros((50, 1), np.int8)
    found = score_binary(labels, np.arange(50.0)[:, np.newaxis], np.arange(50), 0)
    assert np.isnan(found.value[0])
    assert np.isnan(found.low[0])
    assert np.isnan(prevalences(np.full((3, 1), -1, np.int8))[0])


def test_blocks_make_drift_harder_to_claim(draws: np.random.Generator):
    # Forty blocks of 50 windows: what differs is the block and not the side.
    level = np.repeat(draws.normal(size=40), 50)
    values = level + 0.1 * draws.normal(size=2000)
    one, other = values[:1000], values[1000:]
    blocks = np.repeat(np.arange(40), 50)
    in_blocks = chance_distance(one, other, (blocks[:1000], blocks[1000:]), 0)
    alone = chance_distance(one, other, (np.arange(1000), np.arange(1000)), 0)
    assert alone < 0.1 < in_blocks
    assert distance(one, one) == 0
    assert distance(np.zeros(3), np.ones(3)) == 1


def test_with_many_blocks_smirnovs_limit_is_taken(draws: np.random.Generator):
    one, other = draws.normal(size=4000), draws.normal(size=4000)
    few = chance_distance(one[:2000], other[:2000], (np.arange(2000), np.arange(2000)), 0)
    many = chance_distance(one, other, (np.arange(4000), np.arange(4000)), 0)
    assert many == pytest.approx(1.628 * np.sqrt(2 / 4000), rel=0.01)
    assert few == pytest.approx(1.628 * np.sqrt(2 / 2000), rel=0.15)
