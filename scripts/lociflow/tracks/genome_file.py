"""A genome as an indexed FASTA file under the names that the tracks use, for genome browsers."""

from pathlib import Path

import pysam

from lociflow.command import UserError, atomic, status
from lociflow.sequence.alphabet import decode
from lociflow.sequence.store import open_store

# Bases a line, and lines that are decoded at once.
LINE = 80
LINES = 1 << 14


def write_genome(store: Path, fasta: Path, fai: Path, gzi: Path) -> None:
    """Write the contigs of a sequence store as FASTA, compressed with bgzip, with its indices beside it.

    The source may be compressed otherwise, in several files, or call its contigs otherwise: a browser would not show
    tracks on it.

    Parameters
    ----------
    store
        The ``store.json``.
    fasta
        ``.fa.gz`` to write.
    fai, gzi
        Its indices to write, of its contigs and of its blocks; browsers look for them beside it.

    Raises
    ------
    UserError
        The store is bad or empty.
    """
    genome = open_store(store)
    if not genome.names:
        raise UserError(f"{store}: holds no contig, expected at least one; give the genome another source")
    with atomic(fasta) as temporary:
        with pysam.BGZFile(str(temporary), "wb", None) as handle:
            for name, offset, length in zip(genome.names, genome.offsets, genome.lengths, strict=True):
                handle.write(f">{name}\n".encode())
                for low in range(0, int(length), LINE * LINES):
                    text = decode(genome.codes[offset + low : offset + min(low + LINE * LINES, int(length))])
                    lines = [text[first : first + LINE] for first in range(0, len(text), LINE)]
                    handle.write(("\n".join(lines) + "\n").encode())
        made = {Path(f"{temporary}.fai"): fai, Path(f"{temporary}.gzi"): gzi}
        try:
            pysam.faidx(str(temporary))
            for path, wanted in made.items():
                with atomic(wanted) as index:
                    path.replace(index)
        finally:
            for path in made:
                path.unlink(missing_ok=True)
    status(f"{genome.name}: {len(genome.names)} contigs as FASTA")
