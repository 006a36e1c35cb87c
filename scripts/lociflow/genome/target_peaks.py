"""The peaks of all targets of a data set, from many files, on the genome's own contig names."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.genome.contig_names import resolve_contigs, some
from lociflow.genome.regions import VALUES, categorical, read_region_file
from lociflow.genome.sample_sheet import read_sample_sheet
from lociflow.genome.split_data import NO_SPLIT, SPLITS, as_split
from lociflow.sequence.store import SequenceStore

# What the table of targets says itself.
OWN_COLUMNS = ("kept", "positives_train", "positives_validation", "positives_test", "ignored")

# What the tables of predictions have beside a column for each target.
PREDICTION_KEYS = ("bin", "split")


class PeakFile(NamedTuple):
    """A file of peaks, and the side of the published split on which it puts their bins."""

    file: str
    split: str | None


class TargetFile(NamedTuple):
    """The files of one target, the number of peaks that they should hold, None if unknown, and what else is known."""

    target: str
    parts: tuple[PeakFile, ...]
    peaks: int | None
    metadata: dict[str, str]


class RegionFile(NamedTuple):
    """Regions of one file that are on the genome, and the numbers that go into the counts."""

    regions: pd.DataFrame
    read: int
    dropped: dict[str, int]
    clipped: int


class TargetPeaks(NamedTuple):
    """Peaks of all targets.

    ``peaks`` has ``contig`` (categorical in the store's order), ``start``, ``end``, ``strand`` (categorical),
    ``score``, ``signal_value``, ``p_value``, ``q_value``, ``summit`` and ``target`` (categorical in the order of
    ``targets``), as :func:`lociflow.genome.regions.read_regions` gives them, and where a file has a published split
    ``published`` (categorical over train, validation and test); ``read`` is the number of peaks of each
    target before any was dropped; ``files`` has an entry for each file with the numbers read, dropped by reason, and
    clipped.
    """

    targets: list[str]
    peaks: pd.DataFrame
    read: list[int]
    files: list[dict[str, Any]]
    metadata: pd.DataFrame


def read_target_peaks(
    targets: Mapping[str, Any],
    sources: Path,
    sheet: Path | None,
    store: SequenceStore,
    aliases: Mapping[str, str | None],
    allow_empty: bool,
) -> TargetPeaks:
    """Read the peaks of every target that the configuration names.

    Parameters
    ----------
    targets
        One of ``{"sheet": true}``, ``{"files": {target: file, …}}``, ``{"named": file}`` (a BED file whose name column
        is the target; ``"names"`` chooses and orders them, otherwise they are sorted). Files lie in ``sources``. Of
        ``files`` a target may also have a list of ``{"file": file, "split": side}``, the sides of a published split.
        With ``files`` a sheet may be given for what else is known of the targets; the order is then the sheet's.
    sources
        Folder.
    sheet
        Sample sheet (:mod:`lociflow.genome.sample_sheet`); the column ``peaks``, where there is one, is the number of
        peaks that the file must hold.
    store
        The genome.
    aliases
        As :func:`lociflow.genome.contig_names.read_aliases` returns.
    allow_empty
        Whether a target without peaks is kept instead of refused.

    Raises
    ------
    UserError
        A file is missing, bad or empty, the sheet is bad, or the peaks are not on this genome.
    """
    kinds = [kind for kind in ("sheet", "files", "named") if targets.get(kind)]
    unknown = set(targets) - {"sheet", "files", "named", "names"}
    if len(kinds) != 1 or unknown or ("names" in targets and kinds != ["named"]):
        raise UserError(
            f"targets: found the keys {', '.join(targets)}, expected one of sheet, files, named (with names)"
        )
    if kinds == ["named"]:
        return _named(Path(sources, targets["named"]), targets.get("names"), store, aliases, allow_empty)
    listed = _target_files(targets, sheet)
    _check_names([row.target for row in listed], "targets" if sheet is None else str(sheet))
    return _listed(listed, sources, store, aliases, allow_empty)


def _target_files(targets: Mapping[str, Any], sheet: Path | None) -> list[TargetFile]:
    files = {str(target): _parts(found) for target, found in targets["files"].items()} if targets.get("files") else None
    if sheet is None:
        if files is None:
            raise UserError("--sheet: found none, expected the sample sheet that targets: {sheet: …} asks for")
        return [TargetFile(target, parts, None, {}) for target, parts in files.items()]
    rows = read_sample_sheet(sheet)
    if files is None:
        files = {row.target: _parts(row.source["file"]) for row in rows}
    odd = sorted({row.target for row in rows} ^ set(files))
    if odd:
        raise UserError(f"{sheet}: found other targets than in targets.files ({some(odd)}), expected the same ones")
    reserved = [column for column in rows[0].metadata if column in OWN_COLUMNS]
    if reserved:
        raise UserError(f"{sheet}: found the column {reserved[0]!r}, which is reserved; rename it")
    listed = []
    for row in rows:
        if not all(part.file for part in files[row.target]):
            raise UserError(f"{sheet}: target {row.target}: found no file, expected its place in --sources")
        metadata = dict(row.metadata)
        peaks = metadata.pop("peaks", "")
        if peaks and not peaks.isdecimal():
            raise UserError(
                f"{sheet}: target {row.target}: found peaks {peaks!r}, expected a whole number or nothing; rename the "
                "column if it means something else"
            )
        listed.append(TargetFile(row.target, files[row.target], int(peaks) if peaks else None, metadata))
    return listed


def _parts(found: str | Sequence[Mapping[str, str]]) -> tuple[PeakFile, ...]:
    if isinstance(found, str):
        return (PeakFile(found, None),)
    return tuple(PeakFile(part["file"], part.get("split")) for part in found)


def read_on_genome(
    path: Path,
    store: SequenceStore,
    aliases: Mapping[str, str | None],
    of_a_whole_genome: bool = False,
    known: str | None = None,
) -> RegionFile:
    """Read regions and bring them onto the genome.

    Regions of zero length (``zero_length``), pairs that are no fragment (``no_mate``, ``mates_on_two_contigs``; only in
    BEDPE, see :func:`lociflow.genome.regions.read_region_file`) and those on contigs that the aliases leave out
    (``excluded_contig``) are dropped and counted, and so are those that begin beyond their contig's end
    (``beyond_end``), which is told: the audit says whether there are so many that the file must be of another
    assembly. An end beyond its contig's is clipped to it and counted.

    Parameters
    ----------
    path
        The file.
    store, aliases
        The genome, and other names of its contigs.
    of_a_whole_genome
        Whether the file may speak of contigs that the genome lacks, as blacklists do: they are left out and counted
        (``excluded_contig``) as long as the file has one contig of the genome.
    known
        The file's format, as in :func:`lociflow.genome.regions.read_region_file`.

    Raises
    ------
    UserError
        The file is bad, or a contig is unknown.
    """
    file = read_region_file(path, known)
    found = file.regions
    length = (found["end"] - found["start"]).to_numpy()
    if of_a_whole_genome:
        names = [str(name) for name in found["contig"].cat.categories]
        lacked = [name for name in names if name not in aliases and name not in store.names]
        if len(lacked) < len(names):
            aliases = {**aliases, **dict.fromkeys(lacked)}
    resolved = resolve_contigs(found[length > 0].reset_index(drop=True), store.names, aliases, path)
    regions = resolved.regions
    ends = store.lengths[regions["contig"].cat.codes.to_numpy()]
    beyond = regions["start"].to_numpy() >= ends
    if beyond.any():
        first = regions[beyond].iloc[0]
        status(
            f"{path}: {int(beyond.sum()):,} of {len(found):,} regions begin beyond their contig's end and are left "
            f"out, the first {first['contig']}:{first['start']}-{first['end']}, where {store.name} has "
            f"{ends[beyond][0]:,} bases; is the file from another assembly?"
        )
        regions, ends = regions[~beyond].reset_index(drop=True), ends[~beyond]
    over = regions["end"].to_numpy() > ends
    regions = regions.assign(end=np.minimum(regions["end"], ends), summit=np.minimum(regions["summit"], ends - 1))
    dropped = {
        **file.dropped,
        "zero_length": int((length == 0).sum()),
        "excluded_contig": resolved.excluded,
        "beyond_end": int(beyond.sum()),
    }
    return RegionFile(regions, len(found) + sum(file.dropped.values()), dropped, int(over.sum()))


def _listed(
    rows: Sequence[TargetFile],
    sources: Path,
    store: SequenceStore,
    aliases: Mapping[str, str | None],
    allow_empty: bool,
) -> TargetPeaks:
    paths = [Path(sources, part.file) for row in rows for part in row.parts]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise UserError(f"peak files: {len(missing)} of {len(paths)} are missing: {some(missing)}; fetch them first")
    targets = [row.target for row in rows]
    tables, files, sides = [], [], []
    for number, row in enumerate(rows):
        for part in row.parts:
            path = Path(sources, part.file)
            found = read_on_genome(path, store, aliases)
            if row.peaks is not None and found.read != row.peaks:
                raise UserError(
                    f"{path}: found {found.read} peaks, expected {row.peaks} for {row.target} by the sample sheet; "
                    "fetch the file again or correct the sheet"
                )
            if found.regions.empty and not allow_empty:
                raise UserError(_empty(path, row.target, found))
            codes = np.full(len(found.regions), number, dtype=np.int32)
            tables.append(_with_target(found.regions, codes, targets))
            files.append(_counts(path, row.target, found))
            sides.append(np.full(len(codes), SPLITS.index(part.split) if part.split else NO_SPLIT, dtype=np.int8))
    peaks = pd.concat(tables, ignore_index=True)
    side = np.concatenate(sides)
    if (side != NO_SPLIT).any():
        peaks = peaks.assign(published=as_split(side))
    read = [sum(file["read"] for file in files if file["target"] == target) for target in targets]
    metadata = pd.DataFrame([row.metadata for row in rows], index=range(len(rows)))
    return TargetPeaks(targets, peaks, read, files, metadata)


def _named(
    path: Path, names: Sequence[str] | None, store: SequenceStore, aliases: Mapping[str, str | None], allow_empty: bool
) -> TargetPeaks:
    found = read_on_genome(path, store, aliases)
    if found.regions.empty and (names is None or not allow_empty):
        raise UserError(_empty(path, "any target", found))
    regions = found.regions
    if len(regions) and (regions["name"] == ".").all():
        raise UserError(
            f"{path}: found no names, expected each region's target in column 4; add the column, or give each target "
            "its own file"
        )
    targets = sorted(set(regions["name"])) if names is None else [str(name) for name in names]
    _check_names(targets, str(path))
    codes = pd.Index(targets).get_indexer(pd.Index(regions["name"])).astype(np.int32)
    chosen = codes >= 0
    read = np.bincount(codes[chosen], minlength=len(targets))
    if not allow_empty and (read == 0).any():
        target = targets[int(np.argmin(read))]
        raise UserError(
            f"{path}: found no peak named {target}, expected some; correct targets.names, or set "
            "labels.allow_empty_targets to keep a target without peaks"
        )
    counts = _counts(path, None, found)
    counts["dropped"]["other_name"] = int((~chosen).sum())
    peaks = _with_target(regions[chosen].reset_index(drop=True), codes[chosen], targets)
    return TargetPeaks(
        targets, peaks, [int(number) for number in read], [counts], pd.DataFrame(index=range(len(targets)))
    )


def _with_target(regions: pd.DataFrame, codes: np.ndarray, targets: Sequence[str]) -> pd.DataFrame:
    columns = regions[["contig", "start", "end", "strand", *VALUES, "summit"]]
    return columns.assign(target=categorical(codes, targets))


def _counts(path: Path, target: str | None, found: RegionFile) -> dict[str, Any]:
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "target": target,
        "read": found.read,
        "dropped": dict(found.dropped),
        "clipped": found.clipped,
    }


def _empty(path: Path, target: str, found: RegionFile) -> str:
    dropped = ", ".join(f"{number} {reason}" for reason, number in found.dropped.items() if number)
    why = f"{found.read} peaks of which none is left (dropped: {dropped})" if dropped else "no peak"
    return (
        f"{path}: found {why} for {target}, expected some; remove the target, or set labels.allow_empty_targets to "
        "keep it without positives"
    )


def _check_names(targets: Sequence[str], where: str) -> None:
    seen: dict[str, str] = {}
    if not targets:
        raise UserError(f"{where}: found no target, expected at least one")
    for target in targets:
        if not target.strip() or any(character in target for character in "\t\r\n"):
            raise UserError(f"{where}: found the target name {target!r}, expected one without tabs and line ends")
        if target in PREDICTION_KEYS:
            raise UserError(f"{where}: found the target name {target!r}, which is reserved; rename it")
        # Motifs and the groups of their file are named by it.
        plain = "_".join(target.replace("/", "_").split())
        if seen.get(plain) == target:
            raise UserError(f"{where}: found the target {target} twice, expected each name once; rename one of them")
        if plain in seen:
            raise UserError(
                f"{where}: found the targets {seen[plain]!r} and {target!r}, expected names that differ by more than "
                "white space and /, which become _ in the names of motifs; rename one of them"
            )
        seen[plain] = target
