"""What each base contributes to a model's outputs, as bigWig: the mean over the explained windows that lie on it."""

from pathlib import Path
from typing import Any

import numpy as np

from lociflow.command import UserError, status, write_json
from lociflow.data.bins import read_bins
from lociflow.evaluation.strands import names_by_strand, strands_apart
from lociflow.file_names import file_names
from lociflow.formats import stamp
from lociflow.genome.placement import Placement, window_start
from lociflow.genome.window_table import about_windows, split_digest
from lociflow.interpretation.attributions import observed_contributions, read_attributions
from lociflow.sequence.store import SequenceStore, open_store
from lociflow.tracks.bigwig import add_bases, open_bigwigs

KIND = "attribution tracks"


def attribution_tracks(store: Path, windows: Path, split: str, attributions: Path, bigwigs: Path, about: Path) -> None:
    """Write the contributions of the observed bases along the genome.

    Parameters
    ----------
    store, windows
        ``store.json`` and ``windows.parquet`` of the data set.
    split
        Of the model.
    attributions
        Of the model, as :mod:`lociflow.interpretation.attributions`.
    bigwigs
        Folder to write one file for each explained target to, and where the data set's bins have a strand one for each
        of its strands. A base's value is the mean over the windows that hold it, in the unit of the attributions, and
        has no value outside of every window.
    about
        JSON to write: what the tracks are, and counts.

    Raises
    ------
    UserError
        A file is bad, or the attributions are of another split.
    """
    genome, found = open_store(store), read_attributions(attributions)
    digest = split_digest(windows, split)
    if found.meta.get("split_digest", digest) != digest:
        raise UserError(
            f"{attributions}: was made when {windows} held other bins or had another split {split}; explain the model "
            "again"
        )
    bins = read_bins(windows, genome, split)
    reverse = bins.reverse[found.bin]
    placed = np.ones(len(found.bin), bool) if bins.place.shuffled is None else ~bins.place.shuffled[found.bin]
    observed = observed_contributions(found.codes, found.hypothetical)
    # A window that was read from the other strand begins where it ends on the genome.
    observed[reverse] = observed[reverse, ::-1]
    targets = found.meta["targets"]
    strands = strands_apart(about_windows(windows)["labels"]["stranded"])
    names = names_by_strand([str(target["target"]) for target in targets], strands)
    files = file_names(names, ".bw")
    kept = [
        (found.target == target["column"]) & placed & ((reverse == other) | (len(strands) == 1))
        for other in strands.values()
        for target in targets
    ]
    facts: list[dict[str, Any]] = []
    with open_bigwigs(bigwigs, files, genome) as handles:
        for handle, name, file, some in zip(handles, names, files, kept, strict=True):
            rows = np.flatnonzero(some)
            base, value = mean_by_base(genome, bins.place, found.bin[rows], observed[rows])
            contig = np.searchsorted(genome.offsets, base, side="right") - 1
            add_bases(handle, genome, contig, base - genome.offsets[contig], value)
            facts.append({"name": name, "file": file, "windows": len(rows), "bases": len(base)})
    facts_of: dict[str, Any] = {key: found.meta.get(key) for key in ("model", "method", "output")}
    write_json(about, {**stamp(KIND), **facts_of, "split": split, "unit": "contribution", "tracks": facts})
    status(
        f"{sum(fact['windows'] for fact in facts):,} windows in {len(facts)} tracks on "
        f"{sum(fact['bases'] for fact in facts):,} bases"
        + (f"; {int((~placed).sum()):,} shuffled windows left out" if not placed.all() else "")
    )


def mean_by_base(
    store: SequenceStore, place: Placement, index: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Average values along windows that may overlap.

    Parameters
    ----------
    store
        The genome.
    place
        Where all bins lie.
    index
        Of the windows' bins, shape (n,).
    values
        Along each window on the genome's plus strand, shape (n, length).

    Returns
    -------
    tuple
        Places among the codes of the store in ascending order, ``int64``, and the mean of each; what lies beyond a
        contig's end is left out.
    """
    length = values.shape[1]
    position = window_start(place, index, length)[:, None] + np.arange(length)
    contig = place.contig[index]
    inside = (position >= 0) & (position < store.lengths[contig][:, None])
    axis = (store.offsets[contig][:, None] + position)[inside]
    base, where = np.unique(axis, return_inverse=True)
    return base, np.bincount(where, weights=values[inside], minlength=len(base)) / np.bincount(
        where, minlength=len(base)
    )
