"""An open signal track, and what holds for all of them whatever their format. 0-based, half-open."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.contig_names import resolve_contigs, some
from lociflow.genome.regions import categorical
from lociflow.genome.signal_reads import ReadSettings
from lociflow.sequence.store import SequenceStore

MISSING = ("zero", "nan")
MISSING_CONTIGS = ("refuse", "zero", "nan")

Reader = Callable[[int, int, int], np.ndarray]
"""From the index of a contig, a start and an end to ``float64`` of shape ``(end - start,)``, NaN where unknown."""


class TrackSettings(NamedTuple):
    """How files become values; what does not concern a file's format is not looked at."""

    reads: ReadSettings = ReadSettings()
    """What is counted of a BAM or of fragments."""
    missing: str = "zero"
    """What the bases are that a bigWig or bedGraph says nothing about: ``zero`` or ``nan`` (unknown)."""
    missing_contigs: str = "refuse"
    """What the genome's contigs are that a track lacks: refused, ``zero``, or ``nan`` (unknown)."""
    magnitude: bool = False
    """Whether values are those of a minus strand, which some programs write below zero: their magnitude is taken."""


class SignalTrack(NamedTuple):
    """An open track."""

    path: Path
    read: Reader
    """Gives the values of a piece of a contig."""
    total: float
    """What counts per million divide by: reads, fragments or cut sites on the genome's contigs; for a bigWig or
    bedGraph, which say nothing of reads, the sum of the values there."""
    least: float
    """Smallest value, after the magnitude is taken; 0 where the track is empty."""
    counts: dict[str, Any]
    """JSON values: ``file``, ``sha256``, ``format``, ``read``, ``dropped``, ``clipped``, ``total`` and the format's
    own."""


def match_contigs(
    path: Path,
    names: Sequence[str],
    used: Sequence[bool],
    store: SequenceStore,
    aliases: Mapping[str, str | None],
    missing_contigs: str,
) -> tuple[np.ndarray, list[str]]:
    """Find a file's contigs in the genome.

    A contig without data may be unknown: the header of an alignment or a bigWig names all contigs of its assembly.

    Parameters
    ----------
    path
        For the messages.
    names, used
        The file's contigs, and whether it has data on them.
    store, aliases
        The genome, and as :func:`lociflow.genome.contig_names.read_aliases` returns.
    missing_contigs
        As in :class:`TrackSettings`.

    Returns
    -------
    place : numpy.ndarray
        ``int64``: index in the genome of each of ``names``; -1: left out.
    missing : list of str
        The genome's contigs that the file lacks.

    Raises
    ------
    UserError
        A contig with data is unknown, two are the same one, or one of the genome's is missing.
    """
    known = set(store.names)
    meant = [aliases.get(name, name) for name in names]
    kept = [row for row, name in enumerate(names) if used[row] or meant[row] in known or name in aliases]
    table = pd.DataFrame(
        {"contig": categorical(np.arange(len(kept)), [names[row] for row in kept]), "row": np.array(kept, np.int64)}
    )
    regions = resolve_contigs(table, store.names, aliases, path).regions
    place = np.full(len(names), -1, dtype=np.int64)
    place[regions["row"].to_numpy()] = regions["contig"].cat.codes.to_numpy()
    found = place[place >= 0]
    if len(np.unique(found)) < len(found):
        twice = store.names[int(np.argmax(np.bincount(found)))]
        both = [name for name, index in zip(names, place, strict=True) if index >= 0 and store.names[index] == twice]
        raise UserError(
            f"{path}: found the contigs {' and '.join(both)} for {twice}, expected one; correct contig_aliases"
        )
    present = set(found.tolist())
    missing = [name for index, name in enumerate(store.names) if index not in present]
    if missing and missing_contigs == "refuse":
        raise UserError(
            f"{path}: has no data for {some(missing)} of the genome's {len(store.names)} contigs, expected all; add "
            "contig_aliases if the file calls them otherwise, or set targets.signal.missing_contigs to zero (no "
            "signal there) or nan (unknown)"
        )
    return place, missing


def check_lengths(
    path: Path, names: Sequence[str], lengths: Sequence[int], place: np.ndarray, store: SequenceStore
) -> None:
    """Refuse a file whose header gives a contig another length than the genome has.

    Raises
    ------
    UserError
        A length differs: the file is from another assembly.
    """
    for name, length, index in zip(names, lengths, place, strict=True):
        if index >= 0 and length != store.lengths[index]:
            raise UserError(
                f"{path}: found {length} bases for contig {name}, expected {store.lengths[index]} as in {store.name}; "
                "the file is from another assembly: give one that was made with this genome"
            )


def check_finite(path: Path, name: str, values: np.ndarray) -> None:
    """Refuse infinite values."""
    if not np.isfinite(values).all():
        raise UserError(f"{path}: found an infinite value on {name}, expected numbers; make the track again")


def use_signs(
    path: Path, total: float, least: float, most: float, negative: int, magnitude: bool
) -> tuple[float, float]:
    """Return the sum and the smallest value as they are used, with their magnitude where that is taken.

    Raises
    ------
    UserError
        The magnitude is to be taken of values on both sides of zero.
    """
    if not np.isfinite(least):
        return 0.0, 0.0
    if not magnitude or not negative:
        return total, least
    if most > 0:
        raise UserError(
            f"{path}: found values from {least:g} to {most:g} in the track of a minus strand, expected all on one side "
            "of zero, whose magnitude is taken; give it as a track without strand if it has two signs"
        )
    return -total, -most
