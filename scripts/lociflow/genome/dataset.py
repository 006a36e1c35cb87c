"""The windows of a data set: bins, their labels and their split, written as files."""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status, write_json
from lociflow.formats import stamp
from lociflow.genome.contig_names import read_aliases, some
from lociflow.genome.intervals import require_bedtools
from lociflow.genome.labels import IGNORED, POSITIVE, label_bins, marks_a_bin
from lociflow.genome.regions import categorical, empty_regions
from lociflow.genome.splits import SPLITS
from lociflow.genome.target_peaks import TargetPeaks, read_on_genome, read_target_peaks
from lociflow.genome.window_table import digest_windows, write_windows
from lociflow.genome.windows import Bins
from lociflow.instantiate import instantiate, trusted_object
from lociflow.sequence.store import SequenceStore, open_store

KEYS = ("targets", "contig_aliases", "windows", "labels", "split", "blacklist")
LABEL_KEYS = ("min_overlap", "positive_score", "allow_empty_targets")

# Labels that are held in memory at once, in bytes.
BLOCK = 1 << 27


class Labels(NamedTuple):
    """What was counted while the labels were written: per split and target, and their digest."""

    positives: np.ndarray
    known: np.ndarray
    ignored: np.ndarray
    digest: str


def make_windows(
    store: Path,
    config: Mapping[str, Any],
    sources: Path,
    sheet: Path | None,
    blacklist: Path | None,
    windows: Path,
    targets: Path,
    target_table: Path,
    counts: Path,
) -> None:
    """Cut a genome into labelled bins and split them.

    Parameters
    ----------
    store
        ``store.json`` of the genome.
    config
        ``targets``, ``windows``, ``labels``, ``split`` and ``contig_aliases`` of a data set.
    sources
        Folder in which the peak files lie.
    sheet
        Sample sheet, where ``targets`` asks for one.
    blacklist
        BED file of regions that no bin may touch.
    windows
        Parquet table to write: a row a bin (see :mod:`lociflow.genome.window_table`).
    targets
        ``.npy`` to write: ``int8``, shape (bins, targets), 1, 0 or -1 for ignored; memory holds a part of a contig at
        a time.
    target_table
        TSV to write: a row a target.
    counts
        JSON to write: what was kept, what was dropped and why, prevalence and digests.

    Raises
    ------
    UserError
        The configuration, the sheet, a file of regions or the split is bad, or bedtools is missing.
    """
    _check_keys(config, KEYS, "dataset")
    if not isinstance(config.get("targets"), Mapping):
        raise UserError(f"targets: found {config.get('targets')!r}, expected a mapping with sheet, files or named")
    label_config = dict(config.get("labels") or {})
    _check_keys(label_config, LABEL_KEYS, "labels")
    maker = partial(config, "windows", unless=("length",))
    split = partial(config, "split", unless=("name",))
    min_overlap, positive_score = _label_rule(label_config)
    require_bedtools()

    genome = open_store(store)
    aliases = read_aliases(config.get("contig_aliases"))
    found = read_target_peaks(
        config["targets"], sources, sheet, genome, aliases, bool(label_config.get("allow_empty_targets"))
    )
    if positive_score is not None and found.peaks["score"].isna().any():
        row = found.peaks[found.peaks["score"].isna()].iloc[0]
        raise UserError(
            f"labels.positive_score: found a peak of {row['target']} without score ({row['contig']}:{row['start']}-"
            f"{row['end']}), expected a number in column 5 of every peak; set positive_score to null"
        )
    excluded = _read_blacklist(blacklist, genome, aliases)
    status(f"{len(found.targets)} targets, {sum(found.read):,} peaks")

    bins: Bins = maker(store=genome, peaks=found.peaks, blacklist=excluded["regions"])
    assigned = split(bins.table)
    in_split = np.asarray(assigned.codes) >= 0
    table = bins.table.assign(split=assigned, group=categorical(np.full(len(bins.table), -1, np.int8), []))
    table = table[in_split].reset_index(drop=True)
    dropped = {**bins.dropped, "no_split": int((~in_split).sum())}

    labels = write_labels(targets, table, found, min_overlap, positive_score)
    homeless = ~marks_a_bin(table, found.peaks, min_overlap)
    kept = np.bincount(found.peaks["target"].cat.codes.to_numpy()[~homeless], minlength=len(found.targets))
    without_bin = np.bincount(found.peaks["target"].cat.codes.to_numpy()[homeless], minlength=len(found.targets))
    _write_target_table(target_table, found, kept, labels)
    digest = digest_windows(table)
    about = {"genome": genome.name, "genome_digest": genome.digest, "windows_digest": digest}
    write_windows(windows, table, about)
    summary = {
        **stamp("windows"),
        "genome": {"name": genome.name, "digest": genome.digest, "contigs": len(genome.names)},
        "bins": {
            "made": bins.made,
            "background": bins.background,
            "dropped": dropped,
            "kept": len(table),
            "by_split": {name: int((table["split"] == name).sum()) for name in SPLITS},
        },
        "blacklist": excluded["counts"],
        "files": found.files,
        "peaks": {
            "read": sum(found.read),
            "on_genome": len(found.peaks),
            "kept": int(kept.sum()),
            "without_bin": dict(zip(found.targets, without_bin.tolist(), strict=True)),
        },
        "targets": len(found.targets),
        "targets_without_positives": _without_positives(found.targets, labels),
        "prevalence": _prevalence(labels),
        "digests": {"windows": digest, "targets": labels.digest},
    }
    write_json(counts, summary)
    _tell(summary)


def write_labels(
    path: Path, table: pd.DataFrame, found: TargetPeaks, min_overlap: float, positive_score: float | None
) -> Labels:
    """Write the labels of all bins into a memory-mapped array, a part of a contig at a time.

    Parameters
    ----------
    path
        ``.npy`` to write: ``int8``, shape (bins, targets).
    table
        Bins with ``split``, sorted.
    found
        Peaks of all targets.
    min_overlap, positive_score
        As in :func:`lociflow.genome.labels.label_bins`.

    Returns
    -------
    Labels
        ``positives``, ``known`` (positive or negative) and ``ignored``, each ``int64`` of shape (splits, targets).
    """
    shape = (len(table), len(found.targets))
    positives, known, ignored = (np.zeros((len(SPLITS), shape[1]), dtype=np.int64) for _ in range(3))
    split = table["split"].cat.codes.to_numpy()
    digest = hashlib.sha256(json.dumps(shape).encode())
    peak_contig = found.peaks["contig"].cat.codes.to_numpy()
    with atomic(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.int8, shape=shape)
        for code, rows in _blocks(table["contig"].cat.codes.to_numpy(np.int64), max(1, BLOCK // shape[1])):
            peaks = found.peaks[peak_contig == code]
            block = label_bins(table.iloc[rows], peaks, min_overlap, positive_score)
            array[rows] = block
            digest.update(block.tobytes())
            for number in range(len(SPLITS)):
                part = block[split[rows] == number]
                positives[number] += (part == POSITIVE).sum(axis=0)
                ignored[number] += (part == IGNORED).sum(axis=0)
                known[number] += (part != IGNORED).sum(axis=0)
        array.flush()
        del array
    return Labels(positives, known, ignored, digest.hexdigest())


def _blocks(contig: np.ndarray, most: int) -> Iterator[tuple[int, slice]]:
    for code in np.unique(contig):
        low, high = np.searchsorted(contig, [code, code + 1])
        for start in range(low, high, most):
            yield int(code), slice(start, min(start + most, high))


def partial(config: Mapping[str, Any], key: str, unless: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Build the function that ``config[key]`` names, with its settings bound and the data still to come.

    Parameters
    ----------
    config
        Configuration of a data set.
    key
        Its entry, a mapping with ``_target_``; nested ones are functions with bound settings too.
    unless
        Settings that are not for this function.

    Raises
    ------
    UserError
        There is no such function, or it has no such setting.
    """
    entry = config.get(key)
    if not isinstance(entry, Mapping) or "_target_" not in entry:
        raise UserError(f"{key}: found {entry!r}, expected a mapping with _target_")
    settings = {name: value for name, value in entry.items() if name not in unless}
    _check_settings(settings, key)
    return instantiate(_as_partials(settings))


def _as_partials(entry: Mapping[str, Any]) -> dict[str, Any]:
    nested = {name: _as_partials(value) if isinstance(value, Mapping) else value for name, value in entry.items()}
    return {**nested, "_partial_": True} if "_target_" in nested else nested


def _check_settings(entry: Mapping[str, Any], key: str) -> None:
    function = trusted_object(entry["_target_"])
    parameters = inspect.signature(function).parameters
    for name, value in entry.items():
        if name not in (*parameters, "_target_"):
            known = [known for known, parameter in parameters.items() if parameter.kind is not parameter.VAR_KEYWORD]
            raise UserError(f"{key}: found the key {name!r}, {_did_you_mean(name, known)}")
        if isinstance(value, Mapping) and "_target_" in value:
            _check_settings(value, f"{key}.{name}")
    for name, parameter in parameters.items():
        needed = parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        if needed and name not in entry:
            raise UserError(f"{key}: found no key {name!r}, which {function.__name__} needs; add it")


def _check_keys(config: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in config:
        if key not in known:
            raise UserError(f"{where}: found the key {key!r}, {_did_you_mean(key, list(known))}")


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"expected one of {', '.join(known)}" + (f"; did you mean {close[0]}?" if close else "")


def _label_rule(config: Mapping[str, Any]) -> tuple[float, float | None]:
    min_overlap = config.get("min_overlap", 0.5)
    if isinstance(min_overlap, bool) or not isinstance(min_overlap, int | float) or not 0 < min_overlap <= 1:
        raise UserError(f"labels.min_overlap: found {min_overlap!r}, expected a fraction above 0 and up to 1")
    positive_score = config.get("positive_score")
    if positive_score is not None and (isinstance(positive_score, bool) or not isinstance(positive_score, int | float)):
        raise UserError(f"labels.positive_score: found {positive_score!r}, expected a number or null")
    return min_overlap, positive_score


def _read_blacklist(path: Path | None, genome: SequenceStore, aliases: Mapping[str, str | None]) -> dict[str, Any]:
    if path is None:
        nothing = empty_regions().assign(contig=categorical(np.empty(0, np.int8), genome.names))
        return {"regions": nothing, "counts": None}
    found = read_on_genome(path, genome, aliases)
    counts = {"file": path.name, "read": found.read, "dropped": found.dropped, "clipped": found.clipped}
    return {"regions": found.regions, "counts": counts}


def _write_target_table(path: Path, found: TargetPeaks, kept: np.ndarray, labels: Labels) -> None:
    table = pd.DataFrame({"target": found.targets, "peaks": found.read, "kept": kept})
    for number, split in enumerate(SPLITS):
        table[f"positives_{split}"] = labels.positives[number]
    table["ignored"] = labels.ignored.sum(axis=0)
    table = pd.concat([table, found.metadata.reset_index(drop=True)], axis=1)
    # Written by hand: no field holds a tab or a line end, and a quote in a name stays as it is.
    lines = ["\t".join(map(str, row)) for row in [tuple(table.columns), *table.itertuples(index=False)]]
    with atomic(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _without_positives(targets: list[str], labels: Labels) -> dict[str, list[str]]:
    return {
        split: [target for target, number in zip(targets, labels.positives[row], strict=True) if number == 0]
        for row, split in enumerate(SPLITS)
    }


def _prevalence(labels: Labels) -> dict[str, dict[str, float | None]]:
    """Positive share of the bins that are not ignored: median, least and most over targets; None where all are."""
    summary: dict[str, dict[str, float | None]] = {}
    for row, split in enumerate(SPLITS):
        defined = labels.known[row] > 0
        share = labels.positives[row][defined] / labels.known[row][defined]
        median, least, most = (
            (float(number) for number in np.quantile(share, (0.5, 0, 1))) if len(share) else [None] * 3
        )
        summary[split] = {"median": median, "least": least, "most": most}
    return summary


def _tell(summary: Mapping[str, Any]) -> None:
    bins, peaks = summary["bins"], summary["peaks"]
    dropped = _some_counts(bins["dropped"])
    splits = _some_counts(bins["by_split"])
    status(f"{bins['kept']:,} bins kept ({splits}) of {bins['made']:,}; dropped: {dropped or 'none'}")
    lost: dict[str, int] = {"without_bin": sum(peaks["without_bin"].values())}
    for file in summary["files"]:
        for reason, number in file["dropped"].items():
            lost[reason] = lost.get(reason, 0) + number
    clipped = sum(file["clipped"] for file in summary["files"])
    status(
        f"{peaks['kept']:,} peaks of {peaks['read']:,} mark a bin; others: {_some_counts(lost) or 'none'}"
        + (f"; {clipped:,} clipped to their contig's end" if clipped else "")
    )
    for split in ("train", "test"):
        without = summary["targets_without_positives"][split]
        if without:
            status(f"{len(without)} of {summary['targets']} targets have no positive bin in {split}: {some(without)}")


def _some_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.items() if number)
