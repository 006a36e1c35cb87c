import time
from pathlib import Path

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.interpretation.attributions import (
    Attributions,
    observed_contributions,
    read_attributions,
    read_explained,
    stretch_sums,
    write_attributions,
)
from lociflow.sequence.alphabet import SOFT_MASK

FOUND = Attributions(
    bin=np.array([4, 9, 4]),
    target=np.array([0, 0, 2]),
    codes=np.arange(9, dtype=np.uint8).reshape(3, 3) % 4,
    hypothetical=np.arange(36, dtype=np.float32).reshape(3, 4, 3),
    meta={"method": "deep_lift_shap", "targets": [{"target": "Réb1", "column": 0, "quality": {"gap": None}}]},
)


def test_reads_back_what_it_writes(tmp_path: Path) -> None:
    path = tmp_path / "attributions.npz"
    write_attributions(path, FOUND)
    found = read_attributions(path)
    for one, other in zip(found[:4], FOUND[:4], strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert found.meta == {**FOUND.meta, "format": "attributions", "version": 1}


def test_reads_which_windows_are_explained_alone(tmp_path: Path) -> None:
    path = tmp_path / "attributions.npz"
    write_attributions(path, FOUND)
    bins, targets, names = read_explained(path)
    assert names == {0: "Réb1"}
    np.testing.assert_array_equal(bins, FOUND.bin)
    np.testing.assert_array_equal(targets, FOUND.target)
    np.savez(path, meta=np.array('{"format": "attributions", "version": 1}'), bin=np.zeros(1))
    with pytest.raises(UserError, match="cannot be read as attributions"):
        read_explained(path)


def test_the_bytes_depend_on_the_values_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_attributions(tmp_path / "a.npz", FOUND)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_attributions(tmp_path / "b.npz", FOUND)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_refuses_other_files(tmp_path: Path) -> None:
    path = tmp_path / "attributions.npz"
    with pytest.raises(UserError, match="cannot be read"):
        read_attributions(path)
    path.write_text("text")
    with pytest.raises(UserError, match="cannot be read"):
        read_attributions(path)
    np.savez(path, x=np.zeros(1))
    with pytest.raises(UserError, match="cannot be read"):
        read_attributions(path)
    np.savez(path, meta=np.array('{"format": "attributions", "version": 99}'))
    with pytest.raises(UserError, match="version 99, expected attributions version 1"):
        read_attributions(path)


def test_observed_contributions_are_those_of_the_bases_that_stand_there() -> None:
    hypothetical = np.arange(12, dtype=np.float32).reshape(1, 4, 3)
    np.testing.assert_array_equal(observed_contributions(np.array([[0, 3, 4]], np.uint8), hypothetical), [[0, 10, 0]])
    masked = np.array([[0, 3, 4]], np.uint8) | np.uint8(SOFT_MASK)
    np.testing.assert_array_equal(observed_contributions(masked, hypothetical), [[0, 10, 0]])


def test_sums_by_hand() -> None:
    assert stretch_sums(np.array([[1.0, 2, -4, 8]]), 2).tolist() == [[3, -2, 4]]
    assert stretch_sums(np.array([[1.0, 2]]), 2).tolist() == [[3]]
    assert stretch_sums(np.array([[1.0, 2]]), 5).shape == (1, 0)
