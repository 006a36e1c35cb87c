"""A genome of which only the names of its contigs are known, for readers that hold a file's names against them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lociflow.genome.contig_names import guess_contig
from lociflow.sequence.store import SequenceStore

# Longer than any contig, so that nothing lies beyond its end; the sum of a million of them is still an int64.
ENDLESS = 1 << 42
# A guess goes through all names of a genome, which may be a hundred thousand.
MOST_GUESSES = 10


class Contigs(NamedTuple):
    """The genome's contigs as far as they can be seen before it is here."""

    names: list[str]
    complete: bool
    """Whether these are all."""


def stand_in(
    contigs: Contigs,
    found: Iterable[str],
    aliases: Mapping[str, str | None],
    lenient: bool = False,
    length: int = ENDLESS,
) -> SequenceStore:
    """Return a store without a base that has the names of a genome's contigs.

    Where not all of these can be seen, or the file may name others, a name that is unknown has the benefit of the
    doubt: the store gets it too. It does not if the file shares no name with the genome, and each of its names
    resembles one of the genome's: the two are then spelt differently throughout.

    Parameters
    ----------
    contigs
        What is known.
    found
        The contigs that a file's first lines name.
    aliases
        As :func:`lociflow.genome.contig_names.read_aliases` returns.
    lenient
        Whether the file may have contigs that the genome lacks, and more follow than were found.
    length
        Of each contig.
    """
    found = list(found)
    names = list(contigs.names)
    known = set(names)
    unknown = [name for name in found if name not in known and name not in aliases]
    if not contigs.complete or lenient:
        doubtful = [] if names and len(unknown) == len(found) and _resemble(unknown, names) else unknown
        # What an alias means may be a contig that is not seen yet.
        meant = [name for name in aliases.values() if name is not None and not contigs.complete]
        names += [name for name in dict.fromkeys([*doubtful, *meant]) if name not in known]
    lengths = np.full(len(names), length, np.int64)
    return SequenceStore(
        path=Path("store.json"),
        name="the genome",
        names=tuple(names),
        lengths=lengths,
        offsets=np.zeros(len(names), np.int64),
        md5=("",) * len(names),
        codes=np.zeros(0, np.uint8),
        soft_mask=False,
        digest="",
    )


def _resemble(unknown: Sequence[str], names: Sequence[str]) -> bool:
    return all(guess_contig(name, names) for name in unknown[:MOST_GUESSES])
