"""What a search for the same or for similar sequences reads, and how it goes about it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Codes = Callable[[np.ndarray], np.ndarray]
"""Gives the ``uint8`` codes, shape ``(len(rows), length)``, of the sequences of these rows."""

NUCLEOTIDES = 4
# Bases that are read at once.
QUERY_BASES = 1 << 20


class Search(NamedTuple):
    """How to search; the defaults are those for DNA."""

    letters: int = NUCLEOTIDES
    """Of the alphabet: codes from this on are unknown letters."""
    either_strand: bool = True
    """Whether a sequence is also compared with the reverse complement of the others; only with four letters."""
    mask_repeats: bool = False
    """Whether no seed may lie on a soft-masked base. Alignments see all bases."""
    most_places: int = 2_000
    """Places that are looked at of those where a seed occurs, evenly over the list. What is passed over is counted."""
    most_alignments: int = 1_000
    """After which a sequence's search ends; sequences whose search ended so are counted."""
    threads: int | None = None
    """None: as many as there are cores. Results do not depend on it."""

    @property
    def two_strands(self) -> bool:
        """Whether both strands are looked at."""
        return self.either_strand and self.letters == NUCLEOTIDES


DNA_SEARCH = Search()
