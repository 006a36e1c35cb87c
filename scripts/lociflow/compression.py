"""Read files as they are or as gzip, whichever their first bytes say they are."""

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import BinaryIO, cast

GZIP_MAGIC = b"\x1f\x8b"

# What Python's gzip reader raises on a truncated or damaged file.
GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)

# bgzip's extra field in the gzip header, and its empty last block (SAM specification, 4.1).
_BGZIP_FIELD = b"BC\x02\x00"
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def is_gzip(path: Path) -> bool:
    """Tell whether a file begins like gzip; bgzip is gzip in many members and does too."""
    with path.open("rb") as handle:
        return handle.read(2) == GZIP_MAGIC


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a plain, gzip or bgzip file, unpacked, whatever becomes of its end.

    Raises one of :data:`GZIP_ERRORS` where the beginning itself is damaged.
    """
    with path.open("rb") as handle:
        begin = handle.read(1 << 16)
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(begin, count) if is_gzip(path) else begin[:count]


def open_binary(path: Path) -> BinaryIO:
    """Open a plain, gzip or bgzip file for reading bytes, by its content and not by its suffix.

    Reading on may raise one of :data:`GZIP_ERRORS` where the file is truncated or damaged. A bgzip file without the
    empty block that ends it is truncated too, between two blocks, where gzip itself would see nothing wrong.
    """
    if not is_gzip(path):
        return path.open("rb")
    if _is_cut_bgzip(path):
        return cast(BinaryIO, _CutGzip(_Cut(path)))
    return cast(BinaryIO, gzip.open(path, "rb"))


def _is_cut_bgzip(path: Path) -> bool:
    with path.open("rb") as handle:
        if handle.read(16)[12:16] != _BGZIP_FIELD:
            return False
        handle.seek(-min(len(_BGZIP_END), handle.seek(0, os.SEEK_END)), os.SEEK_END)
        return handle.read() != _BGZIP_END


class _Cut(io.FileIO):
    """A file whose end is an error: more should follow."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(-1 if size is None else size)
        if not found and size:
            raise EOFError("the block that ends a bgzip file is missing")
        return found


class _CutGzip(gzip.GzipFile):
    """gzip that closes its file with itself."""

    def __init__(self, raw: _Cut) -> None:
        super().__init__(fileobj=raw, mode="rb")
        self._raw = raw

    def close(self) -> None:
        super().close()
        self._raw.close()
