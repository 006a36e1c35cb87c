"""Places in a genome that are free to be drawn as negatives, and the slots to be filled with them.

Places are indices into the codes of the whole store, so that one number tells contig and base.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.genome.intervals import subtract
from lociflow.genome.regions import categorical
from lociflow.genome.windows import check_whole, in_order
from lociflow.sequence.store import SequenceStore

# A bucket of the index of taken places has at least as many bases, so that its table stays small beside the genome's.
LEAST_BUCKET = 64
NOT_TAKEN = -1
# Counter at which the draws of places begin, far from those that decide which bins have one negative more.
PLACES = (0, 0, 0, 1)


class Gaps(NamedTuple):
    """The stretches that touch nothing that is to be avoided, in the order of the store."""

    first: np.ndarray
    """``int64``: first base of each."""
    last: np.ndarray
    """``int64``: one past its last base."""
    contig_start: np.ndarray
    """``int64``, shape ``(contigs + 1,)``: number of gap bases before each contig, and of all."""

    @property
    def bases_before(self) -> np.ndarray:
        """``int64``, shape ``(gaps + 1,)``: number of gap bases before each gap, and of all."""
        return np.concatenate([[0], np.cumsum(self.last - self.first)])


class Taken(NamedTuple):
    """The places that slots were given, and the index in which overlaps are looked up; see the kernels' module."""

    places: np.ndarray
    """``int64``, shape ``(slots, 2)``: first base and one past the last; -1 for a slot without a place."""
    head: np.ndarray
    following: np.ndarray
    width: int

    @property
    def filled(self) -> np.ndarray:
        """``bool``, one per slot."""
        return np.asarray(self.places[:, 0] != NOT_TAKEN)


def nothing_taken(store: SequenceStore, slots: int, longest: int) -> Taken:
    """Return the empty index for so many slots of at most ``longest`` bases."""
    width = max(longest, LEAST_BUCKET)
    head = np.full(len(store.codes) // width + 1, -1, dtype=np.int64)
    return Taken(np.full((slots, 2), NOT_TAKEN, np.int64), head, np.full(slots, -1, np.int64), width)


def find_gaps(store: SequenceStore, avoid: pd.DataFrame) -> Gaps:
    """Return what a genome holds outside of regions.

    Parameters
    ----------
    store
        The genome.
    avoid
        ``contig`` (categorical in the store's order), ``start``, ``end``; regions of zero length are nothing.
    """
    contigs = np.arange(len(store.names))
    everywhere = pd.DataFrame({"contig": categorical(contigs, store.names), "start": 0, "end": store.lengths})
    free = subtract(everywhere[everywhere["end"] > 0], avoid[avoid["end"] > avoid["start"]])
    contig = free["contig"].cat.codes.to_numpy(np.int64)
    first, last = (store.offsets[contig] + free[edge].to_numpy(np.int64) for edge in ("start", "end"))
    by_contig = np.bincount(contig, weights=last - first, minlength=len(contigs)).astype(np.int64)
    # Contigs lie in the store in their order, so gaps sorted by contig are sorted by place as well.
    return Gaps(first, last, np.concatenate([[0], np.cumsum(by_contig)]))


def kept_off(avoid: pd.DataFrame, distance: int) -> pd.DataFrame:
    """Widen what is to be avoided by ``distance`` bases on either side; regions of zero length stay nothing.

    Raises
    ------
    UserError
        ``distance`` is no whole number of at least 0.
    """
    check_whole("windows.negatives.distance", distance, least=0)
    if distance == 0:
        return avoid
    real = avoid[avoid["end"] > avoid["start"]]
    return real.assign(start=(real["start"] - distance).clip(lower=0), end=real["end"] + distance)


def lies_in_gap(gaps: Gaps, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Tell which places lie within one gap: ``bool``."""
    if not len(gaps.first):
        return np.zeros(len(first), dtype=bool)
    gap = np.maximum(np.searchsorted(gaps.first, first, side="right") - 1, 0)
    return np.asarray((gaps.first[gap] <= first) & (last <= gaps.last[gap]))


def slots_of(bins: pd.DataFrame, ratio: float, seed: int) -> np.ndarray:
    """Return the row of the bin that each negative belongs to: every bin's ``ratio`` times, the rest by lot.

    Raises
    ------
    UserError
        ``ratio`` is no positive number or ``seed`` negative.
    """
    check_settings(ratio, seed)
    wanted = round(ratio * len(bins))
    whole, rest = divmod(wanted, max(len(bins), 1))
    lot = np.random.Generator(np.random.Philox(key=seed)).permutation(len(bins))[:rest]
    return np.sort(np.concatenate([np.repeat(np.arange(len(bins)), whole), lot]).astype(np.int64))


def check_settings(ratio: object, seed: object) -> None:
    """Refuse a ratio that is no positive number and a seed that is no whole number of at least 0.

    Raises
    ------
    UserError
        It is.
    """
    check_whole("windows.negatives.seed", seed, least=0)
    if isinstance(seed, int) and seed >= 1 << 128:
        raise UserError(f"windows.negatives.seed: found {seed}, expected a whole number below 2**128")
    check_number("windows.negatives.ratio", ratio)
    if not ratio > 0:  # type: ignore[operator]
        raise UserError(f"windows.negatives.ratio: found {ratio!r}, expected a positive number")


def check_number(key: str, value: object, most: float = np.inf) -> None:
    """Refuse a configuration's value that is no number from 0 to ``most``.

    Raises
    ------
    UserError
        It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        expected = "a positive number" if most == np.inf else f"a number from 0 to {most:g}"
        raise UserError(f"{key}: found {value!r}, expected {expected}")


def negatives_table(store: SequenceStore, bins: pd.DataFrame, rows: np.ndarray, places: np.ndarray) -> pd.DataFrame:
    """Return the places that slots were given as a table of negatives, each on the strand of its slot's bin.

    Parameters
    ----------
    store
        The genome.
    bins
        The bins at peaks.
    rows
        The bin of each slot.
    places
        ``int64``, shape ``(slots, 2)``; slots without a place are left out.
    """
    given = places[:, 0] != NOT_TAKEN
    first, last = places[given].T
    contig = np.searchsorted(store.offsets, first, side="right") - 1
    return in_order(
        pd.DataFrame(
            {
                "contig": categorical(contig, store.names),
                "start": first - store.offsets[contig],
                "end": last - store.offsets[contig],
                "strand": bins["strand"].iloc[rows[given]].reset_index(drop=True),
                "shuffled": False,
            }
        )
    )


def account(table: pd.DataFrame, maker: str, wanted: int, missing: str, most_missing: float) -> pd.DataFrame:
    """Count what could not be made, tell it, and note it in the table's ``attrs["negatives"]``.

    Parameters
    ----------
    table
        The negatives.
    maker
        Its name.
    wanted
        How many there should be.
    missing
        Why one may be missing, and what to do.
    most_missing
        Largest share that may be missing.

    Raises
    ------
    UserError
        More are missing.
    """
    lacking = wanted - len(table)
    if lacking > most_missing * wanted:
        raise UserError(
            f"windows.negatives: {maker} made {len(table)} of {wanted} bins, expected at least "
            f"{1 - most_missing:.0%}; {missing}, or raise windows.negatives.most_missing"
        )
    if lacking:
        status(f"negatives: {maker} made {len(table):,} of {wanted:,} bins; {lacking:,} are missing: {missing}")
    table.attrs["negatives"] = {"maker": maker, "wanted": wanted, "made": len(table), "missing": lacking}
    return table
