import numpy as np
import pytest

from lociflow.training import labels
from lociflow.training.labels import count_labels, prevalence

TARGETS = np.array([[1, 0], [1, -1], [0, 0], [-1, 0], [1, 1]], dtype=np.int8)


def test_only_the_rows_asked_for_are_counted() -> None:
    counts = count_labels(TARGETS, np.array([0, 1, 2, 3]))
    assert counts.positives.tolist() == [2, 0]
    assert counts.negatives.tolist() == [1, 3]


def test_counting_in_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = count_labels(TARGETS, np.arange(5))
    monkeypatch.setattr(labels, "CHUNK", 2)
    np.testing.assert_array_equal(whole, count_labels(TARGETS, np.arange(5)))


def test_prevalence_is_never_0_or_1() -> None:
    np.testing.assert_allclose(prevalence(count_labels(TARGETS, np.arange(4))), [2.5 / 4, 0.5 / 4])
