"""Where the seqlets of TF-MoDISco lie on the genome: the sites from which each motif was made."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.genome.window_table import read_windows
from lociflow.interpretation.motifs.bed import bed_scores, locate, strand_signs, write_bed
from lociflow.interpretation.motifs.discover import motif_name
from lociflow.sequence.store import open_store

SIGNS = ("positive", "negative")
COLUMNS = ("contig", "start", "end", "name", "score", "strand", "target", "kind", "contribution", "bin")


class Seqlets(NamedTuple):
    """The seqlets of one motif."""

    motif: str
    """Its name in the MEME file."""
    target: str
    kind: str
    """``positive`` or ``negative``."""
    length: int
    """Of the windows that were explained, in bases."""
    bin: np.ndarray
    """``int64``: index of each seqlet's bin."""
    start: np.ndarray
    """``int64``: where each begins in its window as the model reads it."""
    end: np.ndarray
    """``int64``, exclusive."""
    reverse: np.ndarray
    """``bool``: whether the motif is its reverse complement there."""
    contribution: np.ndarray
    """``float64``: the sum of its bases' contributions."""


def read_seqlets(path: Path) -> Iterator[Seqlets]:
    """Yield the seqlets of every pattern of every target, also of those without an informative position.

    Raises
    ------
    UserError
        The file is not one that :func:`lociflow.interpretation.motifs.discover.discover_motifs` has written.
    """
    try:
        with h5py.File(path) as file:
            for group in file.values():
                target, length, region = (group.attrs[key] for key in ("target", "window_length", "region_start"))
                for sign in SIGNS:
                    patterns = group[f"{sign[:3]}_patterns"]
                    for number in range(len(patterns)):
                        found = patterns[f"pattern_{number}/seqlets"]
                        yield Seqlets(
                            motif_name(target, sign, number),
                            target,
                            sign,
                            int(length),
                            group["bin"][:][found["example_idx"][:]],
                            found["start"][:] + region,
                            found["end"][:] + region,
                            found["is_revcomp"][:].astype(bool),
                            found["contrib_scores"][:].sum(axis=(1, 2), dtype=np.float64),
                        )
    except (OSError, KeyError) as error:
        raise UserError(
            f"{path}: cannot be read as the patterns of discover_motifs ({error}); remove it and run snakemake again"
        ) from None


def locate_seqlets(store: Path, windows: Path, modisco: Path, bed: Path) -> None:
    """Write the seqlets of all motifs as intervals of the genome.

    Parameters
    ----------
    store, windows
        ``store.json`` and ``windows.parquet`` of the data set.
    modisco
        Patterns, as :func:`lociflow.interpretation.motifs.discover.discover_motifs` writes them.
    bed
        BED file to write: contig, start, end, motif, score (1000: the largest absolute contribution of the target's
        seqlets), strand on which the genome reads as the motif does; target, kind, contribution, bin. A seqlet that
        reaches beyond a contig's end is clipped; one that lies wholly beyond, or in a shuffled bin, is left out.

    Raises
    ------
    UserError
        A file cannot be read, or the patterns are of other windows.
    """
    genome, bins = open_store(store), read_windows(windows)
    parts: list[pd.DataFrame] = []
    clipped = dropped = 0
    for found in read_seqlets(modisco):
        if len(found.bin) and found.bin.max() >= len(bins):
            raise UserError(
                f"{modisco}: holds bin {found.bin.max()}, expected less than {len(bins)} as in {windows}; run "
                "snakemake again to rebuild it"
            )
        place = locate(bins, genome, found.length, found.bin, found.start, found.end, found.reverse)
        clipped += int(place.clipped.sum())
        dropped += int((~place.kept).sum())
        columns = {
            "contig": place.contig,
            "start": place.start,
            "end": place.end,
            "name": found.motif,
            "score": 0,
            "strand": strand_signs(place.reverse),
            "target": found.target,
            "kind": found.kind,
            "contribution": found.contribution,
            "bin": found.bin,
        }
        parts.append(pd.DataFrame(columns)[place.kept])
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    for rows in table.groupby("target").groups.values():
        table.loc[rows, "score"] = bed_scores(table.loc[rows, "contribution"].to_numpy(np.float64))
    write_bed(bed, table, genome.names)
    status(
        f"{len(table)} seqlets of {len(parts)} motifs located; {clipped} clipped at a contig's end, {dropped} left out"
    )
