import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_cases import mutated, random_codes

from lociflow.sequence import homology
from lociflow.sequence.alphabet import SOFT_MASK, N, encode, reverse_complement
from lociflow.sequence.homology import best_match, similar_groups
from lociflow.sequence.search import DNA_SEARCH, Search
from lociflow.sequence.similarity_kernels import align

LENGTH = 200


def reader(sequences: np.ndarray):
    return lambda rows: sequences[rows]


def pairs_of(sequences: np.ndarray, search: Search = DNA_SEARCH) -> list[tuple[int, int]]:
    """All pairs of similar sequences, each row held against each other one."""
    rows = np.arange(len(sequences))
    return [
        (int(row), int(other))
        for other in rows
        for row in rows[other + 1 :][
            best_match(
                reader(sequences), sequences.shape[1], rows[other + 1 :], rows[other : other + 1], search=search
            ).reference
            >= 0
        ]
    ]


def padded(*texts: str) -> np.ndarray:
    sequences = np.full((len(texts), max(map(len, texts))), N, dtype=np.uint8)
    for row, text in enumerate(texts):
        sequences[row, : len(text)] = encode(text, soft_mask=True)
    return sequences


def exact_alignment(query: np.ndarray, reference: np.ndarray) -> tuple[int, int, int]:
    """Smith–Waterman over the whole matrix, cell by cell: matches, pairs and columns of the best local alignment."""
    above = [(0, 0, 0, 0)] * (len(reference) + 1)
    best = (0, 0, 0, 0)
    for base in query.tolist():
        row = [(0, 0, 0, 0)]
        for j, other in enumerate(reference.tolist()):
            same = base == other and base < 4
            score, matches, pairs, columns = above[j]
            options = [(score + (1 if same else -1), matches + same, pairs + 1, columns + 1)]
            for score, matches, pairs, columns in (above[j + 1], row[j]):
                options.append((score - 2, matches, pairs, columns + 1))
            cell = max(options, key=lambda option: option[:3])
            cell = cell if cell[0] > 0 else (0, 0, 0, 0)
            row.append(cell)
            best = max(best, cell, key=lambda option: option[:3])
        above = row
    return best[1:]


def test_a_match_by_hand():
    one = "ACGATCGATCGGATTACAGATCCATGACTTGCA"
    sequences = padded(one, "TTTT", one[:10] + "T" + one[11:])
    found = best_match(reader(sequences), sequences.shape[1], np.array([1, 2]), np.array([0]))
    assert found.reference.tolist() == [-1, 0]
    assert found.identity.tolist() == [0, np.float32(32 / 33)]
    assert found.coverage.tolist() == [0, 1]
    assert not found.reverse.any()


def test_the_other_strand():
    one = encode("ACGATCGATCGGATTACAGATCCATGACTTGCA")
    sequences = np.stack([one, reverse_complement(one)])
    found = best_match(reader(sequences), len(one), np.array([1]), np.array([0]))
    assert (found.identity.tolist(), found.coverage.tolist(), found.reverse.tolist()) == ([1], [1], [True])
    assert pairs_of(sequences, Search(either_strand=False)) == []


def test_coverage_is_of_the_shorter_one():
    generator = np.random.default_rng(1)
    long = generator.integers(0, 4, 300, dtype=np.uint8)
    sequences = np.full((2, 300), N, dtype=np.uint8)
    sequences[0] = long
    sequences[1, 20:120] = long[150:250]
    found = best_match(reader(sequences), 300, np.array([1]), np.array([0]))
    assert (found.identity[0], found.coverage[0], found.reference[0]) == (1, 1, 0)


def test_less_than_half_is_not_similar():
    generator = np.random.default_rng(2)
    sequences = random_codes(generator, 2, LENGTH)
    sequences[1, :80] = sequences[0, :80]
    assert best_match(reader(sequences), LENGTH, np.array([1]), np.array([0])).reference.tolist() == [-1]
    found = best_match(reader(sequences), LENGTH, np.array([1]), np.array([0]), coverage=0.3)
    assert found.reference.tolist() == [0]


def test_soft_masked_bases_seed_nothing_when_repeats_are_masked():
    generator = np.random.default_rng(3)
    sequences = np.repeat(random_codes(generator, 1, LENGTH), 2, axis=0)
    sequences |= SOFT_MASK
    assert pairs_of(sequences) == [(1, 0)]
    masked = best_match(reader(sequences), LENGTH, np.array([1]), np.array([0]), search=Search(mask_repeats=True))
    assert masked.reference.tolist() == [-1]
    assert masked.counts["without_seed"] > 0


def test_a_row_is_no_match_of_itself():
    sequences = random_codes(np.random.default_rng(4), 3, LENGTH)
    rows = np.arange(3)
    assert best_match(reader(sequences), LENGTH, rows, rows).reference.tolist() == [-1, -1, -1]


def test_blocks_are_joined_from_the_beginning():
    sequences = random_codes(np.random.default_rng(5), 4, LENGTH)
    sequences[3] = sequences[1]
    groups = similar_groups(reader(sequences), 4, LENGTH, blocks=np.array([7, 7, 3, 9]))
    assert groups.label.tolist() == [0, 0, 2, 0]


def test_protein():
    generator = np.random.default_rng(6)
    sequences = generator.integers(0, 20, (50, 120), dtype=np.uint8)
    sequences[49] = sequences[3]
    sequences[49, ::10] = 20
    found = best_match(reader(sequences), 120, np.array([49]), np.arange(49), search=Search(letters=20))
    assert found.reference.tolist() == [3]
    assert found.identity[0] == pytest.approx(0.9, abs=0.02)


def test_frequent_seeds_are_counted():
    sequences = np.repeat(random_codes(np.random.default_rng(7), 1, LENGTH), 50, axis=0)
    found = best_match(reader(sequences), LENGTH, np.arange(5), np.arange(5, 50), search=Search(most_places=10))
    assert found.counts["frequent_seeds"] > 0
    assert found.counts["places_left_out"] > 0
    assert found.identity.tolist() == [1] * 5


def test_searches_that_are_cut_short_are_counted():
    generator = np.random.default_rng(8)
    family = random_codes(generator, 1, LENGTH)[0]
    sequences = np.stack([mutated(family, generator, 0.1) for _ in range(30)])
    found = best_match(reader(sequences), LENGTH, np.array([0]), np.arange(1, 30), search=Search(most_alignments=3))
    assert found.counts["cut_short"] > 0
    assert found.reference[0] > 0


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.15])
def test_the_banded_alignment_is_the_exact_one(rate: float):
    generator = np.random.default_rng(9)
    scratch = np.zeros(2 * 10 + 3, np.int64)
    for query in random_codes(generator, 8, 120):
        reference = mutated(query, generator, rate, indels=0.2)
        assert align(query, reference, 0, 10, scratch) == exact_alignment(query, reference)


@settings(max_examples=60, deadline=None)
@given(st.text("ACGTN", min_size=1, max_size=40), st.text("ACGTN", min_size=1, max_size=40))
def test_a_band_over_everything_is_smith_waterman(one: str, other: str):
    plain = [np.where(encode(text) == N, np.uint8(0x7F), encode(text)) for text in (one, other)]
    score = [2 * matches + pairs - 2 * columns for matches, pairs, columns in (
        align(*plain, 0, 45, np.zeros(2 * 45 + 3, np.int64)), exact_alignment(*plain)
    )]  # fmt: skip
    assert score[0] == score[1]


@pytest.mark.parametrize("weight", [9, 11, 13])
def test_recall_at_ninety_per_cent(weight: int, monkeypatch: pytest.MonkeyPatch):
    """Nearly all that an exact alignment calls similar at 90 % or more is found, however large the data are."""
    monkeypatch.setattr(homology, "SMALLEST_WEIGHT", weight)
    generator = np.random.default_rng(10)
    count = 1500
    sequences = random_codes(generator, 2 * count, LENGTH)
    for row in range(count):
        copy = mutated(sequences[row], generator, 0.1, indels=0.25, reverse=bool(row % 2))
        if row % 3 == 0:
            # A third shares 130 bases only.
            copy[130:] = generator.integers(0, 4, LENGTH - 130)
        sequences[count + row] = copy
    queries, references = np.arange(count, 2 * count), np.arange(count)
    found = best_match(reader(sequences), LENGTH, queries, references)
    scratch = np.zeros(2 * LENGTH + 3, np.int64)
    similar = np.zeros(count, dtype=bool)
    for row in range(count):
        query = sequences[count + row]
        query = reverse_complement(query) if row % 2 else query
        matches, pairs, columns = align(query, sequences[row], 0, LENGTH, scratch)
        similar[row] = matches >= 0.88 * columns and pairs >= 0.5 * LENGTH
    right = found.reference == references
    assert similar.sum() > 0.7 * count
    assert right[similar].mean() >= 0.99
    assert (found.reverse == (np.arange(count) % 2 == 1))[right].mean() > 0.999
    assert (found.reference >= 0).sum() == right.sum()


def test_groups_are_the_components_of_the_pairs():
    generator = np.random.default_rng(11)
    sequences = random_codes(generator, 300, LENGTH)
    for row in range(100, 200):
        sequences[row] = mutated(sequences[row - 90], generator, 0.08, indels=0.2, reverse=bool(row % 2))
    sequences[299] = sequences[298]
    groups = similar_groups(reader(sequences), 300, LENGTH)
    pairs = [(row, row - 90) for row in range(100, 200)] + [(299, 298)]
    label = list(range(300))
    for row, other in pairs:
        label[row] = label[other]
    assert groups.label.tolist() == label
    assert len(np.unique(groups.label)) == 199
    threaded = similar_groups(reader(sequences), 300, LENGTH, search=Search(threads=1))
    assert threaded.label.tolist() == groups.label.tolist()


def test_chunks_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    generator = np.random.default_rng(12)
    sequences = random_codes(generator, 200, LENGTH)
    for row in range(100, 200):
        sequences[row] = mutated(sequences[row - 100], generator, 0.1, reverse=bool(row % 2))
    queries, references = np.arange(100, 200), np.arange(100)
    whole = best_match(reader(sequences), LENGTH, queries, references)
    monkeypatch.setattr(homology, "CHUNK_BASES", 37 * LENGTH)
    monkeypatch.setattr(homology, "QUERY_BASES", 11 * LENGTH)
    parts = best_match(reader(sequences), LENGTH, queries, references)
    for one, other in zip(whole[:4], parts[:4], strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(("length", "stride"), [(200, 50), (1000, 200), (1000, 1000), (600, 27)])
def test_overlapping_windows_are_searched_once_and_found_all_the_same(length: int, stride: int):
    """Copies of pieces of a genome are found in its windows, at the place from which they are."""
    generator = np.random.default_rng(14)
    genome = generator.integers(0, 4, 60_000, dtype=np.uint8)
    # A gap of the windows, and their order means nothing.
    start = np.array([place for place in range(0, 59_000, stride) if not 20_000 < place < 25_000])
    generator.shuffle(start)
    windows = np.lib.stride_tricks.sliding_window_view(genome, length)[start]
    begin = generator.integers(0, 60_000 - length, 300)
    copies = np.stack(
        [
            mutated(genome[place : place + length], generator, 0.1, indels=0.1, reverse=bool(place % 2))
            for place in begin
        ]
    )
    sequences = np.concatenate([windows, copies])
    origin = np.concatenate([start, 10**6 + 2 * length * np.arange(300)])
    queries, references = len(start) + np.arange(300), np.arange(len(start))
    found = best_match(reader(sequences), length, queries, references, origin=origin)
    nearest = np.abs(begin[:, None] - start).min(axis=1)
    clear = nearest <= 0.4 * length
    hit = found.reference >= 0
    assert hit[clear].mean() >= 0.99
    # Nearly the best of the windows, and never another place.
    off = np.abs(start[found.reference] - begin)
    assert (off[hit] < 0.55 * length).all()
    assert (off[clear & hit] <= nearest[clear & hit] + max(stride, 30)).all()
    assert (found.reverse == (begin % 2 == 1))[hit].all()


@pytest.mark.parametrize("rate", [0.1, 0.15])
def test_long_sequences_that_share_half(rate: float):
    """What shares half of a kilobase is found; what shares a third, as through a repeat, is not aligned at all."""
    generator = np.random.default_rng(15)
    sequences = random_codes(generator, 600, 1000)
    repeat = sequences[0, :320].copy()
    for row in range(300):
        shared = mutated(sequences[300 + row], generator, rate, indels=0.1, reverse=bool(row % 2))
        place = row % 400
        sequences[row, place : place + 600] = shared[place : place + 600]
    queries, references = np.arange(300), np.arange(300, 600)
    found = best_match(reader(sequences), 1000, queries, references)
    assert (found.reference == references).mean() >= 0.99
    others = random_codes(generator, 100, 1000)
    for row in range(100):
        others[row, 5 * row : 5 * row + 320] = mutated(repeat, generator, 0.1)
    none = best_match(reader(others), 1000, np.arange(50), np.arange(50, 100))
    assert (none.reference == -1).all()
    assert none.counts["alignments"] < 25
    assert none.counts["cut_short"] == 0


def test_nothing_to_compare():
    sequences = random_codes(np.random.default_rng(13), 3, LENGTH)
    nothing = np.empty(0, np.int64)
    assert best_match(reader(sequences), LENGTH, nothing, np.arange(3)).reference.tolist() == []
    assert best_match(reader(sequences), LENGTH, np.arange(3), nothing).reference.tolist() == [-1, -1, -1]
    assert similar_groups(reader(sequences), 0, LENGTH).label.tolist() == []
