"""The compiled loops that place negatives; places are indices into the codes of the whole store.

Places taken are kept in buckets: ``head[b]`` is the number of the last one that begins in bucket ``b`` and
``following`` the one before it there, -1 for none. No place is longer than a bucket, so a look at the bucket before
finds all that reach into one.
"""

import numba
import numpy as np

# Differences of fractions are compared up to the rounding of floating point numbers.
_SLACK = 1e-9


@numba.njit(nogil=True, cache=True)
def _is_free(first: int, last: int, head: np.ndarray, following: np.ndarray, taken: np.ndarray, width: int) -> bool:
    for bucket in range(max(first // width - 1, 0), (last - 1) // width + 1):
        number = head[bucket]
        while number >= 0:
            if taken[number, 0] < last and first < taken[number, 1]:
                return False
            number = following[number]
    return True


@numba.njit(nogil=True, cache=True)
def _take(
    number: int, first: int, last: int, head: np.ndarray, following: np.ndarray, taken: np.ndarray, width: int
) -> None:
    taken[number, 0], taken[number, 1] = first, last
    following[number] = head[first // width]
    head[first // width] = number


@numba.njit(nogil=True, cache=True)
def take_free(
    slots: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    head: np.ndarray,
    following: np.ndarray,
    taken: np.ndarray,
    width: int,
) -> None:
    """Give each slot its place, in the order given, unless an earlier one reaches into it."""
    for draw in range(len(slots)):
        if _is_free(first[draw], last[draw], head, following, taken, width):
            _take(slots[draw], first[draw], last[draw], head, following, taken, width)


@numba.njit(nogil=True, cache=True)
def _next_unfilled(unfilled: np.ndarray, place: int) -> int:
    """Follow the pointers to the next unfilled slot, and shorten them on the way."""
    root = place
    while unfilled[root] != root:
        root = unfilled[root]
    while unfilled[place] != root:
        unfilled[place], place = root, unfilled[place]
    return root


@numba.njit(nogil=True, cache=True)
def take_matching(
    block: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    gc: np.ndarray,
    repeat: np.ndarray,
    block_start: np.ndarray,
    slot_gc: np.ndarray,
    slot_repeat: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    reach: float,
    repeat_tolerance: float,
    head: np.ndarray,
    following: np.ndarray,
    taken: np.ndarray,
    width: int,
) -> int:
    """Give each place to the unfilled slot that is nearest to it in GC, if there is one within reach.

    Parameters
    ----------
    block
        ``int64``, shape ``(draws, blocks to look at)``: blocks of slots whose length, contig and repeats fit; -1: none.
    first, last, gc, repeat
        The places drawn.
    block_start
        Where each block of slots begins, and where the last one ends; in a block slots rise in GC.
    slot_gc, slot_repeat
        What each slot asks for.
    before, after
        ``int64``, shape ``(slots + 1,)``: pointers to the next unfilled slot. ``before[i + 1]`` is ``j + 1`` for the
        last unfilled slot ``j`` up to ``i``, ``after[i]`` the first from ``i`` on; both are written.
    reach, repeat_tolerance
        Largest differences of GC and repeat fraction.
    head, following, taken, width
        The places taken.

    Returns
    -------
    int
        The number of slots filled.
    """
    filled = 0
    for draw in range(len(first)):
        best, best_distance = -1, reach + _SLACK
        for option in range(block.shape[1]):
            if block[draw, option] < 0:
                continue
            low, high = block_start[block[draw, option]], block_start[block[draw, option] + 1]
            middle = low + np.searchsorted(slot_gc[low:high], gc[draw])
            for slot in (_next_unfilled(after, middle), _next_unfilled(before, middle) - 1):
                if slot < low or slot >= high or abs(slot_repeat[slot] - repeat[draw]) > repeat_tolerance + _SLACK:
                    continue
                distance = abs(slot_gc[slot] - gc[draw])
                if distance < best_distance:
                    best, best_distance = slot, distance
        if best >= 0 and _is_free(first[draw], last[draw], head, following, taken, width):
            _take(best, first[draw], last[draw], head, following, taken, width)
            before[best + 1] = best
            after[best] = best + 1
            filled += 1
    return filled
