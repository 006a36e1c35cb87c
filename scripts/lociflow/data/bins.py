"""The bins of a data set, as training, prediction and interpretation read them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.window_table import read_windows
from lociflow.sequence.store import SequenceStore, contig_index

SPLITS = ("train", "validation", "test")


class Bins(NamedTuple):
    """The bins of a data set in columns of equal length; a bin's row number is its index everywhere.

    13 bytes a bin and eight more for a training's order: what a training holds in memory of a data set.
    """

    contig: np.ndarray
    """``int32``: index into the store's contigs."""
    center: np.ndarray
    """``int64``: ``(start + end) // 2`` of the half-open, 0-based interval."""
    reverse: np.ndarray
    """``bool``: whether the bin lies on the ``-`` strand, from which it is then read."""
    split: np.ndarray
    """``uint8``: index into :data:`SPLITS`."""


def read_bins(path: Path, store: SequenceStore) -> Bins:
    """Read ``windows.parquet``.

    Parameters
    ----------
    path
        The file.
    store
        The sequence store on which its bins lie.

    Raises
    ------
    UserError
        The file is missing, of another format or version, names a split that does not exist or a contig that the
        store lacks.
    """
    frame = read_windows(path)
    number, labels = pd.factorize(frame["split"].astype(object))
    if unknown := [label for label in labels if label not in SPLITS]:
        row = int((frame["split"].astype(object) == unknown[0]).to_numpy().argmax())
        raise UserError(
            f"{path}, row {row}: found split {unknown[0]!r}, expected one of {', '.join(SPLITS)}; run the "
            "step that makes the windows again"
        )
    split = np.array([SPLITS.index(label) for label in labels], dtype=np.uint8)[number]
    contig, names = pd.factorize(frame["contig"].astype(object))
    return Bins(
        contig=contig_index(store, [str(name) for name in names])[contig].astype(np.int32),
        center=(frame["start"].to_numpy(np.int64) + frame["end"].to_numpy(np.int64)) // 2,
        reverse=(frame["strand"].astype(str) == "-").to_numpy(),
        split=split,
    )


def bins_of_split(bins: Bins, split: str) -> np.ndarray:
    """Return the indices, ``int64`` in ascending order, of the bins of one of :data:`SPLITS`."""
    return np.flatnonzero(bins.split == SPLITS.index(split))


def window_start(bins: Bins, length: int) -> np.ndarray:
    """Return where each bin's window of ``length`` bases begins, ``int64``, 0-based; may lie beyond the contig.

    The window is centred on the bin: one base longer to the left where a centred one does not exist.
    """
    return bins.center - length // 2
