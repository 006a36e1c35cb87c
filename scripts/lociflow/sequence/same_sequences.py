"""Sequences of a data set that are the same, read from either strand."""

from typing import NamedTuple

import numpy as np
from numba import njit

from lociflow.sequence.alphabet import COMPLEMENT
from lociflow.sequence.search import DNA_SEARCH, QUERY_BASES, Codes, Search

LETTER = 0x7F


class Same(NamedTuple):
    """Which sequences are the same, read from either strand."""

    first: np.ndarray
    """``int64``, shape ``(len(rows),)``: the first of the rows that has the same sequence, maybe itself."""
    reverse: np.ndarray
    """``bool``: the first row has it on the other strand."""


def first_of_same(codes: Codes, rows: np.ndarray, length: int, search: Search = DNA_SEARCH) -> Same:
    """Find sequences that are the same letter by letter, in either case and without the unknown letters at their ends.

    They are compared by two independent 64-bit hashes. A sequence without any known letter is like no other.

    Parameters
    ----------
    codes, length, search
        As for :func:`lociflow.sequence.homology.best_match`.
    rows
        Sequences to compare.
    """
    rows = np.asarray(rows, dtype=np.int64)
    keys = np.empty((len(rows), 2), dtype=np.uint64)
    turned = np.empty(len(rows), dtype=bool)
    step = max(1, QUERY_BASES // length)
    complement = COMPLEMENT & LETTER if search.two_strands else np.empty(0, np.uint8)
    for begin in range(0, len(rows), step):
        part = slice(begin, begin + step)
        _hash_rows(codes(rows[part]), complement, search.letters, begin, keys[part], turned[part])
    order = np.lexsort((np.arange(len(rows)), keys[:, 1], keys[:, 0]))
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    leader = order[np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))] if len(rows) else order
    first = np.empty(len(rows), dtype=np.int64)
    first[order] = leader
    return Same(rows[first], turned != turned[first])


@njit(cache=True, nogil=True, inline="always")
def _mixed(state: np.uint64, value: np.uint64, factor: np.uint64) -> np.uint64:
    state = (state ^ value) * factor
    return state ^ (state >> np.uint64(32))


@njit(cache=True, nogil=True)
def _hash_rows(
    rows: np.ndarray, complement: np.ndarray, unknown: int, number: int, keys: np.ndarray, turned: np.ndarray
) -> None:
    """Hash sequences, each read from the strand of the smaller hash.

    Parameters
    ----------
    rows
        Codes as in the store, ``uint8`` (n, length); the soft-mask bit is not looked at.
    complement
        Code of each code's complement; empty: sequences have one strand.
    unknown
        Code that is cut off at both ends.
    number
        Of the first row: what stands for a sequence of nothing else.
    keys, turned
        To write: ``uint64`` (n, 2), and whether the other strand was read.
    """
    first_factor, second_factor = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
    for row in range(rows.shape[0]):
        begin, end = 0, rows.shape[1]
        while begin < end and (rows[row, begin] & LETTER) == unknown:
            begin += 1
        while end > begin and (rows[row, end - 1] & LETTER) == unknown:
            end -= 1
        a, b = np.uint64(end - begin), np.uint64(end - begin + 1)
        c, d = a, b
        for k in range(end - begin):
            base = np.uint64((rows[row, begin + k] & LETTER) + 1)
            a, b = _mixed(a, base, first_factor), _mixed(b, base, second_factor)
            if len(complement):
                base = np.uint64(complement[rows[row, end - 1 - k] & LETTER] + 1)
                c, d = _mixed(c, base, first_factor), _mixed(d, base, second_factor)
        turned[row] = len(complement) > 0 and (c < a or (c == a and d < b))
        keys[row, 0], keys[row, 1] = (c, d) if turned[row] else (a, b)
        if begin == end:
            keys[row, 0], keys[row, 1] = np.uint64(number + row), np.uint64(0)
