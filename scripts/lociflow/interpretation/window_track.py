"""The file of a track along explained windows: what attention is held against."""

import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lociflow.command import UserError, atomic
from lociflow.formats import check_format, stamp

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
    text = json.dumps({**stamp(KIND), "name": track.name}, sort_keys=True)
    with atomic(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, bin=track.bin, values=track.values, meta=np.array(text))


def open_window_track(path: Path) -> WindowTrack:
    """Read a track along windows.

    Raises
    ------
    UserError
        The file is missing, is something else, or has another version.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            meta = json.loads(str(found["meta"][()]))
            check_format(meta, KIND, path)
            return WindowTrack(meta["name"], found["bin"], found["values"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: cannot be read as a track ({error}); remove it and run snakemake again") from None
