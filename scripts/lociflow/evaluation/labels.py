"""The bins, labels and target names of a data set, as baselines and the evaluation read them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.window_table import read_windows


class Labels(NamedTuple):
    """What a data set fixes for all of its models."""

    windows: pd.DataFrame
    """A row a bin, as :func:`lociflow.genome.window_table.read_windows` gives it."""
    targets: np.ndarray
    """int8 memory map, shape (bins, targets): 1, 0, or -1 for missing."""
    names: list[str]
    """Of the targets, one per column."""


def read_labels(windows: Path, targets: Path, target_table: Path) -> Labels:
    """Open the three files that describe a data set's labels.

    Raises
    ------
    UserError
        A file is missing or of another format, or they do not belong together.
    """
    table = read_windows(windows)
    try:
        labels = np.load(targets, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{targets}: cannot be read as labels ({error}); run the windows step again") from None
    try:
        names = pd.read_csv(target_table, sep="\t", dtype=str, keep_default_na=False)["target"].tolist()
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{target_table}: cannot be read as table of targets ({error}); run the windows step again"
        ) from None
    if labels.shape != (len(table), len(names)):
        raise UserError(
            f"{targets}: found {labels.shape} labels, expected ({len(table)}, {len(names)}), the bins of {windows} and "
            f"the targets of {target_table}; run the windows step again"
        )
    return Labels(table, labels, names)
