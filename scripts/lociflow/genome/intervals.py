"""Interval algebra on the contigs of a genome: tables of ``contig`` (categorical), ``start`` and ``end``."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pybedtools

from lociflow.command import UserError
from lociflow.genome.regions import categorical


def require_bedtools() -> None:
    """Refuse to go on without the ``bedtools`` program, which pybedtools calls.

    Raises
    ------
    UserError
        There is no such program on PATH.
    """
    if shutil.which("bedtools") is None:
        raise UserError(
            "bedtools: no such program on PATH, expected version 2.30 or later; install it with one of: "
            "apt-get install bedtools, conda install -c bioconda bedtools, brew install bedtools"
        )


def merge(regions: pd.DataFrame) -> pd.DataFrame:
    """Join regions that overlap or touch.

    Parameters
    ----------
    regions
        ``contig`` (categorical), ``start``, ``end``, in any order.

    Returns
    -------
    pandas.DataFrame
        Disjoint regions, sorted by (contig's category, start).
    """
    if regions.empty:
        return regions[["contig", "start", "end"]]
    order = _sorted(regions)
    return _compute(pybedtools.BedTool.merge, order)


def subtract(regions: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Cut from regions whatever others cover.

    Parameters
    ----------
    regions, others
        ``contig`` (categorical, the same categories), ``start``, ``end``, in any order.

    Returns
    -------
    pandas.DataFrame
        What is left of ``regions``, sorted by (contig's category, start).
    """
    if regions.empty or others.empty:
        return _sorted(regions[["contig", "start", "end"]])
    return _compute(pybedtools.BedTool.subtract, regions, others)


def overlap_any(bins: pd.DataFrame, regions: pd.DataFrame) -> np.ndarray:
    """Tell which bins share at least a base with a region.

    A genome has millions of bins and few merged regions, so the bins are looked up in the regions and are never
    written out for bedtools; tests hold the two against each other.

    Parameters
    ----------
    bins, regions
        ``contig`` (categorical, the same categories), ``start``, ``end``, in any order; regions of zero length
        overlap nothing.

    Returns
    -------
    numpy.ndarray
        ``bool``, one per bin.
    """
    found = np.zeros(len(bins), dtype=bool)
    merged = merge(regions[regions["end"] > regions["start"]])
    contig = bins["contig"].cat.codes.to_numpy()
    start, end = bins["start"].to_numpy(), bins["end"].to_numpy()
    for code, group in merged.groupby(merged["contig"].cat.codes):
        rows = np.flatnonzero(contig == code)
        # Of disjoint sorted regions, the first that ends after the bin's start is the only one to look at.
        first = np.searchsorted(group["end"].to_numpy(), start[rows], side="right")
        begins = np.append(group["start"].to_numpy(), np.iinfo(np.int64).max)
        found[rows] = (begins[first] < end[rows]) & (start[rows] < end[rows])
    return found


def _compute(operation: Callable[..., pybedtools.BedTool], *tables: pd.DataFrame) -> pd.DataFrame:
    require_bedtools()
    # bedtools gets the numbers of the categories instead of their names, which may hold anything.
    beds = [
        pybedtools.BedTool.from_dataframe(
            pd.DataFrame({"contig": table["contig"].cat.codes, "start": table["start"], "end": table["end"]})
        )
        for table in tables
    ]
    result = None
    try:
        result = operation(*beds)
        found = np.loadtxt(result.fn, dtype=np.int64, ndmin=2) if Path(result.fn).stat().st_size else np.empty((0, 3))
    finally:
        for bed in (*beds, *([result] if result else [])):
            Path(bed.fn).unlink(missing_ok=True)
    return _sorted(_table(tables[0], *found.T))


def _table(like: pd.DataFrame, codes: np.ndarray, start: np.ndarray, end: np.ndarray) -> pd.DataFrame:
    contig = categorical(codes.astype(np.int64), like["contig"].cat.categories)
    return pd.DataFrame({"contig": contig, "start": start.astype(np.int64), "end": end.astype(np.int64)})


def _sorted(regions: pd.DataFrame) -> pd.DataFrame:
    order = np.lexsort((regions["end"], regions["start"], regions["contig"].cat.codes))
    return regions.iloc[order].reset_index(drop=True)
