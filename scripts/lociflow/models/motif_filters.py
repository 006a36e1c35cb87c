"""Motifs as filters of a first convolution: log odds, cut or centred to a filter's length."""

import numpy as np

# Added to each column's counts, a quarter to each base, so that no probability is 0.
PSEUDOCOUNT = 1.0


def log_odds(counts: np.ndarray) -> np.ndarray:
    """Return log2 of each base's probability over 1/4.

    Parameters
    ----------
    counts
        Shape ``(4, width)``: how often A, C, G and T stand at each position; need not be whole.
    """
    counts = np.asarray(counts, dtype=np.float64)
    frequencies = (counts + PSEUDOCOUNT / 4) / (counts.sum(axis=0) + PSEUDOCOUNT)
    return np.log2(4 * frequencies)


def laid_in(matrix: np.ndarray, length: int) -> np.ndarray:
    """Return a matrix of another width: a short one in the middle of zeros, of a long one the best stretch.

    Where the number of zeros is odd, the one more lies to the right. The best stretch is the one whose log odds say
    most: the sum over its positions of the probability-weighted log odds (its information) is largest; of equals the
    leftmost.

    Parameters
    ----------
    matrix
        Log odds, shape ``(4, width)``.
    length
        Positions of the result.
    """
    width = matrix.shape[1]
    if width <= length:
        left = (length - width) // 2
        return np.pad(matrix, ((0, 0), (left, length - width - left)))
    information = (np.exp2(matrix) / 4 * matrix).sum(axis=0)
    sums = np.convolve(information, np.ones(length), mode="valid")
    # Sums of the same numbers in another order differ in their last bits.
    start = int(np.argmax(np.round(sums, 9)))
    return matrix[:, start : start + length]
