"""The file of attributions: which windows were explained, for which target, and how much each base contributes."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.stamped_arrays import read_arrays, write_arrays

KIND = "attributions"


class Attributions(NamedTuple):
    """Explained windows, target after target; a window that is explained for two targets is there twice."""

    bin: np.ndarray
    """Bin index, ``int64``, shape ``(n,)``."""
    target: np.ndarray
    """Column of the output, as :mod:`lociflow.interpretation.scalars` orders them, ``int64``, shape ``(n,)``."""
    codes: np.ndarray
    """The windows as the model read them, ``uint8``, shape ``(n, length)``."""
    hypothetical: np.ndarray
    """``float32``, shape ``(n, 4, length)``: what each base would contribute, in units of the output."""
    meta: dict[str, Any]
    """``model``, ``method``, ``settings``, ``output`` (what was explained), ``contrasts`` (name to the two outputs),
    ``seed`` and ``targets``: a list with each output's ``target`` (name), ``column``, ``windows`` (explained),
    ``positives`` (test windows that it could be explained on) and ``quality`` (``gap``, ``change``, ``relative_gap``;
    null where the method has none)."""
    gap: np.ndarray | None = None
    """``float32``, shape ``(n,)``: how far a window's contributions are from adding up, as in
    :class:`lociflow.interpretation.methods.Contributions`. NaN, or None when written: the method promises no sum."""
    change: np.ndarray | None = None
    """``float32``, shape ``(n,)``: what ``gap`` is to be compared with."""


def write_attributions(path: Path, found: Attributions) -> None:
    """Write attributions as ``.npz``: the same bytes for the same values."""
    arrays: dict[str, np.ndarray] = {
        "bin": found.bin.astype(np.int64),
        "target": found.target.astype(np.int64),
        "codes": found.codes.astype(np.uint8),
        "hypothetical": found.hypothetical.astype(np.float32),
        "gap": _known(found.gap, len(found.bin)),
        "change": _known(found.change, len(found.bin)),
    }
    # They hardly shrink.
    write_arrays(path, KIND, found.meta, arrays, compressed=False)


def read_attributions(path: Path) -> Attributions:
    """Read attributions.

    Raises
    ------
    UserError
        The file is missing, is something else, or has another version.
    """
    found, meta = read_arrays(path, KIND, ("bin", "target", "codes", "hypothetical", "gap", "change"))
    return Attributions(
        found["bin"], found["target"], found["codes"], found["hypothetical"], meta, found["gap"], found["change"]
    )


def contrasts_of(found: Attributions) -> dict[str, tuple[str, str]]:
    """Return the contrasts that were explained, as :func:`lociflow.interpretation.scalars.scalar_model` takes them."""
    return {name: (plus, minus) for name, (plus, minus) in (found.meta.get("contrasts") or {}).items()}


def read_explained(path: Path) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Read which windows were explained for which target, without their contributions.

    Returns
    -------
    bin, target : numpy.ndarray
        As :class:`Attributions`.
    names : dict of int to str
        Of the outputs, by their columns.

    Raises
    ------
    UserError
        As :func:`read_attributions`.
    """
    found, meta = read_arrays(path, KIND, ("bin", "target"))
    return found["bin"], found["target"], {fact["column"]: fact["target"] for fact in meta["targets"]}


def observed_contributions(codes: np.ndarray, hypothetical: np.ndarray) -> np.ndarray:
    """Take the contribution of the base that stands at each position.

    Parameters
    ----------
    codes
        ``uint8``, shape ``(n, length)``; soft-mask bits are not looked at.
    hypothetical
        Shape ``(n, 4, length)``: what each base would contribute.

    Returns
    -------
    numpy.ndarray
        ``float64``, shape ``(n, length)``; 0 where the code is not A, C, G or T.
    """
    bases = codes & np.uint8(SOFT_MASK - 1)
    known = bases < 4
    rows = np.where(known, bases, 0).astype(np.int64)[:, None]
    return np.where(known, np.take_along_axis(hypothetical, rows, axis=1)[:, 0], 0).astype(np.float64)


def stretch_sums(contributions: np.ndarray, width: int) -> np.ndarray:
    """Sum contributions over every stretch of ``width`` bases: shape ``(n, length)`` to ``(n, length - width + 1)``."""
    summed = np.pad(np.cumsum(contributions, axis=1), ((0, 0), (1, 0)))
    width = min(width, contributions.shape[1] + 1)
    return np.asarray(summed[:, width:] - summed[:, : summed.shape[1] - width])


def _known(values: np.ndarray | None, count: int) -> np.ndarray:
    return np.full(count, np.nan, dtype=np.float32) if values is None else values.astype(np.float32)
