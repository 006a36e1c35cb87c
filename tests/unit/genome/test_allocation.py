import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_cases import bin_data, memory_store

from lociflow.command import UserError
from lociflow.genome.allocation import PLACED, allocate, quantities, shares

WANTED = np.array([0.8, 0.1, 0.1])


def test_the_only_perfect_division_is_found():
    side = allocate(np.array([[5], [3], [1], [1]]), WANTED, seed=0)
    assert [np.array([5, 3, 1, 1])[side == number].sum() for number in range(3)] == [8, 1, 1]


def test_labels_are_balanced_too():
    # Equal sizes, but all positives of a target on two of the ten parts.
    weights = np.ones((10, 2))
    weights[:, 1] = [10, 10, 0, 0, 0, 0, 0, 0, 0, 0]
    side = allocate(weights, np.array([0.5, 0.5]), seed=0)
    assert np.bincount(side).tolist() == [5, 5]
    assert side[0] != side[1]


def test_many_small_parts_fill_up():
    size = np.ones((PLACED * 3, 1))
    size[0] = PLACED
    side = allocate(size, WANTED, seed=1)
    share = np.bincount(side, weights=size[:, 0]) / size.sum()
    assert share == pytest.approx(WANTED, abs=0.002)


def test_the_seed_decides_and_nothing_else():
    size = np.ones((40, 1))
    assert np.array_equal(allocate(size, WANTED, 3), allocate(size, WANTED, 3))
    assert not np.array_equal(allocate(size, WANTED, 3), allocate(size, WANTED, 4))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=3, max_size=40), st.integers(0, 5))
def test_no_side_is_empty(sizes: list[int], seed: int):
    side = allocate(np.array(sizes)[:, None], WANTED, seed)
    assert set(side) == {0, 1, 2}


@pytest.mark.parametrize(
    "fractions",
    [
        {"train": 0.8, "validation": 0.1},
        {"train": 0.8, "validation": 0.1, "test": 0.2},
        {"train": 1.0, "validation": 0.0, "test": 0.0},
        {"train": "0.8", "validation": 0.1, "test": 0.1},
        {"train": 0.8, "valid": 0.1, "test": 0.1},
        [0.8, 0.1, 0.1],
        0.8,
    ],
)
def test_fractions_that_are_none(fractions: object):
    with pytest.raises(UserError, match=r"split.fractions: found .*, expected positive fractions that add up to 1"):
        shares(fractions)


def test_quantities_by_kind():
    store = memory_store([np.zeros(100, np.uint8)] * 2)
    bins = {"contig": [0, 0, 1], "start": [0, 10, 0], "end": [10, 20, 30]}
    part = np.array([0, 0, 1])
    binary = bin_data(store, **bins, labels=np.array([[1, 0], [1, -1], [0, 1]], np.int8))
    assert quantities(binary, part, 2).tolist() == [[20, 2, 0], [30, 0, 1]]
    classes = bin_data(store, **bins, labels=np.array([[2], [0], [-1]], np.int16), kind="class")
    assert quantities(classes, part, 2).tolist() == [[20, 1, 0, 1], [30, 0, 0, 0]]
    real = bin_data(store, **bins, labels=np.array([[0.5], [np.nan], [1.5]], np.float32), kind="real")
    assert quantities(real, part, 2).tolist() == [[20, 1], [30, 1]]
    profile = bin_data(store, **bins, labels=np.zeros((3, 5, 1), np.float32), kind="profile")
    assert quantities(profile, np.array([0, -1, 1]), 2).tolist() == [[10], [30]]
