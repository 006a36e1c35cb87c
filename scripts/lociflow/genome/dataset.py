"""The windows of a data set: bins, their labels and their splits, written as files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status, write_json
from lociflow.formats import stamp
from lociflow.genome.contig_names import read_aliases, some
from lociflow.genome.intervals import require_bedtools
from lociflow.genome.label_array import digest_array, keep_rows, summarise, write_labels
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.leaks import clean_split
from lociflow.genome.placement import place_windows
from lociflow.genome.region_labels import region_labels
from lociflow.genome.regions import categorical, empty_regions
from lociflow.genome.sequence_labels import sequence_labels
from lociflow.genome.settings import check_keys, partial, takes
from lociflow.genome.signal_labels import signal_labels
from lociflow.genome.split_data import SPLITS, SplitData
from lociflow.genome.split_schemes import split_schemes
from lociflow.genome.standardise import standardise
from lociflow.genome.target_labels import TargetLabels
from lociflow.genome.target_peaks import read_on_genome
from lociflow.genome.window_table import SPLIT, digest_windows, split_names, write_windows
from lociflow.genome.windows import Bins
from lociflow.sequence.store import SequenceStore, open_store

KEYS = ("targets", "sequences", "contig_aliases", "windows", "labels", "split", "clean", "thresholds")
# Splits that the status line names; a leave-one-out has hundreds.
SPLITS_TOLD = 12


def make_windows(
    store: Path,
    config: Mapping[str, Any],
    sources: Path,
    sheet: Path | None,
    blacklist: Path | None,
    windows: Path,
    targets: Path,
    control: Path,
    target_table: Path,
    counts: Path,
    removed: Path,
) -> None:
    """Cut a genome into labelled bins, or take labelled sequences as bins, and split them.

    Parameters
    ----------
    store
        ``store.json`` of the genome or of the sequences.
    config
        ``targets``, ``windows``, ``labels``, ``split``, ``contig_aliases``, ``sequences``, ``clean`` of a data set, and
        ``thresholds`` of what is similar.
    sources
        Folder in which the files lie.
    sheet
        Sample sheet, where ``targets`` asks for one.
    blacklist
        BED file of regions that no bin may touch.
    windows
        Parquet table to write: a row a bin (see :mod:`lociflow.genome.window_table`).
    targets
        ``.npy`` to write: the labels (see :mod:`lociflow.genome.label_kinds`); memory holds a part of a contig at a
        time.
    control
        ``.npy`` to write: the control experiment's values, ``float32``; no column where there is none.
    target_table
        TSV to write: a row a target.
    counts
        JSON to write: what was kept, what was dropped and why, labels of every split, and digests.
    removed
        TSV to write: the bins that ``clean`` took out of a split, and why.

    Raises
    ------
    UserError
        The configuration, the sheet, a file or the split is bad, or bedtools is missing.
    """
    check_keys(config, KEYS, "dataset")
    if not isinstance(config.get("targets"), Mapping):
        raise UserError(
            f"targets: found {config.get('targets')!r}, expected a mapping with sheet, files, named, annotation, "
            "signal or columns"
        )
    length = int(config["windows"].get("length") or config["windows"].get("bin") or 1)
    _check_length(config["windows"])
    maker = partial(config["windows"], "windows", unless=("length",))
    schemes = {
        name: settings if "clean_of" in settings else partial(settings, "split")
        for name, settings in split_schemes(config).items()
    }
    genome = open_store(store)
    if "columns" not in config["targets"]:
        require_bedtools()
    aliases = read_aliases(config.get("contig_aliases"))
    found = read_targets(config, sources, sheet, genome, aliases)
    excluded = _read_blacklist(blacklist, genome, aliases)
    status(f"{len(found.names)} targets, {len(found.anchors):,} regions, {found.kind} labels")

    more = {"length": length} if takes(maker, "length") else {}
    bins: Bins = maker(store=genome, peaks=found.anchors, blacklist=excluded["regions"], **more)
    table = _with_defaults(bins.table, found)
    # Whole or not at all: the arrays get their names when everything else is known to be good.
    with atomic(targets) as array, atomic(control) as control_array:
        write_labels(array, table, found)
        table, cleaned = split_bins(table, array, found, genome, length, schemes, config.get("thresholds") or {})
        in_split = table[[SPLIT + name for name in schemes]].notna().any(axis=1).to_numpy()
        dropped = {**bins.dropped, "no_split": int((~in_split).sum())}
        if not in_split.all():
            table = table[in_split].reset_index(drop=True)
            keep_rows(array, in_split)
        if found.standardise:
            standardise(array, table, split_names(table), found.reverse)
        write_labels(control_array, table, found, found.control or _no_control)

        labels = np.load(array, mmap_mode="r")
        kind = label_kind(found.kind)
        digest = digest_windows(table)
        by_split = {name: _split_summary(table[SPLIT + name], labels, found) for name in schemes}
        marks = found.kept_anchors(table) if found.kept_anchors else np.zeros(0, bool)
        summary = {
            **stamp("windows"),
            "genome": {"name": genome.name, "digest": genome.digest, "contigs": len(genome.names)},
            "bins": {
                "made": bins.made, "background": bins.background, "dropped": dropped, "kept": len(table),
                "shuffled": int(table["shuffled"].sum()), "negatives": list(bins.negatives),
            },
            "blacklist": excluded["counts"],
            "regions": {**found.counts, **_kept(found, marks)},
            "targets": found.names,
            "kind": kind.name,
            "splits": by_split,
            "removed": {name: int((cleaned["from"] == name).sum()) for name in schemes} if len(cleaned) else {},
            "digests": {"windows": digest, "targets": digest_array(labels)},
        }  # fmt: skip
        about = {
            "genome": genome.name,
            "genome_digest": genome.digest,
            "windows_digest": digest,
            "split_digests": {name: digest_windows(table, name) for name in schemes},
            "labels": {
                "kind": kind.name,
                "classes": found.classes,
                "reverse": found.reverse,
                "stranded": bool(config["windows"].get("stranded")) or genome.alphabet.complement is None,
            },
        }
        write_windows(windows, table, about)
        with atomic(removed) as temporary:
            cleaned.to_csv(temporary, sep="\t", index=False)
        _write_target_table(target_table, found, marks, by_split[next(iter(schemes))]["labels"])
        write_json(counts, summary)
    tell(summary)


def _check_length(windows: Mapping[str, Any]) -> None:
    length, bin = windows.get("length"), windows.get("bin")
    if isinstance(length, int) and isinstance(bin, int) and length < bin:
        raise UserError(
            f"windows.length: found {length} with bins of {bin}, expected at least the bin, of which a model would "
            f"else not see the ends; set windows.length to {bin} or more, or lower windows.bin"
        )


def _no_control(bins: pd.DataFrame) -> np.ndarray:
    return np.empty((len(bins), 0), np.float32)


def _split_summary(split: pd.Series, labels: np.ndarray, found: TargetLabels) -> dict[str, Any]:
    sides = {part: (split == part).to_numpy() for part in SPLITS}
    return {
        "bins": {part: int(chosen.sum()) for part, chosen in sides.items()},
        "labels": {
            part: summarise(labels, label_kind(found.kind), found.classes, chosen) for part, chosen in sides.items()
        },
    }


def read_targets(
    config: Mapping[str, Any],
    sources: Path,
    sheet: Path | None,
    genome: SequenceStore,
    aliases: Mapping[str, str | None],
) -> TargetLabels:
    """Read what a data set's targets come from: regions, signal tracks, or columns beside sequences."""
    targets, labels = config["targets"], dict(config.get("labels") or {})
    if "signal" in targets:
        return signal_labels(targets["signal"], labels, sources, genome, aliases)
    if "columns" in targets:
        return sequence_labels(config, sources, genome)
    return region_labels(config, sources, sheet, genome, aliases)


def split_bins(
    table: pd.DataFrame,
    targets: Path,
    found: TargetLabels,
    genome: SequenceStore,
    length: int,
    schemes: Mapping[str, Callable[..., pd.Categorical] | Mapping[str, str]],
    thresholds: Mapping[str, float],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every bin its side in every split.

    Returns
    -------
    windows : pandas.DataFrame
        The bins with a column for each split.
    removed : pandas.DataFrame
        The bins that a leak-free split leaves out: where they lie, their side, the reason, and what they repeat.
    """
    labels = np.load(targets, mmap_mode="r")
    sequence = table["contig"].cat.codes.to_numpy()
    if found.published is not None:
        table = table.assign(published=pd.Categorical(found.published)[sequence])
    elif "published" not in table:
        table = table.assign(published=categorical(np.full(len(table), -1, np.int8), SPLITS))
    data = SplitData(table, labels, found.kind, genome, place_windows(table, genome), length)
    removed = []
    for name, scheme in schemes.items():
        if isinstance(scheme, Mapping):
            origin = scheme["clean_of"]
            cleaned = clean_split(
                data,
                pd.Categorical(table[SPLIT + origin]),
                identity=thresholds.get("identity", 0.8),
                coverage=thresholds.get("coverage", 0.5),
            )
            table = table.assign(**{SPLIT + name: cleaned.split})
            removed.append(_describe(cleaned.removed, table, name))
            status(f"split {name}: {len(cleaned.removed):,} bins of {origin} left out")
        else:
            table = table.assign(**{SPLIT + name: scheme(data)})
    columns = ["from", "split", "contig", "start", "end", "reason", "of"]
    return table, pd.concat(removed, ignore_index=True) if removed else pd.DataFrame(columns=columns)


def _describe(removed: pd.DataFrame, table: pd.DataFrame, name: str) -> pd.DataFrame:
    rows, others = table.iloc[removed["row"].to_numpy()], removed["of_row"].to_numpy()
    twin = table.iloc[np.maximum(others, 0)]
    places = twin["contig"].astype(str) + ":" + twin["start"].astype(str) + "-" + twin["end"].astype(str)
    return pd.DataFrame(
        {
            "from": name,
            "split": removed["split"].astype(str).to_numpy(),
            "contig": rows["contig"].astype(str).to_numpy(),
            "start": rows["start"].to_numpy(),
            "end": rows["end"].to_numpy(),
            "reason": removed["reason"].astype(str).to_numpy(),
            "of": np.where(others >= 0, places.to_numpy(), ""),
        }
    )


def _with_defaults(bins: pd.DataFrame, found: TargetLabels) -> pd.DataFrame:
    if "shuffled" not in bins:
        bins = bins.assign(shuffled=False)
    if "shuffle_seed" not in bins:
        bins = bins.assign(shuffle_seed=np.int64(0))
    if found.group is not None:
        return bins.assign(group=pd.Categorical(found.group)[bins["contig"].cat.codes.to_numpy()])
    return bins if "group" in bins else bins.assign(group=categorical(np.full(len(bins), -1, np.int8), []))


def _kept(found: TargetLabels, marks: np.ndarray) -> dict[str, Any]:
    if found.kept_anchors is None:
        return {}
    target = found.anchors["target"].cat
    lost = np.bincount(target.codes.to_numpy()[~marks], minlength=len(target.categories))
    names = [str(name) for name in target.categories]
    return {"kept": int(marks.sum()), "without_bin": dict(zip(names, lost.tolist(), strict=True))}


def _read_blacklist(path: Path | None, genome: SequenceStore, aliases: Mapping[str, str | None]) -> dict[str, Any]:
    if path is None:
        nothing = empty_regions().assign(contig=categorical(np.empty(0, np.int8), genome.names))
        return {"regions": nothing, "counts": None}
    found = read_on_genome(path, genome, aliases, of_a_whole_genome=True)
    counts = {"file": path.name, "read": found.read, "dropped": found.dropped, "clipped": found.clipped}
    return {"regions": found.regions, "counts": counts}


def _write_target_table(
    path: Path, found: TargetLabels, marks: np.ndarray, labels: Mapping[str, Mapping[str, Any]]
) -> None:
    table = pd.DataFrame({"target": found.names})
    if found.kind == "binary" and found.kept_anchors is not None:
        target = found.anchors["target"].astype(str).to_numpy()
        table["peaks"] = [found.counts["read"][name] for name in found.names]
        table["kept"] = [int(marks[target == name].sum()) for name in found.names]
    for part in SPLITS:
        key = "positives" if found.kind == "binary" else "known"
        table[f"{key}_{part}"] = labels[part][key]
    table["ignored"] = np.sum([labels[part]["missing"] for part in SPLITS], axis=0)
    table = pd.concat([table, found.metadata.reset_index(drop=True)], axis=1)
    # Written by hand: no field holds a tab or a line end, and a quote in a name stays as it is.
    lines = ["\t".join(map(str, row)) for row in [tuple(table.columns), *table.itertuples(index=False)]]
    with atomic(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def tell(summary: Mapping[str, Any]) -> None:
    """Say in a few lines what was kept and what was dropped."""
    bins, regions = summary["bins"], summary["regions"]
    dropped = _some_counts(bins["dropped"])
    told = list(summary["splits"].items())[:SPLITS_TOLD]
    splits = "; ".join(
        (f"{name}: " if len(summary["splits"]) > 1 else "") + _some_counts(found["bins"]) for name, found in told
    )
    if more := len(summary["splits"]) - len(told):
        splits += f"; and {more} more splits"
    status(f"{bins['kept']:,} bins kept ({splits}) of {bins['made']:,}; dropped: {dropped or 'none'}")
    if "kept" in regions:
        lost: dict[str, int] = {"without_bin": sum(regions["without_bin"].values())}
        for file in regions["files"]:
            for reason, number in file["dropped"].items():
                lost[reason] = lost.get(reason, 0) + number
        clipped = sum(file["clipped"] for file in regions["files"])
        status(
            f"{regions['kept']:,} peaks of {sum(regions['read'].values()):,} mark a bin; others: "
            f"{_some_counts(lost) or 'none'}" + (f"; {clipped:,} clipped to their contig's end" if clipped else "")
        )
    for name, found in told:
        for part in ("train", "test"):
            positives = found["labels"][part].get("positives", [])
            without = [target for target, number in zip(summary["targets"], positives, strict=False) if number == 0]
            if without:
                where = part if len(summary["splits"]) == 1 else f"{part} of {name}"
                status(
                    f"{len(without)} of {len(summary['targets'])} targets have no positive bin in {where}: "
                    f"{some(without)}"
                )


def _some_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.items() if number)
