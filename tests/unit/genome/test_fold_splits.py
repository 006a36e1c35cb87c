import re

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.genome.fold_splits import cross_validation, leave_one_group_out, leave_one_out, strata
from lociflow.genome.split_data import SplitData

CLASSES = np.repeat([0, 1, 2, -1], [40, 13, 7, 3])


def data(labels=CLASSES, kind="class"):
    labels = np.asarray(labels)
    return SplitData(
        pd.DataFrame({"start": np.arange(len(labels))}), labels.reshape(len(labels), -1), kind, *[None] * 3
    )


def sides(split):
    return np.asarray(split.astype(object))


@pytest.mark.parametrize("validation", [None, 0.2])
def test_each_bin_is_tested_on_once_and_every_fold_has_its_share_of_each_class(validation):
    found = [cross_validation(data(), folds=5, fold=f, validation_fraction=validation, seed=3) for f in range(1, 6)]
    tested = np.array([sides(split) == "test" for split in found])
    assert tested.sum(axis=0).tolist() == [1] * 63
    for number, count in zip((0, 1, 2, -1), (40, 13, 7, 3), strict=True):
        in_folds = tested[:, number == CLASSES].sum(axis=1)
        assert in_folds.sum() == count
        assert in_folds.max() - in_folds.min() <= 1
    assert np.ptp(tested.sum(axis=1)) <= 1
    assert all(split.notna().all() for split in found)


def test_validation_is_the_next_fold():
    found = [sides(cross_validation(data(), folds=4, fold=f)) for f in (1, 2, 3, 4)]
    for one, other in zip(found, [*found[1:], found[0]], strict=True):
        np.testing.assert_array_equal(one == "validation", other == "test")


def test_validation_is_a_stratified_share_of_the_rest():
    split = sides(cross_validation(data(), folds=3, fold=2, validation_fraction=0.25, seed=5))
    rest = split != "test"
    assert (split == "validation").sum() == int(rest.sum() * 0.25)
    for number in (0, 1, 2):
        chosen = rest & (number == CLASSES)
        assert abs((split[chosen] == "validation").sum() - 0.25 * chosen.sum()) < 1


def test_the_seed_decides():
    first, again, other = (sides(cross_validation(data(), folds=3, fold=1, seed=s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_leaving_one_out():
    found = np.array([sides(leave_one_out(data(), folds=63, fold=f, validation_fraction=0.1)) for f in range(1, 64)])
    np.testing.assert_array_equal(found == "test", np.eye(63, dtype=bool))
    assert set((found == "validation").sum(axis=1)) == {6}
    # Each fold draws its own, four of the 40 of the first class but for rounding.
    of_first = (found[:, CLASSES == 0] == "validation").sum(axis=1)
    assert set(of_first) <= {3, 4}
    assert len({tuple(row == "validation") for row in found}) > 50


def grouped(names):
    windows = pd.DataFrame({"group": pd.Categorical(names, ["unused", "liver", "brain", "heart", "skin"])})
    return SplitData(windows, np.zeros((len(names), 1), np.int8), "binary", *[None] * 3)


def test_leaving_one_group_out():
    cells = grouped(["heart", "brain", "liver", "brain", "skin"])
    found = [sides(leave_one_group_out(cells, folds=4, fold=fold)).tolist() for fold in range(1, 5)]
    # In the alphabet brain, heart, liver, skin.
    assert found[0] == ["validation", "test", "train", "test", "train"]
    assert found[1] == ["test", "train", "validation", "train", "train"]
    assert found[3] == ["train", "validation", "train", "validation", "test"]


@pytest.mark.parametrize(
    ("names", "folds", "message"),
    [
        (["liver", None, "brain", "skin"], 3, "1 of 4 bins have no group, expected one for each"),
        (["liver", "heart", "brain", "skin"], 3, "split.folds: found 3, expected 4 as there are groups"),
    ],
)
def test_groups_that_cannot_be_left_out_are_told(names, folds, message):
    with pytest.raises(UserError, match=re.escape(message)):
        leave_one_group_out(grouped(names), folds=folds, fold=1)


def test_strata_are_the_rows_of_binary_labels_and_of_other_kinds_one():
    assert strata(data([[0, 1], [1, 1], [0, 1], [-1, 0]], "binary")).tolist() == [1, 2, 1, 0]
    assert strata(data([0.5, 1.5], "real")).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("scheme", "settings", "message"),
    [
        (cross_validation, {"folds": 64, "fold": 1}, "split.folds: found 64 folds for 63 bins"),
        (cross_validation, {"folds": 5, "fold": 6}, "split.fold: found 6, expected a whole number from 1 to"),
        (cross_validation, {"folds": 2, "fold": 1}, "split.folds: found 2, expected a whole number of at least 3"),
        (cross_validation, {"folds": 5, "fold": 1, "validation_fraction": 1.0}, "validation_fraction: found 1.0"),
        (cross_validation, {"folds": 5, "fold": 1, "validation_fraction": 0.01}, "split.validation: found no bin"),
        (
            leave_one_out,
            {"folds": 62, "fold": 1, "validation_fraction": 0.1},
            "found 62, expected 63 as there are bins",
        ),
        (leave_one_out, {"folds": 63, "fold": 64, "validation_fraction": 0.1}, "split.fold: found 64"),
    ],
)
def test_mistakes_are_told(scheme, settings, message):
    with pytest.raises(UserError, match=re.escape(message)):
        scheme(data(), **settings)
