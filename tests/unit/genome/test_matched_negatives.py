import itertools
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome.composition import bin_composition, ks_distance, window_composition
from lociflow.genome.intervals import overlap_any
from lociflow.genome.matched_negatives import matched
from lociflow.genome.negatives import background
from lociflow.genome.placement import place_windows
from lociflow.genome.regions import categorical
from lociflow.genome.windows import in_order
from lociflow.sequence.alphabet import decode
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, open_store

StoreOf = Callable[[dict[str, str]], SequenceStore]


def interval_table(store: SequenceStore, contig: np.ndarray, start: np.ndarray, length: np.ndarray) -> pd.DataFrame:
    strand = categorical(np.arange(len(start)) % 3, ("+", "-", "."))
    return in_order(
        pd.DataFrame(
            {"contig": categorical(contig, store.names), "start": start, "end": start + length, "strand": strand}
        )
    )


def rows(frame: pd.DataFrame) -> list[tuple]:
    return list(frame[["contig", "start", "end"]].itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> SequenceStore:
    """Two contigs whose GC and repeats change along them."""
    folder = tmp_path_factory.mktemp("genome")
    draws = np.random.default_rng(5)
    with (folder / "genome.fa").open("w") as handle:
        for name, length in (("a", 120_000), ("b", 60_000)):
            gc = 0.45 + 0.15 * np.sin(np.arange(length) / 3000)
            codes = np.where(draws.random(length) < gc, draws.integers(1, 3, length), draws.choice([0, 3], length))
            letters = np.array(list(decode(codes.astype(np.uint8))))
            masked = np.sin(np.arange(length) / 700) > 0.7
            letters[masked] = np.char.lower(letters[masked])
            letters[5000:5100] = "N"
            handle.write(f">{name}\n{''.join(letters)}\n")
    write_store([folder / "genome.fa"], folder / "codes.npy", folder / "store.json", "toy", soft_mask=True)
    return open_store(folder / "store.json")


def some_bins(store: SequenceStore, number: int, seed: int = 0) -> pd.DataFrame:
    draws = np.random.default_rng(seed)
    contig = draws.integers(0, 2, number)
    length = draws.choice([60, 100, 151], number)
    start = (draws.random(number) * (store.lengths[contig] - length)).astype(np.int64)
    # Rich in GC, as promoters are.
    table = interval_table(store, contig, start, length)
    return table[bin_composition(store, table).gc > 0.5].reset_index(drop=True)


def test_the_only_place_that_matches(store_of: StoreOf):
    store = store_of({"a": "A" * 50 + "GC" * 5 + "A" * 50 + "CG" * 5 + "A" * 50})
    peak = interval_table(store, np.array([0]), np.array([50]), np.array([10]))
    drawn = matched(store, peak, peak, gc_tolerance=0.0)
    assert rows(drawn) == [("a", 110, 120)]
    assert drawn.attrs["negatives"] == {"maker": "matched", "wanted": 1, "made": 1, "missing": 0}


def test_what_cannot_be_matched_is_counted_and_not_replaced(store_of: StoreOf, caplog: pytest.LogCaptureFixture):
    store = store_of({"a": "A" * 500 + "GC" * 10 + "A" * 500})
    peaks = interval_table(store, np.zeros(2, int), np.array([300, 500]), np.array([20, 20]))
    with pytest.raises(UserError, match=r"matched made 1 of 2 bins, expected at least 90%.*raise .*gc_tolerance"):
        matched(store, peaks, peaks)
    with caplog.at_level("INFO", logger="lociflow"):
        drawn = matched(store, peaks, peaks, most_missing=0.5)
    assert bin_composition(store, drawn).gc.tolist() == [0.0]
    assert drawn.attrs["negatives"]["missing"] == 1
    assert "matched made 1 of 2 bins; 1 are missing" in caplog.text


def test_bins_of_n_have_nothing_to_match(store_of: StoreOf):
    store = store_of({"a": "N" * 50 + "A" * 500})
    peaks = interval_table(store, np.zeros(1, int), np.array([10]), np.array([20]))
    assert matched(store, peaks, peaks, max_n=1.0, most_missing=1).attrs["negatives"]["missing"] == 1


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**128 - 1),
    ratio=st.sampled_from([0.5, 1.0, 2.3]),
    same_contig=st.booleans(),
    repeats=st.sampled_from([None, 0.0, 0.1]),
)
def test_every_negative_has_a_bin_that_it_matches(
    genome: SequenceStore, seed: int, ratio: float, same_contig: bool, repeats: float | None
):
    peaks = some_bins(genome, 120, seed=seed % 7)
    drawn = matched(
        genome, peaks, peaks, ratio=ratio, seed=seed, same_contig=same_contig, repeat_tolerance=repeats, most_missing=1
    )
    assert 0.6 * ratio * len(peaks) < len(drawn) <= round(ratio * len(peaks))
    assert not overlap_any(drawn, peaks).any()
    for _, group in drawn.groupby("contig", observed=True):
        assert all(first[2] <= second[1] for first, second in itertools.pairwise(rows(group)))
    ours, theirs = bin_composition(genome, peaks), bin_composition(genome, drawn)
    assert (theirs.n == 0).all()
    like = theirs.length[:, None] == ours.length
    like &= np.abs(theirs.gc[:, None] - ours.gc) <= 0.02 + 1e-9
    if repeats is not None:
        like &= np.abs(theirs.repeat[:, None] - ours.repeat) <= repeats + 1e-9
    if same_contig:
        like &= drawn["contig"].cat.codes.to_numpy()[:, None] == peaks["contig"].cat.codes.to_numpy()
    assert like.any(axis=1).all()


def test_distributions_are_equal(genome: SequenceStore):
    peaks = some_bins(genome, 400)
    drawn = matched(genome, peaks, peaks, most_missing=0.2)
    ours, theirs = bin_composition(genome, peaks), bin_composition(genome, drawn)
    random = bin_composition(genome, background(genome, peaks[peaks["end"] - peaks["start"] == 100], peaks))
    assert ks_distance(ours.gc, random.gc) > 0.5
    assert ks_distance(ours.gc, theirs.gc) < 0.05
    assert ks_distance(ours.repeat, theirs.repeat) < 0.05
    assert ks_distance(ours.length.astype(float), theirs.length.astype(float)) < 0.05


def test_contigs_keep_their_share_and_strands_their_number(genome: SequenceStore):
    peaks = some_bins(genome, 100)
    drawn = matched(genome, peaks, peaks, gc_tolerance=0.05, repeat_tolerance=None)
    for column in ("contig", "strand"):
        assert drawn[column].value_counts().to_dict() == peaks[column].value_counts().to_dict()


def test_a_function_of_the_seed_alone(genome: SequenceStore):
    peaks = some_bins(genome, 100)
    first = matched(genome, peaks, peaks, seed=3, most_missing=1)
    pd.testing.assert_frame_equal(matched(genome, peaks, peaks, seed=3, most_missing=1), first)
    assert rows(matched(genome, peaks, peaks, seed=4, most_missing=1)) != rows(first)


def test_matches_the_window_that_the_model_sees(genome: SequenceStore):
    peaks = some_bins(genome, 150)
    drawn = matched(genome, peaks, peaks, window=501, gc_tolerance=0.01, most_missing=1, same_contig=False)
    assert len(drawn) > 30
    inner = drawn[(drawn["start"] > 300) & (drawn["start"] < 59_000)]
    ours, theirs = (
        window_composition(genome, place_windows(table, genome), np.arange(len(table)), 501).gc
        for table in (peaks, inner)
    )
    # At a contig's end N is no base, so the two fractions are of the same bases.
    assert (np.abs(theirs[:, None] - ours).min(axis=1) <= 0.01 + 1e-9).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"gc_tolerance": -0.1}, "gc_tolerance: found -0.1, expected a number from 0 to 1"),
        ({"repeat_tolerance": "x"}, "repeat_tolerance: found 'x'"),
        ({"window": 0}, "window: found 0, expected a whole number of at least 1"),
    ],
)
def test_bad_settings(genome: SequenceStore, arguments: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        matched(genome, some_bins(genome, 10), some_bins(genome, 10), **arguments)


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.skipif("LOCIFLOW_REAL_DATA" not in os.environ, reason="LOCIFLOW_REAL_DATA names no folder")
@pytest.mark.parametrize("length", [200, 500])
def test_matches_gc_no_worse_than_tangermeme(tmp_path: Path, length: int):
    from tangermeme.match import extract_matching_loci

    data = Path(os.environ["LOCIFLOW_REAL_DATA"], "yeast_sacCer3_chain")
    fasta = tmp_path / "genome.fa"
    # pyfaidx writes its index beside the FASTA.
    fasta.write_bytes((data / "genome/sacCer3.nuclear.fa").read_bytes())
    write_store([fasta], tmp_path / "codes.npy", tmp_path / "store.json", "sacCer3", soft_mask=True)
    store = open_store(tmp_path / "store.json")
    peaks = pd.read_csv(data / "chipexo_peaks/bed/Reb1_CX.bed", sep="\t", header=None)
    number = peaks[0].str.removeprefix("chr").astype(int).to_numpy() - 1
    start = ((peaks[1] + peaks[2]) // 2 - length // 2).to_numpy()
    inside = (start >= 0) & (start + length <= store.lengths[number])
    bins = interval_table(store, number[inside], start[inside], np.full(inside.sum(), length))
    bins = bins.drop_duplicates(["contig", "start"]).reset_index(drop=True)
    ours = matched(store, bins, bins, seed=1)
    found = extract_matching_loci(
        bins[["contig", "start", "end"]].astype({"contig": str}),
        str(fasta),
        in_window=length,
        out_window=length,
        random_state=1,
    )
    theirs = interval_table(
        store,
        pd.Categorical(found["chrom"], list(store.names)).codes,
        found["start"].to_numpy(),
        np.full(len(found), length),
    )
    assert len(ours) > 0.99 * len(bins)
    gc = bin_composition(store, bins).gc
    ks = [ks_distance(gc, bin_composition(store, table).gc) for table in (ours, theirs)]
    print(f"KS {ks[0]:.4f} here, {ks[1]:.4f} in tangermeme")
    assert ks[0] <= ks[1]
    assert ks[0] < 0.005
