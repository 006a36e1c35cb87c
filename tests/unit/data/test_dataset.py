"""Bins, views, labels and loading, on a genome of two contigs that can be read by eye."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lociflow.command import UserError
from lociflow.data.bins import NO_SPLIT, Bins, bins_of_split, read_bins
from lociflow.data.dataset import WindowDataset, from_other_strand, make_loader, views_from_other_strand
from lociflow.data.one_hot import OneHot
from lociflow.data.sampler import Request, SequentialSampler, TrainingSampler
from lociflow.data.views import make_views
from lociflow.genome.label_kinds import KINDS
from lociflow.genome.placement import Placement, window_start
from lociflow.genome.window_table import write_windows
from lociflow.sequence.alphabet import PROTEIN, decode, encode
from lociflow.sequence.encoding import encode_sources
from lociflow.sequence.genome_store import encode_sequences
from lociflow.sequence.store import SequenceStore, open_store

ROWS = [
    ("chrA", 0, 4, ".", "train", None),
    ("chrA", 4, 8, "-", "train", None),
    ("chrB", 0, 4, ".", "validation", None),
    ("chrB", 4, 8, ".", "test", None),
]
TARGETS = np.array([[1, 0], [0, -1], [1, 1], [-1, -1]], dtype=np.int8)


def write(folder: Path, rows: list[tuple[object, ...]]) -> Path:
    frame = pd.DataFrame(rows, columns=["contig", "start", "end", "strand", "split:holdout", "group"])
    for column in ("contig", "strand", "split:holdout", "group"):
        frame[column] = frame[column].astype("category")
    write_windows(folder / "windows.parquet", frame.assign(shuffled=False), {})
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
    return read_bins(write(tmp_path, ROWS), store, "holdout")


def dataset(store: SequenceStore, bins: Bins, length: int, **labels: Any) -> WindowDataset:
    return WindowDataset(make_views(["sequence"], store, bins, length), bins.reverse, **labels)


def request(*index: int, reverse: bool = False) -> Request:
    return Request(np.array(index), np.full(len(index), reverse))


def letters(dataset: WindowDataset, asked: Request) -> list[str]:
    return [decode(row.numpy()) for row in dataset[asked].views["sequence"]]


def test_bins_are_read_with_the_store_contigs(bins: Bins) -> None:
    assert bins.place.contig.tolist() == [1, 1, 0, 0]
    assert bins.place.position.tolist() == [2, 6, 2, 6]
    assert bins.reverse.tolist() == [False, True, False, False]
    assert bins.split.tolist() == [0, 0, 1, 2]
    assert bins_of_split(bins, "train").tolist() == [0, 1]
    assert bins_of_split(bins, "test").tolist() == [3]


@pytest.mark.parametrize(("length", "start"), [(4, 0), (5, 0), (2, 1), (1, 2), (8, -2)])
def test_windows_are_centred(bins: Bins, length: int, start: int) -> None:
    assert window_start(bins.place, np.arange(4), length)[0] == start


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
    with pytest.raises(UserError, match=r"model.views: found 'methylation', expected sequence, mask, control"):
        make_views(["sequence", "methylation"], store, bins, 4)


def test_an_unknown_split_is_refused(store: SequenceStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"row 1: found split 'tune', expected one of train, validation, test"):
        read_bins(write(tmp_path, [ROWS[0], ("chrA", 4, 8, ".", "tune", None)]), store, "holdout")


def test_an_unknown_contig_is_refused(store: SequenceStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="chrZ"):
        read_bins(write(tmp_path, [("chrZ", 0, 4, ".", "train", None)]), store, "holdout")


def test_a_bin_outside_the_split_is_in_none(store: SequenceStore, tmp_path: Path) -> None:
    found = read_bins(write(tmp_path, [*ROWS[:3], ("chrB", 4, 8, ".", None, None)]), store, "holdout")
    assert found.split.tolist() == [0, 0, 1, NO_SPLIT]


def test_a_window_is_moved_on_the_genome(store: SequenceStore, bins: Bins) -> None:
    asked = Request(np.array([0, 1, 0]), np.array([False, False, True]), np.array([1, -2, 1], dtype=np.int32))
    # The second bin lies on the reverse strand: its window goes from GTAC to CCGT, which is read as ACGG.
    assert letters(dataset(store, bins, 4), asked) == ["ACCG", "ACGG", "CGGT"]


def test_the_mask_tells_padding_from_bases(store: SequenceStore, bins: Bins) -> None:
    data = WindowDataset(make_views(["sequence", "mask"], store, bins, 8), bins.reverse)
    shift = np.array([0, 0, 0, -4], dtype=np.int32)
    sample = data[Request(np.array([0, 1, 3, 0]), np.array([False, False, True, False]), shift)]
    assert [decode(row.numpy()) for row in sample.views["sequence"]] == ["NNAACCGT", "NNGTACGG", "NNTGCCAA", "NNNNNNAA"]
    assert sample.views["mask"].dtype == torch.bool
    assert torch.equal(sample.views["mask"], sample.views["sequence"] != encode("N")[0])


@pytest.mark.parametrize(
    ("kind", "labels", "expected", "mask"),
    [
        ("class", [[2, -1], [0, 1], [1, 1], [-1, 0]], [[2, -1], [0, 1]], [[True, False], [True, True]]),
        ("real", [[0.5, np.nan], [-1, 2], [3, 4], [5, 6]], [[0.5, 0], [-1, 2]], [[True, False], [True, True]]),
    ],
)
def test_missing_labels_of_every_kind_are_masked(
    store: SequenceStore, bins: Bins, kind: str, labels: list[list[float]], expected: object, mask: object
) -> None:
    targets = np.array(labels, dtype=KINDS[kind].dtype)
    sample = dataset(store, bins, 4, targets=targets, kind=KINDS[kind])[request(0, 1)]
    assert sample.targets.numpy().dtype == KINDS[kind].dtype
    assert (sample.targets.tolist(), sample.mask.tolist()) == (expected, mask)


def test_labels_along_a_window_are_read_like_the_window(store: SequenceStore, bins: Bins) -> None:
    # The label of a base is its letter's code, so that labels and sequence must agree on either strand.
    codes = np.stack([encode("AACC"), encode("GTAC"), encode("TTTT"), encode("GGCA")]).astype(np.int8)
    targets = np.stack([codes, np.full_like(codes, 7)], axis=2)
    targets[0, 0, 1] = -1
    data = dataset(store, bins, 4, targets=targets, kind=KINDS["position_class"])
    for reverse in (False, True):
        sample = data[request(0, 1, 3, reverse=reverse)]
        read = sample.views["sequence"].long()
        turned = torch.from_numpy(bins.reverse[[0, 1, 3]] ^ reverse)[:, None]
        assert torch.equal(sample.targets[..., 0].long(), torch.where(turned, 3 - read, read))
        assert sample.mask[..., 0].all()
        assert (~sample.mask[..., 1]).nonzero().tolist() == [[0, 3 if reverse else 0]]


def test_stranded_tracks_change_places_on_the_other_strand(store: SequenceStore, bins: Bins) -> None:
    targets = np.arange(4 * 4 * 3, dtype=np.float32).reshape(4, 4, 3)
    targets[0, 1, 0] = np.nan
    control = targets + 100
    views = make_views(["sequence", "control"], store, bins, 4, control, [1, 0, 2])
    data = WindowDataset(views, bins.reverse, targets, kind=KINDS["profile"], order=[1, 0, 2])
    sample = data[request(0, 1, reverse=True)]
    known = np.nan_to_num(targets)
    np.testing.assert_array_equal(sample.targets[0], known[0, ::-1][:, [1, 0, 2]])
    np.testing.assert_array_equal(sample.targets[1], known[1])
    assert (~sample.mask).nonzero().tolist() == [[0, 2, 1]]
    np.testing.assert_array_equal(sample.views["control"][0], np.nan_to_num(control)[0, ::-1][:, [1, 0, 2]])
    assert torch.equal(from_other_strand(from_other_strand(sample.targets, [1, 0, 2]), [1, 0, 2]), sample.targets)
    assert targets[0, 0, 0] == 0


def test_a_control_of_whole_bins_changes_its_tracks(store: SequenceStore, bins: Bins) -> None:
    control = np.arange(8, dtype=np.float32).reshape(4, 2)
    data = WindowDataset(make_views(["control"], store, bins, 4, control, [1, 0]), bins.reverse)
    assert data[request(0, 1)].views["control"].tolist() == [[0, 1], [3, 2]]


def test_a_control_that_is_not_there_is_refused(store: SequenceStore, bins: Bins) -> None:
    for control in (None, np.empty((4, 0), np.float32)):
        with pytest.raises(UserError, match="found control, which this data set does not have"):
            make_views(["control"], store, bins, 4, control)


def test_a_sequence_with_one_strand_is_not_turned_round(tmp_path: Path) -> None:
    (tmp_path / "t.fa").write_text(">a\nMKV\n>b\nMW\n")
    config = {"name": "toy", "sequences": {"alphabet": "protein", "fasta": [{"file": "t.fa"}]}}
    encode_sources(config, tmp_path / "codes.npy", tmp_path / "store.json", sources=tmp_path)
    store = open_store(tmp_path / "store.json")
    place = Placement(np.array([0, 1], np.int32), np.array([2, 2]))
    bins = Bins(place, np.zeros(2, bool), np.zeros(2, np.uint8))
    data = WindowDataset(make_views(["sequence", "mask"], store, bins, 4), bins.reverse)
    sample = data[request(0, 1)]
    assert [decode(row.numpy(), PROTEIN) for row in sample.views["sequence"]] == ["MKVX", "MWXX"]
    assert sample.views["mask"].sum(dim=1).tolist() == [3, 2]
    with pytest.raises(ValueError, match="expected a sequence with two strands"):
        data[request(0, reverse=True)]


def test_loaded_views_turn_into_those_of_the_other_strand(store: SequenceStore, bins: Bins) -> None:
    control = np.arange(4 * 4 * 2, dtype=np.float32).reshape(4, 4, 2)
    data = WindowDataset(make_views(["sequence", "mask", "control"], store, bins, 7, control, [1, 0]), bins.reverse)
    one_hot = OneHot()
    there, back = (one_hot(data[request(0, 1, 2, 3, reverse=reverse)].views) for reverse in (False, True))
    turned = views_from_other_strand(there, [1, 0])
    assert turned.keys() == back.keys()
    for name, view in back.items():
        assert torch.equal(turned[name], view), name
