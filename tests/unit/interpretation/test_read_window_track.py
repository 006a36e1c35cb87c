from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from signal_files import write_bigwig
from toy import Toy
from window_files import write_holdout

from lociflow.command import UserError
from lociflow.genome.window_table import read_windows
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.read_window_track import along_labels, read_window_track
from lociflow.interpretation.window_track import open_window_track
from lociflow.models.outputs import Outputs
from lociflow.sequence.genome_store import encode_sequences
from lociflow.sequence.store import SequenceStore, open_store

REAL = Outputs("real", ("a", "b"))


@pytest.fixture
def store(tmp_path: Path) -> SequenceStore:
    (tmp_path / "genome.fa").write_text(">c1\n" + "ACGT" * 5 + "\n>c2\nACGTACGTAC\n")
    config = {"name": "toy", "soft_mask": False, "contig_md5": None}
    encode_sequences([tmp_path / "genome.fa"], config, tmp_path / "codes.npy", tmp_path / "store.json")
    return open_store(tmp_path / "store.json")


def bins(tmp_path: Path, rows: list[tuple[str, int, int, str]], shuffled: list[bool] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["contig", "start", "end", "strand"])
    frame["split"] = "test"
    frame["shuffled"] = shuffled or [False] * len(rows)
    write_holdout(tmp_path / "windows.parquet", frame)
    return read_windows(tmp_path / "windows.parquet")


def tiles(tmp_path: Path) -> pd.DataFrame:
    return bins(tmp_path, [("c1", start, start + 4, ".") for start in (0, 4, 8, 16)] + [("c2", 0, 4, ".")])


def test_a_base_has_the_label_of_the_bin_over_it(store: SequenceStore, tmp_path: Path) -> None:
    labels = np.array([[0, 1], [0, 2], [0, np.nan], [0, 4], [0, 9]], np.float32)
    found = along_labels(labels, REAL, "b", tiles(tmp_path), store, np.array([1, 3, 4]), 10)
    # The bin's middle is base 6: the window begins at 1.
    np.testing.assert_array_equal(found[0], [1, 1, 1, 2, 2, 2, 2, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found[1], [np.nan] * 3 + [4] * 4 + [np.nan] * 3)
    np.testing.assert_array_equal(found[2], [np.nan] * 3 + [9] * 4 + [np.nan] * 3)


def test_of_bins_that_overlap_the_mean_and_the_order_of_rows_does_not_matter(
    store: SequenceStore, tmp_path: Path
) -> None:
    rows = [("c1", 8, 12, "."), ("c1", 0, 12, "."), ("c1", 4, 8, ".")]
    labels = np.array([[3], [1], [np.nan]], np.float32)
    found = along_labels(labels, Outputs("real", ("a",)), "a", bins(tmp_path, rows), store, np.array([0]), 6)
    assert found.tolist() == [[1, 2, 2, 2, 2, pytest.approx(np.nan, nan_ok=True)]]


def test_bins_of_the_other_strand_and_shuffles_say_nothing(store: SequenceStore, tmp_path: Path) -> None:
    rows = [("c1", 0, 4, "+"), ("c1", 4, 8, "-"), ("c1", 8, 12, "-"), ("c1", 0, 4, "-")]
    table = bins(tmp_path, rows, [False, False, False, True])
    labels = np.array([[1], [2], [3], [4]], np.float32)
    found = along_labels(labels, Outputs("real", ("a",)), "a", table, store, np.array([1, 3]), 8)
    # Bases 2 to 10, read from the minus strand.
    np.testing.assert_array_equal(found[0], [3, 3, 2, 2, 2, 2, np.nan, np.nan])
    assert np.isnan(found[1]).all()


def test_of_bases_their_own_labels_and_of_classes_where_one_stands(store: SequenceStore, tmp_path: Path) -> None:
    table = bins(tmp_path, [("c1", 4, 8, "-")])
    labels = np.array([[[0], [2], [1], [-1]]], np.int8)
    outputs = Outputs("position_class", ("s",), (("none", "donor", "acceptor"),), positions=4)
    found = along_labels(labels, outputs, "s:acceptor", table, store, np.array([0]), 4)
    np.testing.assert_array_equal(found, [[np.nan, 0, 1, 0]])
    counts = np.array([[[5, 0], [2, 0], [1, 0], [0, 0]]], np.float32)
    profile = Outputs("profile", ("a", "b"), positions=4)
    found = along_labels(counts, profile, "a", table, store, np.array([0]), 6)
    np.testing.assert_array_equal(found, [[np.nan, 0, 1, 2, 5, np.nan]])
    with pytest.raises(UserError, match="attention_track: found s, expected one of s:none, s:donor, s:acceptor"):
        along_labels(labels, outputs, "s", table, store, np.array([0]), 4)


def test_a_signal_is_read_in_the_order_of_the_window(store: SequenceStore, tmp_path: Path) -> None:
    bins(tmp_path, [("c1", 0, 4, "+"), ("c1", 8, 12, "-"), ("c2", 4, 8, ".")])
    write_bigwig(tmp_path / "t.bw", {"c1": 20}, [("c1", 0, 3, 1.0), ("c1", 7, 9, 5.0)])
    codes = np.zeros((3, 6), np.uint8)
    explained = Attributions(np.array([0, 1, 2]), np.zeros(3), codes, np.zeros((3, 4, 6)), {"targets": []})
    write_attributions(tmp_path / "a.npz", explained)
    for name in "xy":
        read_window_track(
            tmp_path / "store.json", tmp_path / "windows.parquet", tmp_path / "targets.npy", tmp_path / "targets.tsv",
            tmp_path / "a.npz", {"name": "DNase"}, tmp_path / f"{name}.npz", tmp_path / "t.bw",
        )  # fmt: skip
    assert (tmp_path / "x.npz").read_bytes() == (tmp_path / "y.npz").read_bytes()
    found = open_window_track(tmp_path / "x.npz")
    assert found.name == "DNase"
    assert found.bin.tolist() == [0, 1, 2]
    # What the file says nothing about is 0, what lies beyond a contig or on one that it lacks is unknown.
    np.testing.assert_array_equal(found.values[0], [np.nan, 1, 1, 1, 0, 0])
    assert found.values[1].tolist() == [0, 0, 0, 0, 5, 5]
    assert np.isnan(found.values[2]).all()


def test_the_labels_of_a_target_of_a_data_set(toy: Toy, tmp_path: Path) -> None:
    codes = np.zeros((2, 80), np.uint8)
    explained = Attributions(np.array([300, 302]), np.zeros(2), codes, np.zeros((2, 4, 80)), {"targets": []})
    write_attributions(tmp_path / "a.npz", explained)
    files = (toy.store, toy.windows, toy.targets, toy.target_table, tmp_path / "a.npz")
    read_window_track(*files, {"name": "Rap1"}, tmp_path / "track.npz")
    found = open_window_track(tmp_path / "track.npz").values
    # Bins of 60 in windows of 80: ten bases of either neighbour, of which 301 and 303 are positive.
    assert found.tolist() == [[0] * 70 + [1] * 10, [1] * 10 + [0] * 60 + [1] * 10]
    with pytest.raises(UserError, match="attention_track: found Rap2, expected one of Reb1, Rap1"):
        read_window_track(*files, {"name": "Rap2"}, tmp_path / "track.npz")


def test_another_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", bin=np.arange(2))
    with pytest.raises(UserError, match="cannot be read as window track"):
        open_window_track(tmp_path / "x.npz")
