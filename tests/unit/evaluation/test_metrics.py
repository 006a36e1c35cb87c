import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from lociflow.evaluation.metrics import auprc, auroc, lift, prevalence, rank, recall_at_fdr, score, top_k


def random_case(seed, ties=True):
    """Labels with about 20 % missing, and scores of which many are tied."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(20, 400))
    labels = generator.choice(np.array([-1, 0, 1], np.int8), size, p=[0.2, 0.6, 0.2])
    scores = generator.integers(0, 12, size) / 7 if ties else generator.normal(size=size)
    scores = (scores + labels * generator.random()).astype(np.float32)
    labels[:2] = 0, 1
    return labels, scores, generator


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("seed", range(25))
def test_areas_are_those_of_scikit_learn(seed, ties):
    labels, scores, _ = random_case(seed, ties)
    known = labels >= 0
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels[known], scores[known]), abs=1e-9)
    assert auprc(labels, scores) == pytest.approx(average_precision_score(labels[known], scores[known]), abs=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_weighted_areas_are_those_of_scikit_learn(seed):
    labels, scores, generator = random_case(seed)
    weights = generator.integers(0, 4, len(labels)).astype(float)
    weights[:2] = 1
    known = labels >= 0
    expected = {"sample_weight": weights[known]}
    assert auroc(labels, scores, weights) == pytest.approx(
        roc_auc_score(labels[known], scores[known], **expected), abs=1e-9
    )
    assert auprc(labels, scores, weights) == pytest.approx(
        average_precision_score(labels[known], scores[known], **expected), abs=1e-9
    )


def test_areas_by_hand():
    labels = np.array([1, 0, 1, 0, -1], np.int8)
    scores = np.array([4.0, 3.0, 2.0, 1.0, 9.0])
    assert auroc(labels, scores) == 0.75
    assert auprc(labels, scores) == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)


def test_one_score_for_all_is_a_random_ranking():
    labels = np.array([1, 0, 0, 0], np.int8)
    assert auroc(labels, np.zeros(4)) == 0.5
    assert auprc(labels, np.zeros(4)) == 0.25


@pytest.mark.parametrize("labels", [[0, 0, -1], [1, 1, -1], [-1, -1, -1], []])
def test_areas_without_positives_or_negatives_are_undefined(labels):
    labels = np.array(labels, np.int8)
    scores = np.arange(len(labels), dtype=float)
    assert math.isnan(auroc(labels, scores))
    assert math.isnan(auprc(labels, scores))


def test_a_weight_of_two_is_the_bin_twice():
    labels, scores, _ = random_case(3)
    twice = np.concatenate([np.arange(len(labels)), np.arange(0, len(labels), 3)])
    weights = np.bincount(twice).astype(float)
    assert auroc(labels, scores, weights) == pytest.approx(auroc(labels[twice], scores[twice]), abs=1e-12)
    assert auprc(labels, scores, weights) == pytest.approx(auprc(labels[twice], scores[twice]), abs=1e-12)


def test_many_weightings_at_once_are_each_by_itself(monkeypatch):
    labels, scores, generator = random_case(8)
    blocks = generator.integers(0, 9, len(labels))
    weights = generator.integers(0, 3, (9, 17)).astype(float)
    ranking = rank(labels, scores, blocks, 9)
    together = score(ranking, weights)
    monkeypatch.setattr("lociflow.evaluation.metrics.BATCH", 1)
    alone = score(ranking, weights)
    for draw in range(17):
        assert together.auroc[draw] == pytest.approx(auroc(labels, scores, weights[blocks, draw]), abs=1e-12)
        assert together.auprc[draw] == pytest.approx(auprc(labels, scores, weights[blocks, draw]), abs=1e-12)
    np.testing.assert_array_equal(together.auroc, alone.auroc)
    np.testing.assert_array_equal(together.auprc, alone.auprc)


def test_a_draw_without_positives_is_undefined_and_the_others_are_not():
    labels, blocks = np.array([1, 0, 0], np.int8), np.array([0, 1, 1])
    found = score(rank(labels, np.array([2.0, 1.0, 3.0]), blocks, 2), np.array([[1.0, 0.0], [1.0, 1.0]]))
    np.testing.assert_array_equal(found.auroc, [0.5, np.nan])
    np.testing.assert_array_equal(found.auprc, [0.5, np.nan])


def test_prevalence_and_lift():
    assert prevalence(np.array([1, 0, 0, 0, -1])) == 0.25
    assert math.isnan(prevalence(np.array([-1])))
    assert lift(0.5, 0.25) == 2
    assert math.isnan(lift(0.5, 0.0))


def test_top_k_by_hand():
    labels = np.array([1, 0, 1, 0, 0, 1, 0, -1], np.int8)
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 1.0])
    blocks = np.arange(8) // 2
    ranking = rank(labels, scores, blocks, 4)
    # The three highest are a positive, a negative, a positive.
    assert top_k(ranking, np.ones((4, 1))).tolist() == pytest.approx([2 / 3])
    weights = np.array([[2, 0], [1, 1], [1, 1], [0, 2]], float)
    # First draw: 0.9 0.9 0.8 0.8 | 0.7 …: four positives, two of them among the four highest.
    # Second: of 0.7 0.6 0.5 0.4 two are positive, and of the two highest one is.
    assert top_k(ranking, weights).tolist() == pytest.approx([2 / 4, 1 / 2])


def test_top_k_shares_ties_and_needs_both_kinds():
    tied = rank(np.array([1, 0, 0, 1], np.int8), np.array([0.9, 0.5, 0.5, 0.5]), np.zeros(4, np.int64), 1)
    # One of two places is left for three bins with equal scores, one of them positive.
    assert top_k(tied, np.ones((1, 1))).tolist() == pytest.approx([(1 + 1 / 3) / 2])
    assert np.isnan(top_k(rank(np.zeros(3, np.int8), np.arange(3.0), np.zeros(3, np.int64), 1), np.ones((1, 2)))).all()
    assert np.isnan(top_k(rank(np.ones(3, np.int8), np.arange(3.0), np.zeros(3, np.int64), 1), np.ones((1, 1)))).all()


def test_recall_at_a_false_discovery_rate_by_hand():
    # In order of score: + + - + - +; false shares at the positives: 0, 0, 1/4, 2/6.
    labels, scores = np.array([1, 1, 0, 1, 0, 1], np.int8), np.arange(6, 0, -1.0)
    ranking = rank(labels, scores, np.array([0, 0, 1, 1, 1, 1]), 2)
    found = recall_at_fdr(ranking, np.ones((2, 1)), [0.05, 0.25, 0.4])
    assert found[:, 0].tolist() == [0.5, 0.75, 1.0]
    # The second block twice: + + - - + + - - + +, false shares 0, 0, 1/3 (2 of 6), 4/10.
    weights = np.array([[1, 0], [2, 0]], float)
    assert recall_at_fdr(ranking, weights, [0.35])[0] == pytest.approx([4 / 6, np.nan], nan_ok=True)


@pytest.mark.parametrize("seed", range(10))
def test_recall_at_a_false_discovery_rate_is_the_best_of_scikit_learns_curve(seed):
    labels, scores, _ = random_case(seed)
    known = labels >= 0
    precision, recall, _ = precision_recall_curve(labels[known], scores[known])
    found = recall_at_fdr(rank(labels, scores, np.zeros(len(labels), int), 1), np.ones((1, 1)), [0.1, 0.5])
    for row, rate in enumerate((0.1, 0.5)):
        # The end that scikit-learn adds has recall 0.
        assert found[row, 0] == pytest.approx(recall[1 - precision <= rate + 1e-12].max(), abs=1e-9)


def test_no_threshold_is_precise_enough():
    ranking = rank(np.array([0, 1], np.int8), np.array([2.0, 1.0]), np.zeros(2, int), 1)
    assert recall_at_fdr(ranking, np.ones((1, 1)), [0.25]).tolist() == [[0.0]]
    empty = rank(np.zeros(3, np.int8), np.arange(3.0), np.zeros(3, np.int64), 1)
    assert np.isnan(recall_at_fdr(empty, np.ones((1, 1)), [0.25])).all()
