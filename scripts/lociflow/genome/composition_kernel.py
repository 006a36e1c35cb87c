"""The compiled loop of :mod:`lociflow.genome.composition`, apart from it so that only who counts loads numba."""

import numba
import numpy as np

from lociflow.sequence.alphabet import LETTERS, SOFT_MASK

# Columns of what count_bases returns.
ACGT, GC, N_BASES, MASKED = range(4)


_BASE_BITS = np.uint8(0xFF ^ SOFT_MASK)
# A, C, G, T are the first four codes.
_C, _G, _T, _N = (np.uint8(LETTERS.index(letter)) for letter in "CGTN")


@numba.njit(nogil=True, cache=True)
def count_bases(codes: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Count bases of the stretches ``first`` to ``last`` of ``codes``: ``int64`` (n, 4), columns as named above."""
    counts = np.zeros((len(first), 4), np.int64)
    for row in range(len(first)):
        acgt, gc, n_bases, masked = 0, 0, 0, 0
        # Comparisons and no table, so that the compiler counts many bases with one instruction.
        for code in codes[first[row] : last[row]]:
            base = code & _BASE_BITS
            acgt += base <= _T
            gc += (base == _C) | (base == _G)
            n_bases += base == _N
            masked += code > _BASE_BITS
        counts[row, ACGT], counts[row, GC], counts[row, N_BASES], counts[row, MASKED] = acgt, gc, n_bases, masked
    return counts
