"""Whether a data set's steps will take the files that are here: their own readers look at the first lines of each."""

import functools
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary
from lociflow.evaluation.other_tool import read_table
from lociflow.genome.annotation import read_annotation
from lociflow.genome.annotation_features import annotation_regions
from lociflow.genome.contig_names import resolve_contigs, some
from lociflow.genome.region_labels import KEYS as LABEL_KEYS
from lociflow.genome.region_labels import label_rule, region_labels
from lociflow.genome.regions import read_region_file
from lociflow.genome.sequence_labels import target_columns
from lociflow.genome.settings import check_keys, partial
from lociflow.genome.signal import open_track, track_format
from lociflow.genome.signal_config import control_entries, file_entries, normalisation, track_settings, value_rule
from lociflow.genome.signal_track import TrackSettings
from lociflow.genome.split_schemes import split_schemes
from lociflow.genome.target_peaks import read_on_genome
from lociflow.genome.variants import check_reference
from lociflow.preflight.finding import ERROR, OK, WARN, Finding
from lociflow.preflight.heads import LINES, Head, head_of
from lociflow.preflight.stand_in import Contigs, stand_in
from lociflow.sequence.fasta import read_fasta
from lociflow.sequence.labelled import read_labelled
from lociflow.sources import sources_in

# Files of named regions up to this many bytes are read whole: the names of the targets may stand anywhere.
WHOLE = 1 << 24
# Letters of labelled sequences that are looked at.
LETTERS = 1 << 20

Check = Callable[[Path, Path], None]
"""From a file and an empty folder; raises UserError where the file's step would."""


def check_settings(config: Mapping[str, Any]) -> list[Finding]:
    """Bind the settings of a data set's ``windows`` and ``split``, as its step does before it reads anything.

    Parameters
    ----------
    config
        The data set.

    Returns
    -------
    list
        An error for each part that names an unknown function or setting.
    """

    def windows() -> None:
        partial(config["windows"], "windows", unless=("length",))

    def splits() -> None:
        for settings in split_schemes(config).values():
            if "clean_of" not in settings:
                partial(settings, "split")

    findings = []
    for check in (windows, splits):
        try:
            check()
        except UserError as error:
            findings.append(Finding(f"dataset {config['name']}", ERROR, str(error)))
    return findings


def check_dataset_files(
    config: Mapping[str, Any], here: Mapping[str, Path], aliases: Mapping[str, str | None]
) -> list[Finding]:
    """Look into the files of a data set that are on this machine.

    The readers of the steps themselves read the first lines of each. What the rest of a file may still set right is no
    error: a contig that the genome's visible part lacks, a blacklist whose first lines are all on another contig.

    Parameters
    ----------
    config
        The data set, its sources filled in (:func:`lociflow.sources.dataset_files`).
    here
        Path of each source that is here.
    aliases
        Other names of the genome's contigs.

    Returns
    -------
    list
        An error for each file that its step would refuse, and for settings that do not fit; else one finding that says
        how much was seen.
    """
    what = f"dataset {config['name']}"
    if config.get("simulation"):
        return [Finding(what, OK, "simulated: no file to look into")]
    findings: list[Finding] = []
    try:
        checks = list(_checks(config, contigs_of(config, here), aliases))
    except UserError as error:
        return [Finding(what, ERROR, str(error))]
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        for number, (file, check) in enumerate(checks):
            if file not in here:
                continue
            seen.add(file)
            told = _told(check, here[file], Path(folder, str(number)))
            # What is wrong with the settings is the same for every file.
            if told and told not in {finding.told for finding in findings}:
                findings.append(Finding(f"file {file}", ERROR, told))
    total = len({source["file"] for source in sources_in(config)})
    verdict = OK if not findings else WARN
    return [*findings, Finding(what, verdict, f"{len(seen)} of {total} files are here and looked into")]


def _told(check: Check, path: Path, folder: Path) -> str | None:
    folder.mkdir()
    try:
        check(path, folder)
    except UserError as error:
        return str(error).replace(str(folder / path.name), str(path))
    except (OSError, *GZIP_ERRORS) as error:
        return f"{path}: cannot be read ({error}); fetch it again"
    return None


def _checks(
    config: Mapping[str, Any], contigs: Contigs, aliases: Mapping[str, str | None]
) -> Iterator[tuple[str, Check]]:
    """Yield what to do with each file, after what is wrong with the settings themselves was raised."""
    targets, labels = config["targets"], dict(config.get("labels") or {})
    for file in _files(list((config.get("predictions") or {}).values())):
        yield file, lambda path, folder: check_scores(path, folder)
    if "columns" in targets:
        columns = target_columns(targets)
        sequences = config["sequences"]
        for kind in ("fasta", "table"):
            for entry in sequences.get(kind) or []:
                yield (
                    entry["file"],
                    functools.partial(check_sequences, sequences=sequences, kind=kind, entry=entry, columns=columns),
                )
        return
    for file in _files((config.get("genome") or {}).get("source")):
        yield file, lambda path, folder: check_fasta(path, folder)
    for file in _files(config.get("genes")):
        starts = {"features": {"start": {"kind": "tss"}}}
        yield file, functools.partial(check_annotation, annotation=starts, contigs=contigs, aliases=aliases)
    if "signal" in targets:
        yield from _signal_checks(targets["signal"], labels, contigs, aliases)
    else:
        yield from _region_checks(targets, labels, contigs, aliases)
    for file in _files(config.get("blacklist")):
        yield file, lambda path, folder: check_regions(path, folder, contigs, aliases, of_a_whole_genome=True)
    for file in _files(config.get("variants")):
        yield file, lambda path, folder: check_variants(path, folder, contigs, aliases)


def _region_checks(
    targets: Mapping[str, Any], labels: Mapping[str, Any], contigs: Contigs, aliases: Mapping[str, str | None]
) -> Iterator[tuple[str, Check]]:
    check_keys(labels, LABEL_KEYS, "labels")
    label_rule(labels)
    if "annotation" in targets:
        annotation = targets["annotation"]
        for file in _files(annotation):
            yield file, functools.partial(check_annotation, annotation=annotation, contigs=contigs, aliases=aliases)
    elif "named" in targets:
        asked = {key: targets[key] for key in ("named", "names") if targets.get(key)}
        for file in _files(targets["named"]):
            yield file, functools.partial(check_targets, asked=asked, labels=labels, contigs=contigs, aliases=aliases)
    else:
        for target, found in targets["files"].items():
            asked = {"files": {target: found}}
            for file in _files(found):
                check = functools.partial(check_targets, asked=asked, labels=labels, contigs=contigs, aliases=aliases)
                yield file, check


def _signal_checks(
    signal: Mapping[str, Any], labels: Mapping[str, Any], contigs: Contigs, aliases: Mapping[str, str | None]
) -> Iterator[tuple[str, Check]]:
    check_keys(labels, ("kind", "allow_empty_targets"), "labels")
    value_rule(signal, labels, normalisation(signal))
    # The first lines of a track are on one contig.
    settings = track_settings(signal)._replace(missing_contigs="zero")
    tracks = file_entries(signal.get("tracks"), "targets.signal.tracks")
    entries = [*tracks.values(), *(control_entries(signal.get("control"), tracks) or {}).values()]
    for file, minus in dict.fromkeys((file, strand == "minus") for entry in entries for strand, file in entry.items()):
        chosen = settings._replace(magnitude=minus)
        yield file, functools.partial(check_track, settings=chosen, contigs=contigs, aliases=aliases)
    for file in _files(signal.get("anchors")):
        yield file, lambda path, folder: check_regions(path, folder, contigs, aliases)


def _files(config: Any) -> list[str]:
    return list(dict.fromkeys(source["file"] for source in sources_in(config)))


def contigs_of(config: Mapping[str, Any], here: Mapping[str, Path]) -> Contigs:
    """Return the names of the genome's contigs as far as they can be seen.

    The configuration's pinned digests name them all, and so does an index beside a FASTA file; else its first lines
    name some.
    """
    genome = config.get("genome") or {}
    if genome.get("contig_md5"):
        return Contigs([str(name) for name in genome["contig_md5"]], True)
    names: list[str] = []
    files = _files(genome.get("source"))
    complete = bool(files)
    for file in files:
        path = here.get(file)
        index = path.with_name(f"{path.name}.fai") if path else None
        if index is not None and index.is_file():
            names += [line.split("\t")[0] for line in index.read_text(encoding="utf-8").splitlines()]
        else:
            complete = False
            names += _headers(path) if path is not None else []
    return Contigs(names, complete)


def _headers(path: Path) -> list[str]:
    """Return the names in a FASTA file's first lines; none of a bad one, which is told elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            head = head_of(path, Path(folder), cut_lines=True)
            return [name for name, _ in read_fasta(head.path)] if head else []
        except UserError:
            return []


def _contigs(head: Head) -> list[str]:
    return [str(name) for name in read_region_file(head.path).regions["contig"].cat.categories]


def check_fasta(path: Path, folder: Path) -> None:
    """Raise what is wrong with the beginning of a genome's file."""
    if head := head_of(path, folder, cut_lines=True):
        for _ in read_fasta(head.path):
            pass


def check_scores(path: Path, folder: Path) -> None:
    """Raise what is wrong with the first lines of another tool's scores."""
    if head := head_of(path, folder):
        for _ in read_table(head.path):
            pass


def check_regions(
    path: Path,
    folder: Path,
    contigs: Contigs,
    aliases: Mapping[str, str | None],
    of_a_whole_genome: bool = False,
) -> None:
    """Raise what is wrong with the first regions of a file."""
    if head := head_of(path, folder):
        lenient = of_a_whole_genome and not head.whole
        store = stand_in(contigs, _contigs(head), aliases, lenient)
        read_on_genome(head.path, store, aliases, of_a_whole_genome)


def check_targets(
    path: Path,
    folder: Path,
    asked: Mapping[str, Any],
    labels: Mapping[str, Any],
    contigs: Contigs,
    aliases: Mapping[str, str | None],
) -> None:
    """Raise why the peaks at the beginning of a file cannot be labels; of a small file of named regions, of all."""
    is_small = "named" in asked and path.stat().st_size <= WHOLE
    head = Head(path, True) if is_small else head_of(path, folder)
    if head is None:
        return
    found = _contigs(head)
    if not head.whole:
        # The targets' peaks may all follow.
        if not found:
            return
        labels = {**labels, "allow_empty_targets": True}
    name = head.path.name
    here = {"files": dict.fromkeys(asked["files"], name)} if "files" in asked else {**asked, "named": name}
    store = stand_in(contigs, found, aliases)
    region_labels({"targets": here, "labels": labels}, head.path.parent, None, store, aliases)


def check_annotation(
    path: Path,
    folder: Path,
    annotation: Mapping[str, Any],
    contigs: Contigs,
    aliases: Mapping[str, str | None],
) -> None:
    """Raise what is wrong with ``targets.annotation`` or the first lines of its file.

    That they have none of the features or biotypes asked for is nothing wrong.
    """
    head = head_of(path, folder)
    if head is None:
        return
    try:
        features = read_annotation(head.path).features
    except UserError as error:
        if head.whole or str(error).startswith(f"{head.path}, line "):
            raise
        return
    found = map(str, features["contig"].cat.categories)
    store = stand_in(contigs, found, aliases, length=int(features["end"].max()))
    resolve_contigs(features, store.names, aliases, head.path)
    asked = {**annotation, "source": {"file": path.name}}
    try:
        annotation_regions(asked, head.path, store, aliases)
    except UserError as error:
        # Not where it wants bedtools, which is looked for elsewhere.
        if str(error).startswith(("targets.annotation", *([str(head.path)] if head.whole else []))):
            raise


def check_track(
    path: Path, folder: Path, settings: TrackSettings, contigs: Contigs, aliases: Mapping[str, str | None]
) -> None:
    """Raise what is wrong with the first lines of a signal track; of a bigWig or a BAM, whether it is one."""
    if track_format(path) in ("bigwig", "bam"):
        return
    if head := head_of(path, folder):
        open_track(head.path, stand_in(contigs, _contigs(head), aliases), aliases, settings)


def check_variants(path: Path, folder: Path, contigs: Contigs, aliases: Mapping[str, str | None]) -> None:
    """Raise what is wrong with the first records of a VCF, or of a FASTA file whose headers are places."""
    with open_binary(path) as handle:
        first = handle.read(3)
    if first == b"BCF":
        return
    if first.startswith(b">"):
        check_fasta(path, folder)
        return
    if head := head_of(path, folder):
        lines = head.path.read_bytes().splitlines()
        found = {line.split(b"\t")[0].decode("utf-8", "replace") for line in lines if line and line[:1] != b"#"}
        # Without a base to compare with, every record lies outside.
        check_reference(head.path, stand_in(contigs, sorted(found), aliases, not head.whole, length=0), aliases)


def check_sequences(
    path: Path,
    _: Path,
    sequences: Mapping[str, Any],
    kind: str,
    entry: Mapping[str, Any],
    columns: Mapping[str, str],
) -> None:
    """Raise what is wrong with the first labelled sequences of a file, or which column of the targets it lacks."""
    one = {**sequences, kind: [{**entry, "file": path.name}]}
    letters = 0
    for found in itertools.islice(read_labelled(one, path.parent), LINES):
        for column in columns.values():
            if column not in found.values:
                raise UserError(_no_column(column, found.values, path))
        letters += len(found.letters)
        if letters > LETTERS:
            return


def _no_column(column: str, values: Iterable[str], path: Path) -> str:
    known = [name for name in values if name not in ("name", "split", "group")]
    close = get_close_matches(column, known, n=1)
    remedy = f"did you mean {close[0]}?" if close else "correct targets.columns, or give the sequences' files a class"
    return f"{path}: has no column {column}, expected one of {some(known, 12) or 'none'} for targets.columns; {remedy}"
