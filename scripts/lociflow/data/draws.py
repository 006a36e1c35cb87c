"""Random draws that are pure functions of (seed, purpose, epoch, batch), whatever was drawn before them.

The generator is counter-based: Philox4x64 (Salmon 2011, doi:10.1145/2063384.2063405). The key holds the seed and the
purpose, the counter the epoch and the batch, so that neither the number of loader workers nor a resume from a saved
state can change a draw.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream of draws is for; two purposes never share a stream."""

    ORDER = 1
    STRAND = 2
    LABELS = 3
    WEIGHTS = 4
    STEP = 5


def stream(seed: int, purpose: Purpose, epoch: int = 0, batch: int = 0) -> np.random.Generator:
    """Open the stream of one seed (at least 0), purpose, epoch and batch at its beginning."""
    return np.random.Generator(np.random.Philox(key=[seed, int(purpose)], counter=[0, 0, batch, epoch]))


def epoch_order(seed: int, epoch: int, size: int) -> np.ndarray:
    """Draw the order of one epoch: a permutation of 0 … size - 1, ``int64``."""
    return stream(seed, Purpose.ORDER, epoch).permutation(size)


def reverse_flags(seed: int, epoch: int, size: int) -> np.ndarray:
    """Toss a fair coin for every bin of a data set.

    Returns
    -------
    numpy.ndarray
        ``bool``, shape ``(size,)``: whether the bin with that index is read from the other strand in this epoch. The
        coin of a bin is its place in the stream: a larger ``size`` leaves the coins of the bins before it as they are.
    """
    return np.frombuffer(stream(seed, Purpose.STRAND, epoch).bytes(size), dtype=np.uint8) > 127


def permuted_rows(seed: int, size: int, groups: Sequence[np.ndarray]) -> np.ndarray:
    """Permute the rows of a table within groups of its rows.

    Parameters
    ----------
    seed
        Of the training.
    size
        Number of rows of the table.
    groups
        Row numbers of each group; rows in no group keep their place.

    Returns
    -------
    numpy.ndarray
        ``int64``, shape ``(size,)``: the row that stands in for each row.
    """
    rows = np.arange(size, dtype=np.int64)
    for number, group in enumerate(groups):
        rows[group] = group[stream(seed, Purpose.LABELS, batch=number).permutation(len(group))]
    return rows


def torch_seed(seed: int, purpose: Purpose, epoch: int = 0, batch: int = 0) -> int:
    """Draw a seed, at least 0 and below 2**63, for torch's own generators (weights, dropout)."""
    return int(stream(seed, purpose, epoch, batch).integers(2**63, dtype=np.uint64))
