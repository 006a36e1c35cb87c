"""Real-valued labels and base-resolution profiles of bins from signal tracks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.regions import categorical, empty_regions
from lociflow.genome.settings import check_keys
from lociflow.genome.signal import open_track
from lociflow.genome.signal_bigwig import BLOCK
from lociflow.genome.signal_config import (
    ValueRule,
    check_names,
    control_entries,
    file_entries,
    file_entry,
    normalisation,
    strand_order,
    track_settings,
    value_rule,
)
from lociflow.genome.signal_track import SignalTrack
from lociflow.genome.target_labels import TargetLabels
from lociflow.genome.target_peaks import read_on_genome
from lociflow.sequence.store import SequenceStore

KEYS = (
    "tracks", "reads", "shift", "min_mapq", "missing", "missing_contigs", "aggregate", "normalise", "control",
    "anchors",
)  # fmt: skip
AGGREGATES = {"sum": np.add, "mean": np.add, "max": np.maximum}

# Bins farther apart than this are read one by one instead of with what lies between.
GAP = 1 << 16


class SignalTarget(NamedTuple):
    """A target and where its values come from."""

    name: str
    track: SignalTrack
    scale: float
    """What values are multiplied with: 1, or a million divided by the total of its track or pair."""


def signal_labels(
    config: Mapping[str, Any],
    labels: Mapping[str, Any],
    sources: Path,
    store: SequenceStore,
    aliases: Mapping[str, str | None],
) -> TargetLabels:
    """Open the signal tracks of a data set and say how they label its bins.

    The steps of ``normalise`` come after the bases of a bin are taken together, in their order: ``counts`` leaves
    values as they are, ``cpm`` makes them counts per million (of the reads, fragments or cut sites on the genome's
    contigs, those left out by an alias not counted; of the sum of the values where a bigWig or bedGraph does not know
    its reads; both strands of a pair together), ``log1p`` takes log(1 + value), and ``zscore`` is fitted on the
    training bins afterwards (:func:`fit_zscore`). A control is treated like its target, but has no z-score.

    Labels are in the order of the forward strand whatever the bin's strand.

    Parameters
    ----------
    config
        ``targets.signal`` of a data set: ``tracks`` (a file for each name, as ``{"file": …}``, or a pair ``{"plus":
        …, "minus": …}``, which makes the targets NAME.plus and NAME.minus), ``reads`` ("coverage" or "cut_sites"),
        ``shift``, ``min_mapq`` (:class:`lociflow.genome.signal_reads.ReadSettings`), ``missing``, ``missing_contigs``
        (:class:`lociflow.genome.signal.TrackSettings`), ``aggregate`` ("mean", "sum" or "max" over the bases of a bin
        that are known), ``normalise`` (a list), ``control`` (one file or pair for all tracks, or one for each name) and
        ``anchors`` (regions on which bins can be centred).
    labels
        ``kind``: "real" (a value a bin) or "profile" (a value a base); ``allow_empty_targets``: whether a track
        without any signal is kept.
    sources
        Folder in which the files lie.
    store, aliases
        The genome, and other names of its contigs.

    Raises
    ------
    UserError
        A key or value is bad, or a track, as :func:`lociflow.genome.signal.open_track`.
    """
    check_keys(config, KEYS, "targets.signal")
    check_keys(labels, ("kind", "allow_empty_targets"), "labels")
    steps = normalisation(config)
    rule = value_rule(config, labels, steps)
    settings = track_settings(config)
    tracks = file_entries(config.get("tracks"), "targets.signal.tracks")
    names = [f"{name}.{strand}" if strand else name for name, entry in tracks.items() for strand in entry]
    check_names(names)
    opened: dict[tuple[str, bool], SignalTrack] = {}
    files: list[dict[str, Any]] = []

    def targets_of(entries: Mapping[str, Mapping[str, str]], control: bool) -> list[SignalTarget]:
        found: list[SignalTarget] = []
        for name, entry in tracks.items():
            own = entries[name]
            for strand, file in own.items():
                magnitude = strand == "minus"
                if (file, magnitude) not in opened:
                    opened[file, magnitude] = open_track(
                        Path(sources, file), store, aliases, settings._replace(magnitude=magnitude)
                    )
                track = opened[file, magnitude]
                files.append({**track.counts, "target": f"{name}.{strand}" if strand else name, "control": control})
                _check_track(track, name, rule, bool(labels.get("allow_empty_targets")))
            total = sum(opened[file, strand == "minus"].total for strand, file in own.items())
            scale = 1e6 / total if "cpm" in steps and total else 1.0
            for strand in entry:
                # An unstranded control serves both strands.
                chosen = own[strand if strand in own else ""]
                found.append(
                    SignalTarget(names[len(found)], opened[chosen, strand in own and strand == "minus"], scale)
                )
        return found

    signals = targets_of(tracks, control=False)
    control = control_entries(config.get("control"), tracks)
    controls = targets_of(control, control=True) if control else None
    return TargetLabels(
        names=names,
        kind=rule.kind,
        label=lambda bins: label_signal(bins, signals, rule),
        anchors=_anchors(config.get("anchors"), sources, store, aliases, names),
        reverse=strand_order(tracks),
        control=None if controls is None else (lambda bins: label_signal(bins, controls, rule)),
        counts={"files": files, "normalise": list(steps), "aggregate": rule.aggregate if rule.kind == "real" else None},
        metadata=pd.DataFrame(index=range(len(names))),
        standardise="zscore" in steps,
    )


def label_signal(bins: pd.DataFrame, targets: Sequence[SignalTarget], rule: ValueRule) -> np.ndarray:
    """Read the values of bins of one contig.

    Parameters
    ----------
    bins
        ``contig`` (categorical in the store's order), ``start``, ``end``; sorted by start, all on one contig and
        within it.
    targets
        What to read.
    rule
        How values become labels.

    Returns
    -------
    numpy.ndarray
        ``float32``; kind "real": shape ``(bins, targets)``; "profile": shape ``(bins, positions, targets)``. NaN where
        no base is known, or the base is not.

    Raises
    ------
    UserError
        The bins of a profile have different lengths.
    """
    start, end = bins["start"].to_numpy(np.int64), bins["end"].to_numpy(np.int64)
    contig = int(bins["contig"].cat.codes.iloc[0]) if len(bins) else 0
    positions = int(end[0] - start[0]) if len(bins) else 0
    if rule.kind == "profile" and (end - start != positions).any():
        raise UserError(
            f"windows: found bins of {positions} and {int((end - start)[end - start != positions][0])} bases, expected "
            "one length for labels of kind profile; cut bins of one length or use labels of kind real"
        )
    shape = (len(bins), len(targets)) if rule.kind == "real" else (len(bins), positions, len(targets))
    labels = np.empty(shape, dtype=np.float32)
    for rows in _runs(start, end):
        low, high = int(start[rows].min()), int(end[rows].max())
        for number, target in enumerate(targets):
            values = target.track.read(contig, low, high)
            if rule.kind == "real":
                values = _aggregate(values, start[rows] - low, end[rows] - low, rule.aggregate)
            values = values * target.scale
            if rule.log:
                values = np.log1p(values)
            if rule.kind == "profile":
                values = np.lib.stride_tricks.sliding_window_view(values.astype(np.float32), positions)[
                    start[rows] - low
                ]
            labels[rows, ..., number] = values
    return labels


def _runs(start: np.ndarray, end: np.ndarray) -> Iterator[slice]:
    """Yield slices of neighbouring bins that are read at once."""
    first = 0
    for row in range(1, len(start) + 1):
        if row == len(start) or start[row] - end[row - 1] > GAP or end[row] - start[first] > BLOCK:
            if row > first:
                yield slice(first, row)
            first = row


def _aggregate(values: np.ndarray, start: np.ndarray, end: np.ndarray, aggregate: str) -> np.ndarray:
    """Take the known values of every interval together; NaN where there is none."""
    known = ~np.isnan(values)
    lowest = -np.inf if aggregate == "max" else 0.0
    # A last element, so that an interval may end with the values.
    padded = np.append(np.where(known, values, lowest), lowest)
    borders = np.stack([start, end], axis=1).ravel()
    found: np.ndarray = AGGREGATES[aggregate].reduceat(padded, borders)[::2]
    number = end - start
    if not known.all():
        number = np.add.reduceat(np.append(known, False).astype(np.int64), borders)[::2]
        found = np.where(number > 0, found, np.nan)
    return found / np.maximum(number, 1) if aggregate == "mean" else found


def fit_zscore(
    array: np.ndarray, rows: np.ndarray, reverse: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the known values of each target.

    Parameters
    ----------
    array
        Labels of kind real, ``float32`` of shape ``(bins, targets)``, or a memory map of them; read in blocks.
    rows
        Indices of the training bins.
    reverse
        The order of the targets on the other strand: two that stand for each other, the strands of a pair, get their
        common mean and deviation, so that a value means the same whichever strand is read.

    Returns
    -------
    mean, deviation : numpy.ndarray
        ``float64``, shape ``(targets,)``; deviation of the population. A target with one value throughout gets 1, a
        target without any known value NaN and 1.
    """
    rows = np.sort(np.asarray(rows))
    targets = array.shape[1]
    order = np.arange(targets) if reverse is None else np.asarray(reverse)
    paired = order != np.arange(targets)

    def pooled(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.where(paired, values + values[order], values))

    number, total, square = (np.zeros(targets) for _ in range(3))
    for block in _row_blocks(rows, targets):
        values = np.asarray(array[block], dtype=np.float64)
        number += (~np.isnan(values)).sum(axis=0)
        total += np.nansum(values, axis=0)
    number = pooled(number)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = pooled(total) / number
    for block in _row_blocks(rows, targets):
        square += np.nansum((np.asarray(array[block], dtype=np.float64) - mean) ** 2, axis=0)
    deviation = np.sqrt(pooled(square) / np.maximum(number, 1))
    return mean, np.where(deviation > 0, deviation, 1.0)


def apply_zscore(array: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> None:
    """Bring labels to z-scores in place, in blocks; what is missing stays missing.

    Parameters
    ----------
    array
        ``float32`` of shape ``(bins, targets)``, or a writable memory map.
    mean, deviation
        As :func:`fit_zscore` returns.
    """
    for block in _row_blocks(np.arange(len(array)), array.shape[1]):
        rows = slice(int(block[0]), int(block[-1]) + 1)
        array[rows] = (np.asarray(array[rows], dtype=np.float64) - mean) / deviation


def _row_blocks(rows: np.ndarray, targets: int) -> Iterator[np.ndarray]:
    step = max(1, BLOCK // max(1, targets))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _check_track(track: SignalTrack, name: str, rule: ValueRule, allow_empty: bool) -> None:
    if not allow_empty and track.total == 0:
        raise UserError(
            f"{track.path}: found no signal on the genome for {name}, expected some; remove the track, or set "
            "labels.allow_empty_targets to keep it"
        )
    if rule.log and track.least < 0:
        raise UserError(
            f"{track.path}: found the value {track.least:g}, expected none below 0 for log1p; leave log1p out of "
            "targets.signal.normalise for a track that is a ratio or a logarithm already"
        )


def _anchors(
    entry: Any, sources: Path, store: SequenceStore, aliases: Mapping[str, str | None], names: Sequence[str]
) -> pd.DataFrame:
    columns = ["contig", "start", "end", "strand", "summit", "score"]
    if entry is None:
        nothing = empty_regions()[columns]
        contig, target = categorical(np.empty(0, np.int8), store.names), categorical(np.empty(0, np.int8), names)
        return nothing.assign(contig=contig, target=target)
    file = file_entry(entry, "targets.signal.anchors").get("")
    if not file:
        raise UserError("targets.signal.anchors: found a pair of strands, expected one file of regions")
    regions = read_on_genome(Path(sources, file), store, aliases).regions[columns]
    return regions.assign(target=categorical(np.full(len(regions), -1, np.int32), names))
