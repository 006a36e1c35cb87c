"""Labels of bins from regions: peaks of many targets, classes of bins, and classes of bases."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

POSITIVE = 1
NEGATIVE = 0
IGNORED = -1
BACKGROUND = 0

# Bases that are held in memory at once while they get their classes.
_BASES = 1 << 22
# Bins and peaks that are looked up at once, but for a contig with more.
_ROWS = 1 << 20


class LabelRule(NamedTuple):
    """When a peak makes a bin positive, when it only makes it doubtful, and when it is nothing.

    Scores rise with belief, as q-values do that are given as -log10.
    """

    min_overlap: float = 0.5
    """Fraction in (0, 1] of the bin that a peak covers, or of the peak where that is the shorter of the two."""
    ignore_overlap: float | None = None
    """A bin of which a peak covers less than ``min_overlap`` and at least this fraction is ignored, with 0 at any
    shared base; None: it is negative."""
    score: str = "score"
    """The peaks' column that the next two are compared with."""
    positive_score: float | None = None
    """Smallest score of a peak that makes a bin positive; None: all do."""
    ignore_score: float | None = None
    """Peaks that score below are no peaks; those from here to ``positive_score`` make their bins ignored. None: all
    that score below ``positive_score`` do."""


def label_bins(bins: pd.DataFrame, peaks: pd.DataFrame, rule: LabelRule | None = None) -> np.ndarray:
    """Mark the targets whose peaks cover enough of each bin.

    A bin is positive for a target when a peak covers at least ``min_overlap`` of the bin, or of the peak where the
    peak is the shorter of the two, so that 1-bp peaks still count. DeepSEA's rule is half of a 200-bp bin (Zhou &
    Troyanskaya 2015, Methods). A bin that a peak merely touches is negative, as it is there, unless ``ignore_overlap``
    says that it is ignored. Peaks do not add up: two that each cover a quarter of a bin leave it negative. A bin on one
    strand takes the peaks on its strand and those on none ("."), a bin on none takes all.

    Peaks whose score is between ``ignore_score`` and ``positive_score`` are too weak to believe and too strong to deny:
    they mark their bins as ignored. A peak that makes a bin positive outweighs all that make it ignored.

    Parameters
    ----------
    bins
        ``contig`` (categorical), ``start``, ``end`` (0-based, half-open) and, where they have one, ``strand``; sorted
        by (contig's category, start).
    peaks
        ``contig`` (categorical, the same categories), ``start``, ``end``, ``target`` (categorical), ``strand`` (looked
        at where both tables have it), and the rule's
        ``score`` where it has a ``positive_score`` or ``ignore_score``; in any order. Peaks of zero length mark
        nothing.
    rule
        None: half of the shorter, whatever the score.

    Returns
    -------
    numpy.ndarray
        ``int8``, shape ``(len(bins), number of targets)``, columns in category order: 1, 0, or -1 for ignored. It is
        dense: give a contig, or a part of one, at a time where a genome does not fit.

    Raises
    ------
    ValueError
        The bins are not sorted, the contigs' categories differ, the rule's fractions or scores are out of order, or a
        score is missing.
    """
    rule = LabelRule() if rule is None else rule
    _check_rule(rule)
    strong, weak = believed(peaks, rule)
    target = peaks["target"].cat.codes.to_numpy()
    labels = np.full((len(bins), len(peaks["target"].cat.categories)), NEGATIVE, dtype=np.int8)
    for bin_row, peak_row, share in _touching_pairs(bins, peaks):
        covered = share >= rule.min_overlap
        positive = covered & strong[peak_row]
        doubtful = covered & weak[peak_row]
        if rule.ignore_overlap is not None:
            doubtful |= ~covered & (share >= rule.ignore_overlap) & (strong | weak)[peak_row]
        # Of several peaks on one bin the strongest statement stands, so the doubtful ones are written first.
        labels[bin_row[doubtful], target[peak_row[doubtful]]] = IGNORED
        labels[bin_row[positive], target[peak_row[positive]]] = POSITIVE
    return labels


def class_labels(bins: pd.DataFrame, regions: pd.DataFrame, rule: LabelRule | None = None) -> np.ndarray:
    """Give each bin the class of the region that covers enough of it.

    Parameters
    ----------
    bins, regions, rule
        As in :func:`label_bins`; the regions' ``target`` is their class.

    Returns
    -------
    numpy.ndarray
        ``int16``, shape ``(len(bins), 1)``: 1 + the code of the class whose region makes the bin positive, 0 (the
        background) where none makes it positive or ignored, and -1 (ignored) where regions of two classes make it
        positive, or where none does and one makes it ignored.

    Raises
    ------
    ValueError
        As in :func:`label_bins`.
    """
    labels = label_bins(bins, regions, rule)
    if not labels.shape[1]:
        return np.full((len(bins), 1), BACKGROUND, dtype=np.int16)
    positive = labels == POSITIVE
    number = positive.sum(axis=1)
    found = np.where(number == 1, positive.argmax(axis=1) + 1, BACKGROUND)
    doubtful = (number > 1) | ((number == 0) & (labels == IGNORED).any(axis=1))
    return np.where(doubtful, IGNORED, found).astype(np.int16)[:, None]


def position_classes(bins: pd.DataFrame, regions: pd.DataFrame) -> np.ndarray:
    """Give each base of each bin the class of the region that covers it.

    Parameters
    ----------
    bins
        ``contig`` (categorical), ``start``, ``end`` and ``strand`` (categorical), all of one length, sorted by
        (contig's category, start).
    regions
        ``contig`` (categorical, the same categories), ``start``, ``end``, ``strand`` and ``target`` (categorical, the
        class), in any order. A region on a strand holds for bins on that strand and for bins without one; a region
        without a strand holds for all bins.

    Returns
    -------
    numpy.ndarray
        ``int8``, shape ``(len(bins), length, 1)``: 1 + the code of the class, 0 (the background) where no region is.
        Where regions of several classes lie on a base the last class in category order wins. Positions go along the
        forward strand, also in bins on "-". Like :func:`label_bins` dense.

    Raises
    ------
    ValueError
        The bins are not sorted or not of one length, the contigs' categories differ, or there are more classes than
        the dtype holds.
    """
    if len(regions["target"].cat.categories) > np.iinfo(np.int8).max:
        raise ValueError(f"regions: expected at most {np.iinfo(np.int8).max} classes")
    lengths = (bins["end"] - bins["start"]).unique()
    if len(lengths) > 1:
        raise ValueError("bins: expected one length")
    length = int(lengths[0]) if len(lengths) else 0
    labels = np.full((len(bins), length, 1), BACKGROUND, dtype=np.int8)
    starts = bins["start"].to_numpy()
    begin, end = regions["start"].to_numpy(), regions["end"].to_numpy()
    target = regions["target"].cat.codes.to_numpy()
    for bin_row, region_row, _ in _touching_pairs(bins, regions):
        by_bin = np.argsort(bin_row, kind="stable")
        bin_row, region_row = bin_row[by_bin], region_row[by_bin]
        first = np.maximum(begin[region_row] - starts[bin_row], 0)
        last = np.minimum(end[region_row] - starts[bin_row], length)
        step = max(1, _BASES // max(length, 1))
        for low in range(int(bin_row[0]) if len(bin_row) else len(bins), len(bins), step):
            pairs = slice(*np.searchsorted(bin_row, [low, low + step]))
            if pairs.start == len(bin_row):
                break
            _paint(
                labels[low : low + step, :, 0],
                bin_row[pairs] - low,
                first[pairs],
                last[pairs],
                target[region_row[pairs]],
            )
    return labels


def _paint(labels: np.ndarray, row: np.ndarray, first: np.ndarray, last: np.ndarray, target: np.ndarray) -> None:
    for code in np.unique(target):
        chosen = target == code
        # One up where a region begins and one down where it ends: the running sum is the number that cover a base.
        steps = np.zeros((len(labels), labels.shape[1] + 1), dtype=np.int32)
        np.add.at(steps, (row[chosen], first[chosen]), 1)
        np.add.at(steps, (row[chosen], last[chosen]), -1)
        labels[np.cumsum(steps, axis=1)[:, :-1] > 0] = code + 1


def marks_a_bin(bins: pd.DataFrame, peaks: pd.DataFrame, min_overlap: float = 0.5) -> np.ndarray:
    """Tell which peaks mark at least one bin by the rule of :func:`label_bins`: ``bool``, one per peak."""
    marks = np.zeros(len(peaks), dtype=bool)
    for _, peak_row in covering_pairs(bins, peaks, min_overlap):
        marks[peak_row] = True
    return marks


def covering_pairs(
    bins: pd.DataFrame, peaks: pd.DataFrame, min_overlap: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, some contigs at a time, the row numbers of bins and peaks of which one covers enough of the other.

    Tests hold it against ``bedtools intersect -f -F -e``. Parameters and strands are as in :func:`label_bins`.

    Raises
    ------
    ValueError
        The bins are not sorted, the contigs' categories differ, or ``min_overlap`` is not in (0, 1].
    """
    _check_rule(LabelRule(min_overlap))
    for bin_row, peak_row, share in _touching_pairs(bins, peaks):
        yield bin_row[share >= min_overlap], peak_row[share >= min_overlap]


def _touching_pairs(bins: pd.DataFrame, peaks: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield, some contigs at a time, rows of bins and peaks that share a base on one strand or on none.

    With them comes the share of the shorter of the two. Both borders are looked up by bisection, which takes a second
    where bedtools takes minutes for hundreds of targets; contigs lie one behind the other, so that a hundred thousand
    scaffolds take no longer than one contig of their length.
    """
    if not bins["contig"].cat.categories.equals(peaks["contig"].cat.categories):
        raise ValueError("bins and peaks: expected the same contigs as categories")
    bin_contig = bins["contig"].cat.codes.to_numpy(np.int64)
    bin_start, bin_end = bins["start"].to_numpy(np.int64), bins["end"].to_numpy(np.int64)
    peak_contig = peaks["contig"].cat.codes.to_numpy(np.int64)
    peak_start, peak_end = peaks["start"].to_numpy(np.int64), peaks["end"].to_numpy(np.int64)
    if (np.diff(bin_contig) < 0).any():
        raise ValueError("bins: expected contigs in the order of their categories")
    if ((np.diff(bin_start) < 0) & (np.diff(bin_contig) == 0)).any():
        raise ValueError("bins: expected starts that rise along each contig")
    if not len(bins) or not len(peaks):
        return
    strands = "strand" in bins and "strand" in peaks
    bin_strand, peak_strand = (_strand_numbers(table) if strands else None for table in (bins, peaks))
    # Far enough apart that nothing of one contig reaches the next.
    lowest = min(bin_start.min(), peak_start.min())
    span = int(max(bin_end.max(), peak_end.max()) - lowest) + 1
    by_contig = np.arange(len(peaks)) if (np.diff(peak_contig) >= 0).all() else np.argsort(peak_contig, kind="stable")
    peak_contig = peak_contig[by_contig]
    for low, high, first_peak, last_peak in _chunks(bin_contig, peak_contig):
        rows = by_contig[first_peak:last_peak]
        begins, ends = (side[low:high] - lowest + bin_contig[low:high] * span for side in (bin_start, bin_end))
        shift = peak_contig[first_peak:last_peak] * span - lowest
        # Where a bin holds another the ends do not rise; the farthest end so far does, and may give a pair too many.
        first = np.searchsorted(np.maximum.accumulate(ends), peak_start[rows] + shift, side="right")
        beyond = np.searchsorted(begins, peak_end[rows] + shift, side="left")
        touched = np.maximum(beyond - first, 0)
        peak_row = np.repeat(rows, touched)
        # 0, 1, 2, … within each peak's run of bins.
        within = np.arange(len(peak_row)) - np.repeat(np.cumsum(touched) - touched, touched)
        bin_row = low + np.repeat(first, touched) + within
        shared = np.minimum(bin_end[bin_row], peak_end[peak_row]) - np.maximum(bin_start[bin_row], peak_start[peak_row])
        shorter = np.minimum(bin_end[bin_row] - bin_start[bin_row], peak_end[peak_row] - peak_start[peak_row])
        touches = shared > 0
        if bin_strand is not None and peak_strand is not None:
            # Opposite strands are 1 and -1.
            touches &= bin_strand[bin_row] * peak_strand[peak_row] >= 0
        # A quotient is rounded to the nearest fraction, so 3 of 30 is the 0.1 that the configuration says.
        yield bin_row[touches], peak_row[touches], shared[touches] / shorter[touches]


def _strand_numbers(table: pd.DataFrame) -> np.ndarray:
    """Return 1 for +, -1 for - and 0 for none, ``int8``."""
    strand = pd.Categorical(table["strand"])
    numbers = np.array([{"+": 1, "-": -1}.get(str(name), 0) for name in strand.categories] + [0], dtype=np.int8)
    return numbers[strand.codes]


def _chunks(bin_contig: np.ndarray, peak_contig: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Yield the borders of rows of bins and of peaks, both sorted by contig, that are looked up together.

    A chunk is whole contigs: one, or several of up to :data:`_ROWS` rows in all.
    """
    contigs, low = np.unique(bin_contig, return_index=True)
    high = np.append(low[1:], len(bin_contig))
    first, last = (np.searchsorted(peak_contig, contigs, side=side) for side in ("left", "right"))
    rows = np.cumsum(high - low + last - first)
    begin = 0
    while begin < len(contigs):
        limit = (rows[begin - 1] if begin else 0) + _ROWS
        end = max(begin + 1, int(np.searchsorted(rows, limit, side="right")))
        yield int(low[begin]), int(high[end - 1]), int(first[begin]), int(last[end - 1])
        begin = end


def believed(peaks: pd.DataFrame, rule: LabelRule) -> tuple[np.ndarray, np.ndarray]:
    """Tell which peaks a rule believes, and which it neither believes nor denies: two of ``bool``, one per peak.

    Raises
    ------
    ValueError
        A score is missing.
    """
    strong, weak = np.ones(len(peaks), dtype=bool), np.zeros(len(peaks), dtype=bool)
    if rule.positive_score is None:
        return strong, weak
    score = peaks[rule.score].to_numpy()
    if np.isnan(score).any():
        raise ValueError(f"{rule.score}: expected a number for every peak")
    strong = score >= rule.positive_score
    weak = ~strong if rule.ignore_score is None else ~strong & (score >= rule.ignore_score)
    return strong, weak


def _check_rule(rule: LabelRule) -> None:
    if not 0 < rule.min_overlap <= 1:
        raise ValueError(f"min_overlap {rule.min_overlap}: expected a fraction above 0 and up to 1")
    if rule.ignore_overlap is not None and not 0 <= rule.ignore_overlap < rule.min_overlap:
        raise ValueError(f"ignore_overlap {rule.ignore_overlap}: expected a fraction from 0 to below min_overlap")
    if rule.ignore_score is not None and (rule.positive_score is None or rule.ignore_score > rule.positive_score):
        raise ValueError(f"ignore_score {rule.ignore_score}: expected a number that is not above positive_score")
