"""Where the bins of a data set lie in its sequence store, and the sequence of the windows around them."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.sequence.shuffle import dinucleotide_shuffle, shuffle_seeds
from lociflow.sequence.store import SequenceStore, contig_index, gather

# A window with a larger share of unknown bases is given no value; what lies beyond a contig's end is unknown.
MOST_UNKNOWN = 0.5
# Where a shuffle would have its seed.
NOT_SHUFFLED = 0


class Placement(NamedTuple):
    """The bins in columns of equal length; a bin's row number is its index everywhere."""

    contig: np.ndarray
    """``int32``: index into the store's contigs."""
    position: np.ndarray
    """``int64``, 0-based: the centre of the bin, ``(start + end) // 2``, on which windows have theirs."""
    seeds: np.ndarray | None = None
    """``int64``: the seed of the dinucleotide shuffle that the window is of what the genome has there, 0 for a window
    that is read as it is; None: all are."""

    @property
    def shuffled(self) -> np.ndarray | None:
        """``bool``: whether the window is a shuffle; None: none is."""
        return None if self.seeds is None else np.asarray(self.seeds != NOT_SHUFFLED)


def place_windows(windows: pd.DataFrame, store: SequenceStore) -> Placement:
    """Look up where bins lie.

    Parameters
    ----------
    windows
        ``contig`` (categorical), ``start``, ``end`` (0-based, half-open) and, where they are known, ``shuffled`` and
        ``shuffle_seed``; shuffles without a seed get one from their place.
    store
        The sequence store.

    Raises
    ------
    UserError
        The store lacks a contig.
    """
    names = windows["contig"].cat
    used = np.unique(names.codes.to_numpy())
    place = np.full(len(names.categories), -1, dtype=np.int32)
    place[used] = contig_index(store, names.categories.to_numpy(object)[used].tolist())
    position = (windows["start"].to_numpy(np.int64) + windows["end"].to_numpy(np.int64)) // 2
    return Placement(place[names.codes.to_numpy()], position, _seeds(windows))


def _seeds(windows: pd.DataFrame) -> np.ndarray | None:
    if "shuffled" not in windows or not (shuffled := windows["shuffled"].to_numpy(bool)).any():
        return None
    if "shuffle_seed" in windows:
        return windows["shuffle_seed"].to_numpy(np.int64)
    names, start = windows["contig"].cat, windows["start"].to_numpy(np.int64)
    copy = windows[shuffled].groupby(["contig", "start"], observed=True).cumcount().reindex(windows.index, fill_value=0)
    seeds = shuffle_seeds(0, list(names.categories), names.codes.to_numpy(), start, copy.to_numpy())
    return np.where(shuffled, seeds, NOT_SHUFFLED)


def window_start(place: Placement, rows: np.ndarray, length: int) -> np.ndarray:
    """Return where the windows of ``length`` bases begin, ``int64``, 0-based; may lie beyond the contig.

    Where no window has its centre on the bin's, it is one base longer to the left.
    """
    return np.asarray(place.position[rows] - length // 2)


def window_codes(
    store: SequenceStore, place: Placement, rows: np.ndarray, length: int, shift: np.ndarray | None = None
) -> np.ndarray:
    """Read the windows around bins.

    Parameters
    ----------
    store
        The sequence store.
    place
        Where the bins lie.
    rows
        Their indices, shape ``(n,)``.
    length
        Bases per window.
    shift
        Bases by which each window is moved to the right, shape ``(n,)``; None for none.

    Returns
    -------
    numpy.ndarray
        ``uint8`` codes of the forward strand, shape ``(n, length)``; what lies beyond a contig's ends is N. A shuffled
        bin's window is shuffled as a whole with the bin's seed, the same way whenever it is read.
    """
    start = window_start(place, rows, length)
    codes = gather(store, place.contig[rows], start if shift is None else start + shift, length)
    if place.seeds is not None:
        seeds = place.seeds[rows]
        chosen = np.flatnonzero(seeds != NOT_SHUFFLED)
        if len(chosen):
            codes[chosen] = dinucleotide_shuffle(codes[chosen], seeds[chosen])
    return codes


def mostly_unknown(store: SequenceStore, codes: np.ndarray) -> np.ndarray:
    """Tell of which windows more than :data:`MOST_UNKNOWN` is unknown.

    Parameters
    ----------
    store
        Whose letters they are.
    codes
        ``uint8``, shape ``(n, length)``.
    """
    return np.asarray((codes & (SOFT_MASK - 1) == store.alphabet.pad).mean(axis=1) > MOST_UNKNOWN)
