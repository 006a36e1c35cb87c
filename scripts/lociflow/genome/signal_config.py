"""What a data set's ``targets.signal`` says: which files, how their values are read, how they become labels."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from lociflow.command import UserError
from lociflow.genome.signal_reads import COVERAGE, WHAT, ReadSettings
from lociflow.genome.signal_track import MISSING, MISSING_CONTIGS, TrackSettings

STRANDED = ("plus", "minus")
AGGREGATES = ("sum", "mean", "max")
NORMALISATIONS = ("counts", "cpm", "log1p", "zscore")


class ValueRule(NamedTuple):
    """How values become labels."""

    kind: str
    aggregate: str
    log: bool


def file_entries(entries: Any, where: str) -> dict[str, dict[str, str]]:
    """Return the files of each name: ``{"": file}``, or ``{"plus": file, "minus": file}``."""
    if not isinstance(entries, Mapping) or not entries or "file" in entries:
        raise UserError(
            f"{where}: found {entries!r}, expected a mapping from names to files or to pairs of plus, minus"
        )
    return {str(name): file_entry(entry, f"{where}.{name}") for name, entry in entries.items()}


def file_entry(entry: Any, where: str) -> dict[str, str]:
    """Return one file as ``{"": file}``, or the files of both strands as ``{"plus": file, "minus": file}``."""
    if isinstance(entry, Mapping):
        if isinstance(entry.get("file"), str) and entry["file"]:
            return {"": entry["file"]}
        if set(entry) == set(STRANDED):
            return {strand: file_entry(entry[strand], f"{where}.{strand}").get("", "") for strand in STRANDED}
    raise UserError(f"{where}: found {entry!r}, expected a file, or the files of both strands as plus and minus")


def strand_order(tracks: Mapping[str, Collection[str]]) -> list[int] | None:
    """Return the order of the targets on the other strand, where the two of a pair change places.

    Parameters
    ----------
    tracks
        The strands of each track, ``plus`` and ``minus`` or "", as :func:`file_entries` has them.

    Returns
    -------
    list or None
        The target that each one is there; None: no track has strands.
    """
    order: list[int] = []
    for strands in tracks.values():
        order += [len(order)] if "" in strands else [len(order) + 1, len(order)]
    return order if order != sorted(order) else None


def control_entries(control: Any, tracks: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]] | None:
    """Return the control files of every track, or None where there is no control."""
    where = "targets.signal.control"
    if control is None:
        return None
    if isinstance(control, Mapping) and ("file" in control or set(control) == set(STRANDED)):
        one = file_entry(control, where)
        found = dict.fromkeys(tracks, one)
    else:
        found = file_entries(control, where)
        if set(found) != set(tracks):
            raise UserError(
                f"{where}: found the names {', '.join(found)}, expected those of targets.signal.tracks "
                f"({', '.join(tracks)}), or one control for all of them"
            )
    for name, entry in tracks.items():
        if "" in entry and "" not in found[name]:
            raise UserError(
                f"{where}: found a pair of strands for {name}, expected one file as for its track; give the track as a "
                "pair too"
            )
    return found


def check_names(names: Sequence[str]) -> None:
    """Refuse names of targets that cannot be told apart or written into a table."""
    for name in names:
        if not name.strip() or any(character in name for character in "\t\r\n"):
            raise UserError(f"targets.signal.tracks: found the name {name!r}, expected one without tabs and line ends")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"targets.signal.tracks: found the target {twice[0]} twice, expected each name once")


def normalisation(config: Mapping[str, Any]) -> list[str]:
    """Return the steps of ``normalise``, checked."""
    steps = config.get("normalise") or []
    where = "targets.signal.normalise"
    if not isinstance(steps, Sequence) or isinstance(steps, str) or any(step not in NORMALISATIONS for step in steps):
        raise UserError(f"{where}: found {steps!r}, expected a list of {', '.join(NORMALISATIONS)}")
    order = [NORMALISATIONS.index(step) for step in steps]
    if order != sorted(set(order)):
        raise UserError(
            f"{where}: found {', '.join(steps)}, expected each once and in the order counts, cpm, log1p, zscore"
        )
    return list(steps)


def value_rule(config: Mapping[str, Any], labels: Mapping[str, Any], steps: Sequence[str]) -> ValueRule:
    """Return how values become labels, checked."""
    kind = labels.get("kind", "real")
    if kind not in ("real", "profile"):
        raise UserError(f"labels.kind: found {kind!r}, expected real or profile for targets.signal")
    aggregate = config.get("aggregate", "mean")
    if aggregate not in AGGREGATES:
        raise UserError(f"targets.signal.aggregate: found {aggregate!r}, expected mean, sum or max")
    if kind == "profile" and "aggregate" in config:
        raise UserError(
            "targets.signal.aggregate: found it with labels.kind profile, which has a value for every base; remove it"
        )
    if kind == "profile" and "zscore" in steps:
        raise UserError(
            "targets.signal.normalise: found zscore with labels.kind profile, expected it with kind real only"
        )
    return ValueRule(kind, aggregate, "log1p" in steps)


def track_settings(config: Mapping[str, Any]) -> TrackSettings:
    """Return how files become values, checked."""
    what = config.get("reads", COVERAGE)
    if what not in WHAT:
        raise UserError(f"targets.signal.reads: found {what!r}, expected one of {', '.join(WHAT)}")
    shift = config.get("shift")
    if shift is not None and (
        not isinstance(shift, Sequence) or len(shift) != 2 or any(type(bases) is not int for bases in shift)
    ):
        raise UserError(f"targets.signal.shift: found {shift!r}, expected two whole numbers such as [4, -5], or null")
    if shift is not None and what == COVERAGE:
        raise UserError(
            "targets.signal.shift: found it with reads: coverage, expected it with cut_sites only; remove it"
        )
    least = config.get("min_mapq", 0)
    if type(least) is not int or not 0 <= least <= 255:
        raise UserError(f"targets.signal.min_mapq: found {least!r}, expected a whole number from 0 to 255")
    missing, contigs = config.get("missing", "zero"), config.get("missing_contigs", "refuse")
    if missing not in MISSING:
        raise UserError(f"targets.signal.missing: found {missing!r}, expected one of {', '.join(MISSING)}")
    if contigs not in MISSING_CONTIGS:
        raise UserError(
            f"targets.signal.missing_contigs: found {contigs!r}, expected one of {', '.join(MISSING_CONTIGS)}"
        )
    reads = ReadSettings(what, None if shift is None else (shift[0], shift[1]), least)
    return TrackSettings(reads, missing, contigs)
