"""Bins of sequences without a genome: each sequence is one."""

import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.genome.regions import STRANDS, categorical
from lociflow.genome.windows import Bins, check_whole
from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.sequence.store import SequenceStore

# Which end of a sequence stays at its place in the window when the two differ in length.
ANCHORS = ("centre", "start", "end")

# Codes that are looked at together.
BLOCK = 1 << 24


def whole_sequences(
    store: SequenceStore,
    peaks: pd.DataFrame,
    blacklist: pd.DataFrame,
    length: int,
    *,
    anchor: str = "centre",
    stranded: bool = False,
    max_n: float = 1.0,
) -> Bins:
    """Make one bin of each sequence.

    A model sees a window of ``length`` letters, whose centre is the bin's. The anchor says what it shows of a sequence
    of another length: "centre" cuts or pads both ends alike (one letter more is seen or padded on the left where they
    cannot be alike), "start" keeps the beginning and cuts or pads the end, "end" the reverse. With "centre" a bin is
    its sequence, from the first to the last letter; otherwise it is the window, which ends beyond a shorter sequence.
    Padding is the letter for any residue (N, X), which is zero in every one-hot channel; the view ``mask`` tells it
    from such a letter in the sequence.

    Parameters
    ----------
    store
        The sequences.
    peaks, blacklist
        Not looked at: sequences without a genome have neither.
    length
        Letters of a window.
    anchor
        "centre", "start" or "end".
    stranded
        Whether the strand that is given is the one that matters; always so for RNA and proteins.
    max_n
        Largest fraction of N or X in a sequence that is kept; the rest is dropped and counted as ``n``.

    Returns
    -------
    Bins
        On the strand "+" where they are stranded, otherwise ".".

    Raises
    ------
    UserError
        A setting is out of range.
    """
    check_whole("windows.length", length)
    if anchor not in ANCHORS:
        raise UserError(f"windows.anchor: found {anchor!r}, expected one of {', '.join(ANCHORS)}")
    if isinstance(max_n, bool) or not isinstance(max_n, int | float) or not 0 <= max_n <= 1:
        raise UserError(f"windows.max_n: found {max_n!r}, expected a fraction from 0 to 1")
    kept = np.flatnonzero(unknown_residues(store) <= max_n * store.lengths)
    strand = STRANDS.index("+" if stranded or store.alphabet.complement is None else ".")
    size = store.lengths[kept]
    start = size - length if anchor == "end" else np.zeros(len(kept), np.int64)
    table = pd.DataFrame(
        {
            "contig": categorical(kept, store.names),
            "start": start,
            "end": size if anchor == "centre" else start + length,
            "strand": categorical(np.full(len(kept), strand, np.int8), STRANDS),
        }
    )
    counts = cropped_and_padded(size, length)
    sides = {"centre": "both ends", "start": "the end", "end": "the beginning"}[anchor]
    status(
        f"{len(kept):,} sequences in windows of {length:,}: {counts['whole']:,} as they are, {counts['cropped']:,} cut "
        f"and {counts['padded']:,} padded at {sides}"
    )
    return Bins(table, len(store.names), {"n": len(store.names) - len(kept)})


def unknown_residues(store: SequenceStore) -> np.ndarray:
    """Count the letters of each contig that stand for any residue: ``int64``, shape (contigs,)."""
    counts = np.zeros(len(store.names), dtype=np.int64)
    for first in range(0, len(store.codes), BLOCK):
        codes = store.codes[first : first + BLOCK] & np.uint8(SOFT_MASK - 1)
        position = np.flatnonzero(codes == store.alphabet.pad) + first
        # Offsets ascend with the index: sequences lie in the order in which they were read.
        np.add.at(counts, np.searchsorted(store.offsets, position, side="right") - 1, 1)
    return counts


def cropped_and_padded(lengths: np.ndarray, length: int) -> dict[str, int]:
    """Count the sequences of these lengths that a window of ``length`` cuts, pads, and takes as they are."""
    return {
        "cropped": int((lengths > length).sum()),
        "padded": int((lengths < length).sum()),
        "whole": int((lengths == length).sum()),
    }
