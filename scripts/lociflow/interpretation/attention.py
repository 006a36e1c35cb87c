"""The file of attention: what a model looks at in each window that was explained."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lociflow.stamped_arrays import read_arrays, write_arrays

KIND = "attention"


class AttentionMaps(NamedTuple):
    """What a model looks at, averaged over its heads and, where it has several, over its layers."""

    bin: np.ndarray
    """Of each window, ``int64``, shape ``(n,)``, in the order of the attributions."""
    target: np.ndarray
    """Column of the target for which it was explained, ``int64``, shape ``(n,)``."""
    received: np.ndarray
    """``float32``, shape ``(n, positions)``: how much each position is looked at, averaged over those that look; sums
    to 1."""
    contributions: np.ndarray
    """``float32``, shape ``(n, positions)``: the mean absolute contribution of each position's bases."""
    agreement: np.ndarray
    """``float32``, shape ``(n,)``: rank correlation over the positions between the two above; NaN where one of them is
    the same everywhere."""
    mean: np.ndarray
    """``float32``, shape ``(positions, positions)``: mean map over all windows, rows the positions that look; of a
    pool, which looks from nowhere, shape ``(0, positions)``."""
    examples: np.ndarray
    """``int64``, shape ``(k,)``: rows of the windows whose maps are kept, the first of each target."""
    maps: np.ndarray
    """``float16``, shape ``(k, positions, positions)``, or ``(k, 0, positions)``."""
    track: np.ndarray
    """``float32``, shape ``(n, positions)``: the mean over each position's bases of the track that attention is held
    against, NaN where it is unknown; shape ``(n, 0)`` without one."""
    track_agreement: np.ndarray
    """``float32``, shape ``(n,)``: rank correlation over the positions between ``received`` and ``track``; NaN where it
    is undefined."""
    track_contributions: np.ndarray
    """The same of ``contributions`` and ``track``."""
    meta: dict[str, Any]
    """``model``, ``length`` (of a window, in bases), ``heads``, ``kind`` (``map`` or ``pool``), ``track`` (its name or
    None) and ``targets``: of each its name, ``column``, ``windows`` and the means over windows of ``agreement``,
    ``track_agreement`` and ``track_contributions``, None where they are undefined."""


def write_attention(path: Path, found: AttentionMaps) -> None:
    """Write attention as a compressed ``.npz``."""
    write_arrays(path, KIND, found.meta, {name: value for name, value in found._asdict().items() if name != "meta"})


def read_attention(path: Path) -> AttentionMaps:
    """Read attention.

    Raises
    ------
    UserError
        The file is missing, is something else, or has another version.
    """
    arrays, meta = read_arrays(path, KIND, [name for name in AttentionMaps._fields if name != "meta"])
    return AttentionMaps(**arrays, meta=meta)
