"""Bulk extraction of integer one-hot windows: the sequence store against ``tangermeme.io.extract_loci``, both warm."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pandas as pd
from genome_files import draw_windows, write_genome

from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.sequence.store import SequenceStore, gather, open_store

BASES = 100_000_000
WINDOWS = 50_000
LENGTH = 1_000
REPEATS = 5
# Windows whose codes are expanded while they lie in the processor's cache.
CHUNK = 256


def integer_one_hot(store: SequenceStore, contig: np.ndarray, start: np.ndarray, length: int) -> np.ndarray:
    """Return windows as ``int8`` of shape ``(n, 4, length)``; a base that is none of A, C, G, T has no channel."""
    channels = np.empty((len(contig), 4, length), dtype=np.int8)
    for first in range(0, len(contig), CHUNK):
        part = slice(first, first + CHUNK)
        codes = gather(store, contig[part], start[part], length)
        if store.soft_mask:
            codes &= SOFT_MASK - 1
        for base in range(4):
            np.equal(codes, base, out=channels[part, base].view(bool))
    return channels


def from_store(store: str) -> dict[str, Any]:
    opened = open_store(Path(store))
    contig, start = draw_windows(opened.lengths, WINDOWS, LENGTH)

    def extract() -> np.ndarray:
        # The store is opened anew each time, as tangermeme opens the FASTA file.
        return integer_one_hot(open_store(Path(store)), contig, start, LENGTH)

    seconds = measure.best_of(extract, REPEATS)
    return {"seconds": seconds, "digest": digest(extract())}


def from_tangermeme(store: str, fasta: str, jobs: int) -> dict[str, Any]:
    from tangermeme.io import extract_loci

    opened = open_store(Path(store))
    contig, start = draw_windows(opened.lengths, WINDOWS, LENGTH)
    names = np.array(opened.names)[contig]
    loci = pd.DataFrame({"chrom": names, "start": start, "end": start + LENGTH})

    def extract() -> Any:
        return extract_loci(loci, fasta, in_window=LENGTH, n_jobs=jobs)

    seconds = measure.best_of(extract, REPEATS)
    found = extract().numpy()
    assert found.dtype == np.int8
    return {"seconds": seconds, "digest": digest(found)}


def digest(channels: np.ndarray) -> str:
    assert channels.shape == (WINDOWS, 4, LENGTH)
    return hashlib.sha256(np.ascontiguousarray(channels).data).hexdigest()


def benchmark() -> None:
    with tempfile.TemporaryDirectory() as name:
        fasta, store = write_genome(Path(name), BASES)
        ours, our_memory = measure.child(from_store, store=store)
        for jobs in (1, 2):
            theirs, their_memory = measure.child(from_tangermeme, threads=jobs, store=store, fasta=fasta, jobs=jobs)
            measure.row(
                "extraction",
                windows=WINDOWS,
                length=LENGTH,
                genome_bases=BASES,
                what="int8 one-hot (windows, 4, length)",
                seconds=round(ours["seconds"][0], 4),
                seconds_all=[round(value, 4) for value in ours["seconds"]],
                threads=1,
                peak_memory=our_memory,
                other="tangermeme.io.extract_loci, warm",
                other_version=measure.version("tangermeme"),
                other_seconds=round(theirs["seconds"][0], 4),
                other_seconds_all=[round(value, 4) for value in theirs["seconds"]],
                other_threads=jobs,
                other_peak_memory=their_memory,
                ratio=round(theirs["seconds"][0] / ours["seconds"][0], 2),
                wanted_ratio=1.0,
                equal=ours["digest"] == theirs["digest"],
            )


if __name__ == "__main__":
    measure.main(benchmark, globals())
