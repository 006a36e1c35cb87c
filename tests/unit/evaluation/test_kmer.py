import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.evaluation.kmer import choose, fit_predict, kmer_features, reverse_strand
from lociflow.evaluation.metrics import auroc
from lociflow.genome.placement import place_windows, window_codes
from lociflow.sequence.alphabet import encode, reverse_complement
from lociflow.sequence.kmers import canonical_columns, count_kmers

SETTINGS = {"k": 4, "window_length": 50, "regularisation": [1e-3, 1e-2, 1e-1]}


def test_windows_shorter_than_k_have_no_kmer():
    columns, _ = canonical_columns(3)
    assert count_kmers(np.stack([encode("AC")]), 3, columns).sum() == 0


def test_counts_are_those_of_the_other_strand():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 5, (20, 60)).astype(np.uint8)
    columns, _ = canonical_columns(5)
    np.testing.assert_array_equal(count_kmers(codes, 5, columns), count_kmers(reverse_complement(codes), 5, columns))


def test_features_do_not_depend_on_the_batch(dataset, monkeypatch):
    columns, _ = canonical_columns(3)
    place, bins = place_windows(dataset.windows, dataset.store), np.arange(len(dataset.windows))
    whole = kmer_features(dataset.store, place, bins, 60, 3, columns)
    monkeypatch.setattr("lociflow.evaluation.kmer.ROWS", 7)
    np.testing.assert_array_equal(kmer_features(dataset.store, place, bins, 60, 3, columns), whole)


def test_the_planted_motif_is_learnt_and_noise_is_not(dataset):
    found = fit_predict(dataset.store, dataset.windows, dataset.targets, dataset.names, **SETTINGS)
    assert list(found) == ["bin", "split", "motif", "noise"]
    assert found["bin"].tolist() == list(range(300, 900))
    assert found["split"].tolist() == ["validation"] * 300 + ["test"] * 300
    assert found["motif"].dtype == np.float32
    assert found["motif"].between(0, 1).all()
    assert auroc(dataset.targets[600:, 0], found["motif"].to_numpy()[300:]) > 0.95
    assert auroc(dataset.targets[600:, 1], found["noise"].to_numpy()[300:]) == pytest.approx(0.5, abs=0.15)


def test_same_bytes_each_time(dataset):
    first, second = (
        fit_predict(dataset.store, dataset.windows, dataset.targets, dataset.names, **SETTINGS) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_the_test_labels_are_not_read(dataset):
    first = fit_predict(dataset.store, dataset.windows, dataset.targets, dataset.names, **SETTINGS)
    changed = dataset.targets.copy()
    changed[600:] = 1 - np.abs(changed[600:])
    second = fit_predict(dataset.store, dataset.windows, changed, dataset.names, **SETTINGS)
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_missing_training_labels_are_left_out(dataset):
    known = dataset.targets.copy()
    known[:150, 0] = -1
    found = fit_predict(dataset.store, dataset.windows, known, dataset.names, **SETTINGS)
    wrong = known.copy()
    wrong[:150, 0] = 0
    other = fit_predict(dataset.store, dataset.windows, wrong, dataset.names, **SETTINGS)
    assert found["motif"].mean() > other["motif"].mean() + 0.05


def test_training_bins_are_drawn_where_there_are_too_many(dataset):
    drawn = [
        fit_predict(
            dataset.store, dataset.windows, dataset.targets, dataset.names, max_training_bins=200, seed=seed, **SETTINGS
        )
        for seed in (0, 0, 1)
    ]
    pd.testing.assert_frame_equal(drawn[0], drawn[1], check_exact=True)
    assert not drawn[0]["motif"].equals(drawn[2]["motif"])


def test_a_data_set_without_validation_takes_the_strongest_regularisation(dataset):
    windows = dataset.windows[dataset.windows["split"] != "validation"].reset_index(drop=True)
    targets = np.delete(dataset.targets, np.s_[300:600], axis=0)
    found = fit_predict(dataset.store, windows, targets, dataset.names, **SETTINGS)
    only = fit_predict(dataset.store, windows, targets, dataset.names, **{**SETTINGS, "regularisation": [1e-3]})
    assert len(found) == 300
    # The path of several values is fitted from the strongest on, so that its first is the one alone.
    pd.testing.assert_frame_equal(found, only, check_exact=True)


def test_choice_is_the_highest_median_on_validation():
    labels = np.array([[1, 1], [0, 0], [0, 0]], np.int8)
    good, bad = np.array([[3.0] * 2, [2.0] * 2, [1.0] * 2]), np.array([[1.0] * 2, [2.0] * 2, [3.0] * 2])
    assert choose([0.1, 1.0, 10.0], labels, [bad, good, good]) == 1


@pytest.mark.parametrize(
    ("windows", "settings", "message"),
    [
        (lambda table: table[table["split"] == "test"].reset_index(drop=True), SETTINGS, "no bin in the split train"),
        (lambda table: table, {**SETTINGS, "regularisation": []}, "regularisation is empty"),
    ],
)
def test_mistakes_are_told(dataset, windows, settings, message):
    table = windows(dataset.windows)
    with pytest.raises(UserError, match=message):
        fit_predict(dataset.store, table, dataset.targets[: len(table)], dataset.names, **settings)


def test_strands_are_read_apart_where_every_bin_has_one(dataset):
    windows = dataset.windows.assign(strand=pd.Categorical(["+", "-"] * 450))
    reverse = reverse_strand(windows)
    assert reverse.tolist() == [False, True] * 450
    assert reverse_strand(dataset.windows) is None
    assert reverse_strand(windows.assign(strand=pd.Categorical(["+"] * 899 + ["."]))) is None
    place, bins = place_windows(windows, dataset.store), np.arange(6)
    found = np.expm1(kmer_features(dataset.store, place, bins, 50, 2, np.arange(16), reverse))
    letters = "ACGT"
    for row, codes in enumerate(window_codes(dataset.store, place, bins, 50)):
        text = "".join(letters[code & 3] for code in codes)
        if row % 2:
            text = "".join(letters[3 - letters.index(letter)] for letter in text[::-1])
        pairs = [text[at : at + 2] for at in range(len(text) - 1)]
        expected = [pairs.count(one + other) for one in letters for other in letters]
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


def test_classes_are_fitted_against_the_rest_and_add_up_to_one(dataset):
    motif = dataset.targets[:, :1]
    # A class for the motif, one for noise without it, and the rest.
    noise = (dataset.targets[:, 1:] == 1) & (motif == 0)
    columns = np.concatenate([motif == 1, noise, (motif == 0) & ~noise], axis=1).astype(np.int8)
    settings = {"k": 4, "window_length": 50, "regularisation": [0.01, 0.1]}
    names = ["c:motif", "c:noise", "c:rest"]
    apart = fit_predict(dataset.store, dataset.windows, columns, names, **settings)
    found = fit_predict(dataset.store, dataset.windows, columns, names, **settings, groups=[slice(0, 3)])
    scores = found[names].to_numpy()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(
        scores, apart[names].to_numpy() / apart[names].to_numpy().sum(axis=1, keepdims=True), atol=1e-6
    )
    test = (found["split"] == "test").to_numpy()
    assert auroc(columns[found["bin"].to_numpy()[test], 0], scores[test, 0]) > 0.8
