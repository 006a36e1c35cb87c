import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_cases import bin_data, memory_store, mutated, random_codes, sequence_data

from lociflow.command import UserError
from lociflow.genome.leaks import Leaks, clean_split, find_leaks
from lociflow.genome.split_data import SplitData, as_split
from lociflow.genome.splits import by_contig, homology_aware
from lociflow.genome.window_reader import search_settings
from lociflow.sequence.alphabet import N, reverse_complement
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import open_store

TRAIN, VALIDATION, TEST = range(3)
LENGTH = 120


def split(*codes: int) -> pd.Categorical:
    return as_split(np.array(codes))


def told(leaks: Leaks, reason: str) -> list[tuple[int, int]]:
    rows = leaks.table[leaks.table["reason"] == reason]
    return list(zip(rows["row"].tolist(), rows["of_row"].tolist(), strict=True))


@pytest.fixture
def sequences() -> list[np.ndarray]:
    return list(random_codes(np.random.default_rng(1), 8, LENGTH))


def test_nothing_in_common(sequences: list[np.ndarray]):
    leaks = find_leaks(sequence_data(sequences), split(0, 0, 0, 0, 1, 1, 2, 2))
    assert leaks.table.empty
    assert leaks.searched == {"train": 4, "validation": 2, "test": 2}
    assert leaks.similarity["row"].tolist() == [4, 5, 6, 7]
    assert leaks.similarity["split"].tolist() == ["validation"] * 2 + ["test"] * 2
    assert leaks.similarity["reference"].tolist() == [-1] * 4
    assert leaks.similarity["identity"].tolist() == [0] * 4


def test_duplicates_on_either_strand(sequences: list[np.ndarray]):
    sequences[6], sequences[7] = sequences[0], reverse_complement(sequences[1])
    leaks = find_leaks(sequence_data(sequences), split(0, 0, 0, 0, 1, 1, 2, 2))
    assert told(leaks, "duplicate") == [(6, 0), (7, 1)]
    assert told(leaks, "similar") == [(6, 0), (7, 1)]
    assert leaks.table["reverse"].tolist() == [False, False, True, True]
    assert leaks.table["identity"].tolist() == [1] * 4
    assert leaks.similarity["reverse"].tolist() == [False, False, False, True]


def test_near_duplicates(sequences: list[np.ndarray]):
    generator = np.random.default_rng(2)
    sequences[5] = mutated(sequences[6], generator, 0.05)
    sequences[7] = mutated(sequences[0], generator, 0.1, indels=0.2, reverse=True)
    leaks = find_leaks(sequence_data(sequences), split(0, 0, 0, 0, 1, 1, 2, 2))
    # A validation bin is told of a test bin that it is like, but its similarity is that to training.
    assert told(leaks, "similar") == [(5, 6), (7, 0)]
    assert told(leaks, "duplicate") == []
    row = leaks.similarity.set_index("row").loc[7]
    assert 0.85 < row["identity"] < 0.97
    assert row["reverse"]
    assert leaks.similarity.set_index("row").loc[5, "reference"] == -1
    strict = find_leaks(sequence_data(sequences), split(0, 0, 0, 0, 1, 1, 2, 2), identity=0.98)
    assert strict.table.empty


def test_bins_outside_the_split_are_not_looked_at(sequences: list[np.ndarray]):
    sequences[7] = sequences[0]
    leaks = find_leaks(sequence_data(sequences), split(-1, 0, 0, 0, 1, 1, 2, 2))
    assert leaks.table.empty


def test_the_order_of_the_categories_means_nothing(sequences: list[np.ndarray]):
    sequences[7] = sequences[0]
    other = pd.Categorical(["train"] * 6 + ["test"] * 2)
    assert list(other.categories) == ["test", "train"]
    assert told(find_leaks(sequence_data(sequences), other), "duplicate") == [(7, 0)]
    assert clean_split(sequence_data(sequences), other).split.codes.tolist() == [0] * 6 + [2, -1]


def test_conflicts_on_any_side(sequences: list[np.ndarray]):
    sequences[1], sequences[7] = sequences[0], sequences[2]
    labels = np.array([[1], [0], [1], [0], [0], [0], [0], [0]], dtype=np.int8)
    leaks = find_leaks(sequence_data(sequences, labels=labels), split(0, 0, 0, 0, 1, 1, 2, 2))
    assert told(leaks, "conflict") == [(0, 1), (1, 0), (2, 7), (7, 2)]
    cleaned = clean_split(sequence_data(sequences, labels=labels), split(0, 0, 0, 0, 1, 1, 2, 2))
    assert cleaned.removed["row"].tolist() == [7]
    assert cleaned.split.codes.tolist() == [0, 0, 0, 0, 1, 1, 2, -1]


def test_groups_on_two_sides(sequences: list[np.ndarray]):
    group = ["a", "b", None, "c", "b", None, "c", "b"]
    leaks = find_leaks(sequence_data(sequences, group=group), split(0, 0, 0, 0, 1, 1, 2, 2))
    assert told(leaks, "group") == [(4, 1), (6, 3), (7, 1)]
    assert np.isnan(leaks.table["identity"]).all()


def test_what_overlaps_is_what_the_model_sees():
    contig = np.random.default_rng(3).integers(0, 4, 1000, dtype=np.uint8)
    store = memory_store([contig, contig[::-1].copy()])
    bins = {"contig": [0, 0, 0, 1], "start": [0, 100, 210, 110], "end": [100, 200, 310, 210]}
    sides = split(0, 2, 2, 2)
    assert told(find_leaks(bin_data(store, **bins), sides), "overlap") == []
    # Windows of 102 reach one base beyond their bins; the train window ends at 101, the next one begins at 99.
    assert told(find_leaks(bin_data(store, **bins, length=102), sides), "overlap") == [(1, 0)]
    assert told(find_leaks(bin_data(store, **bins, length=250), sides), "overlap") == [(1, 0), (2, 0)]
    shuffled = bin_data(store, **bins, length=250, shuffled=[True, False, False, False])
    assert told(find_leaks(shuffled, sides), "overlap") == []


def test_windows_that_share_padding_share_nothing():
    store = memory_store(list(random_codes(np.random.default_rng(4), 2, 100)))
    data = bin_data(store, [0, 1], [0, 0], [100, 100], length=400)
    assert find_leaks(data, split(0, 2)).table.empty


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 150), st.integers(0, 2)), min_size=2, max_size=30))
def test_overlaps_are_those_of_all_pairs(bins: list[tuple[int, int, int]]):
    store = memory_store([np.zeros(200, np.uint8)] * 2)
    contig, start, side = (np.array(column) for column in zip(*bins, strict=True))
    data = bin_data(store, contig, start, start + 50, length=80)
    found = {row for row, _ in told(find_leaks(data, as_split(side)), "overlap")}
    first, last = np.maximum(start + 25 - 40, 0), np.minimum(start + 25 + 40, 200)
    expected = {
        row
        for row in range(len(bins))
        for other in range(len(bins))
        if (side[row], side[other]) in ((2, 0), (1, 0), (1, 2))
        and contig[row] == contig[other]
        and first[row] < last[other]
        and first[other] < last[row]
    }
    assert found == expected


def test_a_clean_split_has_no_leak_and_keeps_training(sequences: list[np.ndarray]):
    generator = np.random.default_rng(5)
    sides = generator.integers(0, 3, 200)
    parents = random_codes(generator, 120, LENGTH)
    many = [mutated(parents[row % 120], generator, 0.05 * (row % 3), reverse=bool(row % 2)) for row in range(200)]
    data = sequence_data(many, group=[str(row % 150) if row % 5 == 0 else None for row in range(200)])
    cleaned = clean_split(data, as_split(sides))
    assert find_leaks(data, cleaned.split).table.empty
    codes = np.asarray(cleaned.split.codes)
    assert (codes[sides == TRAIN] == TRAIN).all()
    assert sorted(cleaned.removed["row"]) == np.flatnonzero(codes != sides).tolist()
    assert cleaned.removed["split"].tolist() == [
        ["train", "validation", "test"][sides[row]] for row in cleaned.removed["row"]
    ]
    assert clean_split(data, as_split(sides), leaks=find_leaks(data, as_split(sides))).removed.equals(cleaned.removed)


def test_only_what_is_asked_for_is_looked_up_in_all_of_the_other_side(sequences: list[np.ndarray]):
    generator = np.random.default_rng(2)
    sequences[4] = mutated(sequences[6], generator, 0.05)
    sequences[5], sequences[7] = sequences[1], sequences[0]
    labels = np.array([[1], [0], [1], [0], [0], [1], [0], [0]], dtype=np.int8)
    data, sides = sequence_data(sequences, labels=labels), split(0, 0, 0, 0, 1, 1, 2, 2)
    leaks = find_leaks(data, sides, queries=np.array([4, 7]))
    # Row 6 is looked up by none, and is what row 4 is like all the same.
    assert told(leaks, "similar") == [(4, 6), (7, 0)]
    assert told(leaks, "duplicate") == [(7, 0)]
    assert told(leaks, "conflict") == [(0, 7), (1, 5), (7, 0)]
    assert leaks.similarity["row"].tolist() == [4, 7]
    assert leaks.searched == {"train": 4, "validation": 1, "test": 1}
    everything = find_leaks(data, sides)
    assert find_leaks(data, sides, queries=np.arange(8)).table.equals(everything.table)
    nothing = find_leaks(data, sides, queries=np.empty(0, np.int64))
    assert nothing.table["split"].astype(str).unique().tolist() == ["train"]
    assert nothing.searched == {"train": 4, "validation": 0, "test": 0}


def test_validation_is_judged_against_what_is_left_of_test(sequences: list[np.ndarray]):
    generator = np.random.default_rng(2)
    # Row 7 goes for the sake of row 0; row 4 is like row 7, and first like no other.
    sequences[7][:80] = sequences[0][:80]
    sequences[4][45:] = sequences[7][45:]
    data, sides = sequence_data(sequences), split(0, 0, 0, 0, 1, 1, 2, 2)
    assert told(find_leaks(data, sides), "similar") == [(4, 7), (7, 0)]
    cleaned = clean_split(data, sides)
    assert cleaned.removed["row"].tolist() == [7]
    assert cleaned.split.codes.tolist() == [0, 0, 0, 0, 1, 1, 2, -1]
    sequences[6] = mutated(sequences[4], generator, 0.05)
    data = sequence_data(sequences)
    cleaned = clean_split(data, sides)
    assert set(zip(cleaned.removed["row"], cleaned.removed["of_row"], strict=True)) == {(4, 6), (7, 0)}
    assert find_leaks(data, cleaned.split).table.empty


def test_cleaning_leaves_no_side_empty(sequences: list[np.ndarray]):
    sequences[6], sequences[7] = sequences[0], sequences[1]
    data = sequence_data(sequences)
    with pytest.raises(UserError, match=r"split.test: found no bin, expected at least one; every bin of it repeats"):
        clean_split(data, split(0, 0, 0, 0, 1, 1, 2, 2))
    # A side that had no bin before may have none.
    assert clean_split(data, split(0, 0, 0, 0, -1, -1, 1, -1), reasons=["group"]).removed.empty


def test_reasons_that_do_not_count(sequences: list[np.ndarray]):
    sequences[6] = sequences[0]
    data = sequence_data(sequences, group=["a", None, None, "b", None, None, None, "b"])
    sides = split(0, 0, 0, 0, 1, 1, 2, 2)
    with pytest.raises(UserError, match="found no bin"):
        clean_split(data, sides)
    assert clean_split(data, sides, reasons=["duplicate"]).removed["row"].tolist() == [6]


def test_padded_sequences_of_several_lengths():
    generator = np.random.default_rng(6)
    long = generator.integers(0, 4, 101, dtype=np.uint8)
    with_n = np.concatenate([long[:50], np.full(3, N, np.uint8)])
    data = sequence_data([long, generator.integers(0, 4, 60, dtype=np.uint8), with_n, long[:50]])
    leaks = find_leaks(data, split(0, 0, 2, 2))
    assert told(leaks, "duplicate") == []
    assert told(leaks, "similar") == [(2, 0), (3, 0)]
    assert told(find_leaks(data, split(-1, 0, 0, 2)), "duplicate") == [(3, 2)]


def test_settings_of_dna(sequences: list[np.ndarray]):
    data: SplitData = sequence_data(sequences)
    assert search_settings(data.store)[:3] == (4, True, False)
    assert search_settings(data.store, mask_repeats=True).mask_repeats


@pytest.mark.slow
@pytest.mark.real_data
def test_yeast_has_relatives_on_both_sides_of_any_split(tmp_path: Path):
    """Subtelomeres, Ty elements, rDNA and paralogs: about one tile in fifteen."""
    if "LOCIFLOW_REAL_DATA" not in os.environ:
        pytest.skip("LOCIFLOW_REAL_DATA does not name a folder")
    fasta = Path(os.environ["LOCIFLOW_REAL_DATA"], "yeast_sacCer3_chain/genome/sacCer3.nuclear.fa")
    write_store([fasta], tmp_path / "codes.npy", tmp_path / "store.json", name="sacCer3")
    store = open_store(tmp_path / "store.json")
    contig = np.repeat(np.arange(len(store.names)), store.lengths // 200)
    start = np.concatenate([200 * np.arange(length // 200) for length in store.lengths])
    data = bin_data(store, contig, start, start + 200)
    by_chromosome = by_contig(data, validation=["chrVIII"], test=["chrIV", "chrXVI"])
    leaks = find_leaks(data, by_chromosome)
    test = leaks.similarity[leaks.similarity["split"] == "test"]
    shares = [float((test["identity"] >= identity).mean()) for identity in (0.8, 0.9, 0.95)]
    assert shares == pytest.approx([0.074, 0.064, 0.060], abs=0.003)
    # Outside the last 30 kb of a chromosome it is less than half as many.
    place = start[test["row"]]
    inner = (place > 30_000) & (place < store.lengths[contig[test["row"]]] - 30_000)
    near = (test["identity"] >= 0.8).to_numpy()
    assert near[~inner].mean() > 2 * near[inner].mean()
    homologs_apart = homology_aware(data, fractions={"train": 0.8, "validation": 0.1, "test": 0.1}, block=20_000)
    assert find_leaks(data, homologs_apart).table.empty
    assert (np.asarray(homologs_apart.codes) >= 0).mean() > 0.99
