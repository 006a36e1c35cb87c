"""Arrays that arrive batch by batch and are read again one target at a time, on the disk instead of in memory."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

# What is held in memory until it is written, in bytes; data sets below it never touch the disk.
PANEL = 1 << 22


class Spool:
    """Rows of equally long arrays, appended in batches; columns of their last axis, read whole.

    Rows are gathered into panels, each of which goes to a scratch file with its columns one after the other, so that
    the columns of a file of any size are read in one pass over it. The file has no name: it vanishes with the process,
    however that ends.

    Parameters
    ----------
    folder
        Where the scratch file lies; made if it is not there.
    panel
        Bytes of a panel.
    """

    def __init__(self, folder: Path, panel: int = PANEL) -> None:
        self.folder = folder
        self.panel = panel
        self.rows = 0
        self._file: IO[bytes] | None = None
        self._waiting: list[tuple[np.ndarray, ...]] = []
        self._waiting_bytes = 0
        # Rows of each written panel and where it begins in the file.
        self._panels: list[tuple[int, int]] = []
        # Type and shape of a row of each array.
        self._kinds: list[tuple[np.dtype, tuple[int, ...]]] = []

    def append(self, *arrays: np.ndarray) -> None:
        """Take in a batch: arrays of shape ``(batch, …, columns)``, in each call of the same types and row shapes.

        The arrays must not be changed afterwards.

        Raises
        ------
        ValueError
            The arrays are not like those before, or not equally many rows and columns.
        """
        kinds = [(array.dtype, array.shape[1:]) for array in arrays]
        self._kinds = self._kinds or kinds
        sizes = {(len(array), array.shape[-1]) for array in arrays}
        if kinds != self._kinds or len(sizes) != 1:
            raise ValueError(f"found {kinds}, expected {self._kinds} with equally many rows and columns")
        self.rows += len(arrays[0])
        self._waiting.append(arrays)
        self._waiting_bytes += sum(array.nbytes for array in arrays)
        if self._waiting_bytes >= self.panel:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self.folder, buffering=0)  # noqa: SIM115  close() closes it
        self._panels.append((sum(len(arrays[0]) for arrays in self._waiting), self._file.tell()))
        for array in self._whole():
            left = memoryview(np.moveaxis(array, -1, 0).tobytes())
            while len(left):
                # An unbuffered file may take less than it is given.
                left = left[self._file.write(left) :]
        self._waiting.clear()
        self._waiting_bytes = 0

    def _whole(self) -> Iterator[np.ndarray]:
        for column in zip(*self._waiting, strict=True):
            yield np.concatenate(column)

    def columns(self) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield, for each column, all its rows of every array: shape ``(rows, …)``, in the order they were given."""
        waiting = list(self._whole())
        for column in range(self._kinds[0][1][-1] if self._kinds else 0):
            found = []
            for number, (dtype, shape) in enumerate(self._kinds):
                values = np.empty((self.rows, *shape[:-1]), dtype)
                first = 0
                for rows, begin in self._panels:
                    self._read(begin, rows, number, column, values[first : first + rows])
                    first += rows
                if waiting:
                    values[first:] = waiting[number][..., column]
                found.append(values)
            yield tuple(found)

    def _read(self, begin: int, rows: int, number: int, column: int, into: np.ndarray) -> None:
        assert self._file is not None
        sizes = [rows * dtype.itemsize * int(np.prod(shape, dtype=np.int64)) for dtype, shape in self._kinds]
        place = begin + sum(sizes[:number]) + column * into.nbytes
        end, parts = place + into.nbytes, []
        while place < end:
            part = os.pread(self._file.fileno(), end - place, place)
            if not part:
                raise OSError(f"a scratch file in {self.folder} has become shorter than it was written")
            parts.append(part)
            place += len(part)
        into[:] = np.frombuffer(b"".join(parts), into.dtype).reshape(into.shape)

    def close(self) -> None:
        """Forget everything and give back the disk."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self.rows = self._waiting_bytes = 0
        for held in (self._waiting, self._panels, self._kinds):
            held.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
