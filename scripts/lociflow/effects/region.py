"""Regions of a genome as samtools writes them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from lociflow.command import UserError
from lociflow.file_names import file_names

# A contig's name may hold a colon itself.
_REGION = re.compile(r"(?P<contig>.+):(?P<start>[0-9][0-9,]*)-(?P<end>[0-9][0-9,]*)")


class Region(NamedTuple):
    """A stretch of a contig."""

    contig: str
    start: int
    """0-based."""
    end: int
    """Exclusive."""


def parse_region(text: str) -> Region:
    """Read ``contig:start-end``, 1-based and with both ends inside.

    Raises
    ------
    UserError
        It is no such text, or ends before it starts.
    """
    found = _REGION.fullmatch(text)
    if found:
        start, end = (int(found[side].replace(",", "")) for side in ("start", "end"))
        if 1 <= start <= end:
            return Region(found["contig"], start - 1, end)
    raise UserError(
        f"variant_effects.saturation: found {text!r}, expected contig:start-end, 1-based, with start <= end"
    )


def heat_map_files(targets: Sequence[str]) -> dict[str, str]:
    """Return the file in which the heat map of a region lies for each of its targets, in the order of its table."""
    return dict(zip(targets, file_names(targets, ".svg"), strict=True))
