"""Integer codes of residues: nucleotides of DNA and RNA, amino acids of proteins.

DNA: A, C, G, T = 0, 1, 2, 3; N = 4; R, Y, S, W, K, M, B, D, H, V = 5 … 14, the letters of IUPAC-IUB (Cornish-Bowden
1985, Nucleic Acids Res. 13:3021); U reads as T. RNA has the same codes with U for T, and T reads as U.

Protein: the twenty amino acids in alphabetical order = 0 … 19; X = 20, any of them; B, Z, J = 21 … 23, either of two
(IUPAC-IUB 1984, Eur. J. Biochem. 138:9; J, leucine or isoleucine, is from mass spectrometry); U, O = 24, 25,
selenocysteine and pyrrolysine.

Lower case, which marks repeats in most genomes, sets the highest bit (:data:`SOFT_MASK`) where soft-masking is kept.
Functions that are not told an alphabet speak of DNA.
"""

from collections.abc import Mapping
from typing import NamedTuple

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

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"

# The amino acids that the other letters stand for. The two rare ones have no channel of their own: they count as the
# residue that they are made of, selenocysteine as cysteine and pyrrolysine as lysine.
AMBIGUOUS_AMINO_ACIDS = {"X": AMINO_ACIDS, "B": "DN", "Z": "EQ", "J": "IL", "U": "C", "O": "K"}

_UNKNOWN = 0xFF


class Alphabet(NamedTuple):
    """The letters of a kind of sequence and their codes."""

    name: str
    letters: str
    """In the order of their codes."""
    synonyms: str
    """Letters that are read as another one and never written."""
    channels: str
    """The residues that have a one-hot channel each, in order: the letters of the first codes."""
    residues: Mapping[str, str]
    """The residues that each letter stands for."""
    pad: int
    """Code of the letter that stands for any residue, which also fills what lies beyond a sequence's ends."""
    what: str
    """What its letters are called in a sentence."""
    encode_upper: np.ndarray
    """``uint8``, shape (256,): byte to code, the case dropped."""
    encode_masked: np.ndarray
    """``uint8``, shape (256,): byte to code, lower case with :data:`SOFT_MASK`."""
    decode: np.ndarray
    """``uint8``, shape (256,): code to byte, 0 where there is none."""
    complement: np.ndarray | None
    """``uint8``, shape (256,): code to that of the complementary letter; None where sequences have one strand."""


def _alphabet(
    name: str,
    letters: str,
    synonyms: Mapping[str, str],
    channels: str,
    residues: Mapping[str, str],
    pad: str,
    what: str,
    complements: str | None,
) -> Alphabet:
    upper, masked = np.full(256, _UNKNOWN, dtype=np.uint8), np.full(256, _UNKNOWN, dtype=np.uint8)
    decoding, complement = np.zeros(256, dtype=np.uint8), np.arange(256, dtype=np.uint8)
    for letter in (*letters, *synonyms):
        code = letters.index(synonyms.get(letter, letter))
        upper[[ord(letter), ord(letter.lower())]] = code
        masked[[ord(letter), ord(letter.lower())]] = code, code | SOFT_MASK
    for code, letter in enumerate(letters):
        decoding[[code, code | SOFT_MASK]] = ord(letter), ord(letter.lower())
        if complements:
            other = letters.index(complements[code])
            complement[[code, code | SOFT_MASK]] = other, other | SOFT_MASK
    for table in (upper, masked, decoding, complement):
        table.setflags(write=False)
    return Alphabet(
        name,
        letters,
        "".join(synonyms),
        channels,
        residues,
        letters.index(pad),
        what,
        upper,
        masked,
        decoding,
        complement if complements else None,
    )


def _as_rna(letters: str) -> str:
    return letters.replace("T", "U")


DNA = _alphabet("dna", LETTERS, {"U": "T"}, "ACGT", BASES, "N", "nucleotide", COMPLEMENTS)
# RNA has a complement, but a transcript's other strand is another molecule: it is never read from there.
RNA = _alphabet(
    "rna",
    _as_rna(LETTERS),
    {"T": "U"},
    _as_rna("ACGT"),
    {_as_rna(letter): _as_rna(bases) for letter, bases in BASES.items()},
    "N",
    "nucleotide",
    None,
)
PROTEIN = _alphabet(
    "protein",
    AMINO_ACIDS + "".join(AMBIGUOUS_AMINO_ACIDS),
    {},
    AMINO_ACIDS,
    {**{letter: letter for letter in AMINO_ACIDS}, **AMBIGUOUS_AMINO_ACIDS},
    "X",
    "amino acid",
    None,
)
ALPHABETS: Mapping[str, Alphabet] = {alphabet.name: alphabet for alphabet in (DNA, RNA, PROTEIN)}

assert DNA.complement is not None
# uint8, shape (256,): the code of the complementary letter, soft-mask bit kept; COMPLEMENT[COMPLEMENT] is the identity.
COMPLEMENT: np.ndarray = DNA.complement


class UnknownLetter(UserError, ValueError):
    """A sequence holds something that is no letter of its alphabet.

    Parameters
    ----------
    letter
        What was found.
    position
        Where, counted from 0.
    alphabet
        The alphabet.
    """

    def __init__(self, letter: str, position: int, alphabet: Alphabet = DNA) -> None:
        where = "base" if alphabet.what == "nucleotide" else "residue"
        super().__init__(f"sequence, {where} {position + 1}: found {letter!r}, expected {expected_letters(alphabet)}")
        self.letter = letter
        self.position = position


def expected_letters(alphabet: Alphabet = DNA) -> str:
    """Say in a sentence which letters an alphabet has."""
    return f"one of {alphabet.letters}{alphabet.synonyms} in either case"


def find_alphabet(name: object) -> Alphabet:
    """Return the alphabet of a name.

    Raises
    ------
    UserError
        There is none.
    """
    if name not in ALPHABETS:
        raise UserError(f"sequences.alphabet: found {name!r}, expected one of {', '.join(ALPHABETS)}")
    return ALPHABETS[str(name)]


def encode(text: str | bytes | bytearray, soft_mask: bool = False, alphabet: Alphabet = DNA) -> np.ndarray:
    """Turn letters into codes.

    Parameters
    ----------
    text
        Letters in either case, without white space.
    soft_mask
        Whether lower case sets :data:`SOFT_MASK`; otherwise the case is dropped.
    alphabet
        Of the letters.

    Returns
    -------
    numpy.ndarray
        ``uint8``, shape ``(len(text),)``.

    Raises
    ------
    UnknownLetter
        At the first letter that is not of the alphabet: gaps (``-``), stops (``*``), white space.
    """
    letters = np.frombuffer(text.encode("utf-8") if isinstance(text, str) else text, dtype=np.uint8)
    codes = (alphabet.encode_masked if soft_mask else alphabet.encode_upper)[letters]
    unknown = codes == _UNKNOWN
    if unknown.any():
        position = int(unknown.argmax())
        letter = text[position] if isinstance(text, str) else chr(text[position])
        raise UnknownLetter(letter, position, alphabet)
    return codes


def decode(codes: np.ndarray, alphabet: Alphabet = DNA) -> str:
    """Turn codes, shape ``(length,)``, into letters; soft-masked codes become lower case.

    Raises
    ------
    ValueError
        A number is not the code of any letter.
    """
    letters = alphabet.decode[np.asarray(codes, dtype=np.uint8)]
    if not letters.all():
        raise ValueError(f"{np.asarray(codes)[letters == 0][0]} is no code of {alphabet.letters}")
    return letters.tobytes().decode("ascii")


def reverse_complement(codes: np.ndarray, alphabet: Alphabet = DNA) -> np.ndarray:
    """Read codes, ``uint8`` of shape ``(…, length)``, from the other strand; each base keeps its soft-mask bit.

    Raises
    ------
    ValueError
        Sequences of this alphabet are never read from another strand: RNA, proteins.
    """
    if alphabet.complement is None:
        raise ValueError(f"{alphabet.name}: expected a sequence with two strands")
    return alphabet.complement[codes[..., ::-1]]
