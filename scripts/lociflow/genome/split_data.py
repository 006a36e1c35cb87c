"""What every split scheme looks at, and what every one of them returns."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.placement import Placement
from lociflow.genome.regions import categorical
from lociflow.sequence.store import SequenceStore

SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
NO_SPLIT = -1


class SplitData(NamedTuple):
    """A data set before, or while, it is split.

    A scheme is a function of it and of the configuration's settings that returns a ``pandas.Categorical`` over
    :data:`SPLITS`, one value a bin, missing for a bin in no split.
    """

    windows: pd.DataFrame
    """A row a bin: ``contig`` (categorical, all contigs of the store in its order), ``start``, ``end`` (int64, 0-based,
    half-open), ``strand`` (categorical), ``group`` (categorical, may be missing), ``published`` (categorical over
    :data:`SPLITS`, missing where the source says nothing)."""
    labels: np.ndarray
    """As ``targets.npy``, usually a memory map: a row a bin."""
    kind: str
    """Of the labels: a key of :data:`lociflow.genome.label_kinds.KINDS`."""
    store: SequenceStore
    place: Placement
    """Where each bin's sequence lies."""
    length: int
    """Bases around the anchor that a model sees."""


def check_sides(codes: np.ndarray, need: tuple[int, ...] = (TRAIN, VALIDATION, TEST), remedy: str = "") -> None:
    """Refuse a split that leaves a side without any bin.

    Parameters
    ----------
    codes
        Index of each bin's split among :data:`SPLITS`; -1 for none.
    need
        The sides that must have a bin.
    remedy
        What to change.

    Raises
    ------
    UserError
        A side is empty.
    """
    for side in need:
        if not (codes == side).any():
            raise UserError(f"split.{SPLITS[side]}: found no bin, expected at least one; {remedy or 'change split'}")


def as_split(codes: np.ndarray) -> pd.Categorical:
    """Return codes 0, 1, 2 and -1 as a split: train, validation, test and missing."""
    return categorical(np.asarray(codes, dtype=np.int8), SPLITS)
