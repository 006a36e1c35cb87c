"""What can be said of a window without reading a motif: GC, N, repeats, length, dinucleotides; and 4-mers."""

from typing import NamedTuple

import numpy as np

from lociflow.audit.subject import Subject
from lociflow.evaluation.logistic import batches
from lociflow.genome.composition import Composition
from lociflow.genome.placement import window_codes, window_start
from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.sequence.kmers import canonical_columns, count_kmers

LETTER = 0x7F
# Codes that are held at once.
BLOCK = 1 << 23
# Bases that are read in all: of more, windows are drawn.
MOST_BASES = 150_000_000


class Features(NamedTuple):
    """Properties of some windows, as a model sees them; what lies beyond a contig's end is no part of a window."""

    rows: np.ndarray
    """``int64``: the bins."""
    gc: np.ndarray
    """``float32``: G and C among A, C, G, T; 0.5 without any."""
    unknown: np.ndarray
    """``float32``: fraction of N (X of a protein)."""
    repeat: np.ndarray | None
    """``float32``: fraction of soft-masked bases; None where the store keeps no soft-masking."""
    length: np.ndarray
    """``float32``: bases of the bin."""
    words: np.ndarray
    """``float32``, shape (n, words): frequency of each dinucleotide, of both strands together where windows are read
    from both; of a protein that of each residue."""
    kmers: np.ndarray | None
    """``float32``, shape (n, 4-mers): log(1 + count); None for a protein."""


def chosen_rows(subject: Subject, most: int, seed: int) -> np.ndarray:
    """Return the bins that are looked at: all, or ``most`` of them drawn without replacement; sorted."""
    most = max(1, min(most, MOST_BASES // max(1, subject.length)))
    total = len(subject.windows)
    if total <= most:
        return np.arange(total)
    generator = np.random.Generator(np.random.Philox(key=seed))
    return np.sort(generator.choice(total, most, replace=False))


def features(subject: Subject, rows: np.ndarray) -> Features:
    """Measure the windows of some bins, a block of them at a time."""
    protein = subject.alphabet == "protein"
    one_strand = subject.alphabet != "dna" or bool((subject.about.get("labels") or {}).get("stranded"))
    length = subject.length
    pad = 20 if protein else 4
    columns = {k: np.arange(4**k) if one_strand else canonical_columns(k)[0] for k in (2, 4)}
    widths = {k: int(columns[k].max()) + 1 for k in columns}
    gc, unknown, repeat = (np.empty(len(rows), np.float32) for _ in range(3))
    words = np.empty((len(rows), 20 if protein else widths[2]), np.float32)
    kmers = None if protein else np.empty((len(rows), widths[4]), np.float32)
    contig_length = subject.store.lengths[subject.place.contig[rows]]
    start = window_start(subject.place, rows, length)
    inside = np.maximum(np.minimum(start + length, contig_length) - np.maximum(start, 0), 1)
    for part in batches(len(rows), max(1, BLOCK // length)):
        codes = window_codes(subject.store, subject.place, rows[part], length)
        letters = codes & LETTER
        outside = length - inside[part]
        unknown[part] = np.maximum((letters == pad).sum(axis=1) - outside, 0) / inside[part]
        repeat[part] = (codes >= SOFT_MASK).sum(axis=1) / inside[part]
        if kmers is None:
            counts = np.stack([(letters == residue).sum(axis=1) for residue in range(20)], axis=1)
            gc[part] = 0.5
        else:
            strong = ((letters == 1) | (letters == 2)).sum(axis=1)
            known = (letters < 4).sum(axis=1)
            gc[part] = np.divide(strong, known, out=np.full(len(known), 0.5), where=known > 0)
            counts = count_kmers(codes, 2, columns[2])
            kmers[part] = np.log1p(count_kmers(codes, 4, columns[4]))
        words[part] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    bases = subject.bin_length[rows].astype(np.float32)
    return Features(rows, gc, unknown, repeat if subject.store.soft_mask else None, bases, words, kmers)


def composition_of(found: Features, chosen: np.ndarray) -> Composition:
    """Return the composition of some of the windows, as the makers of negatives measure it."""
    repeat = np.full(int(chosen.sum()), np.nan) if found.repeat is None else found.repeat[chosen].astype(np.float64)
    gc, unknown = (values[chosen].astype(np.float64) for values in (found.gc, found.unknown))
    return Composition(gc, unknown, repeat, found.length[chosen].astype(np.int64))
