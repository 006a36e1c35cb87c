"""Whether the bases that a VCF or a table of sequences gives are those of the genome: wrong assemblies, off by one."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pysam

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary
from lociflow.genome.contig_names import guess_contig, resolve_contigs
from lociflow.genome.regions import categorical
from lociflow.sequence.alphabet import BASES, LETTERS, SOFT_MASK, N, UnknownLetter, encode, reverse_complement
from lociflow.sequence.fasta import read_fasta
from lociflow.sequence.store import SequenceStore, gather

SHIFTS = (-1, 0, 1)
EXAMPLES = 5

# Coordinates are called off by one where the shift leaves at most this fraction of the mismatches: sequences that
# disagree for another reason disagree about as often at every shift. A base in four agrees by chance, so that fewer
# bases than these prove nothing.
OFF_BY_ONE = 0.2
OFF_BY_ONE_BASES = 10

# Records and bases that are held at once.
BLOCK = 1 << 16
BLOCK_BASES = 1 << 24

# What a letter stands for, a bit a base; letters whose sets share no base disagree.
_SETS = np.zeros(256, dtype=np.uint8)
for _code, _letter in enumerate(LETTERS):
    _SETS[_code] = _SETS[_code | SOFT_MASK] = sum(1 << "ACGT".index(base) for base in BASES[_letter])

_IUPAC = re.compile(f"[{LETTERS}]+", re.IGNORECASE)
_PLAIN_ALLELE = re.compile("[ACGTN]+", re.IGNORECASE)
_CONTIG_LENGTH = re.compile(r"##contig=<ID=([^,>]+),(?:.*,)?length=([0-9]{1,18})[,>]")
_PLACE = re.compile(r"(?:.*::)?(?P<contig>\S+):(?P<start>[0-9]{1,18})-(?P<end>[0-9]{1,18})(?:\((?P<strand>[+-])\))?$")


class Comparison(NamedTuple):
    """Sequences beside the genome's, at each of ``SHIFTS``."""

    informative: np.ndarray
    """``bool``, shape (n, shifts): the sequence lies in its contig, and a base of it is N on neither side."""
    disagrees: np.ndarray
    """``bool``, shape (n, shifts): a base at this shift is not one that the genome's letter there stands for."""


class Stated(NamedTuple):
    """A sequence that a file states, the place where it says that it is, and the file's line (or record) number."""

    contig: str
    start: int
    letters: str
    number: int


def compare_reference(
    store: SequenceStore, contig: np.ndarray, start: np.ndarray, sequences: Sequence[np.ndarray]
) -> Comparison:
    """Compare sequences with the genome where they are said to lie, and one base to either side of it.

    IUPAC letters agree with every base that they stand for, N with all, whatever the case. What disagrees at shift 0
    and agrees at shift 1 lies one base further right than was said: 1-based coordinates read as 0-based are right at
    shift -1.

    Parameters
    ----------
    store
        The genome.
    contig
        Index of each sequence's contig, shape ``(n,)``.
    start
        First base of each, 0-based, shape ``(n,)``.
    sequences
        ``uint8`` codes of the forward strand, at least one base each.
    """
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    inside = (start >= 0) & (start + lengths <= store.lengths[contig])
    informative = np.zeros((len(sequences), len(SHIFTS)), dtype=bool)
    disagrees = np.zeros((len(sequences), len(SHIFTS)), dtype=bool)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        step = max(1, BLOCK_BASES // int(length))
        for begin in range(0, len(rows), step):
            some = rows[begin : begin + step]
            given = _SETS[np.stack([sequences[row] for row in some])]
            for column, shift in enumerate(SHIFTS):
                there = _SETS[gather(store, contig[some], start[some] + shift, int(length))]
                disagrees[some, column] = ((given & there) == 0).any(axis=1)
                known = ((given != _SETS[N]) & (there != _SETS[N])).any(axis=1)
                informative[some, column] = known & inside[some]
    return Comparison(informative, disagrees)


def check_reference(vcf: Path, store: SequenceStore, aliases: Mapping[str, str | None]) -> dict[str, Any]:
    """Hold the reference alleles of a VCF or BCF against the genome.

    Every record with a plain alternative allele (or ``.``) is compared over its whole REF: substitutions, insertions,
    deletions, several alternatives. Records whose alternatives are all symbolic (``<DEL>``, break ends, ``*``), whose
    REF is missing (``-`` or ``.``, as some somatic catalogues write insertions) or N only, that lie beyond a contig of
    the genome (which may be a part of one) or on another contig are counted and not compared.

    Parameters
    ----------
    vcf
        Plain, gzip or bgzip VCF, told by its content; BCF.
    store
        The genome.
    aliases
        As :func:`lociflow.genome.contig_names.read_aliases` returns.

    Returns
    -------
    dict
        JSON. ``records`` is the sum of ``compared``, ``symbolic``, ``no_reference``, ``ambiguous`` (N), ``outside``,
        ``excluded_contig`` (left out by an alias) and the values of ``other_contigs`` (by name), of which
        ``misnamed_contigs`` are probably the genome's under another name. ``mismatches`` of the
        compared records disagree with the genome, ``mismatch_fraction`` is their fraction (None where nothing was
        compared), ``mismatches_by_shift`` the number were all positions shifted by -1, 0 or 1 bases, of the records
        that have bases to compare with at all three; ``shift`` the one
        that removes at least four mismatches of five (else 0). ``single_base`` and ``single_base_mismatches`` are of
        the records whose REF is one base, ``multi_allelic`` those with more than one alternative. ``header_lengths``
        lists contigs to which the header gives another length than the genome has (``contig``, ``found``,
        ``expected``): another assembly, or a genome of which only a part is used. ``examples`` are the first
        mismatches with line, contig, position (1-based, as in the file), what was found and what the genome has;
        ``finding`` is a sentence.

    Raises
    ------
    UserError
        The file is missing, broken off or no VCF, a line has too few columns, a position that is not a whole number or
        a REF that is no sequence, none of its contigs is the genome's, or most records are on contigs that probably are
        the genome's under another name.
    """
    vcf = Path(vcf)
    counts: Counter[str] = Counter()
    lengths: dict[str, int] = {}
    records = (_bcf_records if is_bcf(vcf) else _vcf_records)(vcf, counts, lengths)
    report = _report(records, vcf, store, aliases, counts, one_based=True)
    place = {name: int(length) for name, length in zip(store.names, store.lengths, strict=True)}
    report["header_lengths"] = [
        {"contig": name, "found": found, "expected": expected}
        for name, found in lengths.items()
        if (expected := place.get(aliases.get(name, name) or "")) is not None and expected != found
    ]
    return report


def check_sequence_table(fasta: Path, store: SequenceStore, aliases: Mapping[str, str | None]) -> dict[str, Any]:
    """Hold sequences whose headers say where they come from against the genome.

    Names are ``contig:start-end`` with an optional ``(+)`` or ``(-)``, after ``NAME::`` or alone: 0-based where the
    sequence is ``end - start`` long (bedtools getfasta), 1-based and closed where it is one longer (samtools
    faidx). Sequences of any other length (``length_mismatch``) and headers without a place (``no_place``) are counted
    and not compared; sequences of the minus strand are turned over.

    Returns
    -------
    dict
        As :func:`check_reference`, with ``length_mismatch``, ``no_place`` and ``one_based`` (the number of headers read
        as 1-based) instead of what is said of alleles and the header; ``line`` in ``examples`` is the record's
        number.

    Raises
    ------
    UserError
        The file is no FASTA, none of the contigs is the genome's, or most are probably the genome's under another name.
    """
    fasta = Path(fasta)
    counts: Counter[str] = Counter(length_mismatch=0, no_place=0, one_based=0)
    return _report(_placed_sequences(fasta, counts), fasta, store, aliases, counts, one_based=False)


def _report(
    records: Iterator[Stated],
    path: Path,
    store: SequenceStore,
    aliases: Mapping[str, str | None],
    counts: Counter[str],
    one_based: bool,
) -> dict[str, Any]:
    place = {name: index for index, name in enumerate(store.names)}
    other: Counter[str] = Counter()
    totals = Counter(dict.fromkeys(_TOTALS, 0))
    by_shift = np.zeros(len(SHIFTS), dtype=np.int64)
    examples: list[dict[str, Any]] = []
    wrong_bases = 0
    known = False
    for block in _blocks(records):
        kept, contig = [], []
        for stated in block:
            name = aliases.get(stated.contig, stated.contig)
            if name is None:
                totals["excluded_contig"] += 1
            elif name not in place:
                other[stated.contig] += 1
            else:
                kept.append(stated)
                contig.append(place[name])
        if not kept:
            continue
        known = True
        index, start = np.array(contig), np.array([stated.start for stated in kept], np.int64)
        codes = [_encoded(path, stated) for stated in kept]
        found = compare_reference(store, index, start, codes)
        beyond = (start < 0) | (start + [len(code) for code in codes] > store.lengths[index])
        totals["outside"] += int(beyond.sum())
        compared = found.informative[:, SHIFTS.index(0)]
        as_given = compared & found.disagrees[:, SHIFTS.index(0)]
        totals["ambiguous"] += int((~beyond & ~compared).sum())
        totals["compared"] += int(compared.sum())
        totals["mismatches"] += int(as_given.sum())
        # Shifts are held against each other on what all of them can tell something of.
        by_shift += found.disagrees[found.informative.all(axis=1)].sum(axis=0)
        length = np.array([len(code) for code in codes])
        wrong_bases += int(length[as_given].sum())
        totals["single_base"] += int((compared & (length == 1)).sum())
        totals["single_base_mismatches"] += int((as_given & (length == 1)).sum())
        for row in np.flatnonzero(as_given)[: EXAMPLES - len(examples)]:
            examples.append(_example(kept[row], int(index[row]), store, one_based))
    seen = [totals[key] for key in ("compared", "ambiguous", "outside", "excluded_contig")]
    skipped = [number for key, number in counts.items() if key in _NOT_COMPARED]
    number = sum(seen) + sum(skipped) + sum(other.values())
    meant = {name: other[name] for name in sorted(other) if guess_contig(name, store.names)}
    if other and (not known or 2 * sum(meant.values()) > number):
        _refuse(path, meant or other, store, aliases)
    best = int(np.argmin(by_shift))
    proven = wrong_bases >= OFF_BY_ONE_BASES and by_shift[best] <= OFF_BY_ONE * by_shift[SHIFTS.index(0)]
    shift = SHIFTS[best] if proven else 0
    report: dict[str, Any] = {
        "file": path.name,
        "genome": store.name,
        "records": number,
        **totals,
        **counts,
        "mismatch_fraction": totals["mismatches"] / totals["compared"] if totals["compared"] else None,
        "mismatches_by_shift": {str(shift): int(number) for shift, number in zip(SHIFTS, by_shift, strict=True)},
        "shift": shift,
        "other_contigs": dict(sorted(other.items())),
        "misnamed_contigs": meant,
        "examples": examples,
    }
    report["finding"] = _finding(report)
    return report


_TOTALS = (
    *("compared", "mismatches", "ambiguous", "outside", "excluded_contig"),
    *("single_base", "single_base_mismatches"),
)
_NOT_COMPARED = ("symbolic", "no_reference", "length_mismatch", "no_place")


def _finding(report: Mapping[str, Any]) -> str:
    compared, wrong, shift = report["compared"], report["mismatches"], report["shift"]
    if not compared:
        return f"{report['file']}: none of {report['records']} records lies where {report['genome']} has bases"
    told = f"{report['file']}: {wrong} of {compared} records disagree with {report['genome']}"
    if shift:
        left = report["mismatches_by_shift"][str(shift)]
        return f"{told}, {left} were every position {shift:+d}; are the coordinates off by one?"
    # By chance a base agrees in a quarter of the cases or somewhat more.
    return f"{told}; is it another assembly?" if wrong > compared / 2 else told


def _refuse(path: Path, other: Iterable[str], store: SequenceStore, aliases: Mapping[str, str | None]) -> None:
    names = sorted(other)
    contig = categorical(np.arange(len(names), dtype=np.int32), names)
    resolve_contigs(pd.DataFrame({"contig": contig}), store.names, aliases, path)


def _example(stated: Stated, contig: int, store: SequenceStore, one_based: bool) -> dict[str, Any]:
    length = len(stated.letters)
    there = gather(store, np.array([contig]), np.array([stated.start]), length)[0] & ~np.uint8(SOFT_MASK)
    genome = "".join(LETTERS[code] for code in there[:50])
    return {
        "line": stated.number,
        "contig": stated.contig,
        "position": stated.start + one_based,
        "found": stated.letters[:50].upper(),
        "genome": genome,
    }


def _encoded(path: Path, stated: Stated) -> np.ndarray:
    try:
        return encode(stated.letters)
    except UnknownLetter as error:
        raise UserError(
            f"{path}, record {stated.number}: found {error.letter!r} in the sequence, expected one of {LETTERS}"
        ) from None


def _blocks(records: Iterator[Stated]) -> Iterator[list[Stated]]:
    block: list[Stated] = []
    bases = 0
    for stated in records:
        block.append(stated)
        bases += len(stated.letters)
        if len(block) == BLOCK or bases > BLOCK_BASES:
            yield block
            block, bases = [], 0
    if block:
        yield block


def is_bcf(path: Path) -> bool:
    """Tell whether a file of variants is BCF, by its content.

    Raises
    ------
    UserError
        The file cannot be read.
    """
    try:
        with open_binary(path) as handle:
            return handle.read(3) == b"BCF"
    except GZIP_ERRORS as error:
        raise UserError(f"{path}: a broken gzip file ({error}); fetch it again") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected a VCF or BCF file") from None


def _vcf_records(path: Path, counts: Counter[str], lengths: dict[str, int]) -> Iterator[Stated]:
    counts.update(symbolic=0, no_reference=0, multi_allelic=0)
    try:
        with open_binary(path) as handle:
            text = io.TextIOWrapper(handle, encoding="utf-8-sig", errors="replace")
            for number, content in enumerate(text, start=1):
                if content.startswith("#") or not content.strip():
                    named = _CONTIG_LENGTH.match(content)
                    if named:
                        lengths[named[1]] = int(named[2])
                    continue
                fields = content.rstrip("\n").split("\t", 5)
                if len(fields) < 5:
                    raise UserError(
                        f"{path}, line {number}: found {len(fields)} columns ({content.strip()[:60]!r}), expected "
                        "CHROM, POS, ID, REF and ALT at least, separated by tabs; is this a VCF file?"
                    )
                contig, position, _, reference, alternatives = fields[:5]
                if not position.isdecimal() or len(position) > 18:
                    raise UserError(
                        f"{path}, line {number}: found POS {position!r}, expected a whole number; correct the line"
                    )
                if reference not in ("-", ".") and not _IUPAC.fullmatch(reference):
                    raise UserError(
                        f"{path}, line {number}: found REF {reference[:40]!r}, expected bases; write those that the "
                        "genome has there"
                    )
                alleles = alternatives.split(",")
                if _comparable(reference, alleles, counts):
                    yield Stated(contig, int(position) - 1, reference, number)
    except GZIP_ERRORS as error:
        raise UserError(f"{path}: a broken gzip file ({error}); fetch it again") from None


def _comparable(reference: str, alleles: Sequence[str], counts: Counter[str]) -> bool:
    if reference in ("-", "."):
        counts["no_reference"] += 1
        return False
    if not any(_PLAIN_ALLELE.fullmatch(allele) or allele in (".", "-") for allele in alleles):
        counts["symbolic"] += 1
        return False
    counts["multi_allelic"] += len(alleles) > 1
    return True


def _bcf_records(path: Path, counts: Counter[str], lengths: dict[str, int]) -> Iterator[Stated]:
    counts.update(symbolic=0, no_reference=0, multi_allelic=0)
    # htslib prints on stderr that there is no index, which nothing here needs.
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(str(path)) as handle:
            lengths |= {str(name): contig.length for name, contig in handle.header.contigs.items() if contig.length}
            for number, record in enumerate(handle, start=1):
                reference = record.ref or "."
                if _comparable(reference, record.alts or (".",), counts):
                    yield Stated(record.chrom, record.start, reference, number)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); expected a BCF file, fetch it again") from None
    finally:
        pysam.set_verbosity(verbosity)


def _placed_sequences(path: Path, counts: Counter[str]) -> Iterator[Stated]:
    for number, (name, content) in enumerate(read_fasta(path), start=1):
        found = _PLACE.match(name)
        letters = bytes(content).decode("ascii", errors="replace")
        if found is None:
            counts["no_place"] += 1
            continue
        start, end = int(found["start"]), int(found["end"])
        if len(letters) == end - start + 1:
            start -= 1
            counts["one_based"] += 1
        elif len(letters) != end - start:
            counts["length_mismatch"] += 1
            continue
        stated = Stated(found["contig"], start, letters, number)
        if found["strand"] == "-":
            turned = reverse_complement(_encoded(path, stated))
            stated = stated._replace(letters="".join(LETTERS[code] for code in turned))
        yield stated
