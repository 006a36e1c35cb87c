"""Read FASTA contig by contig."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary


def read_fasta(path: Path) -> Iterator[tuple[str, bytearray]]:
    """Yield the name and the letters of every contig, holding one contig at a time.

    The name is the header's first word. Lines may have any width and end with LF, CRLF or CR; white space at their ends
    and a byte order mark are dropped, letters are handed on as they are. Plain text, gzip and bgzip are told apart by
    content.

    pysam's reader is not used because it skips what it does not understand: text before the first header, and lines
    that begin with ``+`` or ``@``.

    Raises
    ------
    UserError
        The file is missing, truncated, has no FASTA in it, or a header or sequence in it is empty.
    """
    try:
        handle = open_binary(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected a FASTA file") from None
    name: str | None = None
    letters = bytearray()
    line_number = header_line = 0
    try:
        with handle:
            for line_number, line in enumerate(_lines(handle), start=1):
                if line.startswith(b">"):
                    if name is not None:
                        yield name, _checked(letters, name, path, header_line)
                    words = line[1:].split(maxsplit=1)
                    # A space after ">" is junk, not a name: most readers would take the name to be empty.
                    if not words or line[1:2].isspace():
                        raise UserError(
                            f"{path}, line {line_number}: found a header without a name, expected >NAME; name it"
                        )
                    name = words[0].decode("utf-8", "backslashreplace")
                    if not name.isprintable():
                        raise UserError(
                            f"{path}, line {line_number}: found the name {name!r}, expected printable characters, as "
                            "names stand in tables, tracks and pages; rename it"
                        )
                    letters = bytearray()
                    header_line = line_number
                elif name is not None:
                    letters += line.strip()
                elif line.strip():
                    found = line[:30].rstrip().decode("ascii", "backslashreplace")
                    raise UserError(
                        f"{path}, line {line_number}: found {found!r}, expected a FASTA header (>NAME); "
                        "give a FASTA file, plain, gzip or bgzip"
                    )
    except GZIP_ERRORS as error:
        raise UserError(
            f"{path}, after line {line_number}: the gzip file is truncated or damaged ({error}); "
            "remove it and fetch it again"
        ) from None
    if name is None:
        raise UserError(f"{path}: found no sequence in it, expected FASTA; remove it and fetch it again")
    yield name, _checked(letters, name, path, header_line)


def _lines(handle: BinaryIO) -> Iterator[bytes]:
    mark = b"\xef\xbb\xbf"
    for line in handle:
        text = line.removeprefix(mark).rstrip(b"\r\n")
        mark = b""
        if b"\r" in text:
            yield from text.split(b"\r")
        else:
            yield text


def _checked(letters: bytearray, name: str, path: Path, line: int) -> bytearray:
    if not letters:
        raise UserError(
            f"{path}, line {line}: contig {name} is empty, expected at least one base; the file may be truncated, "
            "or remove the contig from it"
        )
    return letters
