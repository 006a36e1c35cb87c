"""Tiles along regions of a genome, each with the bin whose prediction it shows. Coordinates are 0-based, half-open."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.genome.contig_names import some
from lociflow.genome.intervals import merge
from lociflow.genome.regions import categorical
from lociflow.genome.target_peaks import read_on_genome
from lociflow.sequence.store import SequenceStore

ALL = "all"


class Tiles(NamedTuple):
    """Pieces of the genome in its order, none of which overlap, and the bin of each."""

    contig: np.ndarray
    """``int64``, shape (n,): index into the store's contigs."""
    start: np.ndarray
    """``int64``, shape (n,): the tile's first base."""
    end: np.ndarray
    """``int64``, shape (n,)."""
    bin_start: np.ndarray
    """``int64``, shape (n,): the first base of the bin that is predicted for the tile."""

    def rows(self, chosen: np.ndarray) -> "Tiles":
        """Return some of the tiles."""
        return Tiles(*(column[chosen] for column in self))


def whole_contigs(store: SequenceStore, names: Sequence[str] | str) -> pd.DataFrame:
    """Return contigs of a genome as regions, in its order.

    Parameters
    ----------
    store
        The genome.
    names
        Of the contigs, or ``all``.

    Returns
    -------
    pandas.DataFrame
        ``contig`` (categorical in the store's order), ``start``, ``end``.

    Raises
    ------
    UserError
        The genome lacks a contig.
    """
    wanted = list(store.names) if names == ALL else [str(name) for name in names]
    if unknown := [name for name in wanted if name not in store.names]:
        raise UserError(
            f"tracks: found the contig {some(unknown)}, which {store.name} does not have; expected some of "
            f"{some(store.names)}"
        )
    place = np.array([index for index, name in enumerate(store.names) if name in set(wanted)], np.int64)
    start = np.zeros(len(place), np.int64)
    return pd.DataFrame({"contig": categorical(place, store.names), "start": start, "end": store.lengths[place]})


def read_regions_to_predict(path: Path, store: SequenceStore, aliases: Mapping[str, str | None]) -> pd.DataFrame:
    """Read regions, bring them onto the genome, and join those that overlap or touch.

    Regions of zero length, beyond their contig's end or on contigs that an alias leaves out are dropped, ends beyond
    the contig's are clipped, and both are told.

    Returns
    -------
    pandas.DataFrame
        Disjoint, in the store's order: ``contig`` (categorical), ``start``, ``end``.

    Raises
    ------
    UserError
        The file is bad, names a contig that neither genome nor aliases have, or leaves no region.
    """
    found = read_on_genome(path, store, aliases)
    dropped = ", ".join(f"{number:,} {reason}" for reason, number in found.dropped.items() if number)
    if found.regions.empty:
        what = f"{found.read:,} regions of which none is left (dropped: {dropped})" if dropped else "no region"
        raise UserError(f"{path}: found {what}, expected some on {store.name}; give tracks.regions another file")
    merged = merge(found.regions)
    status(
        f"{path}: {found.read:,} regions, {len(merged):,} where those that overlap or touch are one"
        + (f"; dropped: {dropped}" if dropped else "")
        + (f"; {found.clipped:,} clipped to their contig" if found.clipped else "")
    )
    return merged


def count_tiles(regions: pd.DataFrame, step: int) -> np.ndarray:
    """Return the number of tiles of each region, ``int64``."""
    return np.asarray(-(-(regions["end"].to_numpy(np.int64) - regions["start"].to_numpy(np.int64)) // step))


def tile_chunks(store: SequenceStore, regions: pd.DataFrame, bin_length: int, step: int, chunk: int) -> Iterator[Tiles]:
    """Yield the tiles of regions, so many at a time: memory holds one chunk.

    Tiles begin at a region's first base and every ``step`` bases after it, and are as long as the step, or as the bin
    where that is shorter. The last tile of a region is clipped to it. Each shows the prediction of the bin that has it
    in its middle; a bin that would leave its contig is moved back into it, because no bin that a model is trained on
    leaves its contig.

    Parameters
    ----------
    store
        The genome.
    regions
        Disjoint, in the store's order.
    bin_length, step
        In bases, at least 1.
    chunk
        Tiles at once.
    """
    begin, finish = (regions[column].to_numpy(np.int64) for column in ("start", "end"))
    contig = regions["contig"].cat.codes.to_numpy().astype(np.int64)
    number = count_tiles(regions, step)
    last = np.cumsum(number)
    span = min(step, bin_length)
    for low in range(0, int(last[-1]) if len(last) else 0, chunk):
        index = np.arange(low, min(low + chunk, int(last[-1])))
        row = np.searchsorted(last, index, side="right")
        start = begin[row] + (index - (last - number)[row]) * step
        bin_start = np.minimum(start - (bin_length - span) // 2, store.lengths[contig[row]] - bin_length)
        yield Tiles(contig[row], start, np.minimum(start + span, finish[row]), np.maximum(bin_start, 0))
