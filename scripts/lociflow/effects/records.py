"""The records of a VCF or BCF as text, one at a time, so that whatever a file says is kept as it is written."""

import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import pysam

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary
from lociflow.genome.variants import is_bcf

COLUMNS = "#CHROM"
# CHROM, POS, ID, REF, ALT, QUAL, FILTER and INFO; FORMAT and samples may follow.
FIXED = 8
INFO = 7


class Record(NamedTuple):
    """One record of a VCF or BCF."""

    fields: list[str]
    """The columns as they are written."""
    number: int
    """Line in a VCF, number of the record in a BCF; from 1."""

    @property
    def identifier(self) -> str:
        """ID, as text that can be shown: letters that are no UTF-8 are replaced."""
        return readable(self.fields[2])

    @property
    def contig(self) -> str:
        """CHROM."""
        return self.fields[0]

    @property
    def position(self) -> int:
        """First base of REF, 0-based."""
        return int(self.fields[1]) - 1

    @property
    def reference(self) -> str:
        """REF."""
        return self.fields[3]

    @property
    def alternatives(self) -> list[str]:
        """ALT, one item an allele."""
        return self.fields[4].split(",")


def readable(text: str) -> str:
    """Return what a file says as text that can be written anywhere: letters that are no UTF-8 are replaced."""
    return text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def read_header(path: Path) -> list[str]:
    """Return the lines of a file's header, without line ends; the last one names the columns.

    Raises
    ------
    UserError
        The file cannot be read, or has no such line before its first record.
    """
    header: list[str] = []
    for _, line in _lines(path):
        if not line.startswith("#"):
            break
        header.append(line)
        if line.startswith(COLUMNS):
            return header
    raise UserError(
        f"{path}: found no line that begins with {COLUMNS}, expected one after the header; is this a VCF file?"
    )


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a VCF (plain, gzip or bgzip) or BCF, in the order of the file.

    Raises
    ------
    UserError
        The file is broken, or a record has less than eight columns.
    """
    for number, line in _lines(path):
        if line.startswith("#") or not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) < FIXED:
            raise UserError(
                f"{path}, line {number}: found {len(fields)} columns ({line[:60]!r}), expected CHROM, POS, ID, REF, "
                "ALT, QUAL, FILTER and INFO, separated by tabs; complete the line"
            )
        if not fields[1].isdecimal():
            raise UserError(
                f"{path}, line {number}: found POS {fields[1]!r}, expected a whole number; correct the line"
            )
        yield Record(fields, number)


def check_records(path: Path, added: Collection[str] = ()) -> int:
    """Return the number of records of a file that is sorted as an index of it needs.

    Parameters
    ----------
    path
        VCF or BCF.
    added
        INFO fields that will be added and that no record may have.

    Raises
    ------
    UserError
        The records of a contig do not follow each other, their positions fall, or a record has such a field.
    """
    seen: set[str] = set()
    contig, position, records = "", 0, 0
    for record in read_records(path):
        records += 1
        if record.contig != contig:
            if record.contig in seen:
                raise _unsorted(path, record, f"{record.contig} a second time, after {contig}")
            seen.add(record.contig)
        elif record.position < position:
            raise _unsorted(path, record, f"position {record.position + 1} after {position + 1}")
        contig, position = record.contig, record.position
        for item in record.fields[INFO].split(";") if added else ():
            if (name := item.partition("=")[0]) in added:
                raise taken_field(f"{path}, {line_name(path, record.number)}: found", name)
    return records


def line_name(path: Path, number: int) -> str:
    """Return where a record is: ``line 7`` of a VCF, ``record 7`` of a BCF."""
    return f"{'record' if is_bcf(path) else 'line'} {number}"


def taken_field(found: str, name: str) -> UserError:
    """Return what to say of a file that has a field which will be added; ``found`` is where."""
    return UserError(
        f"{found} an INFO field {name} of another program, expected none of this name, which effects get; drop it with "
        f"`bcftools annotate -x INFO/{name}`, or rename it"
    )


def _unsorted(path: Path, record: Record, found: str) -> UserError:
    return UserError(
        f"{path}, {line_name(path, record.number)}: found {readable(found)}, expected records sorted by contig and "
        f"position; sort the file with `bcftools sort {path.name}`"
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    yield from _bcf_lines(path) if is_bcf(path) else _text_lines(path)


def _text_lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with open_binary(path) as handle:
            # Letters that are no UTF-8 come back as they were when the line is written again.
            text = io.TextIOWrapper(handle, encoding="utf-8-sig", errors="surrogateescape")
            for number, line in enumerate(text, start=1):
                yield number, line.rstrip("\n")
    except GZIP_ERRORS as error:
        raise UserError(f"{path}: a broken gzip file ({error}); fetch it again") from None


def _bcf_lines(path: Path) -> Iterator[tuple[int, str]]:
    # htslib prints on stderr that there is no index, which nothing here needs.
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(str(path)) as handle:
            yield from ((0, line) for line in str(handle.header).splitlines())
            for number, record in enumerate(handle, start=1):
                yield number, str(record).rstrip("\n")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); expected a BCF file, fetch it again") from None
    finally:
        pysam.set_verbosity(verbosity)
