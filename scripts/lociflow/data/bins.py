"""The bins of a data set, as training, prediction and interpretation read them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.placement import Placement, place_windows
from lociflow.genome.window_table import count_windows, window_batches
from lociflow.sequence.store import SequenceStore

SPLITS = ("train", "validation", "test")
NO_SPLIT = 255


class Bins(NamedTuple):
    """The bins of a data set in columns of equal length; a bin's row number is its index everywhere.

    14 bytes a bin, eight more where any is a shuffle, and eight for a training's order: what a training holds in memory
    of a data set.
    """

    place: Placement
    """Where they lie in the store."""
    reverse: np.ndarray
    """``bool``: whether the bin lies on the ``-`` strand, from which it is then read."""
    split: np.ndarray
    """``uint8``: index into :data:`SPLITS`; :data:`NO_SPLIT` for a bin that the split leaves out."""

    def __len__(self) -> int:
        return len(self.split)


def read_bins(path: Path, store: SequenceStore, split: str) -> Bins:
    """Read ``windows.parquet``.

    Parameters
    ----------
    path
        The file.
    store
        The sequence store on which its bins lie.
    split
        Name of the split.

    Raises
    ------
    UserError
        The file is missing, of another format or version, has no such split, or names a contig that the store lacks.
    """
    bins = count_windows(path)
    contig, position = np.empty(bins, np.int32), np.empty(bins, np.int64)
    reverse, sides = np.zeros(bins, bool), np.empty(bins, np.uint8)
    seeds: np.ndarray | None = None
    first = 0
    for frame in window_batches(path, split):
        rows = slice(first, first + len(frame))
        place = place_windows(frame, store)
        contig[rows], position[rows] = place.contig, place.position
        if place.seeds is not None:
            seeds = np.zeros(bins, np.int64) if seeds is None else seeds
            seeds[rows] = place.seeds
        reverse[rows] = (frame["strand"] == "-").to_numpy()
        sides[rows] = _side_numbers(frame["split"], first, path)
        first = rows.stop
    return Bins(Placement(contig, position, seeds), reverse, sides)


def _side_numbers(split: pd.Series, first: int, path: Path) -> np.ndarray:
    labels = pd.Categorical(split)
    if unknown := [label for label in labels.categories if label not in SPLITS and (labels == label).any()]:
        row = first + int((labels == unknown[0]).argmax())
        raise UserError(
            f"{path}, row {row}: found split {unknown[0]!r}, expected one of {', '.join(SPLITS)}; run the "
            "step that makes the windows again"
        )
    places = [SPLITS.index(label) if label in SPLITS else NO_SPLIT for label in labels.categories]
    return np.array([*places, NO_SPLIT], dtype=np.uint8)[labels.codes]


def bins_of_split(bins: Bins, split: str) -> np.ndarray:
    """Return the indices, ``int64`` in ascending order, of the bins of one of :data:`SPLITS`."""
    return np.flatnonzero(bins.split == SPLITS.index(split))
