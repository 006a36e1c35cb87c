"""Which sequences of a data set are similar to each other, on either strand.

Two sequences are similar when their best local alignment (match +1, mismatch -1, gap -2 a base) has at least the
``identity`` asked for, matches over columns, and aligns at least the ``coverage`` asked for of the shorter one's known
bases. Candidates share a spaced seed (Ma, Tromp & Li 2002, Bioinformatics 18:440) of a weight that grows with the data,
of which there are two patterns, one for long sequences. An ungapped extension sorts out those that share it by chance,
the edit distances of short blocks those of long sequences that share no more than a repeat, and a banded alignment
(Smith & Waterman 1981) measures the rest. What is searched for is held in memory in chunks of :data:`CHUNK_BASES`, what
is looked up in blocks, so memory does not grow with the data set.

No seed lies on an unknown letter, and none on two kinds of base or fewer, such as (TA)n; nothing that is left out for
the sake of time goes uncounted. Results depend on neither the number of threads nor their timing.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from lociflow.sequence import similarity_kernels as kernels
from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.sequence.same_sequences import first_of_same
from lociflow.sequence.search import DNA_SEARCH, NUCLEOTIDES, QUERY_BASES, Codes, Search
from lociflow.sequence.union_find import flatten, join

CHUNK_BASES = 1 << 28
# Blocks of queries between two updates of the components; a constant, so that no result depends on the threads.
ROUND = 16

# Places of one pattern at which what is similar may be found.
PLACES = 200

# Score of the ungapped extension that is worth an alignment, beyond the seed's own, and how far it may fall meanwhile.
LEAST_OVER_SEED = 7
DROP = 7

# Two patterns for each weight, the best of those drawn at random for alignments of 100 bases with 12 % of errors, a
# quarter of them gaps, and of 160 bases with 20 %.
PATTERNS = {
    8: ("1101110110001", "1101110100101"),
    9: ("1110101101101", "111011100111"),
    10: ("111101101111", "101110111111"),
    11: ("1110111011111", "1111110101001101"),
    12: ("11011010011100010111", "11101110111111"),
    13: ("111110111101111", "11100100011011011111"),
}
SMALLEST_WEIGHT, LARGEST_WEIGHT = 8, 13

COUNTS = ("seeds", "frequent_seeds", "places_left_out", "without_seed", "cut_short", "alignments")
"""What is counted, summed over both patterns and all chunks: seeds looked up, those that occur at too many places and
the places passed over, queries without any seed, queries whose search ended early, and alignments."""


class Matches(NamedTuple):
    """The best match of each query: vectors in the queries' order."""

    identity: np.ndarray
    """``float32``; 0 where nothing similar was found."""
    coverage: np.ndarray
    """``float32``."""
    reference: np.ndarray
    """``int64``, row; -1 where nothing was found."""
    reverse: np.ndarray
    """``bool``."""
    counts: dict[str, int]


class Groups(NamedTuple):
    """Sequences joined by similarity, directly or through others."""

    label: np.ndarray
    """``int64``, shape ``(n,)``: the smallest row of each sequence's group."""
    counts: dict[str, int]


def best_match(
    codes: Codes,
    length: int,
    queries: np.ndarray,
    references: np.ndarray,
    identity: float = 0.8,
    coverage: float = 0.5,
    *,
    origin: np.ndarray | None = None,
    search: Search = DNA_SEARCH,
) -> Matches:
    """Find the most similar reference of each query.

    Parameters
    ----------
    codes
        Reads sequences of rows; shorter ones are padded with an unknown letter.
    length
        Codes of each.
    queries, references
        Rows; a row that is both is not compared with itself.
    identity, coverage
        Least of a match, in (0, 1].
    origin
        ``int64``, a value a row that ``codes`` knows: where it begins on an axis on which sequences that overlap have
        the same letters, as windows of a genome do. What several references share is then searched once, and of those
        that overlap the one is measured that lies best; nothing is found through bases that a row shares with itself.
        Different sequences must not begin at the same place. None: no sequences overlap.
    search
        How.

    Returns
    -------
    Matches
        Of the references that cover enough, one of the highest identity found; with one of at least 0.98 the search
        ends.
    """
    queries = np.asarray(queries, dtype=np.int64)
    references = np.asarray(references, dtype=np.int64)
    best = Matches(
        np.zeros(len(queries), np.float32),
        np.zeros(len(queries), np.float32),
        np.full(len(queries), -1, np.int64),
        np.zeros(len(queries), bool),
        {},
    )
    place = np.argsort(queries, kind="stable")
    counts = np.zeros(len(COUNTS), np.int64)
    for chunk in _chunks(codes, references, length, coverage, origin, search):
        # Every later pattern and chunk is only asked for something better.
        for found, measured, counted in chunk.search(codes, queries, identity, coverage, None, False, best.identity):
            counts += counted
            row = place[np.searchsorted(queries, found[:, 0], sorter=place)]
            # In order of identity, so that the best of several is written last.
            order = np.lexsort((-found[:, 1], measured[:, 1], measured[:, 0]))
            row, found, measured = row[order], found[order], measured[order]
            better = measured[:, 0] >= best.identity[row]
            row, found, measured = row[better], found[better], measured[better]
            best.identity[row], best.coverage[row] = measured[:, 0], measured[:, 1]
            best.reference[row], best.reverse[row] = found[:, 1], found[:, 2] == 1
    return best._replace(counts=_named(counts))


def similar_groups(
    codes: Codes,
    n: int,
    length: int,
    identity: float = 0.8,
    coverage: float = 0.5,
    *,
    blocks: np.ndarray | None = None,
    origin: np.ndarray | None = None,
    search: Search = DNA_SEARCH,
) -> Groups:
    """Join all sequences that are similar, by union–find, without ever holding the pairs.

    Sequences that are in one group already are not compared any more, so families of thousands cost little.

    Parameters
    ----------
    codes, length, identity, coverage, origin, search
        As for :func:`best_match`.
    n
        Number of rows.
    blocks
        ``int64``, shape ``(n,)``: sequences of the same block are in one group from the beginning; None: none are.
    """
    parent = first_of_same(codes, np.arange(n), length, search).first
    rows = np.flatnonzero(parent == np.arange(n))
    if blocks is not None:
        _, first, inverse = np.unique(blocks, return_index=True, return_inverse=True)
        join(parent, np.arange(n), first[inverse].astype(np.int64))
        flatten(parent)
    counts = np.zeros(len(COUNTS), np.int64)
    for chunk in _chunks(codes, rows, length, coverage, origin, search):
        for found, _, counted in chunk.search(codes, rows, identity, coverage, parent, True, joins=64):
            counts += counted
            join(parent, found[:, 0], found[:, 1])
            flatten(parent)
    return Groups(parent, _named(counts))


class _Chunk(NamedTuple):
    """References in memory and the index of one pattern of seeds."""

    rows: np.ndarray
    plain: np.ndarray
    known: np.ndarray
    origin: np.ndarray
    starts: np.ndarray
    positions: np.ndarray
    offsets: np.ndarray
    settings: Search

    def search(
        self,
        codes: Codes,
        queries: np.ndarray,
        identity: float,
        coverage: float,
        blocks: np.ndarray | None,
        earlier_only: bool,
        best: np.ndarray | None = None,
        joins: int = 0,
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield what the kernel finds for a round of queries; ``blocks`` and ``best`` may change between rounds."""
        length = self.plain.shape[1]
        settings = self.settings
        complement = _complement(settings)
        weight = len(self.offsets)
        band = max(8, int(np.ceil(0.7 * np.sqrt(length))))
        limits = np.array(
            [settings.most_places, settings.most_alignments, joins, weight + LEAST_OVER_SEED, DROP, band],
            dtype=np.int64,
        )
        step = max(1, QUERY_BASES // length)

        def part(begin: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            rows = queries[begin : begin + step]
            plain = _plain(codes(rows), settings)
            start = np.zeros(len(rows), np.float32) if best is None else best[begin : begin + step].copy()
            return kernels.search(
                plain,
                rows,
                _known(plain),
                complement,
                self.plain,
                self.rows,
                self.known,
                self.origin,
                self.starts,
                self.positions,
                self.offsets,
                settings.letters,
                np.empty(0, np.int64) if blocks is None else blocks,
                earlier_only,
                best is not None,
                start,
                limits,
                identity,
                coverage,
            )

        begins = range(0, len(queries), step)
        with ThreadPoolExecutor(_threads(settings)) as pool:
            for round_begin in range(0, len(begins), ROUND):
                parts = list(pool.map(part, begins[round_begin : round_begin + ROUND]))
                yield (
                    np.concatenate([found for found, _, _ in parts]),
                    np.concatenate([measured for _, measured, _ in parts]),
                    np.sum([counted for _, _, counted in parts], axis=0),
                )


def _chunks(
    codes: Codes, references: np.ndarray, length: int, coverage: float, origin: np.ndarray | None, search: Search
) -> Iterator[_Chunk]:
    """Yield chunks of the references under each pattern; only one is in memory at a time."""
    if not 1 <= length <= kernels.LONGEST:
        raise ValueError(f"length {length}: expected 1 to {kernels.LONGEST}")
    size = max(1, CHUNK_BASES // length)
    if origin is not None:
        references = references[np.argsort(origin[references], kind="stable")]
    for begin in range(0, len(references), size):
        rows = references[begin : begin + size]
        plain = np.empty((len(rows), length), dtype=np.uint8)
        block = max(1, QUERY_BASES // length)
        for low in range(0, len(rows), block):
            plain[low : low + block] = _plain(codes(rows[low : low + block]), search)
        known = _known(plain)
        place = length * np.arange(len(rows), dtype=np.int64) if origin is None else origin[rows]
        patterns = _patterns(plain.size, length, search.letters)
        # What must be covered of long sequences has places enough for one pattern.
        for pattern in patterns[:1] if length * coverage >= PLACES else patterns:
            yield _Chunk(rows, plain, known, place, *_index(plain, place, pattern, coverage, search), pattern, search)


def _index(
    plain: np.ndarray, origin: np.ndarray, offsets: np.ndarray, coverage: float, search: Search
) -> tuple[np.ndarray, np.ndarray]:
    length = plain.shape[1]
    # A seed that lies in several sequences which overlap is kept with the first of them.
    first = np.zeros(len(plain), dtype=np.int64)
    first[1:] = np.maximum(length - int(offsets[-1]) - np.diff(origin), 0)
    seeds = search.letters ** len(offsets)
    # Of long sequences not every place is needed: what covers enough of one still has about as many.
    step = max(1, int(length * coverage) // PLACES)
    starts = np.zeros(seeds + 1, dtype=np.uint32)
    threads = _threads(search)
    borders = [seeds * part // threads for part in range(threads + 1)]

    # Each thread sees all sequences and writes its own seeds, so that none writes where another does.
    def count(part: int) -> None:
        kernels.count_seeds(plain, first, offsets, search.letters, borders[part], borders[part + 1], step, starts)

    def fill(part: int) -> None:
        kernels.fill_positions(
            plain, first, offsets, search.letters, borders[part], borders[part + 1], step, starts, positions
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(count, range(threads)))
        np.cumsum(starts, out=starts)
        positions = np.empty(int(starts[-1]), dtype=np.uint32)
        list(pool.map(fill, range(threads)))
    return starts, positions


def _patterns(bases: int, length: int, letters: int) -> list[np.ndarray]:
    """Return the seeds' patterns: about as many seeds as there are places, so that few meet by chance."""
    weight = int(np.ceil(np.log(max(2, bases)) / np.log(letters)))
    if letters != NUCLEOTIDES:
        weight = min(max(weight, 3), 6)
        return [np.arange(min(weight, length), dtype=np.int64)]
    weight = min(max(weight, SMALLEST_WEIGHT), LARGEST_WEIGHT)
    patterns = [np.flatnonzero(np.array(list(pattern)) == "1").astype(np.int64) for pattern in PATTERNS[weight]]
    fitting = [pattern for pattern in patterns if pattern[-1] < length]
    return fitting or [np.arange(min(SMALLEST_WEIGHT, length), dtype=np.int64)]


def _plain(codes: np.ndarray, search: Search) -> np.ndarray:
    table = np.full(256, kernels.UNKNOWN, dtype=np.uint8)
    table[: search.letters] = np.arange(search.letters)
    soft = np.arange(search.letters, dtype=np.uint8)
    table[SOFT_MASK : SOFT_MASK + search.letters] = soft | kernels.MASKED if search.mask_repeats else soft
    return np.ascontiguousarray(table[codes])


def _known(plain: np.ndarray) -> np.ndarray:
    return ((plain & kernels.LETTER) < kernels.UNKNOWN).sum(axis=1).astype(np.int64)


def _complement(search: Search) -> np.ndarray:
    if not search.two_strands:
        return np.empty(0, np.uint8)
    table = np.full(128, kernels.UNKNOWN, dtype=np.uint8)
    table[:NUCLEOTIDES] = np.arange(NUCLEOTIDES)[::-1]
    return table


def _threads(search: Search) -> int:
    return search.threads or len(os.sched_getaffinity(0))


def _named(counts: np.ndarray) -> dict[str, int]:
    return dict(zip(COUNTS, counts.tolist(), strict=True))
