"""The bins, labels and target names of a data set, as baselines and the evaluation read them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.data.targets import open_targets, read_target_names
from lociflow.genome.window_table import read_windows


class Labels(NamedTuple):
    """What a data set fixes for all of its models."""

    windows: pd.DataFrame
    """A row a bin, as :func:`lociflow.genome.window_table.read_windows` gives it, with ``split``."""
    targets: np.ndarray
    """int8 memory map, shape (bins, targets): 1, 0, or -1 for missing."""
    names: list[str]
    """Of the targets, one per column."""


def read_labels(windows: Path, targets: Path, target_table: Path, split: str) -> Labels:
    """Open the three files that describe a data set's labels, which are binary, in one of its splits.

    Raises
    ------
    UserError
        A file is missing or of another format, they do not belong together, or there is no such split.
    """
    table, names = read_windows(windows, split), list(read_target_names(target_table))
    return Labels(table, open_targets(targets, len(table), len(names)), names)
