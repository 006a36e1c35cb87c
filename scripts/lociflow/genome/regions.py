"""Regions from BED, narrowPeak, broadPeak, BEDPE, bedGraph and CSV files. Coordinates are 0-based and half-open."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary
from lociflow.genome.region_csv import csv_to_bed, is_csv
from lociflow.genome.region_formats import NO_NUMBER, NUMBER, STRAND_FIELDS, WHOLE_NUMBER, Layout, layout_of

NO_SUMMIT = -1
STRANDS = (".", "+", "-")
VALUES = ("score", "signal_value", "p_value", "q_value")

# Lines that carry no region: comments, what a genome browser needs, and blanks. A contig may be called track.
_NOT_A_REGION = re.compile(
    rb"^(?:#.*|(?:track|browser)(?![ \t]+-?[0-9]+[ \t]+-?[0-9]+(?:[ \t]|$))(?:[ \t].*)?|[ \t]*)\n", re.MULTILINE
)
_PERHAPS_NOT_A_REGION = re.compile(rb"\n[#tb\n \t]")
_NOT_A_BORDER = bytes(set(range(256)) - set(b"\t\n"))
# pandas takes 2.0 and 1e3 for whole numbers, and some programs round what they write so (1.23457e+06). An expression
# that begins with a letter is searched for several times faster than one that begins with ^.
_BAD_BORDERS = re.compile(rb"\n[^\t]*\t(?!-?[0-9]+\t-?[0-9]+[\t\n])")
_BAD_MATES = re.compile(rb"\n(?:[^\t]*\t){4}(?!-?[0-9]+\t-?[0-9]+[\t\n])")
# Beyond any contig, and small enough to be added up.
_FARTHEST = 10**18


class ReadRegions(NamedTuple):
    """The regions of a file, and the lines that are not among them."""

    regions: pd.DataFrame
    """As :func:`read_regions` returns."""
    format: str
    """BED, narrowPeak, broadPeak, BEDPE or bedGraph."""
    dropped: dict[str, int]
    """The number of lines left out, by reason: only BEDPE has such, ``no_mate`` and ``mates_on_two_contigs``."""


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
            **{value: np.empty(0, np.float64) for value in VALUES[1:]},
        }
    )


def read_regions(path: Path) -> pd.DataFrame:
    """Read the regions of a file as :func:`read_region_file` does.

    Returns
    -------
    pandas.DataFrame
        In the order of the file: ``contig`` (categorical), ``start`` and ``end`` (int64), ``name`` (str, "." where
        there is none), ``score`` (float64; in bedGraph the value), ``strand`` (categorical ".", "+", "-"; "*" reads as
        "."), ``summit`` (int64, position on the contig; -1 where none is called; only narrowPeak has one), and
        ``signal_value``, ``p_value``, ``q_value`` (float64, of narrowPeak and broadPeak, where -1 means that a p or q
        was not computed). A number that is not there, empty, ".", NA or NaN is NaN.
    """
    return read_region_file(path).regions


def read_region_file(path: Path, known: str | None = None) -> ReadRegions:
    """Read BED3 to BED12, BED with more columns, narrowPeak, broadPeak, BEDPE, bedGraph, or CSV with a header line.

    The format is told as :func:`lociflow.genome.region_formats.layout_of` says, and plain text, gzip and bgzip by the
    content. Columns are separated by tabs, or by spaces where the first region has no tab. Comments, blank lines,
    ``track`` and ``browser`` lines are skipped wherever they stand, and lines end with LF, CRLF or CR. A region of zero
    length (``start == end``, an insertion point in BED) is valid here; it covers no base, so whoever needs bases drops
    and counts it.

    CSV is told by its suffix, and read as :func:`lociflow.genome.region_csv.csv_to_bed` says.

    A pair of BEDPE is one region without strand, from the first base of either mate to the last. Pairs of which a mate
    is unknown or on another contig are dropped and counted.

    Parameters
    ----------
    path
        The file.
    known
        Its format, for who knows it otherwise; None: it is told.

    Raises
    ------
    UserError
        The file is missing, broken off or no text, or a line has too few columns, another number of columns than the
        first region or its format, a start or end that is not a whole number, a negative start, an end before its
        start, a score or another value that is not a number, an unknown strand, or a summit outside its peak.
    """
    lines = _read_lines(path)
    if known is None and is_csv(path):
        lines, known = csv_to_bed(path, lines), "BED"
    header, table = _without_header(lines)
    if not table:
        return ReadRegions(empty_regions(), "BED", {})
    first = table[: table.index(b"\n")]
    if b"\t" not in first:
        table = re.sub(rb"^[ \t]+|[ \t]+$", b"", table, flags=re.MULTILINE)
        table = re.sub(rb"[ \t]+", b"\t", table)
        first = table[: table.index(b"\n")]
    layout = layout_of(path, header, first.split(b"\t"), known)
    even = table.translate(None, _NOT_A_BORDER) == (b"\t" * (layout.columns - 1) + b"\n") * table.count(b"\n")
    # Rows that are too short or too long pandas would take without a word.
    if layout.columns < 3 or not even or b"\0" in table or _bad_borders(table, first, layout):
        raise _first_fault(path, lines, known)
    try:
        parsed = _parse(table, layout)
    except (ValueError, OverflowError) as error:
        raise _first_fault(path, lines, known, str(error)) from None
    if _has_fault(parsed):
        raise _first_fault(path, lines, known)
    if layout.mate is None:
        return ReadRegions(_regions(parsed, layout), layout.format, {})
    fragments, dropped = _fragments(parsed)
    return ReadRegions(_regions(fragments, layout), layout.format, dropped)


def _read_lines(path: Path) -> bytes:
    try:
        with open_binary(Path(path)) as handle:
            content = handle.read()
    except GZIP_ERRORS as error:
        raise UserError(f"{path}: a broken gzip file ({error}); fetch it again") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected a BED or narrowPeak file") from None
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if content and not content.endswith(b"\n"):
        content += b"\n"
    return content


def _without_header(lines: bytes) -> tuple[bytes, bytes]:
    if not (_NOT_A_REGION.match(lines) or _PERHAPS_NOT_A_REGION.search(lines)):
        return b"", lines
    return b"".join(_NOT_A_REGION.findall(lines)), _NOT_A_REGION.sub(b"", lines)


def _bad_borders(table: bytes, first: bytes, layout: Layout) -> bool:
    expressions = (_BAD_BORDERS,) if layout.mate is None else (_BAD_BORDERS, _BAD_MATES)
    return any(bad.match(b"\n" + first + b"\n") or bad.search(table) for bad in expressions)


def _parse(table: bytes, layout: Layout) -> pd.DataFrame:
    places: dict[str, int] = {"contig": 0, "start": 1, "end": 2, **layout.numbers}
    if layout.mate is not None:
        places |= {"mate": layout.mate, "mate_start": layout.mate + 1, "mate_end": layout.mate + 2}
    optional = {"name": layout.name, "strand": layout.strand, "peak": layout.peak}
    places |= {what: place for what, place in optional.items() if place is not None}
    kinds = dict.fromkeys(VALUES, "float64")
    kinds |= dict.fromkeys(("contig", "mate", "name"), "str") | {"strand": "category"}
    chosen = sorted(places, key=lambda what: places[what])
    names = [str(place) for place in range(layout.columns)]
    parsed = pd.read_csv(
        io.BytesIO(table),
        sep="\t",
        header=None,
        names=names,
        usecols=[str(places[what]) for what in chosen],
        dtype={str(places[what]): kinds.get(what, "int64") for what in chosen},
        na_values={str(place): [text.decode() for text in NO_NUMBER] for place in layout.numbers.values()},
        keep_default_na=False,
        quoting=csv.QUOTE_NONE,
        skip_blank_lines=False,
        encoding_errors="backslashreplace",
        low_memory=False,
        engine="c",
    )
    parsed.columns = pd.Index(chosen)
    # Read as categories at once, contigs that look like numbers would become numbers: 1, 01 and 1.0 one and the same.
    for what in ("contig", "mate"):
        if what in parsed:
            parsed[what] = parsed[what].astype("category")
    if "strand" in parsed:
        parsed["strand"] = _strand(parsed["strand"])
    return parsed


def _strand(column: pd.Series) -> pd.Categorical:
    # A strand that is none of the known ones becomes missing here and is refused by _has_fault.
    known = {"+": "+", "-": "-", ".": ".", "*": ".", "": "."}
    place = [STRANDS.index(known[text]) if text in known else -1 for text in column.cat.categories]
    return categorical(np.array(place, dtype=np.int8)[column.cat.codes.to_numpy()], STRANDS)


def _fragments(pairs: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    contig, mate = pairs["contig"].astype(str).to_numpy(), pairs["mate"].astype(str).to_numpy()
    alone = (contig == ".") | (mate == ".")
    apart = ~alone & (contig != mate)
    start = np.minimum(pairs["start"], pairs["mate_start"])
    end = np.maximum(pairs["end"], pairs["mate_end"])
    together = pairs.assign(start=start, end=end)[~alone & ~apart].reset_index(drop=True)
    return together, {"no_mate": int(alone.sum()), "mates_on_two_contigs": int(apart.sum())}


def _regions(parsed: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    number = len(parsed)
    summit = np.full(number, NO_SUMMIT, dtype=np.int64)
    if layout.peak is not None:
        offset = parsed["peak"].to_numpy()
        summit = np.where(offset < 0, NO_SUMMIT, parsed["start"].to_numpy() + offset)
    values = {what: parsed[what].to_numpy() if what in parsed else np.full(number, np.nan) for what in VALUES}
    for what in ("p_value", "q_value"):
        values[what] = np.where(values[what] == -1, np.nan, values[what])
    return pd.DataFrame(
        {
            "contig": parsed["contig"].cat.remove_unused_categories(),
            "start": parsed["start"],
            "end": parsed["end"],
            "name": parsed["name"] if layout.name is not None else pd.Series(["."] * number, dtype="str"),
            "score": values["score"],
            "strand": parsed["strand"] if "strand" in parsed else categorical(np.zeros(number, np.int8), STRANDS),
            "summit": summit,
            **{what: values[what] for what in VALUES[1:]},
        }
    )


def _has_fault(parsed: pd.DataFrame) -> bool:
    sides = [("contig", "start", "end")]
    if "mate" in parsed:
        sides.append(("mate", "mate_start", "mate_end"))
    for contig, first, last in sides:
        start, end = parsed[first].to_numpy(), parsed[last].to_numpy()
        known = (parsed[contig] != ".").to_numpy() if len(sides) == 2 else np.True_
        if (known & ((start < 0) | (end < start))).any() or (end >= _FARTHEST).any():
            return True
        if any(_bad_contig(str(name)) for name in parsed[contig].cat.categories):
            return True
    if "peak" in parsed:
        peak, length = parsed["peak"].to_numpy(), (parsed["end"] - parsed["start"]).to_numpy()
        if ((peak < NO_SUMMIT) | (peak >= np.maximum(length, 0)) & (peak != NO_SUMMIT)).any():
            return True
    return "strand" in parsed and bool(parsed["strand"].isna().any())


def _bad_contig(name: str) -> bool:
    return not name or name != name.strip()


def _first_fault(path: Path, lines: bytes, known: str | None, otherwise: str = "not a table of regions") -> UserError:
    """Find the first bad line, slowly: only what the fast parser has refused comes here."""
    header, _ = _without_header(lines)
    layout = separator = None
    for number, line in enumerate(lines.split(b"\n"), start=1):
        if _NOT_A_REGION.fullmatch(line + b"\n"):
            continue
        if b"\0" in line:
            return UserError(
                f"{path}, line {number}: found a zero byte, expected text; is it a binary file or UTF-16? Give BED or "
                "another text format"
            )
        if layout is None:
            separator = b"\t" if b"\t" in line else None
        fields = line.split(b"\t") if separator else re.split(rb"[ \t]+", line.strip(b" \t"))
        said = layout is None
        layout = layout or layout_of(path, header, fields, known)
        fault = _fault(fields, layout, said)
        if fault:
            return UserError(f"{path}, line {number}: {fault}")
    return UserError(f"{path}: cannot be read as BED ({otherwise})")


def _fault(fields: list[bytes], layout: Layout, is_first: bool) -> str | None:
    shown = [field.decode(errors="backslashreplace") for field in fields]
    columns = layout.columns
    if len(fields) < 3:
        return (
            f"found {_columns(len(fields))} ({' '.join(shown)[:60]!r}), expected contig, start and end, separated by "
            "tabs; is this a BED file?"
        )
    if len(fields) != columns:
        where = f"in {layout.format}; rename the file if it is another format"
        where = where if is_first else "as in the first region; fill missing ones with '.'"
        return f"found {_columns(len(fields))}, expected {columns} {where}"
    fault = _bad_place(fields[:3], "start", "end", layout.mate is not None)
    if fault is None and layout.mate is not None:
        fault = _bad_place(fields[layout.mate : layout.mate + 3], "the mate's start", "end", True)
    if fault:
        return fault
    for what, place in layout.numbers.items():
        if fields[place] not in NO_NUMBER and not NUMBER.fullmatch(fields[place]):
            keep = f"; keep the first {place} columns otherwise" if layout.format == "BED" else f" of {layout.format}"
            return f"found {what} {shown[place]!r}, expected a number or '.' in column {place + 1}{keep}"
    if layout.strand is not None and fields[layout.strand] not in STRAND_FIELDS:
        return (
            f"found strand {shown[layout.strand]!r}, expected +, - or . in column {layout.strand + 1}; keep the first "
            f"{layout.strand} columns otherwise"
        )
    if layout.peak is not None:
        text, start, end = shown[layout.peak], int(fields[1]), int(fields[2])
        if not WHOLE_NUMBER.fullmatch(fields[layout.peak]):
            return f"found peak {text!r}, expected a whole number in column 10 of narrowPeak"
        if int(text) < NO_SUMMIT:
            return f"found peak {text}, expected the summit's distance from the start, or -1 for none"
        if int(text) != NO_SUMMIT and start + int(text) >= end:
            return f"found a summit {text} bases after start {start}, expected one before end {end}"
    return None


def _bad_place(fields: list[bytes], first: str, last: str, may_be_unknown: bool) -> str | None:
    name = fields[0].decode(errors="backslashreplace")
    if not name:
        return "found no contig name, expected one in the first column"
    if _bad_contig(name):
        return f"found contig {name!r}, expected a name without white space before or behind it; remove the white space"
    for what, field in zip((first, last), fields[1:], strict=True):
        if not WHOLE_NUMBER.fullmatch(field):
            return f"found {what} {field.decode(errors='backslashreplace')!r}, expected a whole number"
    start, end = int(fields[1]), int(fields[2])
    if may_be_unknown and name == ".":
        return None
    if start < 0:
        return f"found {first} {start}, expected 0 or more; BED counts from 0"
    if end < start:
        return f"found end {end} before {first} {start}, expected end > start; correct the line or remove it"
    return None


def _columns(number: int) -> str:
    return "1 column" if number == 1 else f"{number} columns"
