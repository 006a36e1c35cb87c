"""Labels and signals along explained windows, in the order in which the model reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.data.targets import open_targets, read_target_names
from lociflow.genome.contig_names import read_aliases
from lociflow.genome.label_kinds import known, label_kind
from lociflow.genome.placement import place_windows, window_start
from lociflow.genome.signal import open_track
from lociflow.genome.signal_track import SignalTrack, TrackSettings
from lociflow.genome.window_table import about_windows, read_windows
from lociflow.interpretation.attributions import read_attributions
from lociflow.interpretation.settings import read_settings
from lociflow.interpretation.window_track import WindowTrack, write_window_track
from lociflow.models.outputs import Outputs, outputs_of
from lociflow.sequence.store import SequenceStore, open_store


class WindowTrackConfig(NamedTuple):
    """Which track."""

    name: str
    """Of a target of the data set, ``TARGET:CLASS`` where it has classes; of a file any name."""
    contig_aliases: Any = None
    """What a file calls contigs, as in the data set."""


def read_window_track(
    store: Path,
    windows: Path,
    targets: Path,
    target_table: Path,
    attributions: Path,
    config: Mapping[str, Any],
    values: Path,
    track: Path | None = None,
) -> None:
    """Write the values of a track along the explained windows.

    Parameters
    ----------
    store, windows, targets, target_table
        Of the data set.
    attributions
        Which windows were explained.
    config
        As :class:`WindowTrackConfig`.
    values
        ``.npz`` to write: the fields of :class:`WindowTrack`. The same input gives the same bytes.
    track
        bigWig, or another format of :func:`lociflow.genome.signal.open_track`; None: the labels of a target.

    Raises
    ------
    UserError
        There is no such target, or a file cannot be read or is of another genome.
    """
    settings = read_settings(WindowTrackConfig, "attention_track", config)
    genome, bins, found = open_store(store), read_windows(windows), read_attributions(attributions)
    length = found.codes.shape[1]
    if track is None:
        names = read_target_names(target_table)
        about = about_windows(windows)["labels"]
        labels = open_targets(targets, len(bins), len(names), label_kind(about["kind"]))
        along = along_labels(
            labels, outputs_of(about, names, labels.shape), settings.name, bins, genome, found.bin, length
        )
    else:
        opened = open_track(track, genome, read_aliases(settings.contig_aliases), TrackSettings(missing_contigs="nan"))
        along = along_signal(opened, bins, genome, found.bin, length)
    write_window_track(values, WindowTrack(settings.name, found.bin, along))
    status(f"{settings.name}: known on {np.isfinite(along).mean():.1%} of the bases of {len(along)} windows")


def along_signal(
    track: SignalTrack, bins: pd.DataFrame, store: SequenceStore, index: np.ndarray, length: int
) -> np.ndarray:
    """Read a signal along windows.

    Parameters
    ----------
    track
        Over the genome.
    bins
        All bins of the data set, as :func:`lociflow.genome.window_table.read_windows` gives them.
    store
        On which they lie.
    index
        Bins of the windows, ``int64``, shape ``(n,)``.
    length
        Of the windows, in bases.

    Returns
    -------
    numpy.ndarray
        ``float32``, shape ``(n, length)``, windows of bins on ``-`` read from there; NaN beyond the contig, where the
        track is unknown, and in windows of shuffles, which lie nowhere.
    """
    table = bins.iloc[index]
    place = place_windows(table, store)
    first = window_start(place, np.arange(len(index)), length)
    found = np.full((len(index), length), np.nan, dtype=np.float32)
    for row in np.flatnonzero(~table["shuffled"].to_numpy(bool)):
        contig, start = int(place.contig[row]), int(first[row])
        low, high = max(start, 0), min(start + length, int(store.lengths[contig]))
        found[row, low - start : high - start] = track.read(contig, low, high)
    return _as_read(found, table)


def along_labels(
    labels: np.ndarray,
    outputs: Outputs,
    name: str,
    bins: pd.DataFrame,
    store: SequenceStore,
    index: np.ndarray,
    length: int,
) -> np.ndarray:
    """Spread the labels of bins along windows.

    A base has the label of the bin that lies over it, of several their mean, and where labels are of bases its own.
    Bins on the other strand than the window's and shuffles say nothing.

    Parameters
    ----------
    labels
        Of all bins, shape ``(bins, targets)`` or ``(bins, positions, targets)``.
    outputs
        What they are labels of.
    name
        One of ``outputs.columns``; of a class it is told where it stands (1) and where not (0).
    bins, store, index, length
        As :func:`along_signal`.

    Returns
    -------
    numpy.ndarray
        ``float32``, shape ``(n, length)``; NaN where no bin lies or its label is missing.

    Raises
    ------
    UserError
        There is no such name.
    """
    if name not in outputs.columns:
        raise UserError(f"attention_track: found {name}, expected one of {', '.join(outputs.columns)}")
    column = outputs.columns.index(name)
    target = next(number for number, group in enumerate(outputs.groups) if group.start <= column < group.stop)
    place = place_windows(bins, store)
    start, end = bins["start"].to_numpy(np.int64), bins["end"].to_numpy(np.int64)
    strand, shuffled = bins["strand"].astype(str).to_numpy(), bins["shuffled"].to_numpy(bool)
    order = np.lexsort((start, place.contig))
    contigs, starts = place.contig[order], start[order]
    longest = int((end - start).max(initial=0))
    first = window_start(place, index, length)
    found = np.full((len(index), length), np.nan, dtype=np.float32)
    for row, (own, begin) in enumerate(zip(index, first, strict=True)):
        if shuffled[own]:
            continue
        low, high = (
            np.searchsorted(contigs, place.contig[own], "left"),
            np.searchsorted(contigs, place.contig[own], "right"),
        )
        near = order[
            low + np.searchsorted(starts[low:high], begin - longest) : low
            + np.searchsorted(starts[low:high], begin + length)
        ]
        near = near[(end[near] > begin) & (strand[near] == strand[own]) & ~shuffled[near]]
        found[row] = _mean_of(labels, outputs, target, column, near, start, end, int(begin), length)
    return _as_read(found, bins.iloc[index])


def _mean_of(
    labels: np.ndarray,
    outputs: Outputs,
    target: int,
    column: int,
    rows: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    begin: int,
    length: int,
) -> np.ndarray:
    total, count = np.zeros(length), np.zeros(length)
    kind = label_kind(outputs.kind)
    for row in rows:
        own = np.asarray(labels[row, ..., target])
        value = (own == column - outputs.groups[target].start) if outputs.classes else own
        values = np.broadcast_to(np.where(known(own, kind), value, np.nan), end[row] - start[row])
        low, high = max(int(start[row]), begin), min(int(end[row]), begin + length)
        part = values[low - start[row] : high - start[row]]
        is_known = np.isfinite(part)
        total[low - begin : high - begin][is_known] += part[is_known]
        count[low - begin : high - begin] += is_known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _as_read(values: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    minus = (table["strand"].astype(str) == "-").to_numpy()
    values[minus] = values[minus, ::-1]
    return values
