from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lociflow.genome import label_array
from lociflow.genome.label_array import digest_array, keep_rows, summarise, write_labels
from lociflow.genome.label_kinds import KINDS
from lociflow.genome.target_labels import TargetLabels


def bins(contigs: str, shuffled: tuple = ()) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "contig": pd.Categorical(list(contigs)),
            "start": np.arange(len(contigs)),
            "shuffled": np.isin(np.arange(len(contigs)), shuffled),
        }
    )


def numbered(kind: str, shape: tuple[int, ...] = (1,), **more) -> TargetLabels:
    def label(part: pd.DataFrame) -> np.ndarray:
        numbers = part["start"].to_numpy().reshape(-1, *[1] * len(shape))
        return np.broadcast_to(numbers, (len(part), *shape)).astype(KINDS[kind].dtype)

    return TargetLabels(["T"], kind, label, pd.DataFrame(), **more)


@pytest.mark.parametrize("block", [1, 3, 1 << 20])
def test_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int):
    monkeypatch.setattr(label_array, "BLOCK", block)
    write_labels(tmp_path / "t.npy", bins("aaabbc"), numbered("class"))
    assert np.load(tmp_path / "t.npy").ravel().tolist() == [0, 1, 2, 3, 4, 5]
    keep_rows(tmp_path / "t.npy", np.array([True, False, True, False, False, True]))
    assert np.load(tmp_path / "t.npy").ravel().tolist() == [0, 2, 5]


def test_the_labeller_sees_one_contig_at_a_time_or_none_of_the_borders(tmp_path: Path):
    seen = []

    def label(part: pd.DataFrame) -> np.ndarray:
        seen.append("".join(part["contig"]))
        return np.zeros((len(part), 1), np.int8)

    for by_contig in (True, False):
        found = TargetLabels(["T"], "binary", label, pd.DataFrame(), by_contig=by_contig)
        write_labels(tmp_path / "t.npy", bins("aaabbc"), found)
    # Each time the first bin alone is asked for the shape.
    assert seen == ["a", "aaa", "bb", "c", "a", "aaabbc"]


@pytest.mark.parametrize(
    ("kind", "absent"), [("binary", 0), ("class", 0), ("position_class", 0), ("real", np.nan), ("profile", np.nan)]
)
def test_what_a_shuffled_bin_is(tmp_path: Path, kind: str, absent: float):
    shape = (2, 1) if KINDS[kind].positional else (1,)
    write_labels(tmp_path / "t.npy", bins("aaa", shuffled=(1,)), numbered(kind, shape))
    found = np.load(tmp_path / "t.npy")
    assert found.dtype == KINDS[kind].dtype
    np.testing.assert_array_equal(found[1], np.full(shape, absent, found.dtype))
    np.testing.assert_array_equal(found[2], np.full(shape, 2, found.dtype))


def test_counts_of_each_kind():
    everything = np.ones(4, bool)
    binary = np.array([[1, 0], [-1, 0], [0, 1], [1, -1]], np.int8)
    assert summarise(binary, KINDS["binary"], None, everything) == {
        "known": [3, 3], "missing": [1, 1], "positives": [2, 1],
    }  # fmt: skip
    assert summarise(binary, KINDS["binary"], None, np.array([True, False, False, False]))["known"] == [1, 1]
    classes = np.array([[0], [2], [-1], [2]], np.int16)
    assert summarise(classes, KINDS["class"], [["n", "d", "a"]], everything) == {
        "known": [3], "missing": [1], "classes": [{"n": 1, "d": 0, "a": 2}],
    }  # fmt: skip
    positions = np.array([[[0], [1]], [[-1], [1]], [[0], [0]], [[0], [0]]], np.int8)
    assert summarise(positions, KINDS["position_class"], [["n", "d"]], everything) == {
        "known": [7], "missing": [1], "classes": [{"n": 5, "d": 2}],
    }  # fmt: skip
    real = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan], [2.0, np.nan]], np.float32)
    assert summarise(real, KINDS["real"], None, everything) == {
        "known": [3, 0], "missing": [1, 4], "mean": [2.0, None], "sd": [pytest.approx(np.sqrt(2 / 3)), None],
    }  # fmt: skip


def test_the_digest_sees_shape_type_and_values():
    base = np.arange(6, dtype=np.int8).reshape(3, 2)
    others = [base.reshape(2, 3), base.astype(np.int16), base + 1]
    assert len({digest_array(array) for array in (base, *others)}) == 4
    assert digest_array(base) == digest_array(base.copy())
