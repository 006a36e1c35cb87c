"""What stands on two sides of a split, and the split without it.

The audit measures with :func:`find_leaks`; a data set with ``clean: true`` gets :func:`clean_split` beside each of its
splits.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.genome.label_conflicts import conflicts
from lociflow.genome.placement import window_start
from lociflow.genome.regions import categorical
from lociflow.genome.split_data import NO_SPLIT, SPLITS, TEST, TRAIN, VALIDATION, SplitData, as_split, check_sides
from lociflow.genome.window_reader import search_settings, window_origins, window_reader
from lociflow.sequence.homology import Matches, best_match
from lociflow.sequence.same_sequences import first_of_same
from lociflow.sequence.search import Codes, Search

REASONS = ("duplicate", "overlap", "similar", "conflict", "group")

# What is held against what: test against training, and validation against both, for its scores choose the model.
SIDES = ((TEST, TRAIN), (VALIDATION, TRAIN), (VALIDATION, TEST))

REMEDY = (
    "every bin of it repeats, overlaps, resembles or contradicts one of another side: choose other contigs or groups, "
    "or homology_aware, or leave out clean"
)


class Leaks(NamedTuple):
    """What :func:`find_leaks` found."""

    table: pd.DataFrame
    """A row for each bin and reason, in this order: ``row`` (int64, the bin's), ``split`` (categorical, its side),
    ``reason`` (categorical over :data:`REASONS`), ``of_row`` (int64, the bin that it repeats), ``of_split``
    (categorical), ``reverse`` (bool: on the other strand), ``identity`` and ``coverage`` (float32; NaN where the reason
    is not about sequence). A test bin is told of what it shares with training, a validation bin of what it shares with
    training, else with test; a training bin of nothing but conflicts. A conflict's ``of_row`` may stand on any side,
    its own too."""
    similarity: pd.DataFrame
    """A row for each validation and test bin that was looked up: ``row``, ``split``, ``identity``, ``coverage``
    (float32, of the best match among the training bins; 0 where none was found), ``reference`` (int64, its row; -1),
    ``reverse``. Same sequences have identity and coverage 1."""
    searched: dict[str, int]
    """Bins of each side; of validation and test, those that were looked up."""
    counts: dict[str, int]
    """Of the search for similar sequences, see :data:`lociflow.sequence.homology.COUNTS`."""


class Cleaned(NamedTuple):
    """A split without its leaks."""

    split: pd.Categorical
    removed: pd.DataFrame
    """A row for each bin that the split had and has no longer: ``row``, ``split`` (what it was), ``reason`` and
    ``of_row``; a bin with several reasons has the first of :data:`REASONS`."""


def find_leaks(
    data: SplitData,
    split: pd.Categorical,
    *,
    identity: float = 0.8,
    coverage: float = 0.5,
    label_tolerance: float = 1.0,
    queries: np.ndarray | None = None,
    search: Search | None = None,
) -> Leaks:
    """Find what bins of different sides of a split have in common.

    - ``duplicate``: the window's sequence is that of a bin on the other side, letter by letter, on either strand.
    - ``overlap``: the windows that a model sees share a base of the genome; shuffled bins share none.
    - ``similar``: of at least ``identity`` over at least ``coverage``, as :mod:`lociflow.sequence.homology` measures
      it; duplicates and overlapping windows that share enough are similar too. Soft-masked repeats count.
    - ``conflict``: a bin of the same sequence has another label (:func:`lociflow.genome.label_conflicts.conflicts`).
    - ``group``: the other side has a bin of the same group.

    Parameters
    ----------
    data
        The data set.
    split
        Over :data:`lociflow.genome.split_data.SPLITS`, a value a bin; missing for bins that are not looked at.
    identity, coverage
        Least of a similar pair, fractions in (0, 1].
    label_tolerance
        Standard deviations of a real-valued target by which labels of the same sequence may differ.
    queries
        Rows of the validation and test bins to look up; None: all. They are held against all bins of the other sides,
        looked up or not, and what is told of validation and test is told of them alone.
    search
        How to look for similar sequences; None: as the store's alphabet asks.
    """
    codes = _sides(split)
    search = search_settings(data.store) if search is None else search
    reader, origin = window_reader(data), window_origins(data)
    inside = np.flatnonzero(codes != NO_SPLIT)
    same = first_of_same(reader, inside, data.length, search)
    # Number of each bin's sequence among the different ones; -1 outside the split.
    sequence = np.full(len(codes), -1, dtype=np.int64)
    sequence[inside] = same.first
    turned = np.zeros(len(codes), dtype=bool)
    turned[inside] = same.reverse
    asked = codes != NO_SPLIT
    if queries is not None:
        asked = codes == TRAIN
        asked[queries] = codes[queries] != NO_SPLIT
    parts: list[pd.DataFrame] = []
    told: dict[str, np.ndarray] = {reason: np.zeros(len(codes), dtype=bool) for reason in REASONS}
    similarity: list[pd.DataFrame] = []
    counts: dict[str, int] = {}
    for side, other in SIDES:
        rows, others = np.flatnonzero(asked & (codes == side)), np.flatnonzero(codes == other)
        matches = _matches(reader, origin, data.length, rows, others, sequence, turned, identity, coverage, search)
        counts = {name: counts.get(name, 0) + number for name, number in matches.counts.items()}
        if other == TRAIN:
            similarity.append(_similarity(rows, side, matches))
        equal = _first_with(sequence, rows, others)
        group = data.windows["group"].cat.codes.to_numpy().astype(np.int64)
        found = {
            "duplicate": (equal, turned[rows] != turned[equal]),
            "overlap": (_overlapping(data, rows, others), np.zeros(len(rows), bool)),
            "similar": (matches.reference, matches.reverse),
            "group": (_first_with(group, rows, others), np.zeros(len(rows), bool)),
        }
        for reason, (of_row, reverse) in found.items():
            hit = (of_row >= 0) & ~told[reason][rows]
            told[reason][rows[hit]] = True
            exact = {"duplicate": (np.float32(1), np.float32(1))}.get(reason, (np.float32(np.nan),) * 2)
            measured = (matches.identity[hit], matches.coverage[hit]) if reason == "similar" else exact
            parts.append(_leaks(rows[hit], codes, reason, of_row[hit], reverse[hit], *measured))
    row, of_row, reverse = conflicts(data, inside, sequence, turned, label_tolerance)
    parts.append(
        _leaks(
            row[asked[row]], codes, "conflict", of_row[asked[row]], reverse[asked[row]], np.float32(1), np.float32(1)
        )
    )
    table = pd.concat(parts, ignore_index=True)
    order = np.lexsort((table["reason"].cat.codes, table["row"]))
    return Leaks(
        table.iloc[order].reset_index(drop=True),
        pd.concat(similarity, ignore_index=True).sort_values("row", ignore_index=True),
        {name: int((asked & (codes == side)).sum()) for side, name in enumerate(SPLITS)},
        counts,
    )


def clean_split(
    data: SplitData,
    split: pd.Categorical,
    *,
    identity: float = 0.8,
    coverage: float = 0.5,
    label_tolerance: float = 1.0,
    search: Search | None = None,
    leaks: Leaks | None = None,
    reasons: Collection[str] = REASONS,
    remedy: str = REMEDY,
) -> Cleaned:
    """Take out of validation and test what leaks; training bins stay.

    Test is cleaned first: every test bin goes that :func:`find_leaks` names. Then validation is judged against training
    and what is left of test, so no bin goes for the sake of one that is gone. A second look finds no leak, and no
    conflict but those within training.

    Parameters
    ----------
    data, split, identity, coverage, label_tolerance, search
        As for :func:`find_leaks`.
    leaks
        What that function found for the same arguments and all bins, where it is known already.
    reasons
        What counts, of :data:`REASONS`.
    remedy
        What to change where a side is left without any bin.

    Raises
    ------
    UserError
        A side that had bins has none any more.
    """

    def find(codes: np.ndarray, queries: np.ndarray | None) -> Leaks:
        return find_leaks(
            data,
            as_split(codes),
            identity=identity,
            coverage=coverage,
            label_tolerance=label_tolerance,
            queries=queries,
            search=search,
        )

    before = _sides(split)
    table = (find(before, None) if leaks is None else leaks).table
    table = table[table["reason"].isin(reasons) & (table["split"] != SPLITS[TRAIN])]
    gone = np.zeros(len(before), dtype=bool)
    gone[table.loc[table["split"] == SPLITS[TEST], "row"]] = True
    void = gone[table["of_row"]] & (table["split"] == SPLITS[VALIDATION]).to_numpy()
    removed = table[~void]
    doubtful = np.setdiff1d(table.loc[void, "row"], removed["row"])
    if len(doubtful):
        # What a bin shares with training is known, so it is only looked up in the test bins that are left.
        rest = np.where(gone | (before == TRAIN), NO_SPLIT, before)
        again = find(rest, doubtful).table
        removed = pd.concat([removed, again[again["reason"].isin(reasons)]])
    removed = removed.iloc[np.lexsort((removed["reason"].cat.codes, removed["row"]))]
    removed = removed.drop_duplicates("row")[["row", "split", "reason", "of_row"]].reset_index(drop=True)
    codes = before.copy()
    codes[removed["row"].to_numpy()] = NO_SPLIT
    check_sides(codes, need=tuple(side for side in range(len(SPLITS)) if (before == side).any()), remedy=remedy)
    return Cleaned(as_split(codes), removed)


def _sides(split: pd.Categorical) -> np.ndarray:
    # A column that was read from a file may have its categories in another order, or lack one.
    return np.array(pd.Categorical(split, categories=list(SPLITS)).codes, dtype=np.int8)


def _matches(
    reader: Codes,
    origin: np.ndarray,
    length: int,
    rows: np.ndarray,
    others: np.ndarray,
    sequence: np.ndarray,
    turned: np.ndarray,
    identity: float,
    coverage: float,
    search: Search,
) -> Matches:
    """Find the best match of each row, where the same sequence is the best there is; each sequence is searched once."""
    equal = _first_with(sequence, rows, others)
    reference = equal.copy()
    found = np.where(equal >= 0, np.float32(1), np.float32(0))
    covered = found.copy()
    reverse = (equal >= 0) & (turned[rows] != turned[equal])
    rest = np.flatnonzero(equal < 0)
    _, first, inverse = np.unique(sequence[rows[rest]], return_index=True, return_inverse=True)
    _, unlike = np.unique(sequence[others], return_index=True)
    asked = rows[rest[first]]
    best = best_match(reader, length, asked, np.sort(others[unlike]), identity, coverage, origin=origin, search=search)
    found[rest], covered[rest] = best.identity[inverse], best.coverage[inverse]
    reference[rest] = best.reference[inverse]
    reverse[rest] = best.reverse[inverse] ^ (turned[rows[rest]] != turned[asked[inverse]])
    return Matches(found, covered, reference, reverse & (reference >= 0), best.counts)


def _first_with(value: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the first of ``others`` that has the value of each of ``rows``, or -1; negative values are like none."""
    values, first = np.unique(value[others], return_index=True)
    if not len(values):
        return np.full(len(rows), -1, dtype=np.int64)
    wanted = value[rows]
    place = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    hit = (values[place] == wanted) & (wanted >= 0)
    return np.where(hit, others[first[place]], -1).astype(np.int64)


def _overlapping(data: SplitData, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return a bin among ``others`` whose window shares a base with that of each of ``rows``, or -1."""
    found = np.full(len(rows), -1, dtype=np.int64)
    if data.place.shuffled is not None:
        others = others[~data.place.shuffled[others]]
    contig, other_contig = data.place.contig[rows], data.place.contig[others]
    start = window_start(data.place, rows, data.length)
    other_start = window_start(data.place, others, data.length)
    order = np.lexsort((others, other_start, other_contig))
    others, other_contig, other_start = others[order], other_contig[order], other_start[order]
    for code in np.unique(contig):
        low, high = np.searchsorted(other_contig, [code, code + 1])
        if low == high:
            continue
        here = np.flatnonzero(contig == code)
        # All windows are equally long, so the nearest start on either side tells; beyond the contig's ends is no base.
        end = np.minimum(start[here] + data.length, data.store.lengths[code])
        last = np.searchsorted(other_start[low:high], end) - 1
        before = np.maximum(last, 0)
        reach = other_start[low + before] + data.length
        hit = (last >= 0) & (reach > np.maximum(start[here], 0))
        found[here[hit]] = others[low + before[hit]]
    if data.place.shuffled is not None:
        found[data.place.shuffled[rows]] = -1
    return found


def _similarity(rows: np.ndarray, side: int, matches: Matches) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": rows,
            "split": categorical(np.full(len(rows), side), SPLITS),
            "identity": matches.identity,
            "coverage": matches.coverage,
            "reference": matches.reference,
            "reverse": matches.reverse,
        }
    )


def _leaks(
    row: np.ndarray,
    codes: np.ndarray,
    reason: str,
    of_row: np.ndarray,
    reverse: np.ndarray,
    identity: np.ndarray | np.float32,
    coverage: np.ndarray | np.float32,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": row,
            "split": categorical(codes[row], SPLITS),
            "reason": categorical(np.full(len(row), REASONS.index(reason)), REASONS),
            "of_row": of_row,
            "of_split": categorical(codes[of_row], SPLITS),
            "reverse": reverse,
            "identity": np.broadcast_to(identity, row.shape).astype(np.float32),
            "coverage": np.broadcast_to(coverage, row.shape).astype(np.float32),
        }
    )
