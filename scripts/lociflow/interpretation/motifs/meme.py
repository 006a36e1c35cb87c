"""Motifs as position weight matrices, and the minimal MEME motif format that holds them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lociflow.command import UserError, atomic

HEADER = """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.25 C 0.25 G 0.25 T 0.25

"""

# Rows of published files are rounded; CIS-BP's are off by up to 2 %.
ROW_SUM_TOLERANCE = 0.05

# The number of rows, on the line above them.
WIDTH = re.compile(r"\bw=\s*(\d+)")

CONSENSUS = {
    frozenset(bases): letter
    for letter, bases in {
        "A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
        "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
    }.items()
}  # fmt: skip


class Motif(NamedTuple):
    """A motif: what a line ``MOTIF name alternate`` and its matrix say."""

    name: str
    """Unique in its file, without white space."""
    alternate: str
    """The second word of the line: here the kind of motif (``positive``, ``negative``, ``filter``), in JASPAR's files
    the factor; may be empty."""
    pwm: np.ndarray
    """``float64``, shape ``(4, width)``: probabilities of A, C, G and T, each column sums to 1."""
    sites: float
    """How many sites the matrix was counted from (``nsites``)."""


def word(text: str) -> str:
    """Return a name without white space, which MEME's lines cannot hold."""
    return "_".join(text.split())


def write_meme(path: Path, motifs: Iterable[Motif]) -> None:
    """Write motifs; none at all gives a file with only its header.

    Probabilities are written with six decimals, as the MEME suite does. The bytes depend on the motifs alone.
    """
    with atomic(path) as temporary:
        temporary.write_text(HEADER + "".join(_block(motif) for motif in motifs), encoding="utf-8")


def _block(motif: Motif) -> str:
    width = motif.pwm.shape[1]
    rows = "".join(" ".join(f"{value:.6f}" for value in row) + "\n" for row in motif.pwm.T)
    return (
        f"MOTIF {' '.join(filter(None, (word(motif.name), word(motif.alternate))))}\n"
        f"letter-probability matrix: alength= 4 w= {width} nsites= {motif.sites:g} E= 0\n{rows}\n"
    )


def read_meme(path: Path) -> list[Motif]:
    """Read the motifs of a file in MEME's minimal format, ours or another program's.

    Parameters
    ----------
    path
        Text; matrices of probabilities in the order A, C, G, T. Other lines (URL, background) are passed over.

    Returns
    -------
    list of Motif
        In the file's order; columns are divided by their sums, which rounding leaves a little off 1.

    Raises
    ------
    UserError
        The file is missing, is not MEME's, names a motif twice or without a matrix, or holds a matrix that is not one
        of probabilities or has not as many rows as it says.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); expected a motif file in MEME format") from None
    if not any(line.startswith("MEME version") for line in lines[:20]):
        raise UserError(f"{path}: found no line 'MEME version', expected a motif file in MEME format")
    motifs: dict[str, Motif] = {}
    number = 0
    name, alternate, begun = "", "", 0
    while number < len(lines):
        words = lines[number].split()
        number += 1
        if words[:1] == ["MOTIF"]:
            if len(words) < 2 or words[1] in motifs:
                found = f"{words[1]} a second time" if len(words) > 1 else "no name"
                raise UserError(f"{path}, line {number}: found {found}, expected each motif to have its own name")
            _check_whole(name, motifs, path, begun)
            name, alternate, begun = words[1], " ".join(words[2:]), number
        elif words[:1] == ["letter-probability"]:
            if not name or name in motifs:
                raise UserError(f"{path}, line {number}: found a matrix without a MOTIF line before it, expected one")
            pwm, last = _matrix(lines, number, path)
            width = WIDTH.search(lines[number - 1])
            if width and int(width[1]) != pwm.shape[1]:
                raise UserError(
                    f"{path}, line {number}: found {pwm.shape[1]} rows below it, expected {width[1]} as w= says; the "
                    "file may be cut off, get it again"
                )
            motifs[name] = Motif(name, alternate, pwm, _nsites(words))
            number = last
    _check_whole(name, motifs, path, begun)
    return list(motifs.values())


def _check_whole(name: str, motifs: Mapping[str, Motif], path: Path, line: int) -> None:
    if name and name not in motifs:
        raise UserError(
            f"{path}, line {line}: found MOTIF {name} without a matrix, expected a line 'letter-probability matrix' "
            "and its rows; add them, or take the motif out"
        )


def _nsites(words: Sequence[str]) -> float:
    # 'nsites= 20' and 'nsites=20' are both in use; a file without it says nothing about its sites.
    text = " ".join(words)
    try:
        return float(text.partition("nsites=")[2].split()[0])
    except (IndexError, ValueError):
        return 0.0


def _matrix(lines: Sequence[str], number: int, path: Path) -> tuple[np.ndarray, int]:
    rows: list[list[float]] = []
    while number < len(lines):
        words = lines[number].split()
        try:
            values = [float(found) for found in words]
        except ValueError:
            break
        if values:
            # Not a number compares as false.
            right = len(values) == 4 and min(values) >= 0 and abs(sum(values) - 1) <= ROW_SUM_TOLERANCE
            if not right:
                raise UserError(
                    f"{path}, line {number + 1}: found {lines[number].strip()!r}, expected four probabilities (A, C, G "
                    "and T) that sum to 1; correct the row"
                )
            rows.append(values)
        elif rows:
            break
        number += 1
    if not rows:
        raise UserError(f"{path}, line {number}: found no matrix, expected a row of four probabilities a position")
    pwm = np.array(rows).T
    return pwm / pwm.sum(axis=0), number


def information(pwm: np.ndarray) -> np.ndarray:
    """Return the information content of each position, in bits against equal base frequencies.

    Parameters
    ----------
    pwm
        Shape ``(4, width)``; columns sum to 1.

    Returns
    -------
    numpy.ndarray
        Shape ``(width,)``, from 0 (all bases alike) to 2 (one base).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(pwm > 0, pwm * np.log2(pwm), 0.0)
    return np.maximum(0.0, 2.0 + terms.sum(axis=0))


def core(pwm: np.ndarray, sites: float, bits: float) -> slice:
    """Return the stretch of a motif that says something: the one whose information exceeds ``bits`` a position by most.

    It begins and ends with informative positions, and bridges uninformative ones where more lies beyond them than they
    cost, so that a gapped motif stays whole. Flat stretches must not reach a comparison: TOMTOM finds that flat columns
    resemble other flat columns, and takes a run of them for a match. At half a bit, 875 of the 879 vertebrate motifs of
    JASPAR 2024 keep 6 bits or more in 5 or more positions, and none of 256 filters with random weights.

    Parameters
    ----------
    pwm
        Shape ``(4, width)``; columns sum to 1.
    sites
        From which it was counted; what chance gives so few sites (Schneider et al. 1986) is taken off each position. 0
        where it is not known.
    bits
        Above 0; 2 is the highest possible.

    Returns
    -------
    slice
        Of positions; empty where none has so much.
    """
    chance = 3 / (2 * np.log(2) * sites) if sites else 0.0
    total, start = 0.0, 0
    best, found = 0.0, slice(0, 0)
    for position, excess in enumerate(information(pwm) - chance - bits):
        if total <= 0:
            total, start = 0.0, position
        total += excess
        if total > best:
            best, found = total, slice(start, position + 1)
    return found


def consensus(pwm: np.ndarray) -> str:
    """Return a letter a position: the base with more than half, else the pair with more than three quarters, else N.

    These are the rules of Cavener (1987) for one and two bases.
    """
    letters = []
    for column in pwm.T:
        order = np.argsort(-column, kind="stable")
        if column[order[0]] > 0.5 and column[order[0]] > 2 * column[order[1]]:
            chosen = order[:1]
        elif column[order[:2]].sum() > 0.75:
            chosen = order[:2]
        else:
            chosen = order
        letters.append(CONSENSUS[frozenset("ACGT"[base] for base in chosen)])
    return "".join(letters)
