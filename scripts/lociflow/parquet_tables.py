"""Parquet tables that know when they are damaged: every page is written with a checksum, and held to it when read."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lociflow.command import UserError, atomic
from lociflow.machine_refusals import is_refusal

WRITTEN: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}
READ: dict[str, Any] = {"page_checksum_verification": True}


def write_parquet(path: Path, table: pa.Table, **settings: Any) -> None:
    """Write a table; ``settings`` are more of :func:`pyarrow.parquet.write_table`."""
    with atomic(path) as temporary:
        pq.write_table(table, temporary, **WRITTEN, **settings)


def read_parquet(path: Path, what: str, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
    """Read a table, or some of its columns and rows.

    Parameters
    ----------
    path
        The file.
    what
        What it should be, for the message.
    columns, filters
        As of :func:`pyarrow.parquet.read_table`.

    Raises
    ------
    UserError
        The file is missing, damaged, no Parquet, or lacks a column.
    """
    try:
        return pq.read_table(path, columns=None if columns is None else list(columns), filters=filters, **READ)
    except (OSError, pa.ArrowException) as error:
        raise _told(path, what, error) from None


def read_batches(path: Path, what: str, size: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a table in parts of up to so many rows; memory holds one of them.

    Raises
    ------
    UserError
        As :func:`read_parquet`.
    """
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16, **READ) as file:
            yield from file.iter_batches(size, columns=list(columns))
    except (OSError, pa.ArrowException) as error:
        raise _told(path, what, error) from None


def read_about(path: Path, what: str) -> tuple[int, dict[bytes, bytes]]:
    """Return a table's number of rows and what it says of itself, from the end of the file.

    Raises
    ------
    UserError
        As :func:`read_parquet`.
    """
    try:
        about = pq.read_metadata(path)
        return about.num_rows, dict(about.schema.to_arrow_schema().metadata or {})
    except (OSError, pa.ArrowException) as error:
        raise _told(path, what, error) from None


def _told(path: Path, what: str, error: Exception) -> Exception:
    if is_refusal(error):
        return error
    return UserError(f"{path}: cannot be read as {what} ({error}); remove it and run snakemake again")
