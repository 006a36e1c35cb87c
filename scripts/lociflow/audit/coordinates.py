"""Check 7: whether the files of a data set and its genome speak of the same places.

A file of another assembly has contigs of the same names and other bases: intervals reach beyond contig ends, and the
reference bases of a VCF disagree with the genome. A file whose coordinates are counted from the wrong number disagrees
too, and agrees once it is moved by one base.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import (
    FAIL,
    PASS,
    VERDICTS,
    WARN,
    Check,
    Exceeded,
    Place,
    Table,
    counted,
    judge,
    not_applicable,
    percent,
    worst,
)
from lociflow.genome.variants import check_reference, check_sequence_table

GOOD = "No interval beyond a contig's end, and every reference base that of the genome."
REMEDY = (
    "Fetch the genome of the assembly that the files were made on, or lift the files over (liftOver, CrossMap). "
    "Off by one: VCF, GTF and GFF count from 1, BED from 0; write the file again in its format's own way."
)
# One or two records that disagree may be mistakes of their own, whatever their fraction.
LEAST_MISMATCHES = 3
# Assemblies of one genome disagree at most places, for what lies between is moved. Fewer disagreements than this can
# also be records that somebody has edited, or a genome with other bases masked or mended.
OTHER_ASSEMBLY = 0.2
MOST_FILES = 30
_FASTA = re.compile(r"\.(fa|fasta|fna)(\.b?gz)?$")


class Finding(NamedTuple):
    """What one file, or all intervals together, have come to."""

    verdict: str
    value: float | None
    """What is held against the limits; None where there was nothing to compare."""
    unit: str
    warn: float
    limit: float
    key: str
    """Of ``limit`` in the configuration."""


def check_coordinates(
    subject: Subject,
    counts: Mapping[str, Any] | None,
    variants: Sequence[Path],
    aliases: Mapping[str, str | None],
    settings: Mapping[str, float],
) -> Check:
    """Judge the intervals beyond contig ends, and the reference bases of each of the files in ``variants``.

    Each has a limit of its own, ``fail`` and ``mismatches``; the check shows the value and the limit of the worst.
    """
    if not subject.has_genome and not variants:
        return not_applicable("coordinates", None, "The sequences have no coordinates on a genome.")
    troubles, tables, where = [], [], []
    findings: list[Finding] = []
    beyond, read = 0, 0
    lines: list[list[Any]] = []
    for entry in _files(counts):
        number = int(entry.get("read") or 0)
        dropped = entry.get("dropped") or {}
        clipped = int(entry.get("clipped") or 0)
        outside = clipped + sum(int(dropped[key]) for key in dropped if "beyond" in key or "outside" in key)
        beyond, read = beyond + outside, read + number
        other = sum(int(value) for value in dropped.values() if isinstance(value, int))
        lines.append([str(entry.get("file") or entry.get("target") or ""), number, other, outside])
    if read:
        share = beyond / read
        key = "audit.coordinates.fail"
        judged = judge(share, settings)
        findings.append(Finding(judged, share, "of the intervals", settings["warn"], settings["fail"], key))
        lines.sort(key=lambda line: (-line[3], -line[2], line[0]))
        title = f"Intervals by file{' (the first ' + str(MOST_FILES) + ')' if len(lines) > MOST_FILES else ''}"
        tables.append(Table(title, ["file", "intervals", "dropped", "beyond a contig's end"], lines[:MOST_FILES]))
        if beyond:
            noun = counted(beyond, "interval")
            troubles.append(
                f"{noun} of {read:,} ({percent(share)}) {'reaches' if beyond == 1 else 'reach'} beyond a contig's end"
            )
    compared = 0
    for path in variants:
        check = check_sequence_table if _FASTA.search(path.name.lower()) else check_reference
        found = check(path, subject.store, aliases)
        compared += int(found["compared"])
        verdict, says = judge_reference(found, settings)
        key = "audit.coordinates.mismatches"
        unit = f"of the records of {path.name}"
        findings.append(Finding(verdict, found["mismatch_fraction"], unit, 0.0, settings["mismatches"], key))
        troubles += [says] if says else []
        where += [
            Place(
                f"{example['contig']}:{example['position']}",
                1,
                f"{path.name}, record {example['line']}: {example['found']}, the genome has {example['genome']}",
            )
            for example in found["examples"]
        ]
        rows = [
            [str(key).replace("_", " "), number]
            for key, number in found.items()
            if isinstance(number, int | float) and not isinstance(number, bool)
        ]
        rows += [[f"mismatches, moved by {shift}", number] for shift, number in found["mismatches_by_shift"].items()]
        rows += [[f"on the contig {contig}", number] for contig, number in list(found["other_contigs"].items())[:5]]
        tables.append(Table(f"Reference bases of {path.name}", ["what", "number"], rows))
    if not troubles:
        parts = [f"none of {read:,} intervals reaches beyond a contig's end"] if read else []
        parts += [f"the reference bases of all {compared:,} records are the genome's"] if compared else []
        says = "; ".join(parts) or "there is no interval and no VCF to hold against the genome"
    else:
        says = "; ".join(troubles)
    nothing = Finding(PASS, None, "of the intervals", settings["warn"], settings["fail"], "")
    shown = max(findings, key=lambda finding: (VERDICTS.index(finding.verdict), finding.value or 0.0), default=nothing)
    return Check(
        "coordinates",
        None,
        worst([finding.verdict for finding in findings]),
        says[0].upper() + says[1:] + ".",
        shown.value,
        shown.unit,
        shown.warn,
        shown.limit,
        GOOD,
        REMEDY,
        tables,
        where,
        exceeded=_exceeded(findings),
    )


def _exceeded(findings: Sequence[Finding]) -> list[Exceeded]:
    """Return the limits that were exceeded, each with the worst that was found."""
    found: dict[str, Exceeded] = {}
    for each in findings:
        if each.verdict == FAIL and each.value is not None:
            most = max(each.value, found[each.key].value if each.key in found else 0.0)
            found[each.key] = Exceeded(each.key, each.limit, most)
    return list(found.values())


def _files(counts: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    return ((counts or {}).get("regions") or {}).get("files") or []


def judge_reference(found: Mapping[str, Any], settings: Mapping[str, float]) -> tuple[str, str]:
    """Return the verdict on what a file gives as reference bases, and what is wrong, empty where nothing is.

    Parameters
    ----------
    found
        As :func:`lociflow.genome.variants.check_reference` returns.
    settings
        ``mismatches``: largest fraction of records that may disagree.
    """
    name, compared, mismatches = found["file"], int(found["compared"]), int(found["mismatches"])
    other_length = ""
    for entry in found.get("header_lengths") or []:
        other_length = (
            f"{name}: its header gives {entry['contig']} {entry['found']:,} bases, the genome has "
            f"{entry['expected']:,}: another assembly, or a part of it"
        )
    if not compared:
        return WARN, f"{name}: none of {found['records']:,} records could be compared with the genome"
    if not mismatches:
        return (WARN, other_length) if other_length else (PASS, "")
    told = f"{name}: {percent(mismatches / compared)} of {compared:,} records disagree with the genome"
    if mismatches / compared <= settings["mismatches"] or mismatches < LEAST_MISMATCHES:
        return WARN, told
    if shift := int(found["shift"]):
        left = int(found["mismatches_by_shift"][str(shift)])
        return FAIL, f"{told}, {left:,} once every position is moved by {shift:+d}: the coordinates are off by one"
    if mismatches / compared < OTHER_ASSEMBLY:
        return FAIL, f"{told}: another assembly, or edited records"
    return FAIL, f"{told}: the file is of another assembly"
