"""Records of FASTA files and tables, one at a time, as text, with the place where each stands."""

import contextlib
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary

# By suffix, behind which .gz or .bgz may stand.
SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t"}

# Rows of a Parquet file that are held at once.
BATCH = 1 << 14


class Place(NamedTuple):
    """Where a record stands."""

    path: Path
    unit: str
    """What is counted: line or row."""
    number: int
    """From 1."""

    def __str__(self) -> str:
        return f"{self.path}, {self.unit} {self.number}"


def fasta_records(path: Path) -> Iterator[tuple[Place, str, str]]:
    """Yield the place, the header without its ">" and the letters of every sequence of a FASTA file.

    Plain, gzip or bgzip; lines of any width that end with LF, CRLF or CR; a byte order mark and blank lines are passed
    over. An empty sequence is handed on as it is.

    Raises
    ------
    UserError
        The file is missing, truncated, no UTF-8 text, has no sequence in it or a header without a name.
    """
    place, header, parts = Place(path, "line", 0), None, list[str]()
    with _text(path, "a FASTA file") as handle:
        for number, line in enumerate(handle, start=1):
            if line.startswith(">"):
                if header is not None:
                    yield place, header, "".join(parts)
                place, header, parts = Place(path, "line", number), line[1:].strip(), []
                if not header or line[1].isspace():
                    raise UserError(f"{place}: found a header without a name, expected >NAME; name it")
            elif header is not None:
                parts.append(line.strip())
            elif line.strip():
                raise UserError(
                    f"{Place(path, 'line', number)}: found {line[:30].rstrip()!r}, expected a FASTA header (>NAME); "
                    "give a FASTA file, plain, gzip or bgzip"
                )
    if header is None:
        raise UserError(f"{path}: found no sequence in it, expected FASTA; remove it and fetch it again")
    yield place, header, "".join(parts)


def table_records(
    path: Path, separator: str | None = None, columns: Sequence[str | Mapping[str, int]] | None = None
) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yield the place and the fields, by column, of every row of a table.

    White space around a field is dropped; blank lines are passed over; quotes are those of CSV. An empty field is "".

    Parameters
    ----------
    path
        Text, plain, gzip or bgzip, or Parquet.
    separator
        Character between fields; None: by the file's suffix (csv, tsv, tab, txt, parquet).
    columns
        Names of the fields of a file without a header line; ``{name: number}`` joins that many fields into one, for
        tables with a column for each base. None: the first line has them.

    Raises
    ------
    UserError
        The file is missing, damaged, no table, or a row has too many or too few fields.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".bgz")]
    suffix = suffixes[-1] if suffixes else ""
    if separator is None and suffix in (".parquet", ".pq"):
        if columns is not None:
            raise UserError(f"{path}: found sequences.format.columns, expected none for Parquet; remove it")
        yield from _parquet(path)
        return
    mark = SEPARATORS.get(suffix) if separator is None else separator
    if not isinstance(mark, str) or len(mark) != 1:
        raise UserError(
            f"{path}: found the separator {separator!r} and the suffix {suffix!r}, expected one character, or a file "
            f"that ends with {', '.join((*SEPARATORS, '.parquet'))}; set sequences.format.separator"
        )
    yield from _separated(path, mark, columns)


def _separated(
    path: Path, separator: str, columns: Sequence[str | Mapping[str, int]] | None
) -> Iterator[tuple[Place, dict[str, str]]]:
    widths = None if columns is None else _widths(columns)
    # A sequence may be longer than the 128 kB that the module allows a field.
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))
    row: list[str]
    with _text(path, "a table") as handle:
        # Blanks that follow a separator are no part of a field, unless they are separators themselves.
        reader = csv.reader(handle, delimiter=separator, skipinitialspace=separator not in " \t", strict=True)
        try:
            for row in reader:
                fields = [field.strip() for field in row]
                if not any(fields):
                    continue
                place = Place(path, "line", reader.line_num)
                if widths is None:
                    widths = _widths(fields, str(place))
                    continue
                expected = sum(width for _, width in widths)
                if len(fields) != expected:
                    names = ", ".join(name for name, _ in widths)
                    raise UserError(
                        f"{place}: found {len(fields)} fields, expected {expected} ({names}) between {separator!r}; "
                        "correct the line or sequences.format"
                    )
                yield place, _named(fields, widths)
        except csv.Error as error:
            raise UserError(
                f"{path}, line {reader.line_num}: {error}, expected fields separated by {separator!r}, with quotes in "
                "pairs; correct the line"
            ) from None
    if widths is None:
        raise UserError(f"{path}: found no line in it, expected a table; remove it and fetch it again")


def _widths(columns: Sequence[Any], where: str = "sequences.format.columns") -> list[tuple[str, int]]:
    widths: list[tuple[str, int]] = []
    for column in columns:
        entry = dict(column) if isinstance(column, Mapping) else {column: 1}
        for name, width in entry.items():
            if not isinstance(width, int) or width < 1 or len(entry) != 1:
                raise UserError(f"{where}: found {column!r}, expected a name, or name: number of fields")
            widths.append((str(name), width))
    names = [name for name, _ in widths]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"{where}: found the column {repeated!r} twice, expected each name once; rename one of them")
    return widths


def _named(fields: list[str], widths: list[tuple[str, int]]) -> dict[str, str]:
    if len(fields) == len(widths):
        return {name: field for (name, _), field in zip(widths, fields, strict=True)}
    named, start = {}, 0
    for name, width in widths:
        named[name] = "".join(fields[start : start + width])
        start += width
    return named


def _parquet(path: Path) -> Iterator[tuple[Place, dict[str, str]]]:
    try:
        table = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: cannot be read as Parquet ({error}); fetch it again") from None
    number = 0
    with table:
        for batch in table.iter_batches(BATCH):
            for row in batch.to_pylist():
                number += 1
                yield Place(path, "row", number), {str(name): _as_text(value) for name, value in row.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").strip()
    return "" if value is None else str(value).strip()


@contextlib.contextmanager
def _text(path: Path, what: str) -> Iterator[io.TextIOWrapper]:
    try:
        binary = open_binary(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected {what}") from None
    with io.TextIOWrapper(binary, encoding="utf-8-sig", newline=None) as handle:
        try:
            yield handle
        except GZIP_ERRORS as error:
            raise UserError(
                f"{path}: the gzip file is truncated or damaged ({error}); remove it and fetch it again"
            ) from None
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path}: found a byte that is no UTF-8 ({error.reason}), expected {what}; convert it with iconv"
            ) from None
