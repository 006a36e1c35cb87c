"""Read files as they are or as gzip, whichever their first bytes say they are."""

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

GZIP_MAGIC = b"\x1f\x8b"

# What Python's gzip reader raises on a truncated or damaged file.
GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)


def is_gzip(path: Path) -> bool:
    """Tell whether a file begins like gzip; bgzip is gzip in many members and does too."""
    with path.open("rb") as handle:
        return handle.read(2) == GZIP_MAGIC


def open_binary(path: Path) -> BinaryIO:
    """Open a plain, gzip or bgzip file for reading bytes, by its content and not by its suffix.

    Reading on may raise one of :data:`GZIP_ERRORS` where the file is truncated or damaged.
    """
    if is_gzip(path):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")
