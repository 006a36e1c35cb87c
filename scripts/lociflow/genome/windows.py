"""The bins of a data set: tiles over the genome, or peaks and background.

A maker of bins takes the genome (``store``), the peaks of all targets and the blacklist, all on the genome's own contig
names, and the keys of the configuration's ``windows``; it returns :class:`Bins`. The configuration names it by
``_target_``.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.intervals import overlap_any
from lociflow.genome.regions import NO_SUMMIT, STRANDS, categorical
from lociflow.genome.settings import takes
from lociflow.sequence.alphabet import SOFT_MASK, N
from lociflow.sequence.mapped import let_go
from lociflow.sequence.store import SequenceStore

Negatives = Callable[..., pd.DataFrame]
# Bases that are searched for N at once.
N_BLOCK = 1 << 24
NOT_SHUFFLED: dict[str, Any] = {"shuffled": False, "shuffle_seed": np.int64(0)}


class Bins(NamedTuple):
    """Bins and what was left out on the way.

    ``table`` has ``contig`` (categorical in the store's order), ``start``, ``end`` (int64, 0-based, half-open) and
    ``strand`` (categorical), sorted by (contig, start). ``made == len(table) + sum(dropped.values())``.
    """

    table: pd.DataFrame
    made: int
    dropped: dict[str, int]
    background: int = 0
    negatives: tuple[dict[str, Any], ...] = ()
    """What each maker of negatives says of itself: ``maker``, ``wanted``, ``made``, ``missing``."""


def tile_bins(
    store: SequenceStore,
    peaks: pd.DataFrame,
    blacklist: pd.DataFrame,
    *,
    bin: int,
    stride: int | None = None,
    stranded: bool = False,
    max_n: float = 0.0,
    only_peaks: bool = False,
) -> Bins:
    """Cut every contig into bins, from its first base on, as DeepSEA does (Zhou & Troyanskaya 2015, 200 bp).

    All bins are kept that lie in the contig, touch no blacklisted base and hold few enough N, with a peak or without:
    scores on them are at natural prevalence, unless ``only_peaks`` leaves those that a target has touched. A bin with
    several reasons to be dropped counts for the first of ``no_peak``, ``tail`` (the contig ends inside), ``blacklist``,
    ``n``. IUPAC codes other than N are bases.

    Parameters
    ----------
    store
        The genome.
    peaks
        Looked at with ``only_peaks``; those that make no bin are none.
    blacklist
        ``contig`` (categorical in the store's order), ``start``, ``end``.
    bin
        Bases per bin.
    stride
        Bases from one bin's start to the next; ``bin`` where None.
    stranded
        Whether there is a bin for each strand; otherwise bins have none.
    max_n
        Largest fraction of N in a bin that is kept.
    only_peaks
        Keep the bins that share a base with a peak of any target, so that a target's negatives are peaks of others.

    Returns
    -------
    Bins
        Unstranded, or in pairs.

    Raises
    ------
    UserError
        ``bin`` or ``stride`` is not a positive whole number, or ``max_n`` not in [0, 1].
    """
    step = bin if stride is None else stride
    check_whole("windows.bin", bin)
    check_whole("windows.stride", step)
    starts = [np.arange(0, length, step, dtype=np.int64) for length in store.lengths]
    contig = np.repeat(np.arange(len(starts)), [len(start) for start in starts])
    table = bin_table(store, contig, np.concatenate([*starts, np.empty(0, np.int64)]), bin)
    untouched = {}
    if only_peaks:
        touched = overlap_any(table, _believed(peaks))
        untouched = {"no_peak": int((~touched).sum()) * (2 if stranded else 1)}
        table = table[touched].reset_index(drop=True)
    if stranded:
        strand = np.tile(np.array([STRANDS.index("+"), STRANDS.index("-")], np.int8), len(table))
        table = table.loc[table.index.repeat(2)].reset_index(drop=True).assign(strand=categorical(strand, STRANDS))
    kept, dropped = drop_unusable(table, store, blacklist, max_n, outside="tail")
    dropped = {**untouched, **dropped}
    return Bins(kept, len(kept) + sum(dropped.values()), dropped)


def peak_centred_bins(
    store: SequenceStore,
    peaks: pd.DataFrame,
    blacklist: pd.DataFrame,
    *,
    bin: int,
    length: int | None = None,
    stranded: bool = False,
    negatives: Negatives | Sequence[Negatives] | None = None,
    max_n: float = 0.0,
) -> Bins:
    """Centre one bin on each peak, and draw negative bins beside them.

    The centre is the summit, or the middle of the peak where none is called (``(start + end) // 2``); the bin starts
    ``bin // 2`` before it. Equal bins on one side of a published split are merged. A bin with several reasons to be
    dropped counts for the first of ``duplicate``, ``outside`` (the contig begins or ends inside), ``blacklist``, ``n``.

    Peaks that score below ``labels.ignore_score`` are no peaks: they make no bin, but no negative may touch them
    either. Those from there to ``labels.positive_score`` make bins that are ignored: they, and the bins of
    ``targets.negative_only``, have no part in ``ratio`` of the negatives, which counts the bins of positive peaks.

    Parameters
    ----------
    store
        The genome.
    peaks
        ``contig`` (categorical in the store's order), ``start``, ``end``, ``summit`` (-1: none), ``strand`` and,
        where there are such, ``group`` and ``published`` (categorical) of all targets; where the labels tell peaks
        apart, ``makes_bin`` and ``positive`` (bool; without them all are both).
    blacklist
        ``contig``, ``start``, ``end``.
    bin
        Bases per bin.
    length
        Bases that a model sees, over which matched negatives are compared; ``bin`` where None.
    stranded
        Whether a bin takes its peak's strand; otherwise it has none.
    negatives
        Draw the negatives: each is called with ``store``, ``bins`` (the kept ones of positive peaks), ``avoid`` (all
        peaks, blacklist, the kept bins and the negatives drawn before) and ``max_n``, as
        :func:`lociflow.genome.negatives.background`; None for none, which leaves the other targets' peaks
        as each target's negatives.
    max_n
        Largest fraction of N in a bin that is kept.

    Returns
    -------
    Bins
        Peaks and negatives together.

    Raises
    ------
    UserError
        ``bin`` is not a positive whole number, or ``max_n`` not in [0, 1].
    """
    check_whole("windows.bin", bin)
    everything, peaks = peaks, _believed(peaks)
    start, end, summit = (peaks[column].to_numpy() for column in ("start", "end", "summit"))
    centre = np.where(summit == NO_SUMMIT, (start + end) // 2, summit)
    table = bin_table(store, peaks["contig"].cat.codes.to_numpy(), centre - bin // 2, bin)
    if stranded:
        strand = pd.Categorical(peaks["strand"], categories=list(STRANDS)).codes
        table = table.assign(strand=categorical(strand.astype(np.int8), STRANDS))
    if "group" in peaks:
        table = table.assign(group=peaks["group"].to_numpy())
    if "published" in peaks:
        table = table.assign(published=peaks["published"].array)
    table = table.assign(positive=peaks["positive"].to_numpy(bool) if "positive" in peaks else True)
    # A place on two sides of a published split is two bins: the audit tells, and clean splits repair it.
    same_place = ["contig", "start", "strand", *(["published"] if "published" in table else [])]
    duplicate = table.duplicated(same_place).to_numpy()
    if duplicate.any():
        table["positive"] = table.groupby(same_place, observed=True, dropna=False)["positive"].transform("max")
    kept, dropped = drop_unusable(table[~duplicate].reset_index(drop=True), store, blacklist, max_n, outside="outside")
    dropped = {"duplicate": int(duplicate.sum()), **dropped}
    made, background = len(table), 0
    columns = ["contig", "start", "end"]
    counted = kept.pop("positive").to_numpy(bool)
    parts, told = [kept.assign(**NOT_SHUFFLED)], []
    for draw in [] if negatives is None else [negatives] if callable(negatives) else negatives:
        placed = [part.loc[~part["shuffled"], columns] for part in parts]
        avoid = pd.concat([everything[columns], blacklist[columns], *placed], ignore_index=True)
        # Composition is matched over what a model sees, which is where it could give the label away.
        seen = {"window": length} if takes(draw, "window") and "window" not in getattr(draw, "keywords", {}) else {}
        drawn = draw(store=store, bins=kept[counted].reset_index(drop=True), avoid=avoid, max_n=max_n, **seen)
        told.append(dict(drawn.attrs.get("negatives") or {}))
        parts.append(drawn.assign(**{name: value for name, value in NOT_SHUFFLED.items() if name not in drawn}))
        background += len(drawn)
    whole = pd.concat(parts, ignore_index=True)
    if "group" in whole:
        whole = whole.assign(group=pd.Categorical(whole["group"]))
    if "published" in whole:
        whole = whole.assign(published=whole["published"].astype(peaks["published"].dtype))
    return Bins(in_order(whole), made + background, dropped, background, tuple(told))


def region_bins(
    store: SequenceStore,
    peaks: pd.DataFrame,
    blacklist: pd.DataFrame,
    *,
    bin: int,
    stride: int | None = None,
    stranded: bool = True,
    max_n: float = 0.0,
) -> Bins:
    """Tile the regions of the targets, such as gene bodies, from each region's first base on.

    A region's last bin is moved back so that it ends with the region; a region shorter than a bin has one, centred on
    it. Equal bins are merged. Regions that score below ``labels.ignore_score`` are none. Reasons to be dropped are
    those of :func:`peak_centred_bins`.

    Parameters
    ----------
    store, peaks, blacklist, bin, max_n
        As in :func:`peak_centred_bins`.
    stride
        Bases from one bin's start to the next; ``bin`` where None.
    stranded
        Whether a bin takes its region's strand. Regions of different strands are tiled apart.

    Returns
    -------
    Bins
        Without negatives: bases outside of every target are the background.
    """
    step = bin if stride is None else stride
    check_whole("windows.bin", bin)
    check_whole("windows.stride", step)
    peaks = _believed(peaks)
    begin, finish = peaks["start"].to_numpy(np.int64), peaks["end"].to_numpy(np.int64)
    number = np.maximum(-(-(finish - begin - bin) // step) + 1, 1)
    row = np.repeat(np.arange(len(peaks)), number)
    place = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    start = np.minimum(begin[row] + place * step, finish[row] - bin)
    short = (finish - begin < bin)[row]
    start = np.where(short, (begin[row] + finish[row]) // 2 - bin // 2, start)
    table = bin_table(store, peaks["contig"].cat.codes.to_numpy()[row], start, bin)
    if stranded:
        strand = pd.Categorical(peaks["strand"], categories=list(STRANDS)).codes[row]
        table = table.assign(strand=categorical(strand.astype(np.int8), STRANDS))
    if "group" in peaks:
        table = table.assign(group=pd.Categorical(peaks["group"].to_numpy()[row]))
    duplicate = table.duplicated(["contig", "start", "strand"]).to_numpy()
    kept, dropped = drop_unusable(table[~duplicate].reset_index(drop=True), store, blacklist, max_n, outside="outside")
    return Bins(in_order(kept), len(table), {"duplicate": int(duplicate.sum()), **dropped})


def _believed(peaks: pd.DataFrame) -> pd.DataFrame:
    """Return the peaks that make bins."""
    return peaks[peaks["makes_bin"].to_numpy(bool)].reset_index(drop=True) if "makes_bin" in peaks else peaks


def bin_table(store: SequenceStore, contig: np.ndarray, start: np.ndarray, length: int) -> pd.DataFrame:
    """Return unstranded bins of one length from the indices of their contigs and their starts."""
    return pd.DataFrame(
        {
            "contig": categorical(contig, store.names),
            "start": start,
            "end": start + length,
            "strand": categorical(np.zeros(len(start), np.int8), STRANDS),
        }
    )


def in_order(bins: pd.DataFrame) -> pd.DataFrame:
    """Sort bins by (contig's place in the store, start)."""
    order = np.lexsort((bins["start"], bins["contig"].cat.codes))
    return bins.iloc[order].reset_index(drop=True)


def drop_unusable(
    bins: pd.DataFrame, store: SequenceStore, blacklist: pd.DataFrame, max_n: float, outside: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Drop bins that leave their contig, touch the blacklist or hold too many N.

    Parameters
    ----------
    bins
        ``contig`` (categorical in the store's order), ``start``, ``end``.
    store, blacklist, max_n
        As in :func:`tile_bins`.
    outside
        What bins that leave their contig are counted as.

    Returns
    -------
    tuple
        The bins that are left, and the number dropped for each reason.

    Raises
    ------
    UserError
        ``max_n`` is not in [0, 1].
    """
    if isinstance(max_n, bool) or not isinstance(max_n, int | float) or not 0 <= max_n <= 1:
        raise UserError(f"windows.max_n: found {max_n!r}, expected a fraction from 0 to 1")
    lengths = store.lengths[bins["contig"].cat.codes.to_numpy()]
    leaves = (bins["start"].to_numpy() < 0) | (bins["end"].to_numpy() > lengths)
    inside = bins[~leaves]
    listed = overlap_any(inside, blacklist)
    allowed = inside[~listed]
    rich = n_bases(store, allowed) > max_n * (allowed["end"] - allowed["start"]).to_numpy()
    dropped = {outside: int(leaves.sum()), "blacklist": int(listed.sum()), "n": int(rich.sum())}
    return allowed[~rich].reset_index(drop=True), dropped


def n_bases(store: SequenceStore, bins: pd.DataFrame) -> np.ndarray:
    """Count the N in bins that lie within their contigs: ``int64``, one per bin; other IUPAC codes are bases."""
    counts = np.zeros(len(bins), dtype=np.int64)
    contig = bins["contig"].cat.codes.to_numpy()
    # Contigs lie one behind the other in the store: blocks of it hold a part of one or many of them.
    start = store.offsets[contig] + bins["start"].to_numpy(np.int64)
    end = start + (bins["end"] - bins["start"]).to_numpy(np.int64)
    order = np.argsort(start, kind="stable")
    longest = int((end - start).max(initial=0))
    edges = np.searchsorted(start[order], np.arange(0, len(store.codes) + N_BLOCK, N_BLOCK))
    for block, (low, high) in enumerate(pairwise(edges.tolist())):
        if low == high:
            continue
        rows, first = order[low:high], block * N_BLOCK
        codes = store.codes[first : first + N_BLOCK + longest]
        position = np.flatnonzero((codes == N) | (codes == N | SOFT_MASK)) + first
        counts[rows] = np.searchsorted(position, end[rows]) - np.searchsorted(position, start[rows])
        let_go(store.codes)
    return counts


def check_whole(key: str, value: object, least: int = 1) -> None:
    """Refuse a configuration's value that is not a whole number of at least ``least``.

    Raises
    ------
    UserError
        It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"{key}: found {value!r}, expected a whole number of at least {least}")
