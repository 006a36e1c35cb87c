"""The windows of an allele: the genome with the reference allele, and with the alternative in its place.

A window of ``length`` bases that is moved by ``shift`` begins ``length // 2 - shift`` bases before the first base of
REF, on the reference and on the alternative alike: the allele's left edge stays where it is. Behind the allele follows
what the genome has behind REF, as far as the window reaches: further bases come in from the right where the alternative
is shorter, and bases fall out on the right where it is longer. Of an allele that reaches beyond the window's right end
the window holds the part that fits. What lies beyond a contig's ends is N, and N of the genome stays N.
"""

from collections.abc import Sequence

import numpy as np

from lociflow.effects.alleles import Allele
from lociflow.genome.placement import mostly_unknown
from lociflow.sequence.alphabet import encode
from lociflow.sequence.store import SequenceStore, gather

# Codes that are looked through at once.
BLOCK_BASES = 1 << 23


def allele_windows(
    store: SequenceStore, alleles: Sequence[Allele], length: int, shift: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Cut the windows of some alleles.

    Parameters
    ----------
    store
        The genome.
    alleles
        No longer than a window, either of the two.
    length
        Bases of a window.
    shift
        Bases by which windows are moved to the right; less than half a window.

    Returns
    -------
    tuple of numpy.ndarray
        Codes with the reference and with the alternative alleles, ``uint8``, shape ``(n, length)`` each.
    """
    offset = allele_offset(length, shift)
    reference = np.empty((len(alleles), length), dtype=np.uint8)
    alternative = np.empty((len(alleles), length), dtype=np.uint8)
    for (before, after), rows in same_lengths(alleles).items():
        contig = np.array([alleles[row].contig for row in rows])
        start = np.array([alleles[row].position for row in rows], dtype=np.int64) - offset
        codes = gather(store, contig, start, length + max(before - after, 0))
        # Where a record disagrees with the genome, the effect is still that of its REF becoming its ALT.
        stated = np.stack([encode(alleles[row].reference) for row in rows])
        changed = np.stack([encode(alleles[row].alternative) for row in rows])
        left, right = codes[:, :offset], codes[:, offset + before :]
        reference[rows] = np.concatenate([left, stated, right], axis=1)[:, :length]
        alternative[rows] = np.concatenate([left, changed, right], axis=1)[:, :length]
    return reference, alternative


def known_sequence(store: SequenceStore, alleles: Sequence[Allele], length: int, shifts: Sequence[int]) -> np.ndarray:
    """Tell which alleles have enough sequence around them to be scored.

    Parameters
    ----------
    store, alleles, length
        As in :func:`allele_windows`.
    shifts
        Of the windows that are scored.

    Returns
    -------
    numpy.ndarray
        ``bool``, shape ``(n,)``: False where one of the windows is mostly unknown.
    """
    known = np.ones(len(alleles), bool)
    step = max(1, BLOCK_BASES // length)
    for begin in range(0, len(alleles), step):
        some = slice(begin, begin + step)
        for shift in shifts:
            for codes in allele_windows(store, alleles[some], length, shift):
                known[some] &= ~mostly_unknown(store, codes)
    return known


def allele_offset(length: int, shift: int) -> int:
    """Return the place of REF's first base in a window, counted from 0."""
    return length // 2 - shift


def same_lengths(alleles: Sequence[Allele]) -> dict[tuple[int, int], list[int]]:
    """Return the rows of alleles that have the same lengths of REF and ALT, by these lengths."""
    found: dict[tuple[int, int], list[int]] = {}
    for row, allele in enumerate(alleles):
        found.setdefault((len(allele.reference), len(allele.alternative)), []).append(row)
    return found
