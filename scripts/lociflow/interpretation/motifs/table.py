"""The table beside a MEME file: a row a motif, in the file's order; of filters also those without a matrix."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lociflow.command import atomic
from lociflow.interpretation.motifs.meme import Motif, consensus, information


class MotifRow(NamedTuple):
    """What the table says of a motif."""

    motif: str
    """Its name in the MEME file."""
    target: str
    """The target that it was found for; empty for a filter, which serves all of them."""
    kind: str
    """``positive``, ``negative`` or ``filter``."""
    support: int
    """Sites that its matrix was counted from."""
    information_bits: float
    consensus: str


def motif_row(motif: Motif, target: str, kind: str) -> MotifRow:
    """Describe a motif."""
    bits = float(information(motif.pwm).sum())
    return MotifRow(motif.name, target, kind, round(motif.sites), bits, consensus(motif.pwm))


def write_table(path: Path, rows: Iterable[MotifRow]) -> None:
    """Write the table (TSV); without rows, its header alone."""
    write_frame(path, pd.DataFrame(list(rows), columns=list(MotifRow._fields)))


def write_frame(path: Path, table: pd.DataFrame) -> None:
    """Write a table of motifs (TSV)."""
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.4f")
