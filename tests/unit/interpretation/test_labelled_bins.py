from typing import Any

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.interpretation.labelled_bins import labelled_bins, unlabelled_bins
from lociflow.models.outputs import Outputs

TEST = np.array([1, 2, 3, 4])


def bins_of(labels: list[Any], dtype: type[np.generic], outputs: Outputs, targets: tuple[str, ...]) -> list[list[int]]:
    return [found.tolist() for found in labelled_bins(np.array(labels, dtype), TEST, outputs, targets)]


def test_positives_of_the_models_own_targets() -> None:
    labels = [[1, 1], [1, 0], [0, 1], [-1, 1], [0, 0]]
    assert bins_of(labels, np.int8, Outputs("binary", ("B",)), ("A", "B")) == [[2, 3]]


def test_bins_of_each_class() -> None:
    outputs = Outputs("class", ("j",), (("x", "y", "z"),))
    assert bins_of([[0], [0], [2], [-1], [2]], np.int16, outputs, ("j",)) == [[1], [], [2, 4]]


def test_bins_with_a_position_of_each_class_but_the_background() -> None:
    outputs = Outputs("position_class", ("s",), (("none", "donor", "acceptor"),), positions=2)
    labels = [[[0], [0]], [[1], [0]], [[1], [2]], [[0], [0]], [[-1], [-1]]]
    assert bins_of(labels, np.int8, outputs, ("s",)) == [[1, 2], [2]]


def test_the_upper_half_of_values_and_of_counts() -> None:
    assert bins_of([[9], [1], [2], [3], [np.nan]], np.float32, Outputs("real", ("e",)), ("e",)) == [[2, 3]]
    profile = [[[9], [9]], [[1], [0]], [[2], [2]], [[0], [5]], [[np.nan], [np.nan]]]
    assert bins_of(profile, np.float32, Outputs("profile", ("e",), positions=2), ("e",)) == [[2, 3], [2, 3]]


def test_bins_without_any_label() -> None:
    labels = np.array([[0, 0], [0, 0], [0, 1], [-1, 0], [0, 0]], np.int8)
    assert unlabelled_bins(labels, TEST, "binary").tolist() == [1, 4]
    with pytest.raises(UserError, match="found negatives, which real labels do not have, expected shuffled"):
        unlabelled_bins(labels, TEST, "real")
