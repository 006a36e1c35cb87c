"""Shuffles of sequences that keep the count of every dinucleotide."""

import hashlib
from collections.abc import Sequence

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)
_LARGEST = np.uint64((1 << 63) - 1)


def dinucleotide_shuffle(codes: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Shuffle sequences, each to one that is drawn uniformly from all with the same dinucleotides and the same ends.

    The sequence is a walk over the bases along its dinucleotides; another walk that uses each of them once is drawn
    (Altschul & Erickson 1985, Mol. Biol. Evol. 2:526). The edges by which the walk leaves each base for the last time
    must form a tree that leads to the last base; it is drawn uniformly (Wilson 1996), without the retries of the
    original, of which homopolymers need millions. A sequence with one such walk only, like AAAA, stays as it is.

    Parameters
    ----------
    codes
        ``uint8`` DNA or RNA codes, shape ``(n, length)``. N and the other ambiguous letters stay where they are and the
        stretches between them are shuffled one by one, so that no count of any dinucleotide changes, be it with N or
        without. Soft-masking stays with the position: as many bases are masked as before.
    seeds
        Whole numbers, shape ``(n,)``.

    Returns
    -------
    numpy.ndarray
        ``uint8``, shape ``(n, length)``; row ``i`` is a function of ``codes[i]`` and ``seeds[i]`` alone.

    Raises
    ------
    ValueError
        The shapes or the types are others.
    """
    # Loading numba takes a quarter of a second, which most steps need not pay.
    from lociflow.sequence.shuffle_kernel import shuffle_rows

    codes, seeds = np.asarray(codes), np.asarray(seeds)
    if codes.ndim != 2 or codes.dtype != np.uint8:
        raise ValueError(f"codes: found {codes.dtype} {codes.shape}, expected uint8 of shape (n, length)")
    if seeds.shape != codes.shape[:1] or seeds.dtype.kind not in "iu":
        raise ValueError(f"seeds: found {seeds.dtype} {seeds.shape}, expected whole numbers of shape {codes.shape[:1]}")
    shuffled = np.array(codes, order="C")
    shuffle_rows(shuffled, seeds.astype(np.uint64))
    return shuffled


def shuffle_seeds(
    seed: int, names: Sequence[str], contig: np.ndarray, start: np.ndarray, copy: np.ndarray
) -> np.ndarray:
    """Derive the seed of each shuffle from what it is made of, so that it is the same whatever lies around it.

    Words are mixed in one after the other by the finaliser of SplitMix64 (Steele 2014, doi:10.1145/2660193.2660195).

    Parameters
    ----------
    seed
        Not negative.
    names
        Of the contigs.
    contig
        Indices of ``names``, whole numbers of shape ``(n,)``.
    start
        First base, ``int64``, shape ``(n,)``.
    copy
        Tells shuffles of one place apart: whole numbers of shape ``(n,)``, not negative.

    Returns
    -------
    numpy.ndarray
        ``int64``, shape ``(n,)``, from 1 to 2**63 - 1: 0 is left for what is not shuffled.
    """
    contig = np.asarray(contig)
    used = np.unique(contig)
    number = np.zeros(len(names), dtype=np.uint64)
    for index in used.tolist():
        number[index] = int.from_bytes(hashlib.sha256(str(names[index]).encode()).digest()[:8], "little")
    state = np.full(len(contig), int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:8], "little"), np.uint64)
    for word in (number[contig], np.asarray(start, np.int64).astype(np.uint64), np.asarray(copy).astype(np.uint64)):
        state = _mixed(state ^ word)
    return np.maximum(state & _LARGEST, np.uint64(1)).astype(np.int64)


def _mixed(words: np.ndarray) -> np.ndarray:
    words = words + _STEP
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)))
