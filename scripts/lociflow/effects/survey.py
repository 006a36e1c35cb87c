"""The alleles of a file of variants that can be scored, each with its record, and the counts of all others."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lociflow.command import UserError, status
from lociflow.effects.alleles import Allele, why_skipped
from lociflow.effects.records import Record, check_records, line_name, read_records
from lociflow.effects.windows import known_sequence
from lociflow.genome.contig_names import some, suggested_aliases
from lociflow.genome.variants import SHIFTS, check_reference, compare_reference
from lociflow.sequence.alphabet import encode
from lociflow.sequence.store import SequenceStore

RECORDS = 4096
FLAG, SKIP = "flag", "skip"


class Judged(NamedTuple):
    """A record with what can be scored of it."""

    record: Record
    alleles: list[Allele | None]
    """One for each item of ALT; None: skipped."""
    reasons: list[str | None]
    """Why, of :data:`lociflow.effects.alleles.REASONS`."""
    mismatch: bool
    """Whether REF is not what the genome has there."""


def check_variants(
    path: Path, store: SequenceStore, aliases: Mapping[str, str | None], added: Collection[str] = ()
) -> int:
    """Look through a file of variants before anything is computed, and return the number of its records.

    Parameters
    ----------
    path
        VCF or BCF.
    store
        The genome.
    aliases
        As :func:`lociflow.genome.contig_names.read_aliases` returns.
    added
        INFO fields that will be added and that no record may have.

    Raises
    ------
    UserError
        The file is broken or not sorted, a record has an INFO field that will be added, none of the contigs is the
        genome's or most are called otherwise, or the reference alleles are those of another assembly or of shifted
        coordinates.
    """
    records = check_records(path, added)
    report = check_reference(path, store, aliases)
    if report["shift"] or report["mismatches"] > report["compared"] / 2:
        first = report["examples"][0]
        remedy = (
            "write the positions as VCF counts them, from 1"
            if report["shift"]
            else "lift them over to it (bcftools +liftover, CrossMap), or name a data set on their genome"
        )
        raise UserError(
            f"{path}: {report['finding'].partition(': ')[2]} The first is {line_name(path, first['line'])}, at "
            f"{first['contig']}:{first['position']}: REF {first['found']}, genome {first['genome']}; expected variants "
            f"that were called on {store.name}; {remedy}"
        )
    if misnamed := report["misnamed_contigs"]:
        status(
            f"{path.name}: records on contigs that the genome does not have: {sum(misnamed.values()):,} on "
            f"{some(misnamed)}; {suggested_aliases(misnamed, store.names)}"
        )
    return records


def judged_records(
    path: Path,
    store: SequenceStore,
    aliases: Mapping[str, str | None],
    length: int,
    shifts: Sequence[int],
    mismatch: str,
) -> Iterator[Judged]:
    """Yield the records of a file in its order, each with its alleles.

    Parameters
    ----------
    path
        VCF or BCF.
    store
        The genome.
    aliases
        As :func:`lociflow.genome.contig_names.read_aliases` returns.
    length
        Bases of a model's window, and of the longest allele that is taken.
    shifts
        Bases by which windows are moved to the right.
    mismatch
        What becomes of a record whose REF is not what the genome has: ``flag`` or ``skip``.
    """
    place = {name: index for index, name in enumerate(store.names)}
    records = read_records(path)
    while block := list(islice(records, RECORDS)):
        judged = _judged(block, store, place, aliases, length, mismatch)
        yield from _with_known_sequence(list(judged), store, length, shifts)


def _judged(
    block: Sequence[Record],
    store: SequenceStore,
    place: Mapping[str, int],
    aliases: Mapping[str, str | None],
    longest: int,
    mismatch: str,
) -> Iterator[Judged]:
    reasons = [_reasons(record, store, place, aliases, longest) for record in block]
    some = [row for row, found in enumerate(reasons) if None in found]
    contigs = [place[aliases.get(block[row].contig, block[row].contig) or ""] for row in some]
    start = np.array([block[row].position for row in some], dtype=np.int64)
    stated = [encode(block[row].reference) for row in some]
    found = compare_reference(store, np.array(contigs, dtype=np.int64), start, stated)
    column = SHIFTS.index(0)
    wrong = dict(zip(some, (found.informative & found.disagrees)[:, column].tolist(), strict=True))
    contig = dict(zip(some, contigs, strict=True))
    for row, record in enumerate(block):
        disagrees = wrong.get(row, False)
        why = [
            "reference_mismatch" if reason is None and disagrees and mismatch == SKIP else reason
            for reason in reasons[row]
        ]
        alleles = [
            Allele(contig[row], record.position, record.reference.upper(), letters.upper()) if reason is None else None
            for letters, reason in zip(record.alternatives, why, strict=True)
        ]
        yield Judged(record, alleles, why, disagrees)


def _with_known_sequence(
    judged: Sequence[Judged], store: SequenceStore, length: int, shifts: Sequence[int]
) -> Iterator[Judged]:
    every = [allele for one in judged for allele in one.alleles if allele is not None]
    known = iter(known_sequence(store, every, length, shifts).tolist())
    for one in judged:
        unknown = [allele is not None and not next(known) for allele in one.alleles]
        yield one._replace(
            alleles=[None if dark else allele for dark, allele in zip(unknown, one.alleles, strict=True)],
            reasons=["unknown_sequence" if dark else reason for dark, reason in zip(unknown, one.reasons, strict=True)],
        )


def _reasons(
    record: Record,
    store: SequenceStore,
    place: Mapping[str, int],
    aliases: Mapping[str, str | None],
    longest: int,
) -> list[str | None]:
    name = aliases.get(record.contig, record.contig)
    everywhere = None
    if name is None:
        everywhere = "excluded_contig"
    elif name not in place:
        everywhere = "other_contig"
    elif not 0 <= record.position <= store.lengths[place[name]] - len(record.reference):
        everywhere = "outside"
    return [everywhere or why_skipped(record.reference, letters, longest) for letters in record.alternatives]


def count(judged: Judged, counts: Counter[str]) -> None:
    """Count a record: ``records``, ``alleles``, ``scored``, ``mismatches``, ``skipped_REASON``."""
    counts["records"] += 1
    counts["alleles"] += len(judged.alleles)
    counts["scored"] += sum(allele is not None for allele in judged.alleles)
    counts["mismatches"] += judged.mismatch
    for reason in judged.reasons:
        if reason is not None:
            counts[f"skipped_{reason}"] += 1
