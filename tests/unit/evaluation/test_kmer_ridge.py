import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from lociflow.command import UserError
from lociflow.evaluation.kmer import kmer_features
from lociflow.evaluation.kmer_ridge import choose, fit_predict
from lociflow.genome.placement import place_windows
from lociflow.sequence.kmers import canonical_columns

SETTINGS = {"k": 3, "window_length": 50}


@pytest.fixture
def values(dataset):
    generator = np.random.default_rng(0)
    found = np.column_stack([dataset.targets[:, 0] + 0.3 * generator.normal(size=900), generator.normal(size=900)])
    found[::7, 1] = np.nan
    return found.astype(np.float32)


def test_equal_to_scikit_learn(dataset, values):
    names = ["motif", "noise"]
    found = fit_predict(dataset.store, dataset.windows, values, names, **SETTINGS, regularisation=[0.1])
    place = place_windows(dataset.windows, dataset.store)
    features = kmer_features(dataset.store, place, np.arange(900), 50, 3, canonical_columns(3)[0]).astype(float)
    scaled = StandardScaler().fit(features[:300]).transform(features)
    for column, name in enumerate(names):
        known = np.flatnonzero(~np.isnan(values[:300, column]))
        # The intercept is the mean of the labels, as the features have no mean over all training bins.
        offset = values[known, column].mean(dtype=float)
        ridge = Ridge(alpha=0.1 * len(known), fit_intercept=False).fit(scaled[known], values[known, column] - offset)
        assert found[name].to_numpy() == pytest.approx(ridge.predict(scaled[300:]) + offset, abs=1e-5)
    assert np.corrcoef(found["motif"][300:], values[600:, 0])[0, 1] > 0.3


def test_neither_test_labels_nor_batches_matter(dataset, values, monkeypatch):
    arguments = {**SETTINGS, "regularisation": [0.01, 1.0]}
    first = fit_predict(dataset.store, dataset.windows, values, ["a", "b"], **arguments)
    changed = values.copy()
    changed[600:] = 99
    monkeypatch.setattr("lociflow.evaluation.kmer_ridge.ROWS", 37)
    again = fit_predict(dataset.store, dataset.windows, changed, ["a", "b"], **arguments)
    assert again[["a", "b"]].to_numpy() == pytest.approx(first[["a", "b"]].to_numpy(), abs=1e-5)


def test_the_strength_of_the_least_error():
    labels, predictions = np.array([1.0, np.nan, 3.0]), np.array([[0, 1], [9, 9], [0, 2]])
    assert choose([1.0, 0.1], labels, predictions) == 1
    assert choose([1.0, 0.1], np.full(3, np.nan), predictions) == 0


def test_a_target_without_training_labels_is_refused(dataset, values):
    values[:300, 1] = np.nan
    with pytest.raises(UserError, match="b has no label in the split train"):
        fit_predict(dataset.store, dataset.windows, values, ["a", "b"], **SETTINGS, regularisation=[1.0])
