"""The formats that a file of regions can have, how each is known, and which column is what."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lociflow.command import UserError

STRAND_FIELDS = {b"+", b"-", b".", b"*", b""}
NO_NUMBER = (b"", b".", b"NA", b"NaN", b"nan")
WHOLE_NUMBER = re.compile(rb"-?[0-9]{1,18}")
NUMBER = re.compile(rb"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?)", re.IGNORECASE)

_SUFFIXES = {
    ".bg": "bedGraph",
    ".bedgraph": "bedGraph",
    ".bdg": "bedGraph",
    ".narrowpeak": "narrowPeak",
    ".broadpeak": "broadPeak",
    ".bedpe": "BEDPE",
}
_PACKED = (".gz", ".bgz")
_TRACK_TYPE = re.compile(rb"^track[ \t].*?\btype=[\"']?(\w+)", re.MULTILINE)
_TRACK_TYPES = {b"bedgraph": "bedGraph", b"narrowpeak": "narrowPeak", b"broadpeak": "broadPeak"}


class Layout(NamedTuple):
    """What the columns of a file hold, by their places from 0; contig, start and end are the first three."""

    format: str
    """For messages."""
    columns: int
    """Of each line."""
    name: int | None = None
    strand: int | None = None
    numbers: dict[str, int] = {}  # noqa: RUF012
    """``score``, ``signal_value``, ``p_value``, ``q_value``: those that there are."""
    peak: int | None = None
    """Of the summit's distance from the start."""
    mate: int | None = None
    """Of the first of the mate's contig, start and end."""


def layout_of(path: Path, header: bytes, first: Sequence[bytes], known: str | None = None) -> Layout:
    """Tell a file's format by its suffix, its ``track`` line or the fields of its first region.

    ========== ========= ==============================================================================================
    format     columns   known by
    ========== ========= ==============================================================================================
    bedGraph   4         .bg, .bdg, .bedGraph; ``track type=bedGraph``
    narrowPeak 10        .narrowPeak; ``track type=narrowPeak``; ten columns, the seventh to ninth of them numbers
    broadPeak  9         .broadPeak; ``track type=broadPeak``; nine columns, the last three of them numbers of which one
                         is negative or has a point: in BED, they are thickStart, thickEnd and a colour
    BEDPE      6 or more .bedpe; ten columns or more, the fifth and sixth of them whole numbers, the ninth and tenth
                         strands. MACS's BEDPE of three columns is BED
    BED        3 or more none of these
    ========== ========= ==============================================================================================

    Suffixes count in either case, with .gz or .bgz behind them or not. With another number of columns than the format
    has, the file is BED, whatever its suffix says; but a bedGraph without its value is none, and refused.

    Parameters
    ----------
    path
        The file.
    header
        Its lines that are no regions.
    first
        The fields of its first region.
    known
        The format, for who knows it otherwise; None: as above.

    Raises
    ------
    UserError
        Two ``track`` lines, or a ``track`` line and the suffix, say different formats.
    """
    columns = len(first)
    said = known or _said(path, header)
    if said == "bedGraph":
        return Layout("bedGraph", 4, numbers={"score": 3})
    peaks = {"score": 4, "signal_value": 6, "p_value": 7, "q_value": 8}
    if columns == 10 and (said == "narrowPeak" or (said is None and not _is_pair(first) and _is_peak(first))):
        return Layout("narrowPeak", 10, name=3, strand=5, numbers=peaks, peak=9)
    if columns == 9 and (said == "broadPeak" or (said is None and _is_peak(first) and _is_broad(first))):
        return Layout("broadPeak", 9, name=3, strand=5, numbers=peaks)
    if (said == "BEDPE" and columns >= 6) or (said is None and _is_pair(first)):
        return Layout(
            "BEDPE", columns, name=6 if columns > 6 else None, numbers={"score": 7} if columns > 7 else {}, mate=3
        )
    return Layout(
        "BED",
        columns,
        name=3 if columns > 3 else None,
        strand=5 if columns > 5 else None,
        numbers={"score": 4} if columns > 4 else {},
    )


def _said(path: Path, header: bytes) -> str | None:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in _PACKED]
    said = {_SUFFIXES[suffixes[-1]]} if suffixes and suffixes[-1] in _SUFFIXES else set()
    types = {kind.lower() for kind in _TRACK_TYPE.findall(header)}
    said |= {_TRACK_TYPES[kind] for kind in types if kind in _TRACK_TYPES}
    if len(said) > 1:
        raise UserError(
            f"{path}: found {' and '.join(sorted(said))} by its suffix and track lines, expected one format; rename "
            "it, or give each track a file"
        )
    return next(iter(said), None)


def _is_pair(first: Sequence[bytes]) -> bool:
    return (
        len(first) >= 10
        and all(WHOLE_NUMBER.fullmatch(field) for field in first[4:6])
        and all(field in STRAND_FIELDS for field in first[8:10])
    )


def _is_peak(first: Sequence[bytes]) -> bool:
    return all(field in NO_NUMBER or NUMBER.fullmatch(field) for field in first[6:9])


def _is_broad(first: Sequence[bytes]) -> bool:
    return any(NUMBER.fullmatch(field) and not field.isdigit() for field in first[6:9])
