"""Check 7: whether the files of a data set and its genome speak of the same places.

A file of another assembly has contigs of the same names and other bases: intervals reach beyond contig ends, and the
reference bases of a VCF disagree with the genome. A file whose coordinates are counted from the wrong number disagrees
too, and agrees once it is moved by one base.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import (
    FAIL,
    PASS,
    WARN,
    Check,
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
MOST_FILES = 30
_FASTA = re.compile(r"\.(fa|fasta|fna)(\.b?gz)?$")


def check_coordinates(
    subject: Subject,
    counts: Mapping[str, Any] | None,
    variants: Sequence[Path],
    aliases: Mapping[str, str | None],
    settings: Mapping[str, float],
) -> Check:
    """Judge the intervals beyond contig ends and the reference bases of the VCFs."""
    if not subject.has_genome and not variants:
        return not_applicable("coordinates", None, "The sequences have no coordinates on a genome.")
    verdicts, troubles, tables, where = [PASS], [], [], []
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
    value = beyond / read if read else 0.0
    if read:
        verdicts.append(judge(value, settings))
        lines.sort(key=lambda line: (-line[3], -line[2], line[0]))
        title = f"Intervals by file{' (the first ' + str(MOST_FILES) + ')' if len(lines) > MOST_FILES else ''}"
        tables.append(Table(title, ["file", "intervals", "dropped", "beyond a contig's end"], lines[:MOST_FILES]))
        if beyond:
            noun = counted(beyond, "interval")
            troubles.append(
                f"{noun} of {read:,} ({percent(value)}) {'reaches' if beyond == 1 else 'reach'} beyond a contig's end"
            )
    compared = 0
    for path in variants:
        check = check_sequence_table if _FASTA.search(path.name.lower()) else check_reference
        found = check(path, subject.store, aliases)
        compared += int(found["compared"])
        verdict, says = judge_reference(found, settings)
        verdicts.append(verdict)
        troubles += [says] if says else []
        where += [
            Place(
                f"{example['contig']}:{example['position']}",
                1,
                f"{path.name}, record {example['line']}: {example['found']}, the genome has {example['genome']}",
            )
            for example in found["examples"]
        ]
        value = max(value, found["mismatch_fraction"] or 0.0)
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
    return Check(
        "coordinates",
        None,
        worst(verdicts),
        says[0].upper() + says[1:] + ".",
        value,
        "of the intervals or records",
        settings["warn"],
        settings["fail"],
        GOOD,
        REMEDY,
        tables,
        where,
    )


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
    return FAIL, f"{told}: the file is of another assembly"
