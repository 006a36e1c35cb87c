"""Negatives that are made of the same as the bins at peaks: GC, repeats and length."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.genome.composition import gc_fraction
from lociflow.genome.free_places import (
    PLACES,
    Gaps,
    Taken,
    account,
    check_number,
    find_gaps,
    kept_off,
    negatives_table,
    nothing_taken,
    slots_of,
)
from lociflow.genome.windows import check_whole
from lociflow.sequence.store import SequenceStore

# The search begins with equals, so that what is plentiful is matched well before the rest is matched at all.
REACHES = (0.0, 0.25, 0.5, 1.0)
# Places drawn in a round: per unfilled slot, at least, and at once.
DRAWS_PER_SLOT = 16
LEAST_DRAWS = 1 << 16
CHUNK = 1 << 18
# A reach is given up when so small a share of the unfilled slots is filled in a round, the last after several such.
LEAST_YIELD = (0.1, 0.1, 0.1, 0.003)
PATIENCE = 3


class Slots(NamedTuple):
    """What is asked for, sorted by (group, repeat cell, GC)."""

    row: np.ndarray
    """Of the bin."""
    contig: np.ndarray
    length: np.ndarray
    gc: np.ndarray
    repeat: np.ndarray
    group: np.ndarray
    """Number of the contig and length, or of the length alone."""
    block_start: np.ndarray
    """Where the slots of each (group, repeat cell) begin, and where the last end."""
    block_key: np.ndarray
    """Of each block, rising: group times the number of cells, plus the cell."""
    cells: int


def matched(
    store: SequenceStore,
    bins: pd.DataFrame,
    avoid: pd.DataFrame,
    max_n: float = 0.0,
    *,
    ratio: float = 1.0,
    seed: int = 0,
    gc_tolerance: float = 0.02,
    repeat_tolerance: float | None = 0.1,
    window: int | None = None,
    same_contig: bool = True,
    distance: int = 0,
    most_missing: float = 0.1,
) -> pd.DataFrame:
    """Draw bins that match the bins at peaks, each one its own: exactly in length, closely in GC and repeats.

    Places are drawn uniformly from all that touch nothing of ``avoid``, and each goes to the bin that is nearest in GC
    among those that are still without, first to one of the same GC, then within a quarter, half and all of
    ``gc_tolerance``. Bins drawn do not overlap each other. A bin without a match stays without: it is counted, and no
    worse one is taken.

    Parameters
    ----------
    store
        The genome.
    bins
        The bins of the peaks; they may differ in length. ``contig``, ``start``, ``end``, ``strand``.
    avoid
        ``contig`` (categorical in the store's order), ``start``, ``end``: peaks, their bins and the blacklist.
    max_n
        Largest fraction of N in a bin.
    ratio
        Negatives per bin of a peak.
    seed
        Not negative. The same seed gives the same bins.
    gc_tolerance
        Largest difference between the GC fractions (of the A, C, G and T) of a bin and its negative.
    repeat_tolerance
        Largest difference between their soft-masked fractions; None, or a store without soft-masking: not looked at.
    window
        Bases around the centre of a bin over which GC and repeats are counted, such as the model's input; None: the
        bin. What lies beyond a contig's end does not count.
    same_contig
        Whether a negative comes from the contig of its bin, so that a split by contigs has the ratio on every side;
        otherwise from anywhere.
    distance
        Bases kept free on either side of what is in ``avoid``. A model sees more than the bin: with half of what its
        window is longer than the bin, no window of a negative holds a base of a peak.
    most_missing
        Largest fraction of negatives that may be missing for want of a match.

    Returns
    -------
    pandas.DataFrame
        ``contig``, ``start``, ``end``, ``strand`` (of the bin that is matched), ``shuffled`` (False), sorted by
        (contig, start). ``attrs["negatives"]`` holds ``maker``, ``wanted``, ``made``, ``missing``.

    Raises
    ------
    UserError
        A setting is bad or too many bins have no match.
    """
    rows = slots_of(bins, ratio, seed)
    avoid = kept_off(avoid, distance)
    check_number("windows.negatives.gc_tolerance", gc_tolerance, most=1)
    check_number("windows.negatives.most_missing", most_missing, most=1)
    if repeat_tolerance is not None:
        check_number("windows.negatives.repeat_tolerance", repeat_tolerance, most=1)
    if window is not None:
        check_whole("windows.negatives.window", window)
    use_repeats = repeat_tolerance is not None and store.soft_mask
    tolerance = repeat_tolerance if use_repeats and repeat_tolerance is not None else 1.0
    slots = _slots(store, bins, rows, window, tolerance, use_repeats, same_contig)
    taken = nothing_taken(store, len(slots.row), int(slots.length.max(initial=1)))
    if len(slots.row):
        search = _Search(store, find_gaps(store, avoid), slots, taken, max_n, window, tolerance, use_repeats)
        search.run(np.random.Generator(np.random.Philox(key=seed, counter=PLACES)), gc_tolerance, same_contig)
    table = negatives_table(store, bins, slots.row, taken.places)
    advice = "no free place is so alike; raise windows.negatives.gc_tolerance or repeat_tolerance, or lower ratio"
    return account(table, "matched", len(rows), advice, most_missing)


class _Properties(NamedTuple):
    gc: np.ndarray
    """Of the window; NaN where there is none."""
    repeat: np.ndarray
    """Of the window; 0 where repeats are not looked at."""
    n_bases: np.ndarray
    """Number of N in the place itself."""


def _properties(
    store: SequenceStore, contig: np.ndarray, first: np.ndarray, last: np.ndarray, window: int | None, repeats: bool
) -> _Properties:
    """Look up places, and the windows around them, in the genome."""
    # Loading numba takes a quarter of a second, which only who matches need pay.
    from lociflow.genome.composition_kernel import ACGT, GC, MASKED, N_BASES, count_bases

    counts = count_bases(store.codes, first, last)
    n_bases = counts[:, N_BASES]
    if window is not None:
        # Windows begin where those of the model do: half their length, rounded down, before the middle of the bin.
        low, high = store.offsets[contig], store.offsets[contig] + store.lengths[contig]
        begin = (first + last - 2 * low) // 2 + low - window // 2
        first, last = np.clip(begin, low, high), np.clip(begin + window, low, high)
        counts = count_bases(store.codes, first, last)
    repeat = counts[:, MASKED] / np.maximum(last - first, 1) if repeats else np.zeros(len(first))
    return _Properties(gc_fraction(counts[:, GC], counts[:, ACGT]), repeat, n_bases)


def _slots(
    store: SequenceStore,
    bins: pd.DataFrame,
    rows: np.ndarray,
    window: int | None,
    tolerance: float,
    repeats: bool,
    same_contig: bool,
) -> Slots:
    contig = bins["contig"].cat.codes.to_numpy(np.int64)
    start, end = bins["start"].to_numpy(np.int64), bins["end"].to_numpy(np.int64)
    first, last = store.offsets[contig] + start, store.offsets[contig] + end
    gc, repeat, _ = _properties(store, contig, first, last, window, repeats)
    # A bin of N alone has no GC that another could match.
    rows = rows[~np.isnan(gc[rows])]
    length = end - start
    keys = np.stack([contig if same_contig else np.zeros_like(contig), length], axis=1)
    group = np.unique(keys[rows], axis=0, return_inverse=True)[1].reshape(-1)
    cells = int(1 / max(tolerance, 0.01)) + 1
    key = group * cells + _cell(repeat[rows], tolerance, cells)
    order = np.lexsort((gc[rows], key))
    rows, group, key = rows[order], group[order], key[order]
    block_key, block_start = np.unique(key, return_index=True)
    edges = np.append(block_start, len(rows)).astype(np.int64)
    return Slots(rows, contig[rows], length[rows], gc[rows], repeat[rows], group, edges, block_key, cells)


def _cell(repeat: np.ndarray, tolerance: float, cells: int) -> np.ndarray:
    """Return the cell of repeat fractions, at least as wide as the tolerance, so that matches lie at most one apart."""
    return np.minimum((repeat / max(tolerance, 0.01)).astype(np.int64), cells - 1)


class _Search:
    def __init__(
        self,
        store: SequenceStore,
        gaps: Gaps,
        slots: Slots,
        taken: Taken,
        max_n: float,
        window: int | None,
        tolerance: float,
        repeats: bool,
    ) -> None:
        self.store, self.gaps, self.slots, self.taken = store, gaps, slots, taken
        self.max_n, self.window, self.tolerance, self.repeats = max_n, window, tolerance, repeats
        self.before = np.arange(len(slots.row) + 1, dtype=np.int64)
        self.after = self.before.copy()
        self.bases_before = gaps.bases_before

    def run(self, generator: np.random.Generator, gc_tolerance: float, same_contig: bool) -> None:
        for reach, least_yield in zip(REACHES, LEAST_YIELD, strict=True):
            poor_rounds = 0
            while poor_rounds < (PATIENCE if reach == REACHES[-1] else 1):
                unfilled = np.flatnonzero(~self.taken.filled)
                if not len(unfilled):
                    return
                draws = max(LEAST_DRAWS, DRAWS_PER_SLOT * len(unfilled))
                filled = 0
                for start in range(0, draws, CHUNK):
                    chosen = unfilled[generator.integers(0, len(unfilled), min(CHUNK, draws - start))]
                    filled += self._draw(chosen, generator.random(len(chosen)), reach * gc_tolerance, same_contig)
                poor_rounds = poor_rounds + 1 if filled < max(1, least_yield * len(unfilled)) else 0

    def _draw(self, chosen: np.ndarray, uniform: np.ndarray, reach: float, same_contig: bool) -> int:
        """Draw a place for the length, and the contig, of each slot chosen; return how many slots are filled."""
        from lociflow.genome.placing_kernel import take_matching

        slots, gaps, contig_start = self.slots, self.gaps, self.gaps.contig_start
        length, contig = slots.length[chosen], slots.contig[chosen]
        low = contig_start[contig] if same_contig else np.zeros(len(chosen), np.int64)
        high = contig_start[contig + 1] if same_contig else np.full(len(chosen), contig_start[-1])
        place = low + (uniform * (high - low)).astype(np.int64)
        # A base is drawn from all free ones; what has no room behind it is passed over, which leaves every start of a
        # place that fits as likely as the others.
        usable = np.flatnonzero(high > low)
        gap = np.searchsorted(self.bases_before, place[usable], side="right") - 1
        first = gaps.first[gap] + place[usable] - self.bases_before[gap]
        fits = first + length[usable] <= gaps.last[gap]
        usable, first = usable[fits], first[fits]
        last = first + length[usable]
        where = np.searchsorted(contig_start, place[usable], side="right") - 1
        gc, repeat, n_bases = _properties(self.store, where, first, last, self.window, self.repeats)
        fits = (n_bases <= self.max_n * length[usable]) & ~np.isnan(gc)
        usable, first, last, gc, repeat = usable[fits], first[fits], last[fits], gc[fits], repeat[fits]
        return int(
            take_matching(
                self._blocks(slots.group[chosen[usable]], repeat),
                first,
                last,
                gc,
                repeat,
                slots.block_start,
                slots.gc,
                slots.repeat,
                self.before,
                self.after,
                reach,
                self.tolerance,
                self.taken.head,
                self.taken.following,
                self.taken.places,
                self.taken.width,
            )
        )

    def _blocks(self, group: np.ndarray, repeat: np.ndarray) -> np.ndarray:
        cells, keys = self.slots.cells, self.slots.block_key
        around = [-1, 0, 1] if self.repeats else [0]
        cell = _cell(repeat, self.tolerance, cells)[:, None] + np.array(around)
        key = group[:, None] * cells + cell
        block = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        return np.where((cell >= 0) & (cell < cells) & (keys[block] == key), block, -1).astype(np.int64)
