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
    targets = _map(path, "targets")
    shape = (bins, *targets.shape[1:-1], names)
    if targets.dtype != kind.dtype or targets.shape != shape or targets.ndim != (3 if kind.positional else 2):
        expected = f"({bins}, positions, {names})" if kind.positional else str((bins, names))
        raise UserError(
            f"{path}: found {targets.dtype} of shape {targets.shape}, expected {kind.dtype} of shape {expected} as the "
            f"windows and the target table have it for {kind.name} labels; run the step that makes all three again"
        )
    return targets


def open_control(path: Path, bins: int) -> np.ndarray:
    """Map ``control.npy`` into memory: ``float32``, shape ``(bins, tracks)`` or ``(bins, positions, tracks)``.

    Raises
    ------
    UserError
        The file is missing or has another type or number of bins.
    """
    control = _map(path, "the values of a control")
    if control.dtype != np.float32 or control.ndim not in (2, 3) or len(control) != bins:
        raise UserError(
            f"{path}: found {control.dtype} of shape {control.shape}, expected float32 of {bins} bins as the windows "
            "have them; run the step that makes both again"
        )
    return control


def _map(path: Path, what: str) -> np.ndarray:
    try:
        found: np.ndarray = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: cannot be read as {what} ({error}); run the step that makes it again") from None
    return found
