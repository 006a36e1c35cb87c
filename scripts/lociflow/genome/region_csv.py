"""Regions from CSV tables with a header line, as the collection genomic_benchmarks has them."""

import csv
from pathlib import Path

from lociflow.command import UserError

# The header's names of the contig's column.
CONTIGS = ("region", "contig", "chrom")
PLACES = ("start", "end")


def is_csv(path: Path) -> bool:
    """Tell by its suffix, .csv in either case, with .gz or .bgz behind it or not, whether a file is a CSV table."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".bgz")]
    return suffixes[-1:] == [".csv"]


def csv_to_bed(path: Path, content: bytes) -> bytes:
    """Write the rows of a CSV table as lines of BED.

    The header names the columns, in any order: ``region`` (or ``contig`` or ``chrom``), ``start`` and ``end``, and
    where there are such ``strand`` and ``id``; others are left out. Coordinates are 0-based and half-open, as those of
    genomic_benchmarks are (Gresova et al. 2023, BMC Genomic Data 24:25; ``datasets/README.md`` of its repository).

    Parameters
    ----------
    path
        The file, for the message.
    content
        What is in it, with lines that end with LF.

    Returns
    -------
    bytes
        BED6 with "." for what is not there, a line for each of the table's, so that their numbers stay the same: a
        comment for the header.

    Raises
    ------
    UserError
        The table is no text in UTF-8 or cannot be parsed, lacks one of the three columns or has one twice, or a row
        has another number of fields than the header, or spreads over several lines.
    """
    try:
        lines = content.decode("utf-8").split("\n")[:-1]
        rows = list(csv.reader(lines, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read ({error}); expected a CSV table in UTF-8") from None
    if len(rows) != len(lines):
        raise UserError(f"{path}: found a field that goes over several lines, expected a line for each region")
    header = [name.strip() for name in rows[0]] if rows else []
    contigs = [name for name in CONTIGS if name in header]
    if len(contigs) != 1 or any(header.count(name) != 1 for name in (*contigs, *PLACES)):
        raise UserError(
            f"{path}, line 1: found the columns {', '.join(header)[:200] or 'none'}, expected {', '.join(PLACES)} and "
            f"one of {', '.join(CONTIGS)}, each once; correct the header, or give BED another suffix"
        )
    places = [header.index(name) if name in header else None for name in (contigs[0], *PLACES, "id", "", "strand")]
    bed = ["#" + "\t".join(header)]
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(header):
            raise UserError(
                f"{path}, line {number}: found {len(row)} fields, expected the header's {len(header)}; correct the line"
            )
        bed.append("\t".join("." if place is None else row[place] for place in places) if row else "")
    return "".join(f"{line}\n" for line in bed).encode()
