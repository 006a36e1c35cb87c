"""The compiled loop of :mod:`lociflow.sequence.shuffle`, apart from it so that only who shuffles loads numba."""

import numba
import numpy as np

from lociflow.sequence.alphabet import SOFT_MASK

_BASE_BITS = np.uint8(0xFF ^ SOFT_MASK)
_MASK_BIT = np.uint8(SOFT_MASK)

# SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195): its increment and its two multipliers.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT_30, _SHIFT_27, _SHIFT_31, _SHIFT_32 = (np.uint64(bits) for bits in (30, 27, 31, 32))


@numba.njit(nogil=True, cache=True)
def _mixed(z: np.uint64) -> np.uint64:
    z = (z ^ (z >> _SHIFT_30)) * _FIRST
    z = (z ^ (z >> _SHIFT_27)) * _SECOND
    return z ^ (z >> _SHIFT_31)


@numba.njit(nogil=True, cache=True)
def _below(state: np.ndarray, bound: int) -> np.int64:
    """Draw a whole number below ``bound``, which is under 2**32, without bias (Lemire 2019, doi:10.1145/3230636)."""
    wide = np.uint64(bound)
    least = ((_LOW - wide) + np.uint64(1)) % wide
    while True:
        state[0] += _GAMMA
        product = (_mixed(state[0]) >> _SHIFT_32) * wide
        if (product & _LOW) >= least:
            return np.int64(product >> _SHIFT_32)


@numba.njit(nogil=True, cache=True)
def _last_edges(counts: np.ndarray, root: np.int64, state: np.ndarray) -> np.ndarray:
    """Draw the edge by which the walk leaves each base for good: a uniform spanning tree that leads to ``root``.

    Wilson 1996 (doi:10.1145/237814.237880): walk at random until the tree is met; of a loop only the last pass stays.
    A step from a base to itself is never in a tree and is left out. -1 where there is none.
    """
    last = np.full(4, -1, np.int64)
    in_tree = np.zeros(4, np.bool_)
    in_tree[root] = True
    for begin in range(4):
        if in_tree[begin] or counts[begin].sum() == 0:
            continue
        here = begin
        while not in_tree[here]:
            draw = _below(state, counts[here].sum() - counts[here, here])
            for there in range(4):
                if there == here:
                    continue
                draw -= counts[here, there]
                if draw < 0:
                    last[here] = there
                    break
            here = last[here]
        here = begin
        while not in_tree[here]:
            in_tree[here] = True
            here = last[here]
    return last


@numba.njit(nogil=True, cache=True)
def _shuffle_segment(codes: np.ndarray, begin: int, end: int, state: np.ndarray, edges: np.ndarray) -> None:
    counts = np.zeros((4, 4), np.int64)
    for place in range(begin, end - 1):
        counts[codes[place] & _BASE_BITS, codes[place + 1] & _BASE_BITS] += 1
    root = np.int64(codes[end - 1] & _BASE_BITS)
    last = _last_edges(counts, root, state)
    following = np.zeros(4, np.int64)
    filled = 0
    for base in range(4):
        following[base] = filled
        if last[base] >= 0:
            counts[base, last[base]] -= 1
        for there in range(4):
            for _ in range(counts[base, there]):
                edges[filled] = there
                filled += 1
        # Fisher and Yates; the last edge comes after all others.
        for place in range(filled - 1, following[base], -1):
            other = following[base] + _below(state, place - following[base] + 1)
            edges[place], edges[other] = edges[other], edges[place]
        if last[base] >= 0:
            edges[filled] = last[base]
            filled += 1
    here = np.int64(codes[begin] & _BASE_BITS)
    for place in range(begin + 1, end):
        there = edges[following[here]]
        following[here] += 1
        codes[place] = (codes[place] & _MASK_BIT) | there
        here = np.int64(there)


@numba.njit(nogil=True, cache=True)
def shuffle_rows(codes: np.ndarray, seeds: np.ndarray) -> None:
    """Shuffle each row of ``codes``, ``uint8`` (n, length), in place, with its own seed of ``uint64`` (n,)."""
    number, length = codes.shape
    state = np.empty(1, np.uint64)
    edges = np.empty(length, np.uint8)
    for row in range(number):
        # Mixed once, so that neighbouring seeds do not give shifted copies of one stream.
        state[0] = _mixed(seeds[row] + _GAMMA)
        window = codes[row]
        begin = 0
        for place in range(length + 1):
            if place < length and (window[place] & _BASE_BITS) < 4:
                continue
            # Both ends stay, so fewer than four bases have one order only.
            if place - begin > 3:
                _shuffle_segment(window, begin, place, state, edges)
            begin = place + 1
