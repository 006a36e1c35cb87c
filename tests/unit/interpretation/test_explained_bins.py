import numpy as np
import pytest

from lociflow.interpretation import explained_bins
from lociflow.interpretation.explained_bins import answers, contrast_rows, count_bins, label_places, outputs_asked
from lociflow.interpretation.scalars import scalar_names
from lociflow.models.outputs import Outputs

BINARY = Outputs("binary", ("a", "b"))
CLASS = Outputs("class", ("a", "b"), (("x", "y", "z"), ("low", "high")))
POSITION = Outputs("position_class", ("s",), (("none", "donor", "acceptor"),), positions=3)
PROFILE = Outputs("profile", ("a", "b"), positions=2)
REAL = Outputs("real", ("a", "b"))
ROWS = np.array([0, 1, 3, 4, 5])


@pytest.mark.parametrize("outputs", [BINARY, CLASS, POSITION, PROFILE, REAL])
def test_every_scalar_has_its_place_among_the_labels(outputs: Outputs) -> None:
    assert len(label_places(outputs)) == len(scalar_names(outputs))


def test_of_binary_labels_the_positives() -> None:
    labels = np.array([[1, 0], [0, 1], [1, 1], [-1, 0], [1, 1], [0, 0]], dtype=np.int8)
    found = answers(labels, ROWS, BINARY, 0)
    assert found.yes.tolist() == [True, False, False, True, False]
    assert found.no.tolist() == [False, True, False, False, True]
    assert count_bins(labels, ROWS, BINARY).tolist() == [2, 2]
    assert contrast_rows(found, answers(labels, ROWS, BINARY, 1)).tolist() == [True, False, False, False, False]


def test_counts_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.array([[1, 0], [-1, 1], [1, 1], [1, -1]], dtype=np.int8)
    for chunk in (1, 3, 100):
        monkeypatch.setattr(explained_bins, "CHUNK", chunk)
        assert count_bins(labels, np.array([0, 1, 3]), BINARY).tolist() == [2, 1]
        assert answers(labels, np.array([0, 1, 3]), BINARY, 1).yes.tolist() == [False, True, False]


def test_of_classes_the_bins_of_the_class() -> None:
    labels = np.array([[0, 1], [2, 0], [2, 1], [-1, 1], [2, -1], [1, 0]], dtype=np.int16)
    assert scalar_names(CLASS)[2:4] == ("a:z", "b:low")
    assert answers(labels, ROWS, CLASS, 2).yes.tolist() == [False, True, False, True, False]
    assert answers(labels, ROWS, CLASS, 2).no.tolist() == [True, False, False, False, True]
    assert answers(labels, ROWS, CLASS, 3).yes.tolist() == [False, True, False, False, True]
    assert count_bins(labels, ROWS, CLASS).tolist() == [1, 1, 2, 2, 2]


def test_of_classes_along_positions_the_bins_that_hold_the_class() -> None:
    labels = np.zeros((6, 3, 1), dtype=np.int8)
    labels[1, 2], labels[3, :2], labels[4, 0] = 1, [[2], [1]], -1
    assert scalar_names(POSITION) == ("s:donor", "s:acceptor")
    assert answers(labels, ROWS, POSITION, 0).yes.tolist() == [False, True, True, False, False]
    assert answers(labels, ROWS, POSITION, 1).yes.tolist() == [False, False, True, False, False]
    assert answers(labels, ROWS, POSITION, 1).no.tolist() == [True, True, False, False, True]


def test_of_values_the_quarter_with_the_highest() -> None:
    labels = np.full((6, 2), np.nan, dtype=np.float32)
    labels[ROWS, 1] = [3.0, 7.0, 7.0, 1.0, np.nan]
    found = answers(labels, ROWS, REAL, 1)
    # One of four known labels; of two that are equal, the first.
    assert found.yes.tolist() == [False, True, False, False, False]
    assert found.no.tolist() == [True, False, True, True, False]
    assert not answers(labels, ROWS, REAL, 0).yes.any()


def test_of_profiles_the_quarter_with_the_most_signal_for_counts_and_profile() -> None:
    labels = np.zeros((6, 2, 2), dtype=np.float32)
    labels[[1, 4], :, 0] = [[2.0, 2.0], [5.0, 0.0]]
    labels[5, 0, 0] = np.nan
    assert scalar_names(PROFILE)[:2] == ("a:counts", "a:profile")
    for column in (0, 1):
        assert answers(labels, ROWS, PROFILE, column).yes.tolist() == [False, False, False, True, False]
    assert count_bins(labels, ROWS, PROFILE).tolist() == [1, 1, 2, 2]


def test_a_target_stands_for_all_of_its_outputs() -> None:
    names = scalar_names(CLASS)
    assert outputs_asked("b", names, CLASS) == ["b:low", "b:high"]
    assert outputs_asked(["a:y", "b", "c"], names, CLASS) == ["a:y", "b:low", "b:high", "c"]
    assert outputs_asked(3, names, CLASS) == 3
    assert outputs_asked("all", names, CLASS) == "all"


def test_no_bin_gives_no_answer() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert answers(np.zeros((4, 2), dtype=np.int8), nothing, BINARY, 0).yes.shape == (0,)
