"""Integer codes of nucleotides: A, C, G, T = 0, 1, 2, 3; N = 4; R, Y, S, W, K, M, B, D, H, V = 5 … 14.

The letters are those of IUPAC-IUB (Cornish-Bowden 1985, Nucleic Acids Res. 13:3021). U reads as T. Lower case, which
marks repeats in most genomes, sets the highest bit (:data:`SOFT_MASK`) where soft-masking is kept.
"""

import numpy as np

from lociflow.command import UserError

LETTERS = "ACGTNRYSWKMBDHV"
COMPLEMENTS = "TGCANYRSWMKVHDB"
N = 4
SOFT_MASK = 0x80

# The bases that each letter stands for; N stands for any, which one_hot turns into nothing.
BASES = {
    "A": "A",
    "C": "C",
    "G": "G",
    "T": "T",
    "N": "ACGT",
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
}

_UNKNOWN = 0xFF


def _encoding(lower_case_bit: int) -> np.ndarray:
    table = np.full(256, _UNKNOWN, dtype=np.uint8)
    for code, letter in enumerate(LETTERS):
        table[ord(letter)] = code
        table[ord(letter.lower())] = code | lower_case_bit
    table[ord("U")] = table[ord("T")]
    table[ord("u")] = table[ord("t")]
    return table


def _decoding() -> np.ndarray:
    table = np.zeros(256, dtype=np.uint8)
    for code, letter in enumerate(LETTERS):
        table[code] = ord(letter)
        table[code | SOFT_MASK] = ord(letter.lower())
    return table


def _complement() -> np.ndarray:
    table = np.arange(256, dtype=np.uint8)
    for code, letter in enumerate(COMPLEMENTS):
        table[code] = LETTERS.index(letter)
        table[code | SOFT_MASK] = LETTERS.index(letter) | SOFT_MASK
    return table


_ENCODE_UPPER = _encoding(0)
_ENCODE_MASKED = _encoding(SOFT_MASK)
_DECODE = _decoding()

# uint8, shape (256,): the code of the complementary letter, soft-mask bit kept; COMPLEMENT[COMPLEMENT] is the identity.
COMPLEMENT = _complement()
COMPLEMENT.setflags(write=False)


class UnknownLetter(UserError, ValueError):
    """A sequence holds something that is no IUPAC nucleotide letter.

    Parameters
    ----------
    letter
        What was found.
    position
        Where, counted from 0.
    """

    def __init__(self, letter: str, position: int) -> None:
        super().__init__(f"sequence, base {position + 1}: found {letter!r}, expected one of {LETTERS}U in either case")
        self.letter = letter
        self.position = position


def encode(text: str | bytes | bytearray, soft_mask: bool = False) -> np.ndarray:
    """Turn letters into codes.

    Parameters
    ----------
    text
        IUPAC letters in either case, without white space.
    soft_mask
        Whether lower case sets :data:`SOFT_MASK`; otherwise the case is dropped.

    Returns
    -------
    numpy.ndarray
        ``uint8``, shape ``(len(text),)``.

    Raises
    ------
    UnknownLetter
        At the first letter that is none of them: gaps (``-``), pads (``*``), white space, amino acids.
    """
    letters = np.frombuffer(text.encode("utf-8") if isinstance(text, str) else text, dtype=np.uint8)
    codes = (_ENCODE_MASKED if soft_mask else _ENCODE_UPPER)[letters]
    unknown = codes == _UNKNOWN
    if unknown.any():
        position = int(unknown.argmax())
        letter = text[position] if isinstance(text, str) else chr(text[position])
        raise UnknownLetter(letter, position)
    return codes


def decode(codes: np.ndarray) -> str:
    """Turn codes, shape ``(length,)``, into letters; soft-masked codes become lower case.

    Raises
    ------
    ValueError
        A number is not the code of any letter.
    """
    letters = _DECODE[np.asarray(codes, dtype=np.uint8)]
    if not letters.all():
        raise ValueError(f"{np.asarray(codes)[letters == 0][0]} is no code of {LETTERS}")
    return letters.tobytes().decode("ascii")


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """Read codes, ``uint8`` of shape ``(…, length)``, from the other strand; each base keeps its soft-mask bit."""
    return COMPLEMENT[codes[..., ::-1]]
