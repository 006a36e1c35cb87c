"""The file of a track along explained windows: what attention is held against."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from lociflow.stamped_arrays import read_arrays, write_arrays

KIND = "window track"


class WindowTrack(NamedTuple):
    """A track along windows."""

    name: str
    bin: np.ndarray
    """Of each window, ``int64``, shape ``(n,)``, in the order of the attributions."""
    values: np.ndarray
    """``float32``, shape ``(n, length)``; NaN where nothing is known."""


def write_window_track(path: Path, track: WindowTrack) -> None:
    """Write a track along windows as a compressed ``.npz``; the same track gives the same bytes."""
    write_arrays(path, KIND, {"name": track.name}, {"bin": track.bin, "values": track.values})


def open_window_track(path: Path) -> WindowTrack:
    """Read a track along windows.

    Raises
    ------
    UserError
        The file is missing, is something else, or has another version.
    """
    arrays, meta = read_arrays(path, KIND, ("bin", "values"))
    return WindowTrack(meta["name"], **arrays)
