"""The first lines of a file as a small file, which the readers of the whole one can read."""

from pathlib import Path
from typing import NamedTuple

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary

# Lines of a file that are looked at beside its comments, and the bytes among which they are looked for.
LINES = 200
BYTES = 1 << 20


class Head(NamedTuple):
    """The beginning of a file, unpacked, under the file's own name."""

    path: Path
    whole: bool
    """Whether it is the whole file."""


def head_of(path: Path, folder: Path, cut_lines: bool = False) -> Head | None:
    """Copy a file's first lines.

    Parameters
    ----------
    path
        Text, plain, gzip or bgzip.
    folder
        Where to write.
    cut_lines
        Whether a line may be cut, as one of bases may; else only whole lines are taken.

    Returns
    -------
    Head
        With the lines numbered as in the file; None where not even one whole line is within :data:`BYTES`.

    Raises
    ------
    UserError
        The file cannot be read.
    """
    try:
        with open_binary(path) as handle:
            content = handle.read(BYTES + 1)
    except (OSError, *GZIP_ERRORS) as error:
        raise UserError(f"{path}: cannot be read ({error}); fetch it again") from None
    whole = len(content) <= BYTES
    # A carriage return at the very end may be half of a line end.
    lines = content[:BYTES].splitlines(keepends=True)
    if not whole and not cut_lines:
        del lines[-1:]
    data = 0
    for number, line in enumerate(lines):
        data += not line.startswith(b"#")
        if data > LINES:
            whole, lines = False, lines[:number]
            break
    # The bases of the last header are beyond what is looked at.
    while not whole and lines and lines[-1].startswith(b">"):
        del lines[-1]
    if not lines and not whole:
        return None
    place = folder / path.name
    place.write_bytes(b"".join(lines))
    return Head(place, whole)
