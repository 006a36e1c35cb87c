"""The labels of a data set and their names."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.label_kinds import KINDS, LabelKind


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


def open_targets(path: Path, bins: int, names: int, kind: LabelKind = KINDS["binary"]) -> np.ndarray:
    """Map ``targets.npy`` into memory: of the kind's type, shape ``(bins, targets)`` or ``(bins, positions, targets)``.

    Raises
    ------
    UserError
        The file is missing or has another type or shape.
    """
    try:
        targets = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: cannot be read as targets ({error}); run the step that makes it again") from None
    shape = (bins, *targets.shape[1:-1], names)
    if targets.dtype != kind.dtype or targets.shape != shape or targets.ndim != (3 if kind.positional else 2):
        expected = f"({bins}, positions, {names})" if kind.positional else str((bins, names))
        raise UserError(
            f"{path}: found {targets.dtype} of shape {targets.shape}, expected {kind.dtype} of shape {expected} as the "
            f"windows and the target table have it for {kind.name} labels; run the step that makes all three again"
        )
    return targets
