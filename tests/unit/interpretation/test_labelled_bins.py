from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.interpretation import labelled_bins
from lociflow.interpretation.labelled_bins import (
    answers,
    contrast_rows,
    count_bins,
    label_places,
    labels_as_read,
    other_strand,
    outputs_asked,
    target_columns,
    unlabelled_bins,
)
from lociflow.interpretation.scalar_names import scalar_names
from lociflow.models.outputs import Outputs

BINARY = Outputs("binary", ("a", "b"))
CLASS = Outputs("class", ("a", "b"), (("x", "y", "z"), ("low", "high")))
POSITION = Outputs("position_class", ("s",), (("none", "donor", "acceptor"),), positions=3)
PROFILE = Outputs("profile", ("a", "b"), positions=2)
REAL = Outputs("real", ("a", "b"))
ROWS = np.array([0, 1, 3, 4, 5])


def test_labels_of_some_targets_change_places_where_bins_are_read_from_the_other_strand() -> None:
    labels = np.array([[1, 0, 5], [2, 3, 6], [4, 7, 8]], dtype=np.int8)
    other = other_strand(np.array([False, True, True]), [1, 0, 2])
    rows = np.array([0, 2])
    assert labels_as_read(labels, rows, [0, 1, 2], other).tolist() == [[1, 0, 5], [7, 4, 8]]
    assert labels_as_read(labels, rows, [1], other).tolist() == [[0], [4]]
    assert labels_as_read(labels, rows, [2, 0], None).tolist() == [[5, 1], [8, 4]]
    profiles = np.stack([labels, labels + 10], axis=1)
    assert labels_as_read(profiles, rows, [0, 1], other).tolist() == [[[1, 0], [11, 10]], [[7, 4], [17, 14]]]


def test_a_models_targets_are_found_by_name() -> None:
    checkpoint, table = Path("model.ckpt"), Path("targets.tsv")
    assert target_columns(BINARY, ("b", "c", "a"), checkpoint, table) == [2, 0]
    with pytest.raises(UserError, match=r"model\.ckpt: has an output b, expected targets of targets\.tsv: a, c; train"):
        target_columns(BINARY, ("a", "c"), checkpoint, table)


@pytest.mark.parametrize("outputs", [BINARY, CLASS, POSITION, PROFILE, REAL])
def test_every_scalar_has_its_place_among_the_labels(outputs: Outputs) -> None:
    assert len(label_places(outputs)) == len(scalar_names(outputs))


def test_of_binary_labels_the_positives() -> None:
    labels = np.array([[1, 0], [0, 1], [1, 1], [-1, 0], [1, 1], [0, 0]], dtype=np.int8)
    found = answers(labels, ROWS, BINARY, BINARY.targets, 0)
    assert found.yes.tolist() == [True, False, False, True, False]
    assert found.no.tolist() == [False, True, False, False, True]
    assert count_bins(labels, ROWS, BINARY, BINARY.targets).tolist() == [2, 2]
    assert contrast_rows(found, answers(labels, ROWS, BINARY, BINARY.targets, 1)).tolist() == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_counts_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.array([[1, 0], [-1, 1], [1, 1], [1, -1]], dtype=np.int8)
    for chunk in (1, 3, 100):
        monkeypatch.setattr(labelled_bins, "CHUNK", chunk)
        assert count_bins(labels, np.array([0, 1, 3]), BINARY, BINARY.targets).tolist() == [2, 1]
        assert answers(labels, np.array([0, 1, 3]), BINARY, BINARY.targets, 1).yes.tolist() == [False, True, False]


def test_of_classes_the_bins_of_the_class() -> None:
    labels = np.array([[0, 1], [2, 0], [2, 1], [-1, 1], [2, -1], [1, 0]], dtype=np.int16)
    assert scalar_names(CLASS)[2:4] == ("a:z", "b:low")
    assert answers(labels, ROWS, CLASS, CLASS.targets, 2).yes.tolist() == [False, True, False, True, False]
    assert answers(labels, ROWS, CLASS, CLASS.targets, 2).no.tolist() == [True, False, False, False, True]
    assert answers(labels, ROWS, CLASS, CLASS.targets, 3).yes.tolist() == [False, True, False, False, True]
    assert count_bins(labels, ROWS, CLASS, CLASS.targets).tolist() == [1, 1, 2, 2, 2]


def test_of_classes_along_positions_the_bins_that_hold_the_class() -> None:
    labels = np.zeros((6, 3, 1), dtype=np.int8)
    labels[1, 2], labels[3, :2], labels[4, 0] = 1, [[2], [1]], -1
    assert scalar_names(POSITION) == ("s:donor", "s:acceptor")
    assert answers(labels, ROWS, POSITION, POSITION.targets, 0).yes.tolist() == [False, True, True, False, False]
    assert answers(labels, ROWS, POSITION, POSITION.targets, 1).yes.tolist() == [False, False, True, False, False]
    assert answers(labels, ROWS, POSITION, POSITION.targets, 1).no.tolist() == [True, True, False, False, True]


def test_of_values_the_quarter_with_the_highest() -> None:
    labels = np.full((6, 2), np.nan, dtype=np.float32)
    labels[ROWS, 1] = [3.0, 7.0, 7.0, 1.0, np.nan]
    found = answers(labels, ROWS, REAL, REAL.targets, 1)
    # One of four known labels; of two that are equal, the first.
    assert found.yes.tolist() == [False, True, False, False, False]
    assert found.no.tolist() == [True, False, True, True, False]
    assert not answers(labels, ROWS, REAL, REAL.targets, 0).yes.any()


def test_of_profiles_the_quarter_with_the_most_signal_for_counts_and_profile() -> None:
    labels = np.zeros((6, 2, 2), dtype=np.float32)
    labels[[1, 4], :, 0] = [[2.0, 2.0], [5.0, 0.0]]
    labels[5, 0, 0] = np.nan
    assert scalar_names(PROFILE)[:2] == ("a:counts", "a:profile")
    for column in (0, 1):
        assert answers(labels, ROWS, PROFILE, PROFILE.targets, column).yes.tolist() == [
            False,
            False,
            False,
            True,
            False,
        ]
    assert count_bins(labels, ROWS, PROFILE, PROFILE.targets).tolist() == [1, 1, 2, 2]


def test_a_target_stands_for_all_of_its_outputs() -> None:
    names = scalar_names(CLASS)
    assert outputs_asked("b", names, CLASS) == ["b:low", "b:high"]
    assert outputs_asked(["a:y", "b", "c"], names, CLASS) == ["a:y", "b:low", "b:high", "c"]
    assert outputs_asked(3, names, CLASS) == 3
    assert outputs_asked("all", names, CLASS) == "all"


def test_no_bin_gives_no_answer() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert answers(np.zeros((4, 2), dtype=np.int8), nothing, BINARY, BINARY.targets, 0).yes.shape == (0,)


TEST = np.array([1, 2, 3, 4])


def bins_of(labels: list[Any], dtype: type[np.generic], outputs: Outputs, targets: tuple[str, ...]) -> list[list[int]]:
    table = np.array(labels, dtype)
    columns = range(len(scalar_names(outputs)))
    found = [TEST[answers(table, TEST, outputs, targets, column).yes].tolist() for column in columns]
    assert count_bins(table, TEST, outputs, targets).tolist() == [len(bins) for bins in found]
    return found


def test_positives_of_the_models_own_targets() -> None:
    labels = [[1, 1], [1, 0], [0, 1], [-1, 1], [0, 0]]
    assert bins_of(labels, np.int8, Outputs("binary", ("B",)), ("A", "B")) == [[2, 3]]
    assert bins_of(labels, np.int8, Outputs("binary", ("B", "A")), ("A", "B")) == [[2, 3], [1]]


def test_bins_of_each_class() -> None:
    outputs = Outputs("class", ("j",), (("x", "y", "z"),))
    assert bins_of([[0], [0], [2], [-1], [2]], np.int16, outputs, ("j",)) == [[1], [], [2, 4]]


def test_bins_with_a_position_of_each_class_but_the_background() -> None:
    outputs = Outputs("position_class", ("s",), (("none", "donor", "acceptor"),), positions=2)
    labels = [[[0], [0]], [[1], [0]], [[1], [2]], [[0], [0]], [[-1], [-1]]]
    assert bins_of(labels, np.int8, outputs, ("s",)) == [[1, 2], [2]]


def test_the_highest_values_and_counts() -> None:
    assert bins_of([[9], [1], [2], [3], [np.nan]], np.float32, Outputs("real", ("e",)), ("e",)) == [[3]]
    profile = [[[9], [9]], [[1], [0]], [[2], [2]], [[0], [5]], [[np.nan], [np.nan]]]
    assert bins_of(profile, np.float32, Outputs("profile", ("e",), positions=2), ("e",)) == [[3], [3]]


def test_bins_without_any_label() -> None:
    labels = np.array([[0, 0], [0, 0], [0, 1], [-1, 0], [0, 0]], np.int8)
    assert unlabelled_bins(labels, TEST, "binary").tolist() == [1, 4]
    with pytest.raises(UserError, match="found negatives, which real labels do not have, expected shuffled"):
        unlabelled_bins(labels, TEST, "real")


def test_windows_that_are_read_from_the_other_strand_answer_for_the_partner() -> None:
    labels = np.array([[1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 1, 0]], dtype=np.int8)
    outputs, rows = Outputs("binary", ("plus", "minus", "both")), np.arange(4)
    turned = other_strand(np.array([False, True, False, True]), [1, 0, 2])
    found = [answers(labels, rows, outputs, outputs.targets, column, turned).yes.tolist() for column in range(3)]
    assert found == [[True, False, False, True], [False, True, True, False], [True, True, False, False]]
    assert count_bins(labels, rows, outputs, outputs.targets, turned).tolist() == [2, 2, 2]
    assert other_strand(np.zeros(4, dtype=bool), [1, 0, 2]) is None
    assert other_strand(np.ones(4, dtype=bool), None) is None
