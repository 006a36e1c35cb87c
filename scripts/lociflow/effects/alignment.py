"""Predictions along an alternative window, laid on the positions of the reference."""

from collections.abc import Callable

import numpy as np


def onto_reference(
    track: np.ndarray, first: int, before: int, after: int, together: Callable[..., np.ndarray]
) -> np.ndarray:
    """Lay what a model says along an alternative window on the bases of the reference window.

    The first bases of ALT stand on those of REF, one on one. Bases of REF that have no partner are deleted: there is 0.
    Bases of ALT that have none are put ``together`` on the last base of REF. What lies behind the allele moves back to
    where it is on the reference. So SpliceAI compares indels (Jaganathan et al. 2019, Cell 176:535), with the largest
    of the inserted bases.

    Parameters
    ----------
    track
        Shape ``(n, positions, columns)``.
    first
        Position of REF's first base along the track; may lie outside.
    before, after
        Bases of REF and of ALT.
    together
        Reduces inserted bases over axis 1: ``numpy.max`` of probabilities, ``numpy.sum`` of a profile.

    Returns
    -------
    numpy.ndarray
        The same shape; NaN where the alternative window does not reach.
    """
    positions = track.shape[1]
    place = np.arange(positions) - first
    source = np.arange(positions)
    source[place >= before] += after - before
    found = track[:, np.clip(source, 0, positions - 1)].copy()
    found[:, source >= positions] = np.nan
    found[:, source < 0] = np.nan
    found[:, (place >= after) & (place < before)] = 0
    last = first + before - 1
    if after > before and 0 <= last < positions:
        found[:, last] = together(track[:, last : min(first + after, positions)], axis=1)
    return found
