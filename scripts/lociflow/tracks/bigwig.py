"""BigWig files that are written in the order of the genome, with memory for what is written at once.

The format is that of Kent et al. 2010, Bioinformatics 26:2204.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig

from lociflow.command import atomic_folder
from lociflow.sequence.store import SequenceStore


@contextlib.contextmanager
def open_bigwigs(folder: Path, files: Sequence[str], store: SequenceStore) -> Iterator[list[Any]]:
    """Give bigWigs to write, with the contigs of a genome in their order.

    Parameters
    ----------
    folder
        What lies there is replaced as a whole, once all is written; on failure it stays as it is.
    files
        Names of the files in it.
    store
        The genome.
    """
    header = [(name, int(length)) for name, length in zip(store.names, store.lengths, strict=True)]
    with atomic_folder(folder) as written, contextlib.ExitStack() as stack:
        handles = []
        for file in files:
            handles.append(stack.enter_context(contextlib.closing(pyBigWig.open(str(written / file), "w"))))
            handles[-1].addHeader(header)
        yield handles


def add_pieces(
    handle: Any, store: SequenceStore, contig: np.ndarray, start: np.ndarray, end: np.ndarray, values: np.ndarray
) -> None:
    """Add one value for each piece; what is NaN is left out.

    Parameters
    ----------
    handle
        Of :func:`open_bigwigs`.
    store
        The genome.
    contig, start, end
        Disjoint pieces in the store's order, behind all that was added before; ``int64``, shape (n,).
    values
        Shape (n,).
    """
    known = ~np.isnan(values)
    contig, start, end, values = contig[known], start[known], end[known], values[known].astype(np.float32)
    for code, low, high in runs(contig):
        names = np.full(high - low, store.names[code])
        handle.addEntries(names, start[low:high], ends=end[low:high], values=values[low:high])


def add_bases(handle: Any, store: SequenceStore, contig: np.ndarray, base: np.ndarray, values: np.ndarray) -> None:
    """Add one value for each base; what is NaN is left out.

    Parameters
    ----------
    handle, store
        As in :func:`add_pieces`.
    contig, base
        Places in the store's order, behind all that was added before; ``int64``, shape (n,).
    values
        Shape (n,).
    """
    known = ~np.isnan(values)
    contig, base, values = contig[known], base[known], values[known].astype(np.float32)
    for code, first, last in runs(contig):
        place = base[first:last]
        # Along a stretch of neighbours, position less rank stays the same.
        for _, low, high in runs(place - np.arange(len(place))):
            handle.addEntries(
                store.names[code], int(place[low]), values=values[first + low : first + high], span=1, step=1
            )


def runs(values: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield each stretch of equal values: the value, where it begins, where it ends."""
    if not len(values):
        return
    edges = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1, [len(values)]])
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield int(values[low]), low, high
