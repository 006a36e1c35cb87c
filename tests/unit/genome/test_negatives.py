import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome import negatives as module
from lociflow.genome.negatives import background, flanks, matched, shuffled
from lociflow.genome.placement import place_windows, window_codes
from lociflow.genome.windows import bin_table, n_bases
from lociflow.sequence.store import SequenceStore

StoreOf = Callable[[dict[str, str]], SequenceStore]


def regions(store: SequenceStore, *rows: tuple[str, int, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["contig", "start", "end"])
    return table.assign(contig=pd.Categorical(table["contig"], categories=list(store.names))).astype(
        {"start": np.int64, "end": np.int64}
    )


def bins(store: SequenceStore, number: int, length: int = 10) -> pd.DataFrame:
    return bin_table(store, np.zeros(number, int), np.arange(number, dtype=np.int64), length)


def rows(frame: pd.DataFrame) -> list[tuple]:
    return list(frame[["contig", "start", "end"]].itertuples(index=False, name=None))


def test_the_only_place_that_is_free(store_of: StoreOf):
    store = store_of({"a": "A" * 100, "b": "A" * 9, "c": "N" * 30})
    drawn = background(store, bins(store, 1), regions(store, ("a", 0, 40), ("a", 50, 100)))
    assert rows(drawn) == [("a", 40, 50)]
    assert list(drawn["strand"]) == ["."]


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    avoid=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 900), st.integers(0, 60)), max_size=8),
    seed=st.integers(0, 2**64),
)
def test_touches_nothing_it_should_avoid(store_of: StoreOf, avoid: list, seed: int):
    store = store_of({"a": "A" * 800 + "N" * 50 + "A" * 150, "b": "C" * 400})
    table = regions(store, *((contig, start, start + length) for contig, start, length in avoid))
    drawn = background(store, bins(store, 8), table, ratio=1.5, seed=seed)
    assert len(drawn) == 12
    assert (n_bases(store, drawn) == 0).all()
    for contig, start, end in rows(drawn):
        assert start >= 0
        assert end - start == 10
        assert end <= (1000 if contig == "a" else 400)
        others = [*rows(table), *(row for row in rows(drawn) if row != (contig, start, end))]
        assert not any(c == contig and s < end and start < e for c, s, e in others if s < e)
    assert len(set(rows(drawn))) == 12


def test_a_function_of_the_seed_alone(store_of: StoreOf, monkeypatch: pytest.MonkeyPatch):
    store = store_of({"a": "ACGT" * 5000, "b": "ACGT" * 5000})
    avoid = regions(store, ("a", 5000, 6000))
    first = background(store, bins(store, 300), avoid, seed=3)
    pd.testing.assert_frame_equal(background(store, bins(store, 300), avoid, seed=3), first)
    assert rows(background(store, bins(store, 300), avoid, seed=4)) != rows(first)
    # Fewer bins are the first of the same draws.
    assert set(rows(background(store, bins(store, 100), avoid, seed=3))) < set(rows(first))


def test_each_contig_gets_its_share_by_free_length(store_of: StoreOf):
    store = store_of({"long": "A" * 60_000, "half": "A" * 60_000, "short": "A" * 30_000})
    drawn = background(store, bins(store, 2000), regions(store, ("half", 0, 30_000)), seed=1)
    share = drawn["contig"].value_counts(normalize=True)
    assert share["long"] == pytest.approx(0.5, abs=0.04)
    assert share["half"] == pytest.approx(0.25, abs=0.04)
    assert share["short"] == pytest.approx(0.25, abs=0.04)


def test_nothing_to_draw(store_of: StoreOf):
    store = store_of({"a": "A" * 30})
    assert background(store, bins(store, 0), regions(store)).empty


def test_no_room(store_of: StoreOf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_MISSES", 200)
    store = store_of({"a": "A" * 25})
    with pytest.raises(UserError, match=r"found room for [12] background bins of 10 bases .* expected 3"):
        background(store, bins(store, 3), regions(store))
    with pytest.raises(UserError, match="found room for 0 background bins"):
        background(store, bins(store, 1), regions(store, ("a", 0, 25)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"ratio": 0}, "windows.negatives.ratio: found 0, expected a positive number"),
        ({"ratio": "1"}, "windows.negatives.ratio: found '1'"),
        ({"seed": -1}, "windows.negatives.seed: found -1, expected a whole number of at least 0"),
        ({"seed": 2**128}, r"windows.negatives.seed: found \d+, expected a whole number below 2\*\*128"),
    ],
)
def test_bad_settings(store_of: StoreOf, arguments: dict, sentence: str):
    store = store_of({"a": "A" * 30})
    with pytest.raises(UserError, match=sentence):
        background(store, bins(store, 1), regions(store), **arguments)


def varied(store: SequenceStore, *rows: tuple[str, int, int, str]) -> pd.DataFrame:
    table = regions(store, *(row[:3] for row in rows))
    strand = pd.Categorical([row[3] for row in rows], categories=["+", "-", "."])
    return table.assign(strand=strand)


def test_background_tells_what_it_made(store_of: StoreOf):
    store = store_of({"a": "A" * 100})
    drawn = background(store, bins(store, 2), regions(store))
    assert drawn.attrs["negatives"] == {"maker": "background", "wanted": 2, "made": 2, "missing": 0}
    assert not drawn["shuffled"].any()
    with pytest.raises(UserError, match="found bins of different lengths"):
        background(store, varied(store, ("a", 0, 10, "."), ("a", 0, 11, ".")), regions(store))


def test_flank_in_the_only_room(store_of: StoreOf):
    store = store_of({"a": "A" * 100, "b": "A" * 50})
    peaks = varied(store, ("a", 40, 50, "+"), ("b", 20, 30, "-"))
    avoid = regions(store, ("a", 0, 60), ("a", 70, 100), ("b", 10, 50))
    drawn = flanks(store, peaks, avoid, near=5, far=20)
    assert rows(drawn) == [("a", 60, 70), ("b", 0, 10)]
    assert list(drawn["strand"]) == ["+", "-"]
    assert not drawn["shuffled"].any()


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    starts=st.lists(st.integers(0, 970), min_size=1, max_size=8),
    near=st.integers(0, 30),
    width=st.integers(0, 200),
    seed=st.integers(0, 2**128 - 1),
)
def test_flanks_lie_within_the_distances(store_of: StoreOf, starts: list[int], near: int, width: int, seed: int):
    store = store_of({"a": "A" * 600 + "N" * 20 + "A" * 380, "b": "C" * 400})
    peaks = varied(store, *(("a", start, start + 10 + start % 20, ".") for start in sorted(starts)))
    drawn = flanks(store, peaks, peaks, ratio=2, seed=seed, near=near, far=near + width, most_missing=1)
    counted = drawn.attrs["negatives"]
    assert counted["wanted"] == 2 * len(peaks)
    assert counted["made"] == len(drawn) == counted["wanted"] - counted["missing"]
    assert (n_bases(store, drawn) == 0).all()
    placed = sorted(rows(drawn))
    assert all(first[2] <= second[1] for first, second in itertools.pairwise(placed))
    for contig, start, end in placed:
        assert contig == "a"
        assert start >= 0
        assert end <= 1000
        assert not any(start < other and begin < end for _, begin, other in rows(peaks))
        gaps = [begin - end if end <= begin else start - other for _, begin, other in rows(peaks)]
        lengths = [other - begin for _, begin, other in rows(peaks)]
        assert any(near <= gap <= near + width and end - start == size for gap, size in zip(gaps, lengths, strict=True))


def test_flanks_without_room_are_told(store_of: StoreOf, caplog: pytest.LogCaptureFixture):
    store = store_of({"a": "A" * 40, "b": "A" * 100})
    peaks = varied(store, ("a", 10, 30, "."), ("b", 40, 60, "."))
    with pytest.raises(UserError, match=r"flanks made 1 of 2 bins, expected at least 90%; there is no room .*far"):
        flanks(store, peaks, peaks, near=0, far=10)
    with caplog.at_level("INFO", logger="lociflow"):
        drawn = flanks(store, peaks, peaks, near=0, far=10, most_missing=0.5)
    assert drawn.attrs["negatives"]["missing"] == 1
    assert "1 are missing" in caplog.text


def test_shuffles_lie_where_their_bins_lie(store_of: StoreOf):
    store = store_of({"a": "ACGTTGCATGCATTGACAGGCATTGACCAT" + "A" * 20})
    peaks = varied(store, ("a", 0, 20, "+"), ("a", 5, 30, "-"), ("a", 30, 50, "+"))
    drawn = shuffled(store, peaks, peaks, most_missing=0.4)
    # The last is a homopolymer.
    assert rows(drawn) == [("a", 0, 20), ("a", 5, 30)]
    assert list(drawn["strand"]) == ["+", "-"]
    assert drawn["shuffled"].all()
    assert drawn.attrs["negatives"] == {"maker": "shuffled", "wanted": 3, "made": 2, "missing": 1}
    twice = shuffled(store, peaks[:2], peaks, ratio=2.5)
    assert len(twice) == 5
    assert set(rows(twice)) == set(rows(drawn))
    assert (twice["shuffle_seed"] > 0).all()
    assert twice["shuffle_seed"].nunique() == 5


def test_shuffles_are_what_their_seed_makes_of_their_place(store_of: StoreOf):
    store = store_of({"z": "A" * 9, "a": "ACGTTGCATGCATTGACAGGCATTGACCATTGCATCGACTTAGC" * 4})
    peaks = varied(store, ("a", 0, 40, "+"), ("a", 0, 40, "-"), ("a", 60, 100, "."))
    first = shuffled(store, peaks, peaks, seed=1).set_index(["start", "strand"])["shuffle_seed"]
    assert first.nunique() == 3
    # Neither the order of the bins nor which others there are counts.
    for some in (peaks.iloc[::-1], peaks.iloc[1:2]):
        again = shuffled(store, some, peaks, seed=1).set_index(["start", "strand"])["shuffle_seed"]
        assert again.to_dict() == {key: first[key] for key in again.index}
    other = shuffled(store, peaks, peaks, seed=2)["shuffle_seed"]
    assert not set(other) & set(first)
    place = [place_windows(shuffled(store, peaks, peaks, seed=seed), store) for seed in (1, 2)]
    codes = [window_codes(store, each, np.arange(3), 40) for each in place]
    assert (codes[0] != codes[1]).any()


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(distance=st.integers(0, 60), seed=st.integers(0, 99), maker=st.sampled_from([background, flanks, matched]))
def test_a_distance_is_kept_from_what_is_avoided(store_of: StoreOf, distance: int, seed: int, maker: Callable):
    store = store_of({"a": "ACGTACCA" * 250, "b": "ACGTACCA" * 250})
    peaks = varied(store, ("a", 500, 520, "."), ("a", 900, 920, "."), ("b", 0, 20, "."))
    avoid = pd.concat([peaks, regions(store, ("a", 1500, 1500))], ignore_index=True)
    more = {} if maker is background else {"most_missing": 1}
    drawn = maker(store, peaks, avoid, seed=seed, ratio=2, distance=distance, **more)
    assert len(drawn)
    for contig, start, end in rows(drawn):
        others = [row for row in rows(peaks) if row[0] == contig]
        assert all(end + distance <= first or start - distance >= last for _, first, last in others)


def test_a_bad_distance(store_of: StoreOf):
    store = store_of({"a": "ACGTACCA" * 30})
    for maker in (background, flanks, matched):
        with pytest.raises(UserError, match="distance: found -1, expected a whole number of at least 0"):
            maker(store, bins(store, 1), regions(store), distance=-1)


@pytest.mark.parametrize("maker", [flanks, shuffled, matched])
def test_other_makers_take_no_bins_and_refuse_the_same_settings(store_of: StoreOf, maker: Callable):
    store = store_of({"a": "ACGTACCA" * 30})
    assert maker(store, bins(store, 0), regions(store)).empty
    for arguments, sentence in {
        "ratio": (-1, "ratio: found -1, expected a positive number"),
        "seed": (0.5, "seed: found 0.5"),
        "most_missing": (2, "most_missing: found 2, expected a number from 0 to 1"),
    }.items():
        with pytest.raises(UserError, match=sentence[1]):
            maker(store, bins(store, 1), regions(store), **{arguments: sentence[0]})


def test_flanks_refuse_distances_that_make_no_range(store_of: StoreOf):
    store = store_of({"a": "ACGTACCA" * 30})
    with pytest.raises(UserError, match="far: found 4, expected a whole number of at least 5"):
        flanks(store, bins(store, 1), regions(store), near=5, far=4)
