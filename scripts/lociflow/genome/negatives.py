"""Negative bins: background, flanks and shuffles; :mod:`lociflow.genome.matched_negatives` has those that match."""

from bisect import bisect_left, insort

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.free_places import (
    PLACES,
    account,
    check_number,
    check_settings,
    find_gaps,
    kept_off,
    lies_in_gap,
    negatives_table,
    nothing_taken,
    slots_of,
)
from lociflow.genome.intervals import subtract
from lociflow.genome.matched_negatives import matched
from lociflow.genome.regions import STRANDS, categorical
from lociflow.genome.windows import bin_table, check_whole, in_order, n_bases
from lociflow.sequence.alphabet import N
from lociflow.sequence.shuffle import dinucleotide_shuffle, shuffle_seeds
from lociflow.sequence.store import SequenceStore, gather

__all__ = ["background", "flanks", "matched", "shuffled"]

# A genome so full that this many draws in a row hit taken or N-rich places has no room left.
MOST_MISSES = 10_000

# Places that are tried beside a bin before it counts as one without room.
FLANK_DRAWS = 256
# Bases that are shuffled at once to see whether bins can change.
SHUFFLE_BASES = 1 << 22
# A sequence that so many shuffles leave as it is has one order only, but for one in millions.
TRIAL_SHUFFLES = 4


def background(
    store: SequenceStore,
    bins: pd.DataFrame,
    avoid: pd.DataFrame,
    max_n: float = 0.0,
    *,
    ratio: float = 1.0,
    seed: int = 0,
    distance: int = 0,
) -> pd.DataFrame:
    """Draw bins uniformly from all places where a bin touches nothing of ``avoid``.

    Every start that is allowed is equally likely, so a contig gets its share by the length that is free on it. Bins
    drawn do not overlap each other. Draw number ``i`` is a function of ``(seed, i)`` alone (Philox, a counter-based
    generator); draws on an earlier bin or on too many N are passed over.

    Parameters
    ----------
    store
        The genome.
    bins
        The bins of the peaks, all of one length: that many times ``ratio`` are drawn, of that length.
    avoid
        ``contig`` (categorical in the store's order), ``start``, ``end``: peaks, their bins and the blacklist.
    max_n
        Largest fraction of N in a bin.
    ratio
        Background bins per bin of a peak.
    seed
        Not negative.
    distance
        Bases kept free on either side of what is in ``avoid``. A model sees more than the bin: with half of what its
        window is longer than the bin, no window of a negative holds a base of a peak.

    Returns
    -------
    pandas.DataFrame
        ``contig``, ``start``, ``end``, ``strand``, ``shuffled`` (False), sorted by (contig, start).
        ``attrs["negatives"]`` holds ``maker``, ``wanted``, ``made``, ``missing``.

    Raises
    ------
    UserError
        ``ratio`` is not positive, ``seed`` negative, the bins differ in length, or the genome has no room for so many.
    """
    check_settings(ratio, seed)
    avoid = kept_off(avoid, distance)
    wanted = round(ratio * len(bins))
    if wanted == 0:
        return _counted(bins[["contig", "start", "end", "strand"]].iloc[:0], wanted)
    length = int(bins["end"].iloc[0] - bins["start"].iloc[0])
    if (bins["end"] - bins["start"] != length).any():
        raise UserError(
            "windows.negatives: found bins of different lengths, expected one length for background; use "
            "lociflow.genome.negatives.matched or flanks, whose negatives are as long as the bins"
        )
    contig, first, last = _free_starts(store, avoid, length)
    before = np.concatenate([[0], np.cumsum(last - first)])
    generator = np.random.Generator(np.random.Philox(key=seed))
    taken: dict[int, list[int]] = {}
    accepted: list[tuple[int, int]] = []
    misses = 0
    while len(accepted) < wanted and before[-1] > 0 and misses < MOST_MISSES:
        # The size of a batch changes nothing: draws follow one another in the order of their number.
        place = (generator.random(max(1024, wanted - len(accepted))) * before[-1]).astype(np.int64)
        interval = np.searchsorted(before, place, side="right") - 1
        draws = bin_table(store, contig[interval], first[interval] + place - before[interval], length)
        poor = n_bases(store, draws) <= max_n * length
        for index, start, usable in zip(contig[interval], draws["start"], poor, strict=True):
            if usable and _is_free(taken.setdefault(int(index), []), start, length):
                insort(taken[int(index)], start)
                accepted.append((int(index), start))
                misses = 0
            else:
                misses += 1
            if len(accepted) == wanted or misses == MOST_MISSES:
                break
    if len(accepted) < wanted:
        raise UserError(
            f"windows.negatives: found room for {len(accepted)} background bins of {length} bases outside peaks, "
            f"blacklist and N, expected {wanted} ({ratio} for each of {len(bins)} bins at peaks); lower "
            "windows.negatives.ratio or windows.bin"
        )
    drawn = np.array(accepted, dtype=np.int64)
    return _counted(in_order(bin_table(store, drawn[:, 0], drawn[:, 1], length)), wanted)


def _counted(table: pd.DataFrame, wanted: int) -> pd.DataFrame:
    return account(table.assign(shuffled=False), "background", wanted, "", 0.0)


def flanks(
    store: SequenceStore,
    bins: pd.DataFrame,
    avoid: pd.DataFrame,
    max_n: float = 0.0,
    *,
    ratio: float = 1.0,
    seed: int = 0,
    near: int = 500,
    far: int = 5000,
    distance: int = 0,
    most_missing: float = 0.1,
) -> pd.DataFrame:
    """Draw bins beside the bins at peaks, on either side, which share their surroundings.

    Side and distance are drawn uniformly until the place lies on the contig and touches nothing of ``avoid`` and no
    negative drawn before, at most :data:`FLANK_DRAWS` times; a bin that finds no room is counted as missing.

    Parameters
    ----------
    store
        The genome.
    bins
        The bins of the peaks; they may differ in length, and a flank is as long as its bin. ``contig``, ``start``,
        ``end``, ``strand``.
    avoid
        ``contig`` (categorical in the store's order), ``start``, ``end``: peaks, their bins and the blacklist.
    max_n
        Largest fraction of N in a bin.
    ratio
        Flanks per bin of a peak.
    seed
        Not negative. The same seed gives the same bins.
    near, far
        Least and largest number of bases between a bin and its flank; 0: they touch.
    distance
        Bases kept free on either side of what is in ``avoid``. A model sees more than the bin: with half of what its
        window is longer than the bin, no window of a negative holds a base of a peak. Nearer places
        are passed over even where ``near`` allows them.
    most_missing
        Largest fraction of flanks that may be missing for want of room.

    Returns
    -------
    pandas.DataFrame
        ``contig``, ``start``, ``end``, ``strand`` (of the bin), ``shuffled`` (False), sorted by (contig, start).
        ``attrs["negatives"]`` holds ``maker``, ``wanted``, ``made``, ``missing``.

    Raises
    ------
    UserError
        A setting is bad or too many bins have no room.
    """
    # Loading numba takes a quarter of a second, which only who draws flanks need pay.
    from lociflow.genome.placing_kernel import take_free

    rows = slots_of(bins, ratio, seed)
    check_whole("windows.negatives.near", near, least=0)
    check_whole("windows.negatives.far", far, least=near)
    check_number("windows.negatives.most_missing", most_missing, most=1)
    contig = bins["contig"].cat.codes.to_numpy(np.int64)[rows]
    start, end = bins["start"].to_numpy(np.int64)[rows], bins["end"].to_numpy(np.int64)[rows]
    low, high = store.offsets[contig], store.offsets[contig] + store.lengths[contig]
    length = end - start
    taken = nothing_taken(store, len(rows), int(length.max(initial=1)))
    gaps = find_gaps(store, kept_off(avoid, distance))
    generator = np.random.Generator(np.random.Philox(key=seed, counter=PLACES))
    for _ in range(FLANK_DRAWS):
        slots = generator.permutation(np.flatnonzero(~taken.filled))
        if not len(slots):
            break
        away = generator.integers(near, far, len(slots), endpoint=True)
        left = generator.integers(0, 2, len(slots)) == 0
        first = low[slots] + np.where(left, start[slots] - away - length[slots], end[slots] + away)
        last = first + length[slots]
        usable = (first >= low[slots]) & (last <= high[slots]) & lies_in_gap(gaps, first, last)
        slots, first, last = slots[usable], first[usable], last[usable]
        candidates = pd.DataFrame(
            {
                "contig": categorical(contig[slots], store.names),
                "start": first - low[slots],
                "end": last - low[slots],
            }
        )
        poor = n_bases(store, candidates) <= max_n * length[slots]
        take_free(slots[poor], first[poor], last[poor], taken.head, taken.following, taken.places, taken.width)
    table = negatives_table(store, bins, rows, taken.places)
    return account(
        table, "flanks", len(rows), "there is no room beside their bins; raise windows.negatives.far", most_missing
    )


def shuffled(
    store: SequenceStore,
    bins: pd.DataFrame,
    avoid: pd.DataFrame,
    max_n: float = 0.0,
    *,
    ratio: float = 1.0,
    seed: int = 0,
    most_missing: float = 0.1,
) -> pd.DataFrame:
    """Take the bins at peaks once more, to be read as dinucleotide shuffles of their sequence.

    A shuffle has exactly the GC, the dinucleotides, the N and the length of what it is made of; see
    :func:`lociflow.sequence.shuffle.dinucleotide_shuffle`. Sequences that have one order only, such as homopolymers,
    would stay positive under a negative's label: they are left out and counted as missing.

    Parameters
    ----------
    store
        The genome.
    bins
        The bins of the peaks; they may differ in length. ``contig``, ``start``, ``end``, ``strand``.
    avoid, max_n
        Not looked at: a shuffle lies where its bin lies and has its N.
    ratio
        Shuffles per bin of a peak; several of one bin are different shuffles.
    seed
        Not negative. Decides how each bin is shuffled, with its contig, start and strand alone, and which bins are
        shuffled once more where ``ratio`` is no whole number.
    most_missing
        Largest fraction of shuffles that may be missing.

    Returns
    -------
    pandas.DataFrame
        ``contig``, ``start``, ``end``, ``strand``, ``shuffled`` (True), ``shuffle_seed`` (int64, positive), in the
        order of ``bins``.
        ``attrs["negatives"]`` holds ``maker``, ``wanted``, ``made``, ``missing``.

    Raises
    ------
    UserError
        A setting is bad or too many bins have one order only.
    """
    rows = slots_of(bins, ratio, seed)
    check_number("windows.negatives.most_missing", most_missing, most=1)
    changes = _can_change(store, bins)
    columns = ["contig", "start", "end", "strand"]
    table = bins[columns].iloc[rows[changes[rows]]].reset_index(drop=True).assign(shuffled=True)
    contig = table["contig"].cat.codes.to_numpy(np.int64)
    # The strand tells two bins of one place apart, whatever the order of the peaks.
    copy = table.groupby(["contig", "start", "strand"], observed=True).cumcount().to_numpy()
    copy = copy * len(STRANDS) + table["strand"].cat.codes.to_numpy(np.int64)
    seeds = shuffle_seeds(seed, store.names, contig, table["start"].to_numpy(np.int64), copy)
    table = table.assign(shuffle_seed=seeds)
    advice = "their sequence has one order only; set windows.max_n or use lociflow.genome.negatives.matched"
    return account(table, "shuffled", len(rows), advice, most_missing)


def _can_change(store: SequenceStore, bins: pd.DataFrame) -> np.ndarray:
    """Tell which bins a dinucleotide shuffle can change: ``bool``."""
    contig = bins["contig"].cat.codes.to_numpy(np.int64)
    start = bins["start"].to_numpy(np.int64)
    length = bins["end"].to_numpy(np.int64) - start
    longest = int(length.max(initial=1))
    changes = np.zeros(len(bins), dtype=bool)
    step = max(1, SHUFFLE_BASES // longest)
    for begin in range(0, len(bins), step):
        rows = np.arange(begin, min(begin + step, len(bins)))
        codes = gather(store, contig[rows], start[rows], longest)
        codes[np.arange(longest) >= length[rows, None]] = N
        for trial in range(TRIAL_SHUFFLES):
            same = np.flatnonzero(~changes[rows])
            differs = dinucleotide_shuffle(codes[same], np.full(len(same), trial)) != codes[same]
            changes[rows[same]] = differs.any(axis=1)
    return changes


def _free_starts(store: SequenceStore, avoid: pd.DataFrame, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return contig index, first start and one past the last start of every run of allowed starts."""
    everywhere = pd.DataFrame(
        {
            "contig": categorical(np.arange(len(store.names)), store.names),
            "start": np.zeros(len(store.names), np.int64),
            "end": np.maximum(store.lengths - length + 1, 0),
        }
    )
    # A bin touches a region exactly when it starts in the region or up to length - 1 bases before it.
    reach = avoid.assign(start=(avoid["start"] - (length - 1)).clip(lower=0))
    free = subtract(everywhere[everywhere["end"] > 0], reach[reach["end"] > reach["start"]])
    return free["contig"].cat.codes.to_numpy().astype(np.int64), free["start"].to_numpy(), free["end"].to_numpy()


def _is_free(taken: list[int], start: int, length: int) -> bool:
    after = bisect_left(taken, start)
    return (after == len(taken) or taken[after] >= start + length) and (
        after == 0 or taken[after - 1] <= start - length
    )
