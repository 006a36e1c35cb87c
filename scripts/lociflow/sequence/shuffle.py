"""Shuffles of sequences that keep the count of every dinucleotide."""

import numpy as np


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
