"""The split in which similar sequences never stand on two sides."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.genome.allocation import allocate, shares
from lociflow.genome.leaks import clean_split
from lociflow.genome.placement import window_start
from lociflow.genome.split_data import TRAIN, SplitData, as_split, check_sides
from lociflow.genome.window_reader import search_settings, window_origins, window_reader
from lociflow.genome.windows import check_whole
from lociflow.sequence.homology import similar_groups


def homology_aware(
    data: SplitData,
    *,
    fractions: Mapping[str, float],
    identity: float = 0.8,
    coverage: float = 0.5,
    seed: int = 0,
    block: int | None = None,
    mask_repeats: bool = True,
) -> pd.Categorical:
    """Split bins so that no two similar ones, on either strand, stand on different sides.

    Bins whose windows overlap, or that lie in the same block of a contig, are one unit; units are joined through
    similar windows into groups, and groups are distributed. A giant group, which would leave validation and test less
    than half of what they should have, is taken apart into its units again: validation and test get all that is outside
    it, and units of it for the rest. Then every test bin that is similar to, or overlaps, one of another side is taken
    out of the split, and every validation bin that is so to training or to what is left of test: what that costs is
    told.

    Parameters
    ----------
    data
        The data set.
    fractions
        Of ``train``, ``validation`` and ``test`` in bins; they add up to 1.
    identity, coverage
        Least of similar windows, as in :func:`lociflow.sequence.homology.best_match`.
    seed
        Decides between groups of one size.
    block
        Bases of the pieces into which contigs are cut, each a unit; None: units are what overlaps, and contigs of
        overlapping windows stay whole.
    mask_repeats
        Whether groups are joined by what is not soft-masked alone, so that repeats do not chain half of a genome
        together. Bins that are similar through repeats are taken out all the same.

    Returns
    -------
    pandas.Categorical
        Over train, validation and test; missing for bins that were taken out.

    Raises
    ------
    UserError
        A setting is not a number of its range, or a side has no bin.
    """
    check_whole("split.seed", seed, least=0)
    if block is not None:
        check_whole("split.block", block)
    for name, value in (("identity", identity), ("coverage", coverage)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise UserError(f"split.{name}: found {value!r}, expected a fraction above 0 and up to 1")
    wanted = shares(fractions)
    unit = overlapping_units(data) if block is None else _pieces(data, block)
    group = similar_groups(
        window_reader(data),
        len(unit),
        data.length,
        identity,
        coverage,
        blocks=unit,
        origin=window_origins(data),
        search=search_settings(data.store, mask_repeats),
    ).label
    names, part, size = np.unique(group, return_inverse=True, return_counts=True)
    giant = int(size.argmax()) if len(size) else 0
    apart = bool(len(size)) and size[giant] > len(unit) * (1 - (1 - wanted[TRAIN]) / 2)
    if apart:
        codes = _around_giant(part == giant, part, unit, wanted, seed)
    else:
        codes = allocate(size[:, None], wanted, seed)[part].astype(np.int8)
    remedy = "give other fractions, or a block smaller than the contigs"
    check_sides(codes, remedy=remedy)
    cleaned = clean_split(
        data,
        as_split(codes),
        identity=identity,
        coverage=coverage,
        label_tolerance=np.inf,
        reasons=("duplicate", "overlap", "similar"),
        remedy=remedy,
    )
    status(
        f"homology_aware: {len(unit):,} bins in {len(names):,} groups, the largest of {size.max(initial=0):,}"
        f"{' (taken apart)' if apart else ''}; {len(cleaned.removed):,} validation and test bins taken out that are "
        "like a bin of another side"
    )
    return cleaned.split


def _around_giant(inside: np.ndarray, part: np.ndarray, unit: np.ndarray, wanted: np.ndarray, seed: int) -> np.ndarray:
    """Give validation and test all that is outside the giant group, and fill up with its units."""
    codes = np.full(len(part), TRAIN, dtype=np.int8)
    missing = wanted * len(part)
    if not inside.all():
        _, free = np.unique(part[~inside], return_inverse=True)
        held = wanted[TRAIN + 1 :] / wanted[TRAIN + 1 :].sum()
        codes[~inside] = allocate(np.bincount(free)[:, None], held, seed)[free] + TRAIN + 1
        missing = np.maximum(missing - np.bincount(codes[~inside], minlength=len(wanted)), 1e-9)
    _, own = np.unique(unit[inside], return_inverse=True)
    codes[inside] = allocate(np.bincount(own)[:, None], missing / missing.sum(), seed)[own]
    return codes


def overlapping_units(data: SplitData) -> np.ndarray:
    """Number the runs of windows that overlap on a contig, from 0: ``int64``, one per bin."""
    rows = np.arange(len(data.windows))
    contig = data.place.contig.astype(np.int64)
    start = window_start(data.place, rows, data.length)
    end = np.minimum(start + data.length, data.store.lengths[contig])
    order = np.lexsort((start, contig))
    apart = np.ones(len(order), dtype=bool)
    # All windows are equally long, so the end of the one before is the farthest so far.
    apart[1:] = (np.diff(contig[order]) != 0) | (start[order][1:] >= end[order][:-1])
    unit = np.empty(len(order), dtype=np.int64)
    unit[order] = np.cumsum(apart) - 1
    return unit


def _pieces(data: SplitData, block: int) -> np.ndarray:
    centre = (data.windows["start"].to_numpy() + data.windows["end"].to_numpy()) // 2
    most = int(data.store.lengths.max(initial=0)) // block + 1
    _, unit = np.unique(data.place.contig.astype(np.int64) * most + centre // block, return_inverse=True)
    return np.asarray(unit, dtype=np.int64)
