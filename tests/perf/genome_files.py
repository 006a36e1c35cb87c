"""A random genome for benchmarks, as FASTA with its index and as a sequence store."""

from pathlib import Path

import numpy as np
import pysam

from lociflow.sequence.genome_store import write_store

CONTIGS = 4
LINE = 60


def write_genome(folder: Path, bases: int) -> tuple[Path, Path]:
    """Write a genome of four equal contigs with a run of N in each; return the FASTA file and the ``store.json``."""
    draws = np.random.default_rng(1)
    length = bases // CONTIGS // LINE * LINE
    fasta = folder / "genome.fa"
    with fasta.open("wb") as handle:
        for number in range(CONTIGS):
            letters = np.frombuffer(b"ACGTacgt", np.uint8)[draws.integers(0, 8, length, dtype=np.uint8)]
            letters[length // 2 : length // 2 + length // 100] = ord("N")
            lines = np.full((length // LINE, LINE + 1), ord("\n"), dtype=np.uint8)
            lines[:, :LINE] = letters.reshape(-1, LINE)
            handle.write(f">contig{number}\n".encode())
            handle.write(lines.tobytes())
    pysam.faidx(str(fasta))
    write_store([fasta], folder / "codes.npy", folder / "store.json", name="random")
    return fasta, folder / "store.json"


def draw_windows(store_lengths: np.ndarray, count: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw windows uniformly inside the contigs: index of the contig and 0-based start, ``int64``."""
    draws = np.random.default_rng(2)
    contig = draws.integers(0, len(store_lengths), count)
    return contig, draws.integers(0, store_lengths[contig] - length + 1)
