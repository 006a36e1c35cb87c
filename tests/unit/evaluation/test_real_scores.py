import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, balanced_accuracy_score, mean_squared_error, r2_score, top_k_accuracy_score

from lociflow.evaluation.class_scores import class_accuracy
from lociflow.evaluation.profile_scores import divergence
from lociflow.evaluation.real_scores import real_scores


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("seed", range(15))
def test_equal_to_scipy_and_scikit_learn(seed, ties):
    generator = np.random.default_rng(seed)
    size = int(generator.integers(10, 300))
    labels, predictions = generator.normal(3, 2, (2, size))
    predictions += 0.7 * labels
    if ties:
        labels, predictions = np.round(labels), np.round(predictions)
    labels[generator.random(size) < 0.2] = np.nan
    known = ~np.isnan(labels)
    y, x = labels[known], predictions[known]
    found = real_scores(labels, predictions, np.zeros(size, np.int64), 1).score(np.ones((1, 1)))
    assert found["pearson"][0] == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
    assert found["spearman"][0] == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    assert found["r2"][0] == pytest.approx(r2_score(y, x), abs=1e-9)
    assert found["mse"][0] == pytest.approx(mean_squared_error(y, x), abs=1e-9)


def test_a_block_drawn_twice_is_its_bins_twice():
    generator = np.random.default_rng(1)
    labels, predictions = np.round(generator.normal(size=(2, 40)), 1)
    blocks = np.arange(40) // 10
    found = real_scores(labels, predictions, blocks, 4).score(np.array([[2.0], [0.0], [1.0], [1.0]]))
    rows = np.concatenate([np.flatnonzero(blocks == block) for block in (0, 0, 2, 3)])
    assert found["spearman"][0] == pytest.approx(spearmanr(predictions[rows], labels[rows]).statistic, abs=1e-9)
    assert found["pearson"][0] == pytest.approx(pearsonr(predictions[rows], labels[rows]).statistic, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_classes_as_scikit_learn_has_them(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(-1, 4, 80)
    # Without ties, of which scikit-learn takes the last class and not the first.
    scores = generator.dirichlet(np.ones(4), 80)
    known = labels >= 0
    found = class_accuracy(labels, scores, np.zeros(80, np.int64), 1).score(np.ones((1, 1)))
    called = scores[known].argmax(axis=1)
    assert found["accuracy"][0] == pytest.approx(accuracy_score(labels[known], called), abs=1e-9)
    assert found["balanced_accuracy"][0] == pytest.approx(balanced_accuracy_score(labels[known], called), abs=1e-9)
    assert found["top_2"][0] == pytest.approx(
        top_k_accuracy_score(labels[known], scores[known], k=2, labels=range(4)), abs=1e-9
    )


def test_divergence_as_scipy_has_it():
    generator = np.random.default_rng(0)
    p, q = generator.poisson(2.0, (20, 30)).astype(float), generator.dirichlet(np.ones(30), 20)
    expected = [jensenshannon(a, b, base=2) ** 2 for a, b in zip(p, q, strict=True)]
    assert divergence(p, q) == pytest.approx(expected, abs=1e-9)
