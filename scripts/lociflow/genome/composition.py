"""What bins and windows are made of: GC, N, repeats and length, and how far two sets of them lie apart."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.genome.placement import Placement, window_start
from lociflow.sequence.store import SequenceStore

BUCKETS = 50


class Composition(NamedTuple):
    """Columns of equal length, one entry a bin or window."""

    gc: np.ndarray
    """``float64``: fraction of G and C among the A, C, G and T; NaN without any of them."""
    n: np.ndarray
    """``float64``: fraction of N among all bases; other IUPAC letters are bases and no N."""
    repeat: np.ndarray
    """``float64``: fraction of soft-masked bases among all; NaN where the store does not keep the mask."""
    length: np.ndarray
    """``int64``: bases."""


def bin_composition(store: SequenceStore, bins: pd.DataFrame) -> Composition:
    """Return the composition of bins.

    A dinucleotide shuffle has the composition of what is shuffled, so bins need not say whether they are.

    Parameters
    ----------
    store
        A store of DNA or RNA.
    bins
        ``contig`` (categorical in the store's order), ``start``, ``end`` (0-based, half-open); what lies beyond a
        contig's ends counts as N.
    """
    contig = bins["contig"].cat.codes.to_numpy(np.int64)
    return composition(store, contig, bins["start"].to_numpy(np.int64), bins["end"].to_numpy(np.int64))


def window_composition(store: SequenceStore, place: Placement, rows: np.ndarray, length: int) -> Composition:
    """Return the composition of the windows of ``length`` bases around the bins with the indices ``rows``."""
    start = window_start(place, rows, length)
    return composition(store, place.contig[rows].astype(np.int64), start, start + length)


def composition(store: SequenceStore, contig: np.ndarray, start: np.ndarray, end: np.ndarray) -> Composition:
    """Return the composition of intervals, which may differ in length.

    Each is read from the memory map once; nothing is held but the counts.

    Parameters
    ----------
    store
        A store of DNA or RNA.
    contig
        ``int64``: index of each interval's contig.
    start, end
        ``int64``, 0-based, half-open; what lies beyond the contig's ends counts as N.
    """
    # Loading numba takes a quarter of a second, which only who counts need pay.
    from lociflow.genome.composition_kernel import ACGT, GC, MASKED, N_BASES, count_bases

    offset, contig_length = store.offsets[contig], store.lengths[contig]
    first, last = (offset + np.clip(edge, 0, contig_length) for edge in (start, end))
    counts = count_bases(store.codes, first, last)
    length = np.asarray(end - start, dtype=np.int64)
    bases = np.maximum(length, 1)
    beyond = length - (last - first)
    repeat = counts[:, MASKED] / bases if store.soft_mask else np.full(len(length), np.nan)
    return Composition(
        gc_fraction(counts[:, GC], counts[:, ACGT]), (counts[:, N_BASES] + beyond) / bases, repeat, length
    )


def gc_fraction(gc: np.ndarray, acgt: np.ndarray) -> np.ndarray:
    """Return the share of G and C, ``float64``, NaN where there is no A, C, G or T."""
    return np.divide(gc, acgt, out=np.full(len(acgt), np.nan), where=acgt > 0)


def matching_report(positives: Composition, negatives: Composition) -> dict[str, Any]:
    """Tell how well negatives match positives in each property.

    Parameters
    ----------
    positives, negatives
        What the two sets are made of.

    Returns
    -------
    dict
        JSON values: the numbers of ``positives`` and ``negatives``, and for each of ``gc``, ``n``, ``repeat`` and
        ``length`` None where one side has no value (no soft-mask, no bins), else ``ks`` (the two-sample
        Kolmogorov-Smirnov distance: 0 for equal distributions, 1 for disjoint ones), ``edges`` of the histogram's
        buckets, ``positives`` and ``negatives`` (counts per bucket) and the two medians.
    """
    properties = {
        name: _compare(getattr(positives, name), getattr(negatives, name), fraction=name != "length")
        for name in Composition._fields
    }
    return {"positives": len(positives.gc), "negatives": len(negatives.gc), **properties}


def ks_distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the two-sample Kolmogorov-Smirnov distance of two samples, neither empty nor with NaN: from 0 to 1."""
    values = np.concatenate([ours, theirs])
    below = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (ours, theirs)]
    return float(np.abs(below[0] - below[1]).max())


def _compare(ours: np.ndarray, theirs: np.ndarray, fraction: bool) -> dict[str, Any] | None:
    ours, theirs = ours[~np.isnan(ours)], theirs[~np.isnan(theirs)]
    if not (len(ours) and len(theirs)):
        return None
    both = (0.0, 1.0) if fraction else (float(min(ours.min(), theirs.min())), float(max(ours.max(), theirs.max())))
    edges = np.histogram_bin_edges([], bins=BUCKETS, range=both)
    return {
        "ks": ks_distance(ours, theirs),
        "edges": edges.tolist(),
        "positives": np.histogram(ours, edges)[0].tolist(),
        "negatives": np.histogram(theirs, edges)[0].tolist(),
        "median_positives": float(np.median(ours)),
        "median_negatives": float(np.median(theirs)),
    }
