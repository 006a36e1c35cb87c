"""Labels of bins from the peaks of many targets."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

POSITIVE = 1
NEGATIVE = 0
IGNORED = -1


def label_bins(
    bins: pd.DataFrame, peaks: pd.DataFrame, min_overlap: float = 0.5, positive_score: float | None = None
) -> np.ndarray:
    """Mark the targets whose peaks cover enough of each bin.

    A bin is positive for a target when a peak covers at least ``min_overlap`` of the bin, or of the peak where the
    peak is the shorter of the two, so that 1-bp peaks still count. DeepSEA's rule is half of a 200-bp bin (Zhou &
    Troyanskaya 2015, Methods). A bin that a peak merely touches is negative, as it is there. Peaks do not add up: two
    that each cover a quarter of a bin leave it negative.

    Peaks whose score is below ``positive_score`` are too weak to believe and too strong to deny: they mark their bins
    as ignored, unless a stronger peak makes the bin positive.

    Parameters
    ----------
    bins
        ``contig`` (categorical), ``start``, ``end`` (0-based, half-open), sorted by (contig's category, start), of
        which none holds another: both starts and ends rise along a contig.
    peaks
        ``contig`` (categorical, the same categories), ``start``, ``end``, ``target`` (categorical), and ``score`` with
        ``positive_score``; in any order. Peaks of zero length mark nothing.
    min_overlap
        Fraction in (0, 1].
    positive_score
        Smallest score of a peak that makes a bin positive; None: all do.

    Returns
    -------
    numpy.ndarray
        ``int8``, shape ``(len(bins), number of targets)``, columns in category order: 1, 0, or -1 for ignored. It is
        dense: give a contig, or a part of one, at a time where a genome does not fit.

    Raises
    ------
    ValueError
        The bins are not sorted, the contigs' categories differ, ``min_overlap`` is not in (0, 1], or a score is
        missing.
    """
    target = peaks["target"].cat.codes.to_numpy()
    labels = np.full((len(bins), len(peaks["target"].cat.categories)), NEGATIVE, dtype=np.int8)
    strong = np.ones(len(peaks), dtype=bool)
    if positive_score is not None:
        score = peaks["score"].to_numpy()
        if np.isnan(score).any():
            raise ValueError("score: expected a number for every peak")
        strong = score >= positive_score
    for bin_row, peak_row in covering_pairs(bins, peaks, min_overlap):
        weak = ~strong[peak_row]
        # Of several peaks on one bin the strongest statement stands, so the weak ones are written first.
        labels[bin_row[weak], target[peak_row[weak]]] = IGNORED
        labels[bin_row[~weak], target[peak_row[~weak]]] = POSITIVE
    return labels


def marks_a_bin(bins: pd.DataFrame, peaks: pd.DataFrame, min_overlap: float = 0.5) -> np.ndarray:
    """Tell which peaks mark at least one bin by the rule of :func:`label_bins`: ``bool``, one per peak."""
    marks = np.zeros(len(peaks), dtype=bool)
    for _, peak_row in covering_pairs(bins, peaks, min_overlap):
        marks[peak_row] = True
    return marks


def covering_pairs(
    bins: pd.DataFrame, peaks: pd.DataFrame, min_overlap: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, one contig at a time, the row numbers of bins and peaks of which one covers enough of the other.

    Both borders are looked up by bisection, which takes a second where bedtools takes minutes for hundreds of targets;
    tests hold it against ``bedtools intersect -f -F -e``. The parameters are those of :func:`label_bins`.

    Raises
    ------
    ValueError
        The bins are not sorted, the contigs' categories differ, or ``min_overlap`` is not in (0, 1].
    """
    if not 0 < min_overlap <= 1:
        raise ValueError(f"min_overlap {min_overlap}: expected a fraction above 0 and up to 1")
    if list(bins["contig"].cat.categories) != list(peaks["contig"].cat.categories):
        raise ValueError("bins and peaks: expected the same contigs as categories")
    bin_contig = bins["contig"].cat.codes.to_numpy(np.int64)
    bin_start, bin_end = bins["start"].to_numpy(), bins["end"].to_numpy()
    peak_contig = peaks["contig"].cat.codes.to_numpy(np.int64)
    peak_start, peak_end = peaks["start"].to_numpy(), peaks["end"].to_numpy()
    if (np.diff(bin_contig) < 0).any():
        raise ValueError("bins: expected contigs in the order of their categories")
    by_contig = np.argsort(peak_contig, kind="stable")
    for code in np.unique(bin_contig):
        low, high = np.searchsorted(bin_contig, [code, code + 1])
        begins, ends = bin_start[low:high], bin_end[low:high]
        if (np.diff(begins) < 0).any() or (np.diff(ends) < 0).any():
            raise ValueError("bins: expected starts and ends that rise along each contig")
        rows = by_contig[slice(*np.searchsorted(peak_contig[by_contig], [code, code + 1]))]
        first = np.searchsorted(ends, peak_start[rows], side="right")
        beyond = np.searchsorted(begins, peak_end[rows], side="left")
        touched = np.maximum(beyond - first, 0)
        peak_row = np.repeat(rows, touched)
        # 0, 1, 2, … within each peak's run of bins.
        within = np.arange(len(peak_row)) - np.repeat(np.cumsum(touched) - touched, touched)
        bin_row = low + np.repeat(first, touched) + within
        shared = np.minimum(bin_end[bin_row], peak_end[peak_row]) - np.maximum(bin_start[bin_row], peak_start[peak_row])
        shorter = np.minimum(bin_end[bin_row] - bin_start[bin_row], peak_end[peak_row] - peak_start[peak_row])
        # A quotient is rounded to the nearest fraction, so 3 of 30 is the 0.1 that the configuration says.
        enough = (shared > 0) & (shared / np.maximum(shorter, 1) >= min_overlap)
        yield bin_row[enough], peak_row[enough]
