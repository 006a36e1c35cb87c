"""One-hot rows of integer codes, as the models take them."""

import numpy as np

from lociflow.sequence.alphabet import BASES, LETTERS


def _table() -> np.ndarray:
    table = np.zeros((16, 4), dtype=np.float32)
    for code, letter in enumerate(LETTERS):
        for base in BASES[letter] if letter != "N" else "":
            table[code, "ACGT".index(base)] = 1 / len(BASES[letter])
    table.setflags(write=False)
    return table


# float32, shape (16, 4): row = code without its soft-mask bit, column = A, C, G, T. The ambiguous letters share the one
# among their bases; N is all zeros, Enformer's rule (Avsec 2021), so that padding adds nothing to a convolution.
ONE_HOT = _table()


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Expand codes into channels A, C, G, T; the soft-mask bit is not looked at.

    Parameters
    ----------
    codes
        ``uint8``, shape ``(…, length)``.

    Returns
    -------
    numpy.ndarray
        ``float32``, shape ``(…, 4, length)``, C-contiguous. N is 0 in all channels, other ambiguous letters are equal
        fractions.
    """
    rows = np.asarray(codes, dtype=np.uint8) & 0x0F
    expanded = np.empty((*rows.shape[:-1], 4, rows.shape[-1]), dtype=np.float32)
    for channel in range(4):
        expanded[..., channel, :] = ONE_HOT[:, channel][rows]
    return expanded
