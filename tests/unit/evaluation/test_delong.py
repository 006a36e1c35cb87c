import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from lociflow.evaluation.delong import delong


def by_pairs(labels, scores):
    """The definition: every positive against every negative (DeLong et al. 1988, equations 3 to 7)."""
    m, n = int((labels == 1).sum()), int((labels == 0).sum())
    positive, negative = [], []
    for each in scores:
        x, y = each[labels == 1][:, None], each[labels == 0][None]
        kernel = (x > y) + 0.5 * (x == y)
        positive.append(kernel.mean(axis=1))
        negative.append(kernel.mean(axis=0))
    area = [part.mean() for part in positive]
    variance = np.cov(positive, ddof=1) / m + np.cov(negative, ddof=1) / n
    deviation = np.sqrt(variance[0, 0] + variance[1, 1] - 2 * variance[0, 1])
    return area, deviation, 2 * norm.sf(abs(area[0] - area[1]) / deviation)


@pytest.mark.parametrize("seed", range(20))
def test_equal_to_the_definition(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, 80)
    shared = generator.normal(size=80)
    scores = [np.round(labels * weight + shared + generator.normal(size=80), 1) for weight in (0.5, 1.0)]
    found = delong(labels, *scores)
    area, deviation, p = by_pairs(labels, scores)
    assert found.first == pytest.approx(roc_auc_score(labels, scores[0]), abs=1e-9)
    assert [found.first, found.second] == pytest.approx(area, abs=1e-9)
    assert found.deviation == pytest.approx(deviation, abs=1e-9)
    assert found.p == pytest.approx(p, abs=1e-9)


def test_missing_labels_are_left_out():
    generator = np.random.default_rng(0)
    labels, one, two = generator.integers(0, 2, 50), generator.random(50), generator.random(50)
    more = (np.append(labels, [-1, -1]), np.append(one, [9, 9]), np.append(two, [-9, 9]))
    assert delong(*more) == delong(labels, one, two)


def test_two_rankings_that_are_alike_do_not_differ():
    labels, scores = np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8, 0.2])
    found = delong(labels, scores, 3 * scores + 1)
    assert found.first == found.second
    assert found.deviation == 0
    assert np.isnan(found.p)


@pytest.mark.parametrize("labels", [[1, 0, 0, 0], [1, 1, 1, 0], [-1, 1, 1, 1]])
def test_one_of_a_kind_has_no_variance(labels):
    assert np.isnan(delong(np.array(labels), np.arange(4.0), np.arange(4.0)[::-1]).p)


def test_equal_scores_are_called_different_at_the_nominal_rate():
    generator = np.random.default_rng(5)
    found = []
    for _ in range(600):
        labels = generator.integers(0, 2, 120)
        shared = labels + generator.normal(size=120)
        found.append(delong(labels, shared + generator.normal(size=120), shared + generator.normal(size=120)).p)
    # 5 % of 600 are 30, with a standard deviation of 5.3.
    assert 14 <= sum(p < 0.05 for p in found) <= 46
