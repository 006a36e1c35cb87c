"""Whether the files of a data set that are here have the columns and the names that its configuration speaks of."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lociflow.compression import GZIP_ERRORS, open_binary
from lociflow.genome.contig_names import guess_contig, some
from lociflow.preflight.finding import ERROR, OK, WARN, Finding
from lociflow.sources import sources_in

# Lines of a file that are looked at, and the longest that is taken in.
LINES = 200
LINE_BYTES = 1 << 16
# Files up to this many bytes are searched whole for the names of targets.
WHOLE = 1 << 24
HEADERS = (b"#", b"track", b"browser")
# The column in which the value stands that labels compare, counted from 1.
SCORES = {"score": 5, "signal_value": 7, "p_value": 8, "q_value": 9}
BINARY = (".bw", ".bigwig", ".bigWig", ".bam", ".bcf", ".cram")


def check_dataset_files(
    config: Mapping[str, Any], here: Mapping[str, Path], aliases: Mapping[str, str | None]
) -> list[Finding]:
    """Look into the files of a data set that are on this machine.

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
        An error for each file that its step would refuse; else one finding that says how much was seen.
    """
    if config.get("simulation"):
        return [Finding(f"dataset {config['name']}", OK, "simulated: no file to look into")]
    findings = []
    seen = 0
    contigs, all_known = contigs_of(config, here)
    for check, files in _checks(config, contigs, all_known, aliases):
        for file in files:
            if file not in here:
                continue
            seen += 1
            try:
                told = check(here[file])
            except (OSError, pa.ArrowInvalid, *GZIP_ERRORS) as error:
                told = f"{here[file]}: cannot be read ({error}); fetch it again"
            if told:
                findings.append(Finding(f"file {file}", ERROR, told))
    total = len({source["file"] for source in sources_in(config)})
    verdict = OK if not findings else WARN
    return [
        *findings,
        Finding(f"dataset {config['name']}", verdict, f"{seen} of {total} files are here and looked into"),
    ]


def _checks(
    config: Mapping[str, Any], contigs: list[str], all_known: bool, aliases: Mapping[str, str | None]
) -> Iterator[tuple[Callable[[Path], str | None], list[str]]]:
    targets = config["targets"]
    labels = config.get("labels") or {}
    column = SCORES.get(labels.get("score", "score"), 5) if labels.get("positive_score") is not None else 3
    known = set(contigs) | set(aliases) if contigs else set()

    def regions(path: Path, columns: int = 3) -> str | None:
        return check_regions(path, columns) or check_contigs(path, known, contigs, all_known)

    if "files" in targets or "named" in targets:
        names = [str(name) for name in targets.get("names") or []]
        files = _files(targets.get("files") or targets.get("named"))
        yield (lambda path: regions(path, max(column, 4 if names else 3)) or check_names(path, names)), files
    yield regions, _files(config.get("blacklist"))
    for key in ("annotation", "signal"):
        yield (lambda path: check_contigs(path, known, contigs, all_known)), _files(targets.get(key))
    yield (lambda path: check_contigs(path, known, contigs, all_known)), _files(config.get("variants"))
    sequences = config.get("sequences") or {}
    if "table" in sequences:
        yield (lambda path: check_table(path, sequences, targets.get("columns") or [])), _files(sequences["table"])
    for key in ("genome", "sequences"):
        part = (config.get(key) or {}).get("source" if key == "genome" else "fasta")
        if part:
            yield check_fasta, _files(part)


def _files(config: Any) -> list[str]:
    return [source["file"] for source in sources_in(config)]


def contigs_of(config: Mapping[str, Any], here: Mapping[str, Path]) -> tuple[list[str], bool]:
    """Return the names of the genome's contigs as far as they can be seen, and whether these are all.

    The configuration's pinned digests name them all, and so does an index beside a FASTA file; else its first lines
    name some.
    """
    genome = config.get("genome") or {}
    if genome.get("contig_md5"):
        return [str(name) for name in genome["contig_md5"]], True
    if config.get("simulation"):
        return [str(name) for name in config["simulation"]["contigs"]], True
    names: list[str] = []
    files = _files(genome.get("source"))
    whole = bool(files)
    for file in files:
        path = here.get(file)
        index = path.with_name(f"{path.name}.fai") if path else None
        if index is not None and index.is_file():
            names += [line.split("\t")[0] for line in index.read_text(encoding="utf-8").splitlines()]
        else:
            whole = False
            if path is not None:
                names += _headers(path)
    return names, whole


def _headers(path: Path) -> list[str]:
    """Return the names in a FASTA file's first lines; none of a damaged one, which is told elsewhere."""
    try:
        headers = [line[1:].split() for _, line in _lines(path) if line.startswith(b">")]
    except (OSError, *GZIP_ERRORS):
        return []
    return [words[0].decode("utf-8", "replace") for words in headers if words]


def _lines(path: Path, most: int = LINES) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the text of a file's first lines, unpacked; a longer line is cut."""
    with open_binary(path) as handle:
        start = handle.readline(LINE_BYTES).removeprefix(b"\xef\xbb\xbf")
        rest = iter(lambda: handle.readline(LINE_BYTES), b"")
        for number, line in enumerate(itertools.islice(itertools.chain([start] if start else [], rest), most), start=1):
            yield number, line.rstrip(b"\r\n")


def _rows(path: Path, most: int = LINES) -> Iterator[tuple[int, list[str]]]:
    for number, line in _lines(path, most):
        if line.strip() and not line.startswith(HEADERS):
            yield number, line.decode("utf-8", "replace").split("\t" if b"\t" in line else None)


def check_regions(path: Path, columns: int = 3) -> str | None:
    """Return what is wrong with the first lines of a file of regions, or None."""
    for number, fields in _rows(path):
        if len(fields) < columns:
            why = " for labels.positive_score" if columns > 4 else " for targets.names" if columns == 4 else ""
            found = f"{path}, line {number}: found {len(fields)} columns"
            return f"{found}, expected at least {columns}{why}; correct the file"
        if not (fields[1].isdecimal() and fields[2].isdecimal()):
            return (
                f"{path}, line {number}: found start {fields[1]!r} and end {fields[2]!r}, expected whole numbers; "
                "correct the file"
            )
    return None


def check_contigs(path: Path, known: set[str], contigs: list[str], all_known: bool) -> str | None:
    """Return which contigs of a text file's first lines the genome does not have, or None.

    Where only some of the genome's names can be seen, a file is refused only if it shares none with them.
    """
    if not known or path.name.endswith(BINARY):
        return None
    found = list(dict.fromkeys(fields[0] for _, fields in _rows(path) if len(fields) > 2))
    unknown = [name for name in found if name not in known]
    guesses = {name: guess_contig(name, contigs) for name in unknown}
    # A name that resembles none may be that of a contig further down in the FASTA file.
    if not unknown or (not all_known and (len(unknown) < len(found) or not all(guesses.values()))):
        return None
    aliases = ", ".join(f"{name}: {guess or 'null'}" for name, guess in itertools.islice(guesses.items(), 3))
    return (
        f"{path}: found contig {some(unknown)}, expected names such as {some(contigs)}; if they are the same assembly "
        f"add contig_aliases: {{{aliases}}}"
    )


def check_names(path: Path, names: list[str]) -> str | None:
    """Return which targets a small file of named regions lacks, or None."""
    if not names or path.stat().st_size > WHOLE:
        return None
    missing = set(names)
    for _, fields in _rows(path, WHOLE):
        missing.discard(fields[3] if len(fields) > 3 else "")
        if not missing:
            return None
    lacking = [name for name in names if name in missing]
    return f"{path}: found no region named {some(lacking)}, expected some for targets.names; correct targets.names"


def check_table(path: Path, sequences: Mapping[str, Any], columns: list[str]) -> str | None:
    """Return which column a table of sequences lacks, or None."""
    wanted = [
        sequences.get("sequence", "sequence"),
        *(sequences.get(key) for key in ("name", "split", "group")),
        *columns,
    ]
    layout = sequences.get("format") or {}
    if path.suffix == ".parquet":
        header = list(pq.read_schema(path).names)
    elif layout.get("columns"):
        header = [str(name) for name in layout["columns"]]
    else:
        line = next((line for _, line in _lines(path, 1)), b"").decode("utf-8", "replace")
        separator = layout.get("separator") or ("," if ".csv" in path.suffixes else "\t")
        header = next(csv.reader(io.StringIO(line), delimiter=separator), [])
    for name in wanted:
        if name is not None and name not in header:
            close = get_close_matches(str(name), header, n=1)
            hint = f"did you mean {close[0]}?" if close else "correct sequences or targets.columns"
            return f"{path}, line 1: has no column {name}, found {', '.join(header)[:200] or 'none'}; {hint}"
    return None


def check_fasta(path: Path) -> str | None:
    """Return what is wrong with the beginning of a FASTA file, or None."""
    for number, line in _lines(path):
        if line.strip() and not line.startswith(b";"):
            found = line[:30].decode("utf-8", "replace")
            return None if line.startswith(b">") else f"{path}, line {number}: found {found!r}, expected a FASTA header"
    return f"{path}: found nothing, expected FASTA; fetch it again"
