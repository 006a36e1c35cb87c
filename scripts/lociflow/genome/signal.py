"""Signal tracks over a genome (bigWig, bedGraph, BAM, fragments) behind one way of reading values.

Coordinates are 0-based and half-open. A track is opened once, held against the genome's contigs, and then read piece by
piece; a bigWig stays on disk, the other formats are held in memory as runs of equal value.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, first_bytes, open_binary
from lociflow.file_digest import sha256_of
from lociflow.genome.region_formats import NUMBER, layout_of
from lociflow.genome.signal_bigwig import open_bigwig
from lociflow.genome.signal_reads import Steps, pile_up, read_bam, read_fragments, read_steps, steps_of
from lociflow.genome.signal_track import (
    Reader,
    SignalTrack,
    TrackSettings,
    check_finite,
    check_lengths,
    match_contigs,
    use_signs,
)
from lociflow.genome.target_peaks import RegionFile, read_on_genome
from lociflow.sequence.store import SequenceStore

BIGWIG_MAGIC = (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")
# Characters of a text that tell its format.
HEAD = 1 << 16
BIGBED_MAGIC = (b"\xeb\xf2\x89\x87", b"\x87\x89\xf2\xeb")


def open_track(
    path: Path, store: SequenceStore, aliases: Mapping[str, str | None], settings: TrackSettings | None = None
) -> SignalTrack:
    """Open a signal track; its format is told as :func:`track_format` does.

    Everything is read once here: what a track lacks, breaks or sums up to is known before any label is made.

    Parameters
    ----------
    path
        bigWig, bedGraph, BAM (no index needed), or fragments (BED3 and more, BEDPE); text may be gzip.
    store
        The genome.
    aliases
        As :func:`lociflow.genome.contig_names.read_aliases` returns.
    settings
        Defaults where None.

    Raises
    ------
    UserError
        The file is missing, broken or of another format; a contig is unknown, of another length or digest than the
        genome's, or missing; intervals of a bedGraph overlap; values of a minus strand lie on both sides of zero.
    """
    settings = settings or TrackSettings()
    path = Path(path)
    kind = track_format(path)
    track = _OPENERS[kind](path, store, aliases, settings)
    track.counts.update(file=path.name, sha256=sha256_of(path), format=kind, total=track.total)
    return track


def track_format(path: Path) -> str:
    """Tell a track's format: ``bigwig``, ``bam``, ``bedgraph`` or ``fragments``.

    A text is a bedGraph by its suffix, its ``track`` line, or because it has four columns of which the fourth is a
    number in every line of its first 64 kB; with names there it is fragments.

    Raises
    ------
    UserError
        The file cannot be read, is a CRAM, bigBed or a file of peaks, or has both numbers and names in column 4.
    """
    try:
        with path.open("rb") as raw:
            magic = raw.read(4)
        # Told by its beginning alone: that its end is missing is for its own reader to say.
        if first_bytes(path, 4) == b"BAM\x01":
            return "bam"
        with open_binary(path) as handle:
            head = handle.read(HEAD)
    except GZIP_ERRORS as error:
        raise UserError(f"{path}: a broken gzip file ({error}); fetch it again") from None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); expected a bigWig, bedGraph, BAM or fragment file"
        ) from None
    if magic in BIGWIG_MAGIC:
        return "bigwig"
    if magic == b"CRAM" or magic in BIGBED_MAGIC:
        name = "CRAM" if magic == b"CRAM" else "bigBed"
        remedy = "convert it with samtools view -b" if name == "CRAM" else "convert it with bigBedToBed"
        raise UserError(f"{path}: found a {name}, expected a bigWig, bedGraph, BAM or fragment file; {remedy}")
    lines = [line for line in head.splitlines() if line.strip() and not line.startswith(b"#")]
    tracks = [line + b"\n" for line in lines if line.startswith((b"track", b"browser"))]
    regions = [line.split(b"\t" if b"\t" in line else None) for line in lines[len(tracks) : len(tracks) + 1]]
    said = layout_of(path, b"".join(tracks), (regions or [[b"", b"0", b"0"]])[0]).format
    if said in ("narrowPeak", "broadPeak"):
        raise UserError(
            f"{path}: found a {said}, expected a bigWig, bedGraph, BAM or fragment file; give peaks as targets.files"
        )
    if said == "bedGraph" or (said == "BED" and _has_values(path, lines[len(tracks) :], len(head) == HEAD)):
        return "bedgraph"
    return "fragments"


def _has_values(path: Path, lines: Sequence[bytes], is_cut: bool) -> bool:
    # The last line of a longer file may have lost its end.
    whole = lines[:-1] if is_cut and len(lines) > 1 else lines
    fields = [line.split(b"\t" if b"\t" in line else None) for line in whole]
    if not fields or any(len(columns) != 4 for columns in fields):
        return False
    numbers = [NUMBER.fullmatch(columns[3].strip()) is not None for columns in fields]
    if any(numbers) and not all(numbers):
        other = fields[numbers.index(False)][3].decode(errors="backslashreplace")
        raise UserError(
            f"{path}: found both numbers and {other!r} in column 4, expected the values of a bedGraph or the names of "
            "fragments; name a bedGraph NAME.bedGraph and leave out lines without a value, or keep columns 1 to 3 of "
            "fragments"
        )
    return all(numbers)


def _read(path: Path, store: SequenceStore, aliases: Mapping[str, str | None], known: str | None = None) -> RegionFile:
    found = read_on_genome(path, store, aliases, known=known)
    # Where peaks would be left out and judged by the audit, a track has lost what it says of the genome.
    if beyond := found.dropped["beyond_end"]:
        raise UserError(
            f"{path}: found {beyond} intervals that begin beyond their contig's end in {store.name}, expected none; is "
            "the file from another assembly?"
        )
    return found


def _open_bed_graph(
    path: Path, store: SequenceStore, aliases: Mapping[str, str | None], settings: TrackSettings
) -> SignalTrack:
    found = _read(path, store, aliases, "bedGraph")
    values = found.regions["score"].to_numpy(np.float64)
    check_finite(path, "a contig", values[~np.isnan(values)])
    if np.isnan(values).any():
        row = found.regions[np.isnan(values)].iloc[0]
        raise UserError(
            f"{path}: found no value for {row['contig']}:{row['start']}-{row['end']}, expected a number in column 4; "
            "leave out intervals without a value"
        )
    contig = found.regions["contig"].cat.codes.to_numpy(np.int64)
    missing = _absent(path, contig, store, settings.missing_contigs)
    start, end = found.regions["start"].to_numpy(np.int64), found.regions["end"].to_numpy(np.int64)
    negative = int((values < 0).sum())
    total, least = use_signs(
        path,
        float((values * (end - start)).sum()),
        float(values.min(initial=np.inf)),
        float(values.max(initial=-np.inf)),
        negative,
        settings.magnitude,
    )
    steps = steps_of(contig, start, end, np.abs(values) if settings.magnitude else values, store.lengths)
    overlap = np.flatnonzero(steps.start[1:] < steps.end[:-1])
    if len(overlap):
        index = int(np.searchsorted(steps.origin, steps.start[overlap[0] + 1], side="right")) - 1
        where = (
            int(steps.start[overlap[0] + 1] - steps.origin[index]),
            int(steps.end[overlap[0] + 1] - steps.origin[index]),
        )
        raise UserError(
            f"{path}{_line_of(path, store.names[index], *where, aliases)}: found an interval "
            f"{store.names[index]}:{where[0]}-{where[1]} that overlaps the one before it, expected one value for each "
            "base; make the track again, or give reads as fragments (.bed) if these are reads"
        )
    counts = {
        "read": found.read,
        "dropped": dict(found.dropped),
        "clipped": found.clipped,
        "unit": "intervals",
        "negative": negative,
        "contigs_without_data": missing,
    }
    fill = 0.0 if settings.missing == "zero" else np.nan
    return SignalTrack(path, _steps_reader(steps, fill, missing, store, settings), total, least, counts)


def _open_bam(
    path: Path, store: SequenceStore, aliases: Mapping[str, str | None], settings: TrackSettings
) -> SignalTrack:
    def match(names: Sequence[str], lengths: Sequence[int], used: Sequence[bool]) -> np.ndarray:
        place, _ = match_contigs(path, names, used, store, aliases, settings.missing_contigs)
        check_lengths(path, names, lengths, place, store)
        return place

    reads, counts = read_bam(path, match, store, settings.reads)
    steps, total, beyond = pile_up(reads, settings.reads, (4, -5), store.lengths)
    counts["cut_sites_beyond_contig"] = beyond
    missing = [name for name in store.names if name not in counts["contigs"]]
    del counts["contigs"]
    counts["contigs_without_data"] = missing
    return SignalTrack(path, _steps_reader(steps, 0.0, missing, store, settings), float(total), 0.0, counts)


def _open_fragments(
    path: Path, store: SequenceStore, aliases: Mapping[str, str | None], settings: TrackSettings
) -> SignalTrack:
    found = _read(path, store, aliases)
    reads = read_fragments(found.regions)
    missing = _absent(path, reads.contig, store, settings.missing_contigs)
    # Files of fragments mostly hold shifted ends already.
    steps, total, beyond = pile_up(reads, settings.reads, (0, 0), store.lengths)
    counts = {
        "read": found.read,
        "dropped": dict(found.dropped),
        "clipped": found.clipped,
        "unit": "fragments",
        "cut_sites_beyond_contig": beyond,
        "contigs_without_data": missing,
    }
    return SignalTrack(path, _steps_reader(steps, 0.0, missing, store, settings), float(total), 0.0, counts)


def _steps_reader(
    steps: Steps, fill: float, missing: Sequence[str], store: SequenceStore, settings: TrackSettings
) -> Reader:
    lacked = set(missing)
    absent = {index for index, name in enumerate(store.names) if name in lacked}
    unknown, silent = (absent, set()) if settings.missing_contigs == "nan" else (set(), absent)

    def read(contig: int, start: int, end: int) -> np.ndarray:
        if contig in unknown:
            return np.full(end - start, np.nan)
        return read_steps(steps, contig, start, end, 0.0 if contig in silent else fill)

    return read


def _absent(path: Path, contig: np.ndarray, store: SequenceStore, missing_contigs: str) -> list[str]:
    present = np.unique(contig)
    names = [store.names[index] for index in present]
    return match_contigs(path, names, [True] * len(names), store, {}, missing_contigs)[1]


def _line_of(path: Path, contig: str, start: int, end: int, aliases: Mapping[str, str | None]) -> str:
    """Find the last line that holds an interval, for a message; slow, for files that are refused."""
    names = {contig} | {name for name, alias in aliases.items() if alias == contig}
    found = None
    with open_binary(path) as handle:
        for number, line in enumerate(handle, start=1):
            fields = line.decode(errors="replace").split()[:3]
            if len(fields) == 3 and fields[0] in names and fields[1:] == [str(start), str(end)]:
                found = number
    return "" if found is None else f", line {found}"


_OPENERS: dict[str, Callable[[Path, SequenceStore, Mapping[str, str | None], TrackSettings], SignalTrack]] = {
    "bigwig": open_bigwig,
    "bedgraph": _open_bed_graph,
    "bam": _open_bam,
    "fragments": _open_fragments,
}
