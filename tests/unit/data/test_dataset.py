"""Bins, views, labels and loading, on a genome of two contigs that can be read by eye."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from lociflow.command import UserError
from lociflow.data.bins import Bins, bins_of_split, read_bins, window_start
from lociflow.data.dataset import WindowDataset, make_loader
from lociflow.data.sampler import Request, SequentialSampler, TrainingSampler
from lociflow.data.views import make_views
from lociflow.genome.window_table import write_windows
from lociflow.sequence.alphabet import decode
from lociflow.sequence.store import SequenceStore, encode_sequences, open_store

ROWS = [
    ("chrA", 0, 4, ".", "train", None),
    ("chrA", 4, 8, "-", "train", None),
    ("chrB", 0, 4, ".", "validation", None),
    ("chrB", 4, 8, ".", "test", None),
]
TARGETS = np.array([[1, 0], [0, -1], [1, 1], [-1, -1]], dtype=np.int8)


def write(folder: Path, rows: list[tuple[object, ...]]) -> Path:
    frame = pd.DataFrame(rows, columns=["contig", "start", "end", "strand", "split", "group"])
    for column in ("contig", "strand", "split", "group"):
        frame[column] = frame[column].astype("category")
    write_windows(folder / "windows.parquet", frame, {})
    return folder / "windows.parquet"


@pytest.fixture
def store(tmp_path: Path) -> SequenceStore:
    (tmp_path / "genome.fa").write_text(">chrB\nTTTTGGCA\n>chrA\nAACCGTAC\n")
    encode_sequences(
        [tmp_path / "genome.fa"],
        {"name": "two", "soft_mask": False, "contig_md5": None},
        tmp_path / "codes.npy",
        tmp_path / "store.json",
    )
    return open_store(tmp_path / "store.json")


@pytest.fixture
def bins(store: SequenceStore, tmp_path: Path) -> Bins:
    return read_bins(write(tmp_path, ROWS), store)


def dataset(store: SequenceStore, bins: Bins, length: int, **labels: np.ndarray) -> WindowDataset:
    return WindowDataset(make_views(["sequence"], store, bins, length), bins.reverse, **labels)


def request(*index: int, reverse: bool = False) -> Request:
    return Request(np.array(index), np.full(len(index), reverse))


def letters(dataset: WindowDataset, asked: Request) -> list[str]:
    return [decode(row.numpy()) for row in dataset[asked].views["sequence"]]


def test_bins_are_read_with_the_store_contigs(bins: Bins) -> None:
    assert [row.tolist() for row in bins] == [[1, 1, 0, 0], [2, 6, 2, 6], [False, True, False, False], [0, 0, 1, 2]]
    assert bins_of_split(bins, "train").tolist() == [0, 1]
    assert bins_of_split(bins, "test").tolist() == [3]


@pytest.mark.parametrize(("length", "start"), [(4, 0), (5, 0), (2, 1), (1, 2), (8, -2)])
def test_windows_are_centred(bins: Bins, length: int, start: int) -> None:
    assert window_start(bins, length)[0] == start


def test_windows_are_read_from_the_bins_own_strand(store: SequenceStore, bins: Bins) -> None:
    # chrA: AACC GTAC; the second bin lies on the reverse strand.
    assert letters(dataset(store, bins, 4), request(0, 1, 2, 3)) == ["AACC", "GTAC", "TTTT", "GGCA"]
    assert letters(dataset(store, bins, 4), request(0, 1, 3, reverse=True)) == ["GGTT", "GTAC", "TGCC"]
    assert letters(dataset(store, bins, 8), request(0)) == ["NNAACCGT"]
    assert letters(dataset(store, bins, 8), request(0, reverse=True)) == ["ACGGTTNN"]


def test_labels_come_with_their_mask(store: SequenceStore, bins: Bins) -> None:
    sample = dataset(store, bins, 4, targets=TARGETS)[request(1, 3, 0)]
    assert sample.targets.tolist() == [[0, -1], [-1, -1], [1, 0]]
    assert sample.mask.tolist() == [[True, False], [False, False], [True, True]]
    assert sample.bins.tolist() == [1, 3, 0]


def test_labels_of_other_rows_can_stand_in(store: SequenceStore, bins: Bins) -> None:
    sample = dataset(store, bins, 4, targets=TARGETS, label_rows=np.array([2, 0, 1, 3]))[request(0, 1)]
    assert sample.targets.tolist() == [[1, 1], [1, 0]]


def test_without_labels_there_are_no_columns(store: SequenceStore, bins: Bins) -> None:
    sample = dataset(store, bins, 4)[request(0, 1)]
    assert sample.targets.shape == sample.mask.shape == (2, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(store: SequenceStore, bins: Bins, workers: int) -> None:
    data = dataset(store, bins, 4, targets=TARGETS)
    for sampler in (TrainingSampler(np.arange(4), 1, 1, True), SequentialSampler(np.arange(4), 3)):
        alone, helped = list(make_loader(data, sampler, 0)), list(make_loader(data, sampler, workers))
        assert len(alone) == len(helped) == len(sampler)
        for one, other in zip(alone, helped, strict=True):
            assert torch.equal(one.views["sequence"], other.views["sequence"])
            assert torch.equal(one.targets, other.targets)
            assert torch.equal(one.bins, other.bins)


def test_loading_does_not_touch_torch_generator(store: SequenceStore, bins: Bins) -> None:
    before = torch.random.get_rng_state()
    list(make_loader(dataset(store, bins, 4), SequentialSampler(np.arange(4), 2), 1))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_view_is_pickled_without_its_sequence(store: SequenceStore, bins: Bins) -> None:
    data = dataset(store, bins, 4)
    copy = pickle.loads(pickle.dumps(data))
    assert letters(copy, request(0, 1)) == letters(data, request(0, 1))


def test_an_unknown_view_is_refused(store: SequenceStore, bins: Bins) -> None:
    with pytest.raises(UserError, match=r"model.views: found 'methylation', expected sequence"):
        make_views(["sequence", "methylation"], store, bins, 4)


def test_an_unknown_split_is_refused(store: SequenceStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"row 1: found split 'tune', expected one of train, validation, test"):
        read_bins(write(tmp_path, [ROWS[0], ("chrA", 4, 8, ".", "tune", None)]), store)


def test_an_unknown_contig_is_refused(store: SequenceStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="chrZ"):
        read_bins(write(tmp_path, [("chrZ", 0, 4, ".", "train", None)]), store)
