"""K-mers of DNA: their numbers, and how often each stands in a sequence."""

import numpy as np

# What is left of a code without its soft-mask bit.
LETTER = 0x7F


def canonical_columns(k: int) -> tuple[np.ndarray, list[str]]:
    """Number the k-mers, one number for a k-mer and its reverse complement.

    Returns
    -------
    tuple of numpy.ndarray and list of str
        The column of every k-mer, int64 of shape (4**k,), where the k-mer's index reads its letters as digits of base
        4 with A, C, G, T = 0, 1, 2, 3; and the k-mer of each column that comes first in the alphabet.
    """
    index = np.arange(4**k)
    reverse = np.zeros_like(index)
    rest = index.copy()
    for _ in range(k):
        reverse = reverse * 4 + (3 - rest % 4)
        rest //= 4
    first, columns = np.unique(np.minimum(index, reverse), return_inverse=True)
    names = ["".join("ACGT"[kmer // 4**place % 4] for place in range(k - 1, -1, -1)) for kmer in first.tolist()]
    return columns, names


def count_kmers(codes: np.ndarray, k: int, columns: np.ndarray) -> np.ndarray:
    """Count the k-mers of each window, those on both strands as one where ``columns`` says so.

    Parameters
    ----------
    codes
        uint8 codes of the alphabet (A, C, G, T = 0 to 3; the soft-mask bit is ignored), shape (n, length).
    k
        Length of a k-mer.
    columns
        The column of every k-mer: from :func:`canonical_columns`, or each its own.

    Returns
    -------
    numpy.ndarray
        float32, shape (n, number of columns). A k-mer with another letter than A, C, G, T is not counted.
    """
    width = int(columns.max()) + 1
    letters = codes & LETTER
    positions = max(0, letters.shape[1] - k + 1)
    kmer = np.zeros((len(letters), positions), np.int64)
    known = np.ones(kmer.shape, bool)
    for place in range(k):
        part = letters[:, place : place + positions]
        kmer = kmer * 4 + np.minimum(part, 3)
        known &= part < 4
    cell = columns[kmer] + np.arange(len(letters))[:, np.newaxis] * width
    return np.bincount(cell[known], minlength=len(letters) * width).reshape(len(letters), width).astype(np.float32)
