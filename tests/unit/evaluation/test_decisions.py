import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from lociflow.evaluation.decisions import choose_threshold, count_decisions, judge_decisions


def test_the_threshold_with_the_highest_f1():
    labels = np.array([1, 0, 1, 0, 0, -1], np.int8)
    scores = np.array([0.9, 0.8, 0.7, 0.3, 0.1, 0.95])
    # From 0.9: F1 2/3; from 0.7: precision 2/3, recall 1, F1 0.8.
    assert choose_threshold(labels, scores) == 0.7


def test_equal_scores_are_called_alike():
    # All three of 0.5 or none: F1 of all is 0.5, of the one above 0.
    assert choose_threshold(np.array([0, 1, 0, 0]), np.array([0.9, 0.5, 0.5, 0.5])) == 0.5


@pytest.mark.parametrize("labels", [[0, 0], [1, 1], [-1, -1], []])
def test_nothing_to_choose_by(labels):
    assert np.isnan(choose_threshold(np.array(labels, np.int8), np.zeros(len(labels))))


def test_decisions_by_block_and_drawn():
    labels = np.array([1, 1, 0, 0, 0, -1], np.int8)
    scores = np.array([0.5, 0.2, 0.9, 0.1, 0.4, 0.9])
    blocks = np.array([0, 0, 0, 1, 1, 1])
    counts = count_decisions(labels, scores, 0.5, blocks, 2)
    assert counts.tolist() == [[1, 0], [1, 0], [1, 0], [0, 2]]
    found = judge_decisions(counts, np.array([[1, 1, 0], [1, 0, 2]], float))
    assert found["f1"] == pytest.approx([0.5, 0.5, np.nan], nan_ok=True)
    # tp 1, fp 1, fn 1, tn 2: (2 - 1) / (2 * 2 * 3 * 3) ** 0.5; without true negatives (0 - 1) / (2 * 2 * 1 * 1) ** 0.5.
    assert found["mcc"] == pytest.approx([1 / 6, -0.5, np.nan], nan_ok=True)


@pytest.mark.parametrize("seed", range(20))
def test_equal_to_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(-1, 2, 60).astype(np.int8)
    scores = generator.integers(0, 8, 60) / 8
    known = labels >= 0
    threshold = choose_threshold(labels, scores)
    called = scores[known] >= threshold
    found = judge_decisions(count_decisions(labels, scores, threshold, np.arange(60) % 7, 7), np.ones((7, 1)))
    assert found["f1"][0] == pytest.approx(f1_score(labels[known], called), abs=1e-9)
    assert found["mcc"][0] == pytest.approx(matthews_corrcoef(labels[known], called), abs=1e-9)
    best = max(f1_score(labels[known], scores[known] >= each) for each in scores)
    assert found["f1"][0] == pytest.approx(best, abs=1e-9)


def test_all_called_alike():
    found = judge_decisions(np.array([[0.0], [0.0], [3.0], [5.0]]), np.ones((1, 1)))
    assert (found["f1"][0], found["mcc"][0]) == (0.0, 0.0)
