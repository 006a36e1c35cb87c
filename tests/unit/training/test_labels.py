import numpy as np
import pytest

from lociflow.data.balancing import Balance, Part
from lociflow.models.outputs import Outputs
from lociflow.training import labels
from lociflow.training.labels import epoch_statistics, label_counts, label_statistics, log_odds, log_shares

BINARY = np.array([[1, 0], [1, -1], [0, 0], [-1, 0], [1, 1]], dtype=np.int8)
OUTPUTS = Outputs("binary", ("a", "b"))


def test_only_the_rows_asked_for_are_counted() -> None:
    found = label_statistics(BINARY, np.array([0, 1, 2, 3]), OUTPUTS)
    assert found.positives.tolist() == [2, 0]
    assert found.negatives.tolist() == [1, 3]


def test_counting_in_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = label_statistics(BINARY, np.arange(5), OUTPUTS)
    monkeypatch.setattr(labels, "CHUNK", 4)
    for one, other in zip(whole[1:], label_statistics(BINARY, np.arange(5), OUTPUTS)[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_epoch_counts_what_is_drawn_of_each_part() -> None:
    labels = np.array([[1, 0]] * 2 + [[0, 1]] * 3 + [[0, 0]] * 5 + [[-1, -1]] * 2, dtype=np.int8)
    parts = Part("positives", np.arange(2), 2), Part("negatives", np.arange(2, 10), 4)
    balance = Balance(parts, np.full(2, np.nan))
    found = epoch_statistics(balance, labels, OUTPUTS)
    # Of the 8 others half are drawn: of the 3 positives of b 1.5, which is told as 2.
    assert (found.known.tolist(), found.positives.tolist(), found.negatives.tolist()) == ([6, 6], [2, 2], [4, 4])
    turned = np.arange(12)[::-1]
    again = epoch_statistics(balance, labels[::-1], OUTPUTS, turned)
    assert (again.known.tolist(), again.positives.tolist()) == ([6, 6], [2, 2])


def test_an_epoch_has_the_mean_of_its_values() -> None:
    values = np.array([[1], [3], [8], [8], [np.nan]], dtype=np.float32)
    balance = Balance((Part("low", np.arange(2), 2), Part("high", np.arange(2, 5), 3)), np.zeros(1))
    assert epoch_statistics(balance, values, Outputs("real", ("a",))).mean.tolist() == [5.0]
    fewer = balance._replace(parts=(balance.parts[0], balance.parts[1]._replace(drawn=1)))
    # Of the two known high ones two thirds: (4 + 8 * 2 / 3) / (2 + 2 / 3).
    assert epoch_statistics(fewer, values, Outputs("real", ("a",))).mean == pytest.approx([3.5])


def test_what_is_told_of_the_labels() -> None:
    binary = label_counts(label_statistics(BINARY, np.arange(5), OUTPUTS))
    assert binary == {"training_labels": 8, "training_positives": 4, "fewest_training_positives": 1}
    classes = Outputs("class", ("a",), (("x", "y"),))
    found = label_counts(label_statistics(np.array([[0], [1], [-1]], np.int16), np.arange(3), classes))
    assert found == {"training_labels": 2, "training_positives": None, "fewest_training_positives": None}


def test_log_odds_are_finite() -> None:
    found = log_odds(label_statistics(BINARY, np.arange(4), OUTPUTS))
    np.testing.assert_allclose(found, np.log([2.5 / 1.5, 0.5 / 3.5]))


def test_classes_of_bins_and_of_bases() -> None:
    outputs = Outputs("class", ("a", "b"), (("x", "y"), ("x", "y", "z")))
    found = label_statistics(np.array([[0, 2], [1, 2], [1, -1], [-1, 0]], dtype=np.int16), np.arange(4), outputs)
    assert found.known.tolist() == [3, 3]
    assert found.counts.tolist() == [1, 2, 1, 0, 2]
    # A half more of each: 1.5 and 2.5 of 4; 1.5, 0.5 and 2.5 of 4.5.
    np.testing.assert_allclose(np.exp(log_shares(found)), [1.5 / 4, 2.5 / 4, 1.5 / 4.5, 0.5 / 4.5, 2.5 / 4.5])
    along = np.array([[[0], [1]], [[1], [-1]]], dtype=np.int8)
    bases = label_statistics(along, np.arange(2), Outputs("position_class", ("a",), (("x", "y"),), 2))
    assert (bases.known.tolist(), bases.counts.tolist()) == ([3], [1, 2])


def test_numbers_and_profiles() -> None:
    real = np.array([[1, np.nan], [4, np.nan]], dtype=np.float32)
    found = label_statistics(real, np.arange(2), Outputs("real", ("a", "b")))
    assert (found.known.tolist(), found.mean.tolist()) == ([2, 0], [2.5, 0.0])
    # Sums 3 and 9; the third bin lacks a base; signal below 0 counts as none.
    profile = np.array([[[1], [2]], [[9], [-5]], [[1], [np.nan]]], dtype=np.float32)
    found = label_statistics(profile, np.arange(3), Outputs("profile", ("a",), (), 2))
    assert (found.known.tolist(), found.mean.tolist()) == ([2], [6.0])
    np.testing.assert_allclose(found.log_mean, [(np.log(4) + np.log(10)) / 2])


def test_without_labels_there_is_nothing_to_count() -> None:
    found = label_statistics(BINARY, np.arange(5), Outputs("none", ()))
    assert all(len(part) == 0 for part in found[1:])
