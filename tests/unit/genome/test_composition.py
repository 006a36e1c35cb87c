import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from lociflow.genome.composition import (
    Composition,
    bin_composition,
    composition,
    ks_distance,
    matching_report,
    window_composition,
)
from lociflow.genome.placement import place_windows
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, open_store

StoreOf = Callable[[dict[str, str]], SequenceStore]


@pytest.fixture
def masked_store_of(tmp_path: Path) -> StoreOf:
    """Make a sequence store that keeps lower case."""

    def make(contigs: dict[str, str]) -> SequenceStore:
        fasta = tmp_path / "masked.fa"
        fasta.write_text("".join(f">{name}\n{letters}\n" for name, letters in contigs.items()))
        write_store([fasta], tmp_path / "codes.npy", tmp_path / "store.json", "toy", soft_mask=True)
        return open_store(tmp_path / "store.json")

    return make


def one(store: SequenceStore, start: int, end: int, contig: int = 0) -> tuple[float, float, float, int]:
    gc, n, repeat, length = composition(store, np.array([contig]), np.array([start]), np.array([end]))
    return float(gc[0]), float(n[0]), float(repeat[0]), int(length[0])


def test_counted_by_hand(masked_store_of: StoreOf):
    store = masked_store_of({"a": "ACgtNNnRsA", "b": "GGGG"})
    assert one(store, 0, 4) == (0.5, 0.0, 0.5, 4)
    # R and S are bases of which it is not said whether they are G or C.
    assert one(store, 0, 10) == (pytest.approx(2 / 5), 0.3, 0.4, 10)
    gc, n, repeat, length = one(store, 4, 7)
    assert np.isnan(gc)
    assert (n, repeat, length) == (1.0, pytest.approx(1 / 3), 3)


def test_what_lies_beyond_a_contig_is_n(masked_store_of: StoreOf):
    store = masked_store_of({"a": "CCCCC", "b": "AAAAA"})
    assert one(store, -2, 2) == (1.0, 0.5, 0.0, 4)
    assert one(store, -3, 3, contig=1) == (0.0, 0.5, 0.0, 6)
    assert one(store, 4, 8) == (1.0, 0.75, 0.0, 4)
    assert one(store, 7, 9)[1:] == (1.0, 0.0, 2)


def test_no_repeats_are_told_without_a_mask(store_of: StoreOf):
    found = composition(store_of({"a": "acgtACGT"}), np.array([0]), np.array([0]), np.array([8]))
    assert np.isnan(found.repeat).all()
    assert matching_report(found, found)["repeat"] is None


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    letters=st.text("ACGTNacgtnRy", min_size=1, max_size=50),
    intervals=st.lists(st.tuples(st.integers(-9, 55), st.integers(1, 30)), min_size=1, max_size=9),
)
def test_equals_counting_letters(masked_store_of: StoreOf, letters: str, intervals: list[tuple[int, int]]):
    store = masked_store_of({"z": "G" * 20, "a": letters, "b": "C" * 40})
    start, length = np.array(intervals).T
    found = composition(store, np.full(len(start), 1), start, start + length)
    for row, (begin, bases) in enumerate(intervals):
        text = "".join(letters[place] if 0 <= place < len(letters) else "N" for place in range(begin, begin + bases))
        known = [letter for letter in text.upper() if letter in "ACGT"]
        assert found.n[row] == text.upper().count("N") / bases
        assert found.repeat[row] == sum(letter.islower() for letter in text) / bases
        if known:
            assert found.gc[row] == pytest.approx(sum(letter in "GC" for letter in known) / len(known))
        else:
            assert np.isnan(found.gc[row])


def test_stretches_longer_than_the_counters(store_of: StoreOf):
    store = store_of({"a": "G" * 70_000 + "A" * 70_000 + "N" * 10_000})
    assert one(store, 0, 150_000)[:2] == (0.5, 10_000 / 150_000)


def test_bins_and_windows(store_of: StoreOf):
    store = store_of({"a": "AAAACCCCGGGGTTTT", "b": "C" * 8})
    bins = pd.DataFrame({"contig": pd.Categorical(["a", "b"], categories=["a", "b"]), "start": [2, 0], "end": [6, 8]})
    assert bin_composition(store, bins).gc.tolist() == [0.5, 1.0]
    assert bin_composition(store, bins).length.tolist() == [4, 8]
    windows = window_composition(store, place_windows(bins, store), np.array([0, 1]), 8)
    assert windows.gc.tolist() == [0.5, 1.0]
    wide = window_composition(store, place_windows(bins, store), np.array([1]), 16)
    assert (wide.gc.tolist(), wide.n.tolist()) == ([1.0], [0.5])
    assert len(bin_composition(store, bins[:0]).gc) == 0


def made(gc: list[float], length: list[int]) -> Composition:
    return Composition(np.array(gc), np.zeros(len(gc)), np.zeros(len(gc)), np.array(length))


def test_report():
    report = matching_report(made([0.2, 0.4, 0.4, 0.9], [10] * 4), made([0.2, 0.2, 0.4, 0.9, np.nan], [10] * 4 + [30]))
    assert (report["positives"], report["negatives"]) == (4, 5)
    assert report["gc"]["ks"] == pytest.approx(0.25)
    assert report["gc"]["median_positives"] == 0.4
    assert sum(report["gc"]["positives"]) == sum(report["gc"]["negatives"]) == 4
    assert report["length"]["ks"] == pytest.approx(0.2)
    assert (report["length"]["edges"][0], report["length"]["edges"][-1]) == (10, 30)
    assert report["n"]["ks"] == 0
    assert json.loads(json.dumps(report)) == report
    assert matching_report(made([], []), made([0.2], [1]))["gc"] is None


@settings(max_examples=50, deadline=None, derandomize=True)
@given(*[st.lists(st.integers(0, 9), min_size=5, max_size=30)] * 2)
def test_distance_is_that_of_scipy(ours: list[int], theirs: list[int]):
    expected = ks_2samp(ours, theirs, method="asymp").statistic
    assert ks_distance(np.array(ours), np.array(theirs)) == pytest.approx(expected)
