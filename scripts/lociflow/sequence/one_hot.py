"""One-hot rows of integer codes, as the models take them."""

import numpy as np

from lociflow.sequence.alphabet import DNA, SOFT_MASK, Alphabet


def one_hot_table(alphabet: Alphabet = DNA) -> np.ndarray:
    """Return the channels of each code.

    Returns
    -------
    numpy.ndarray
        ``float32``, shape (a power of 2 above every code, channels): row = code without its soft-mask bit, column =
        A, C, G, T, or the amino acids in alphabetical order. Ambiguous letters share the one among the residues that
        they stand for; the letter for any residue, with which windows are padded, is all zeros, Enformer's rule (Avsec
        2021), so that padding adds nothing to a convolution.
    """
    table = np.zeros((1 << (len(alphabet.letters) - 1).bit_length(), len(alphabet.channels)), dtype=np.float32)
    for code, letter in enumerate(alphabet.letters):
        for residue in alphabet.residues[letter] if code != alphabet.pad else "":
            table[code, alphabet.channels.index(residue)] = 1 / len(alphabet.residues[letter])
    table.setflags(write=False)
    return table


# float32, shape (16, 4): that of DNA and, with U for T, of RNA.
ONE_HOT = one_hot_table()


def one_hot(codes: np.ndarray, alphabet: Alphabet = DNA) -> np.ndarray:
    """Expand codes into channels; the soft-mask bit is not looked at.

    Parameters
    ----------
    codes
        ``uint8``, shape ``(…, length)``.
    alphabet
        Of the codes.

    Returns
    -------
    numpy.ndarray
        ``float32``, shape ``(…, channels, length)``, C-contiguous; see :func:`one_hot_table`.
    """
    table = ONE_HOT if alphabet is DNA else one_hot_table(alphabet)
    rows = np.asarray(codes, dtype=np.uint8) & (SOFT_MASK - 1)
    expanded = np.empty((*rows.shape[:-1], table.shape[1], rows.shape[-1]), dtype=np.float32)
    for channel in range(table.shape[1]):
        expanded[..., channel, :] = table[:, channel][rows]
    return expanded
