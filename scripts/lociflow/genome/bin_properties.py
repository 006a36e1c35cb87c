"""The step that says of every bin what its scores are read by: GC content, and distance from the nearest gene start."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lociflow.command import status
from lociflow.genome.annotation_features import annotation_regions
from lociflow.genome.composition import window_composition
from lociflow.genome.contig_names import read_aliases
from lociflow.genome.placement import place_windows
from lociflow.genome.window_table import read_windows
from lociflow.parquet_tables import write_parquet
from lociflow.sequence.store import SequenceStore, open_store

# Where a contig has no gene, or the data set no annotation.
NO_START = -1


def describe_bins(
    store: Path, windows: Path, config: Mapping[str, Any], properties: Path, genes: Path | None = None
) -> None:
    """Write the properties of every bin of a data set.

    Parameters
    ----------
    store
        ``store.json`` of the genome or of the sequences.
    windows
        ``windows.parquet`` of the data set.
    config
        ``length`` (bases around the bin's centre of which the GC content is taken), ``contig_aliases``.
    properties
        Parquet table to write, a row a bin: ``gc`` (float32, NaN without any A, C, G or T) and ``gene_distance``
        (int64, bases from the bin's centre to the nearest first base of a transcript on either strand,
        :data:`NO_START` where there is none).
    genes
        GTF or GFF3 annotation; None: no distances.

    Raises
    ------
    UserError
        A file is bad, or the annotation's contigs are not the genome's.
    """
    opened = open_store(store)
    table = read_windows(windows)
    place = place_windows(table, opened)
    rows = np.arange(len(table))
    dna = opened.alphabet.name in ("dna", "rna")
    gc = window_composition(opened, place, rows, int(config["length"])).gc if dna else np.full(len(table), np.nan)
    distance = np.full(len(table), NO_START, np.int64)
    if genes is not None:
        distance = gene_distances(table, gene_starts(genes, opened, read_aliases(config.get("contig_aliases"))))
    columns = {"gc": pa.array(gc.astype(np.float32)), "gene_distance": pa.array(distance)}
    write_parquet(properties, pa.table(columns))
    near = f", {int((distance >= 0).sum()):,} of them on a contig with genes" if genes is not None else ""
    status(f"described {len(table):,} bins{near}")


def gene_starts(path: Path, store: SequenceStore, aliases: Mapping[str, str | None]) -> pd.DataFrame:
    """Return the first bases of an annotation's transcripts: ``contig`` and ``start``, among other columns."""
    return annotation_regions({"features": {"start": {"kind": "tss"}}}, path, store, aliases).regions


def gene_distances(bins: pd.DataFrame, starts: pd.DataFrame) -> np.ndarray:
    """Return the distance of each bin's centre from the nearest start on its contig.

    Parameters
    ----------
    bins
        ``contig``, ``start``, ``end`` (0-based, half-open).
    starts
        ``contig``, ``start``: the base, 0-based.

    Returns
    -------
    numpy.ndarray
        int64, shape (bins,), not negative; :data:`NO_START` on a contig without any.
    """
    centre = ((bins["start"] + bins["end"]) // 2).to_numpy(np.int64)
    contig = bins["contig"].astype(str).to_numpy()
    found = np.full(len(bins), NO_START, np.int64)
    for name, rows in starts.groupby(starts["contig"].astype(str)):
        here = np.flatnonzero(contig == name)
        place = np.sort(rows["start"].to_numpy(np.int64))
        after = np.searchsorted(place, centre[here])
        right = np.abs(place[np.minimum(after, len(place) - 1)] - centre[here])
        left = np.abs(place[np.maximum(after - 1, 0)] - centre[here])
        found[here] = np.minimum(left, right)
    return found
