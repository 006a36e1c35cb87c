"""Regions from BED and narrowPeak files. Coordinates are 0-based and half-open."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from lociflow.command import UserError

NARROW_PEAK_COLUMNS = 10
NO_SUMMIT = -1
STRANDS = (".", "+", "-")

# Lines that carry no region: comments, what a genome browser needs, and blanks.
_NOT_A_REGION = re.compile(rb"^(?:#.*|(?:track|browser)(?:[ \t].*)?|[ \t]*)\n", re.MULTILINE)
_WHOLE_NUMBER = re.compile(rb"-?[0-9]{1,18}")
# pandas takes 2.0 and 1e3 for whole numbers, and some programs round what they write so (1.23457e+06).
_BAD_BORDERS = re.compile(rb"^[^\t\n]*\t(?!-?[0-9]+\t-?[0-9]+[\t\n])", re.MULTILINE)
_STRAND_FIELDS = {b"+", b"-", b".", b"*", b""}
_NO_SCORE = (b".", b"")
_KINDS = {
    "contig": "category",
    "start": "int64",
    "end": "int64",
    "name": "str",
    "score": "float64",
    "strand": "category",
}


def categorical(codes: np.ndarray, names: Iterable[str]) -> pd.Categorical:
    """Return the categorical column of ``names`` that has these codes; -1 is missing."""
    dtype: pd.CategoricalDtype = pd.CategoricalDtype(pd.Index(list(names), dtype="str"))
    return pd.Categorical.from_codes(codes, dtype=dtype)


def empty_regions() -> pd.DataFrame:
    """Return a table without rows, with the columns and dtypes of :func:`read_regions`."""
    return pd.DataFrame(
        {
            "contig": categorical(np.empty(0, np.int8), []),
            "start": np.empty(0, np.int64),
            "end": np.empty(0, np.int64),
            "name": pd.Series([], dtype="str"),
            "score": np.empty(0, np.float64),
            "strand": categorical(np.empty(0, np.int8), STRANDS),
            "summit": np.empty(0, np.int64),
        }
    )


def read_regions(path: Path) -> pd.DataFrame:
    """Read BED3 to BED12, BED with more columns, or narrowPeak; plain, gzip or bgzip (told by the content).

    Columns are separated by tabs, or by spaces where the first region has no tab. Comments, blank lines, ``track`` and
    ``browser`` lines are skipped wherever they stand. A region of zero length (``start == end``, an insertion point in
    BED) is valid here; it covers no base, so whoever needs bases drops and counts it.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    pandas.DataFrame
        In the order of the file: ``contig`` (categorical), ``start`` and ``end`` (int64), ``name`` (str, "." where
        there is none), ``score`` (float64, NaN where there is none), ``strand`` (categorical ".", "+", "-"; "*" reads
        as "."), ``summit`` (int64, position on the contig; -1 where none is called; only narrowPeak, known by its ten
        columns, has one).

    Raises
    ------
    UserError
        The file is missing or broken off, or a line has too few columns, another number of columns than the first
        region, a start or end that is not a whole number, a negative start, an end before its start, a score that is
        not a number, an unknown strand, or a summit outside its peak.
    """
    lines = _read_lines(path)
    table = _NOT_A_REGION.sub(b"", lines) if _NOT_A_REGION.search(lines) else lines
    if not table:
        return empty_regions()
    first = table[: table.index(b"\n")]
    if b"\t" not in first:
        table = re.sub(rb"^[ \t]+|[ \t]+$", b"", table, flags=re.MULTILINE)
        table = re.sub(rb"[ \t]+", b"\t", table)
        first = table[: table.index(b"\n")]
    columns = first.count(b"\t") + 1
    # pandas fills up rows that are too short without a word: the number of tabs tells.
    even = table.count(b"\t") == table.count(b"\n") * (columns - 1)
    if columns < 3 or not even or _BAD_BORDERS.search(table):
        raise _first_fault(path, lines)
    try:
        regions = _parse(table, columns)
    except (ValueError, OverflowError) as error:
        raise _first_fault(path, lines, str(error)) from None
    if _has_fault(regions):
        raise _first_fault(path, lines)
    return regions


def _read_lines(path: Path) -> bytes:
    try:
        content = Path(path).read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path}: a broken gzip file ({error}); fetch it again") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected a BED or narrowPeak file") from None
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if content and not content.endswith(b"\n"):
        content += b"\n"
    return content


def _parse(table: bytes, columns: int) -> pd.DataFrame:
    names = ["contig", "start", "end", "name", "score", "strand", "6", "7", "8", "peak"][:columns]
    names += [str(column) for column in range(len(names), columns)]
    kinds = dict(_KINDS)
    if columns == NARROW_PEAK_COLUMNS:
        kinds["peak"] = "int64"
    wanted = [name for name in names if name in kinds]
    parsed = pd.read_csv(
        io.BytesIO(table),
        sep="\t",
        header=None,
        names=names,
        usecols=wanted,
        dtype={name: kinds[name] for name in wanted},
        na_values={"score": [text.decode() for text in _NO_SCORE]},
        keep_default_na=False,
        quoting=csv.QUOTE_NONE,
        encoding_errors="replace",
        engine="c",
    )
    number = len(parsed)
    summit = np.full(number, NO_SUMMIT, dtype=np.int64)
    if columns == NARROW_PEAK_COLUMNS:
        offset = parsed["peak"].to_numpy()
        summit = np.where(offset < 0, NO_SUMMIT, parsed["start"].to_numpy() + offset)
    return pd.DataFrame(
        {
            "contig": parsed["contig"],
            "start": parsed["start"],
            "end": parsed["end"],
            "name": parsed["name"] if columns > 3 else pd.Series(["."] * number, dtype="str"),
            "score": parsed["score"] if columns > 4 else np.full(number, np.nan),
            "strand": _strand(parsed["strand"]) if columns > 5 else categorical(np.zeros(number, np.int8), STRANDS),
            "summit": summit,
        }
    )


def _strand(column: pd.Series) -> pd.Categorical:
    # A strand that is none of the known ones becomes missing here and is refused by _has_fault.
    known = {"+": "+", "-": "-", ".": ".", "*": ".", "": "."}
    place = [STRANDS.index(known[text]) if text in known else -1 for text in column.cat.categories]
    return categorical(np.array(place, dtype=np.int8)[column.cat.codes.to_numpy()], STRANDS)


def _has_fault(regions: pd.DataFrame) -> bool:
    start, end, summit = (regions[column].to_numpy() for column in ("start", "end", "summit"))
    outside = (summit != NO_SUMMIT) & ((summit < start) | (summit >= end))
    return bool(
        (start < 0).any()
        or (end < start).any()
        or outside.any()
        or regions["strand"].isna().any()
        or "" in regions["contig"].cat.categories
    )


def _first_fault(path: Path, lines: bytes, otherwise: str = "not a table of regions") -> UserError:
    """Find the first bad line, slowly: only what the fast parser has refused comes here."""
    columns = separator = None
    for number, line in enumerate(lines.split(b"\n"), start=1):
        if _NOT_A_REGION.fullmatch(line + b"\n"):
            continue
        if columns is None:
            separator = b"\t" if b"\t" in line else None
        fields = line.split(separator)
        fault = _fault(fields, len(fields) if columns is None else columns)
        if fault:
            return UserError(f"{path}, line {number}: {fault}")
        columns = columns or len(fields)
    return UserError(f"{path}: cannot be read as BED ({otherwise})")


def _fault(fields: list[bytes], columns: int) -> str | None:
    shown = [field.decode(errors="replace") for field in fields]
    if len(fields) < 3:
        return (
            f"found {_columns(len(fields))} ({' '.join(shown)[:60]!r}), expected contig, start and end, separated by "
            "tabs; is this a BED file?"
        )
    if len(fields) != columns:
        return f"found {_columns(len(fields))}, expected {columns} as in the first region; fill missing ones with '.'"
    if not fields[0]:
        return "found no contig name, expected one in the first column"
    for what, field, text in zip(("start", "end"), fields[1:3], shown[1:3], strict=True):
        if not _WHOLE_NUMBER.fullmatch(field):
            return f"found {what} {text!r}, expected a whole number"
    start, end = int(fields[1]), int(fields[2])
    if start < 0:
        return f"found start {start}, expected 0 or more; BED counts from 0"
    if end < start:
        return f"found end {end} before start {start}, expected end > start; correct the line or remove it"
    if columns > 4 and fields[4] not in _NO_SCORE and not _is_number(fields[4]):
        return f"found score {shown[4]!r}, expected a number or '.' in column 5; keep the first four columns otherwise"
    if columns > 5 and fields[5] not in _STRAND_FIELDS:
        return f"found strand {shown[5]!r}, expected +, - or . in column 6; keep the first five columns otherwise"
    if columns == NARROW_PEAK_COLUMNS:
        if not _WHOLE_NUMBER.fullmatch(fields[9]):
            return f"found peak {shown[9]!r}, expected a whole number in column 10 of narrowPeak"
        if int(fields[9]) >= 0 and start + int(fields[9]) >= end:
            return f"found a summit {shown[9]} bases after start {start}, expected one before end {end}"
    return None


def _columns(number: int) -> str:
    return "1 column" if number == 1 else f"{number} columns"


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field
