"""Stretches of explained windows as intervals of the genome, and the BED files that genome browsers show."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import atomic
from lociflow.genome.placement import place_windows, window_start
from lociflow.sequence.store import SequenceStore

BED_COLUMNS = ("contig", "start", "end", "name", "score", "strand")
LARGEST_SCORE = 1000


class Located(NamedTuple):
    """Stretches on the genome, in columns of equal length."""

    contig: np.ndarray
    """``int32``: index into the store's contigs."""
    start: np.ndarray
    """``int64``, 0-based; not below 0."""
    end: np.ndarray
    """``int64``, exclusive; not beyond the contig."""
    reverse: np.ndarray
    """``bool``: whether the stretch is to be read from the genome's minus strand."""
    kept: np.ndarray
    """``bool``: whether any base of the stretch lies on the genome; other columns mean nothing where not."""
    clipped: np.ndarray
    """``bool``: whether a part of it lies beyond a contig's end."""


def locate(
    windows: pd.DataFrame,
    store: SequenceStore,
    length: int,
    bins: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    reverse: np.ndarray,
) -> Located:
    """Find stretches of windows on the genome.

    Parameters
    ----------
    windows
        All bins of the data set, as :func:`lociflow.genome.window_table.read_windows` gives them.
    store
        On which they lie.
    length
        Of the windows, in bases.
    bins
        Row of each stretch's bin, ``int64``, shape ``(n,)``.
    starts, ends
        Of each stretch in its window as the model reads it, 0-based, half-open, shape ``(n,)``. Windows of bins on the
        ``-`` strand are read from there.
    reverse
        ``bool``, shape ``(n,)``: whether a stretch is to be read from the other strand of its window.

    Returns
    -------
    Located
        Stretches of shuffled bins are nowhere on the genome and not kept.
    """
    table = windows.iloc[bins]
    place = place_windows(table, store)
    first = window_start(place, np.arange(len(table)), length)
    minus = (table["strand"].astype(str) == "-").to_numpy()
    begin = first + np.where(minus, length - ends, starts)
    stop = first + np.where(minus, length - starts, ends)
    limit = store.lengths[place.contig]
    start, end = np.clip(begin, 0, limit), np.clip(stop, 0, limit)
    kept = (end > start) & ~table["shuffled"].to_numpy(bool)
    clipped = kept & ((begin < 0) | (stop > limit))
    return Located(place.contig, start, end, minus != np.asarray(reverse, dtype=bool), kept, clipped)


def strand_signs(reverse: np.ndarray) -> np.ndarray:
    """Return ``-`` where a stretch is read from the genome's minus strand, ``+`` elsewhere."""
    return np.where(reverse, "-", "+")


def bed_scores(values: np.ndarray) -> np.ndarray:
    """Scale absolute values to the integers from 0 to 1000 by which browsers shade, the largest being 1000.

    Parameters
    ----------
    values
        Shape ``(n,)``, finite.
    """
    size = np.abs(values)
    return np.rint(size / max(float(size.max(initial=0.0)), np.finfo(np.float64).tiny) * LARGEST_SCORE).astype(np.int64)


def write_bed(path: Path, table: pd.DataFrame, contigs: Sequence[str]) -> None:
    """Write a BED file with more columns than six, sorted by place, its first line a comment with the columns' names.

    Parameters
    ----------
    path
        Text file to write; browsers, bedtools and ``bgzip`` with ``tabix -p bed`` read it as it is.
    table
        :data:`BED_COLUMNS`, ``contig`` as an index into ``contigs``, then any others.
    contigs
        Names of the store's contigs: the order of the file.
    """
    order = np.lexsort((table["name"].to_numpy(str), table["end"], table["start"], table["contig"]))
    ordered = table.iloc[order]
    names = np.asarray(contigs, dtype=object)[ordered["contig"].to_numpy(np.int64)]
    with atomic(path) as temporary:
        ordered.assign(contig=names).rename(columns={"contig": "#contig"}).to_csv(
            temporary, sep="\t", index=False, float_format="%.6g"
        )
