from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.genome import windows
from lociflow.genome.windows import in_order, n_bases, peak_centred_bins, region_bins, tile_bins
from lociflow.sequence.store import SequenceStore

StoreOf = Callable[[dict[str, str]], SequenceStore]


def regions(store: SequenceStore, *rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame([(*row, -1)[:4] for row in rows], columns=["contig", "start", "end", "summit"])
    return table.assign(contig=pd.Categorical(table["contig"], categories=list(store.names))).astype(
        {"start": np.int64, "end": np.int64, "summit": np.int64}
    )


def rows(frame: pd.DataFrame) -> list[tuple]:
    return list(frame[["contig", "start", "end"]].itertuples(index=False, name=None))


def test_tiles_in_the_stores_order_without_the_tail(store_of: StoreOf):
    store = store_of({"z": "A" * 25, "a": "C" * 10, "short": "G" * 9})
    bins = tile_bins(store, regions(store), regions(store), bin=10)
    assert rows(bins.table) == [("z", 0, 10), ("z", 10, 20), ("a", 0, 10)]
    assert list(bins.table["contig"].cat.categories) == ["z", "a", "short"]
    assert set(bins.table["strand"]) == {"."}
    assert (bins.made, bins.dropped, bins.background) == (5, {"tail": 2, "blacklist": 0, "n": 0}, 0)


def test_only_the_tiles_that_a_peak_touches(store_of: StoreOf):
    store = store_of({"z": "A" * 25 + "N" * 5 + "A" * 12, "a": "C" * 10})
    peaks = regions(store, ("z", 9, 11), ("z", 28, 31), ("z", 40, 41)).assign(makes_bin=[True, True, True])
    bins = tile_bins(store, peaks, regions(store), bin=10, only_peaks=True)
    assert rows(bins.table) == [("z", 0, 10), ("z", 10, 20), ("z", 30, 40)]
    # Of six tiles one touches no peak, one is of N in part, one leaves its contig.
    assert (bins.made, bins.dropped) == (6, {"no_peak": 1, "tail": 1, "blacklist": 0, "n": 1})
    weaker = tile_bins(store, peaks.assign(makes_bin=[False, False, True]), regions(store), bin=10, only_peaks=True)
    assert (rows(weaker.table), weaker.dropped["no_peak"]) == ([], 5)
    both = tile_bins(store, peaks, regions(store), bin=10, only_peaks=True, stranded=True)
    assert (len(both.table), both.made, both.dropped["no_peak"]) == (6, 12, 2)


def test_a_place_on_two_sides_of_a_published_split_is_two_bins(store_of: StoreOf):
    store = store_of({"z": "A" * 60})
    peaks = regions(store, ("z", 10, 20), ("z", 10, 20), ("z", 10, 20), ("z", 30, 41))
    sides = pd.Categorical(["train", "test", "train", "test"], categories=["train", "validation", "test"])
    bins = peak_centred_bins(store, peaks.assign(published=sides), regions(store), bin=10)
    assert bins.table[["start", "end", "published"]].values.tolist() == [
        [10, 20, "train"], [10, 20, "test"], [30, 40, "test"],
    ]  # fmt: skip
    assert (bins.made, bins.dropped["duplicate"]) == (4, 1)
    assert list(bins.table["published"].cat.categories) == ["train", "validation", "test"]


@pytest.mark.parametrize(("stride", "starts", "tail"), [(4, [0, 4, 8], 2), (7, [0, 7], 1), (15, [0, 15], 0)])
def test_stride(store_of: StoreOf, stride: int, starts: list[int], tail: int):
    store = store_of({"z": "A" * (18 if stride < 15 else 25)})
    bins = tile_bins(store, regions(store), regions(store), bin=10, stride=stride)
    assert list(bins.table["start"]) == starts
    assert bins.dropped["tail"] == tail
    assert bins.made == len(starts) + tail


def test_each_dropped_bin_has_one_reason(store_of: StoreOf):
    store = store_of({"z": "A" * 10 + "N" * 10 + "A" * 9 + "N" + "R" * 10 + "ACGTACGTAC" + "NNN"})
    blacklist = regions(store, ("z", 0, 1), ("z", 19, 20), ("z", 50, 53), ("z", 30, 30))
    bins = tile_bins(store, regions(store), blacklist, bin=10)
    # The second bin is blacklisted and N, and counts as blacklisted; IUPAC codes other than N are bases.
    assert bins.dropped == {"tail": 1, "blacklist": 2, "n": 1}
    assert rows(bins.table) == [("z", 30, 40), ("z", 40, 50)]
    assert bins.made == 6


def test_max_n_is_a_fraction_that_may_be_reached(store_of: StoreOf):
    store = store_of({"z": "NAAAAAAAAA" + "NNAAAAAAAA" + "N" * 10})
    for max_n, kept in [(0.0, []), (0.1, [0]), (0.2, [0, 10]), (1.0, [0, 10, 20])]:
        bins = tile_bins(store, regions(store), regions(store), bin=10, max_n=max_n)
        assert list(bins.table["start"]) == kept


@pytest.mark.parametrize("block", [1, 3, 1 << 24])
def test_n_bases(store_of: StoreOf, monkeypatch: pytest.MonkeyPatch, block: int):
    monkeypatch.setattr(windows, "N_BLOCK", block)
    store = store_of({"y": "NA", "z": "ANNAnN"})
    bins = regions(store, ("z", 0, 6), ("z", 3, 4), ("y", 0, 2), ("z", 1, 3))
    assert n_bases(store, bins).tolist() == [4, 0, 1, 2]


def test_a_genome_shorter_than_a_bin_gives_none(store_of: StoreOf):
    store = store_of({"z": "ACGT"})
    bins = tile_bins(store, regions(store), regions(store), bin=10)
    assert bins.table.empty
    assert bins.dropped["tail"] == bins.made == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"bin": 0}, "windows.bin: found 0, expected a whole number of at least 1"),
        ({"bin": "200"}, "windows.bin: found '200'"),
        ({"bin": 10, "stride": 2.5}, "windows.stride: found 2.5"),
        ({"bin": 10, "max_n": 1.5}, "windows.max_n: found 1.5, expected a fraction from 0 to 1"),
    ],
)
def test_bad_settings(store_of: StoreOf, settings: dict, sentence: str):
    store = store_of({"z": "A" * 20})
    with pytest.raises(UserError, match=sentence):
        tile_bins(store, regions(store), regions(store), **settings)


def test_peak_centred_at_the_summit_or_else_the_middle(store_of: StoreOf):
    store = store_of({"a": "A" * 50, "b": "A" * 50})
    peaks = regions(store, ("b", 20, 40, 21), ("a", 20, 25), ("a", 30, 31))
    bins = peak_centred_bins(store, peaks, regions(store), bin=4)
    assert rows(bins.table) == [("a", 20, 24), ("a", 28, 32), ("b", 19, 23)]


def test_peak_centred_drops_by_reason(store_of: StoreOf):
    store = store_of({"a": "A" * 30 + "N" + "A" * 19})
    peaks = regions(
        store, ("a", 1, 2), ("a", 10, 11), ("a", 9, 12), ("a", 29, 30), ("a", 40, 41), ("a", 49, 50), ("a", 48, 49)
    )
    bins = peak_centred_bins(store, peaks, regions(store, ("a", 41, 42)), bin=4)
    assert rows(bins.table) == [("a", 8, 12), ("a", 46, 50)]
    assert bins.dropped == {"duplicate": 1, "outside": 2, "blacklist": 1, "n": 1}
    assert bins.made == len(bins.table) + sum(bins.dropped.values()) == 7


def test_peak_centred_with_negatives_hands_over_what_to_avoid(store_of: StoreOf):
    store = store_of({"a": "A" * 50})
    given: dict = {}

    def negatives(**arguments: object) -> pd.DataFrame:
        given.update(arguments)
        table = regions(store, ("a", 3, 7)).drop(columns="summit")
        return table.assign(strand=pd.Categorical(["."], categories=[".", "+", "-"]))

    bins = peak_centred_bins(
        store, regions(store, ("a", 20, 21)), regions(store, ("a", 40, 45)), bin=4, negatives=negatives
    )
    assert rows(bins.table) == [("a", 3, 7), ("a", 18, 22)]
    assert (bins.made, bins.background) == (2, 1)
    assert rows(given["avoid"]) == [("a", 20, 21), ("a", 40, 45), ("a", 18, 22)]
    assert rows(given["bins"]) == [("a", 18, 22)]


def test_doubtful_peaks_make_bins_that_no_negative_is_drawn_for(store_of: StoreOf):
    store = store_of({"a": "A" * 100})
    peaks = regions(store, ("a", 20, 21), ("a", 40, 41), ("a", 60, 61), ("a", 40, 41), ("a", 80, 81), ("a", 80, 81))
    peaks = peaks.assign(
        makes_bin=[True, True, False, True, True, True], positive=[True, False, False, False, False, True]
    )
    given: dict = {}

    def negatives(**arguments: object) -> pd.DataFrame:
        given.update(arguments)
        table = regions(store, ("a", 3, 7)).drop(columns="summit")
        return table.assign(strand=pd.Categorical(["."], categories=[".", "+", "-"]))

    bins = peak_centred_bins(store, peaks, regions(store), bin=4, negatives=negatives)
    assert rows(bins.table) == [("a", 3, 7), ("a", 18, 22), ("a", 38, 42), ("a", 78, 82)]
    assert list(bins.table.columns) == ["contig", "start", "end", "strand", "shuffled", "shuffle_seed"]
    # A bin is positive as soon as one of its peaks is.
    assert rows(given["bins"]) == [("a", 18, 22), ("a", 78, 82)]
    assert ("a", 60, 61) in rows(given["avoid"])
    assert ("a", 38, 42) in rows(given["avoid"])
    assert (bins.made, bins.dropped["duplicate"]) == (6, 2)


def test_regions_are_tiled_from_end_to_end(store_of: StoreOf):
    store = store_of({"a": "A" * 60, "b": "A" * 60})
    peaks = regions(store, ("b", 5, 30), ("a", 10, 20), ("a", 33, 36), ("b", 5, 15), ("a", 0, 3))
    peaks = peaks.assign(strand=pd.Categorical(["+", "-", ".", "+", "."], categories=[".", "+", "-"]))
    bins = region_bins(store, peaks, regions(store, ("b", 29, 30)), bin=10)
    # The last bin of the first region is moved back to its end, and is blacklisted; a short region has one around it.
    assert rows(bins.table) == [("a", 10, 20), ("a", 29, 39), ("b", 5, 15), ("b", 15, 25)]
    assert list(bins.table["strand"]) == ["-", ".", "+", "+"]
    assert bins.dropped == {"duplicate": 1, "outside": 1, "blacklist": 1, "n": 0}
    assert bins.made == len(bins.table) + sum(bins.dropped.values())
    plain = region_bins(store, peaks, regions(store), bin=10, stride=5, stranded=False)
    assert set(plain.table["strand"]) == {"."}
    assert [start for contig, start, _ in rows(plain.table) if contig == "b"] == [5, 10, 15, 20]
    believed = region_bins(store, peaks.assign(makes_bin=[False, True, False, False, False]), regions(store), bin=10)
    assert rows(believed.table) == [("a", 10, 20)]


def test_in_order(store_of: StoreOf):
    store = store_of({"z": "A", "a": "A"})
    assert rows(in_order(regions(store, ("a", 0, 1), ("z", 5, 6), ("z", 2, 3)))) == [
        ("z", 2, 3),
        ("z", 5, 6),
        ("a", 0, 1),
    ]
