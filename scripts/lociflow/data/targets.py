"""The labels of a data set and their names."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from lociflow.command import UserError


def read_target_names(path: Path) -> tuple[str, ...]:
    """Read the names of the targets, the columns of ``targets.npy``, from ``targets.tsv``.

    Raises
    ------
    UserError
        The file is missing, or has no column ``target``.
    """
    try:
        # Written without quotes: one in a name is part of it.
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE)
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a target table ({error}); make it again") from None
    if "target" not in table.columns:
        raise UserError(f"{path}: has no column target; run the step that makes it again")
    return tuple(table["target"])


def open_targets(path: Path, bins: int, names: int) -> np.ndarray:
    """Map ``targets.npy`` into memory: ``int8``, shape ``(bins, targets)``.

    Raises
    ------
    UserError
        The file is missing or has another type or shape.
    """
    try:
        targets = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as targets ({error}); run the step that makes it again") from None
    if targets.dtype != np.int8 or targets.shape != (bins, names):
        raise UserError(
            f"{path}: found {targets.dtype} of shape {targets.shape}, expected int8 of shape {(bins, names)} as the "
            "windows and the target table have it; run the step that makes all three again"
        )
    return targets
