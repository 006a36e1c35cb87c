from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.genome.placement import place_windows, window_codes, window_start
from lociflow.sequence.alphabet import decode


def bins(*rows: tuple, shuffled: tuple = ()) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["contig", "start", "end"])
    # Categories in another order than the store's, with one that the store lacks and no bin lies on.
    contig = pd.Categorical(frame["contig"], categories=["b", "elsewhere", "a"])
    return frame.assign(contig=contig, shuffled=np.isin(np.arange(len(frame)), shuffled))


def test_windows_are_centred_on_their_bins_and_padded(store_of: Callable):
    store = store_of({"a": "ACGTACGT", "b": "TTTTGGGG"})
    place = place_windows(bins(("a", 2, 4), ("b", 0, 3), ("b", 6, 8)), store)
    assert place.contig.tolist() == [0, 1, 1]
    assert place.position.tolist() == [3, 1, 7]
    assert window_start(place, np.arange(3), 4).tolist() == [1, -1, 5]
    # An odd window has its middle base on the bin's centre.
    assert window_start(place, np.arange(3), 5).tolist() == [1, -1, 5]
    codes = window_codes(store, place, np.array([2, 0, 1]), 4)
    assert [decode(row) for row in codes] == ["GGGN", "CGTA", "NTTT"]
    moved = window_codes(store, place, np.array([0, 0]), 4, shift=np.array([1, -2]))
    assert [decode(row) for row in moved] == ["GTAC", "NACG"]


def test_a_shuffled_bin_is_the_same_shuffle_whenever_it_is_read(store_of: Callable):
    letters = "".join(np.random.default_rng(1).choice(list("ACGT"), 300))
    store = store_of({"a": letters, "b": "A"})
    rows = [("a", 100, 200), ("a", 100, 200), ("a", 100, 200)]
    place = place_windows(bins(*rows, shuffled=(1, 2)), store)
    whole = window_codes(store, place, np.arange(3), 100)
    assert decode(whole[0]) == letters[100:200]
    assert decode(whole[1]) != letters[100:200]
    assert decode(whole[1]) != decode(whole[2])
    np.testing.assert_array_equal(window_codes(store, place, np.array([2]), 100)[0], whole[2])
    for row in whole:
        pairs = np.bincount(row[:-1].astype(int) * 4 + row[1:], minlength=16)
        first = np.bincount(whole[0][:-1].astype(int) * 4 + whole[0][1:], minlength=16)
        np.testing.assert_array_equal(pairs, first)


def test_a_shuffle_is_its_seeds_whatever_its_row(store_of: Callable):
    store = store_of({"a": "".join(np.random.default_rng(1).choice(list("ACGT"), 300)), "b": "A"})
    rows = [("a", 100, 200)] * 4
    table = bins(*rows, shuffled=(1, 2, 3)).assign(shuffle_seed=[0, 5, 6, 5])
    place = place_windows(table, store)
    assert place.shuffled is not None
    assert place.shuffled.tolist() == [False, True, True, True]
    codes = window_codes(store, place, np.arange(4), 100)
    np.testing.assert_array_equal(codes[1], codes[3])
    assert (codes[1] != codes[2]).any()
    # Rows that go change nothing.
    fewer = place_windows(table.iloc[2:], store)
    np.testing.assert_array_equal(window_codes(store, fewer, np.arange(2), 100), codes[2:])
    # Where no seed is known the place gives one.
    own = place_windows(table.drop(columns="shuffle_seed"), store)
    assert own.seeds is not None
    assert own.seeds[0] == 0
    assert len(set(own.seeds[1:].tolist())) == 3
    assert place_windows(bins(*rows), store).shuffled is None


def test_a_contig_that_the_store_lacks_is_refused(store_of: Callable):
    with pytest.raises(UserError, match="has no contig elsewhere"):
        place_windows(bins(("elsewhere", 0, 1)), store_of({"a": "A"}))
