import numpy as np
import pytest
from split_cases import bin_data, memory_store

from lociflow.genome import label_conflicts
from lociflow.genome.label_conflicts import conflicts

STORE = memory_store([np.zeros(100, np.uint8)])


def found(labels: list, kind: str = "binary", **given) -> list[tuple[int, int]]:
    dtype = {"binary": np.int8, "class": np.int16, "position_class": np.int8}.get(kind, np.float32)
    array = np.array(labels, dtype=dtype)
    count = len(array)
    sequence = np.asarray(given.pop("sequence", np.zeros(count, np.int64)))
    turned = np.asarray(given.pop("turned", np.zeros(count, bool)))
    tolerance = given.pop("tolerance", 1.0)
    data = bin_data(STORE, [0] * count, range(count), range(1, count + 1), labels=array, kind=kind, **given)
    row, of_row, _ = conflicts(data, np.arange(count), sequence, turned, tolerance)
    return list(zip(row.tolist(), of_row.tolist(), strict=True))


def test_same_labels_are_none():
    assert found([[1, 0], [1, 0], [1, 0]]) == []


def test_a_target_that_differs():
    assert found([[1, 0], [1, 1], [0, 0]], sequence=[0, 0, 2]) == [(0, 1), (1, 0)]


def test_the_missing_contradict_nothing():
    assert found([[1, -1], [-1, 0], [1, 0]]) == []
    assert found([[-1], [0], [1]]) == [(1, 2), (2, 1)]


def test_classes():
    assert found([[2], [0], [2], [-1]], kind="class") == [(0, 1), (1, 0), (2, 1)]


def test_real_values_may_differ_by_a_deviation():
    labels = [[0.0], [0.4], [10.0], [10.0], [0.0], [8.0], [np.nan]]
    sequence = [0, 0, 2, 2, 4, 4, 4]
    assert found(labels, kind="real", sequence=sequence) == [(4, 5), (5, 4)]
    assert found(labels, kind="real", sequence=sequence, tolerance=0) == [(0, 1), (1, 0), (4, 5), (5, 4)]


def test_profiles_are_not_compared():
    assert found(np.arange(12).reshape(2, 6, 1), kind="profile") == []


def test_positions_are_compared_when_read_alike():
    labels = [[[0], [1]], [[1], [0]], [[1], [0]]]
    assert found(labels, kind="position_class", turned=[False, True, True]) == []
    assert found(labels, kind="position_class", turned=[False, False, True]) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("strand", "same"), [("..", True), ("++", False), ("+-", True)])
def test_bins_with_strands_are_compared_when_read_alike(strand: str, same: bool):
    # The second bin has the first one's sequence on its other strand.
    rows = found([[1], [0]], turned=[False, True], strand=list(strand))
    assert rows == ([(0, 1), (1, 0)] if same else [])


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 2, (200, 2))
    sequence = generator.integers(0, 90, 200)
    whole = found(labels, sequence=sequence)
    monkeypatch.setattr(label_conflicts, "BLOCK", 10)
    assert found(labels, sequence=sequence) == whole
    for row, of_row in whole:
        assert sequence[row] == sequence[of_row]
        assert (labels[row] != labels[of_row]).any()
