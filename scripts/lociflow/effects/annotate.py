"""Score the variants of a file: the same VCF with what a model says of each, and a table of all effects.

Effects stand in one structured INFO field, ``LF``, as VEP's CSQ and SpliceAI's scores do: one item for each allele and
target, its parts separated by ``|`` and named in the header, which ``bcftools +split-vep -a LF`` and the readers of VEP
understand however many targets there are. A field for each target and statistic could be filtered without a plugin, but
186 targets would be more than 700 fields. So that the usual questions need no plugin either, three fields of one value
an allele (``LF_EFFECT``, ``LF_TARGET``, ``LF_PERCENTILE``) hold the largest effect over targets.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pysam

from lociflow.command import UserError, atomic, status, write_json
from lociflow.effects.background import Background, percentiles, read_background
from lociflow.effects.largest import with_larger
from lociflow.effects.predictions import Predictor, load_predictors
from lociflow.effects.records import INFO, read_header, taken_field
from lociflow.effects.settings import EffectConfig, check_shifts
from lociflow.effects.statistics import STATISTICS, Effects, chunk_size, effect_columns, effect_name, score_alleles
from lociflow.effects.survey import Judged, check_variants, count, judged_records
from lociflow.formats import stamp
from lociflow.genome.contig_names import read_aliases
from lociflow.genome.place_index import POSITIONS, VCF, index_places
from lociflow.models.outputs import Outputs
from lociflow.sequence.store import SequenceStore, open_store

KIND = "variant effects"
PREFIX = "LF"
PLACE = ("#contig", "position", "id", "ref", "alt", "target")
# The INFO fields that are added, and what says in a header that they are these.
FIELDS = tuple(f"{PREFIX}{name}" for name in ("", "_EFFECT", "_TARGET", "_PERCENTILE", "_SKIPPED", "_MISMATCH"))
OWN = "Effects by lociflow"
# What a value in an INFO field must not hold (VCF 4.3, 1.2), what separates parts here, and what is no text.
_RESERVED = re.compile(r"[%;=,|\s\x00-\x1f\x7f]")


class Scored(NamedTuple):
    """A record with the effects of its alleles."""

    judged: Judged
    rows: list[dict[str, np.ndarray] | None]
    """For each item of ALT the statistics, the spread (``sd``) and the percentile, each of shape ``(columns,)``."""
    effects: list[np.ndarray | None]
    """For each item of ALT what spread and percentile are of."""


def score_variants(
    variants: Path,
    store: Path,
    checkpoints: Sequence[Path],
    background: Path,
    config: Mapping[str, Any],
    vcf: Path,
    vcf_index: Path,
    table: Path,
    table_index: Path,
    counts: Path,
    device: str = "cpu",
) -> None:
    """Write a file of variants with their effects, and the table of effects.

    Parameters
    ----------
    variants
        VCF (plain, gzip or bgzip) or BCF, sorted.
    store
        ``store.json`` of the genome.
    checkpoints
        One for each seed of the model.
    background
        As :mod:`lociflow.effects.background` writes it, of the same checkpoints.
    config
        As :class:`lociflow.effects.settings.EffectConfig`.
    vcf, vcf_index
        VCF to write (bgzip) and its index (CSI): every record as it was, with INFO fields added.
    table, table_index
        Tab-separated table to write (bgzip) and its index: a row for each allele that is scored and each target.
    counts
        JSON to write: ``records``, ``alleles``, ``scored``, ``mismatches``, ``skipped`` by reason, ``targets``, the
        name of the ``statistic`` that effects are, ``background`` (its number of variants), and ``largest``, see
        :func:`lociflow.effects.largest.with_larger`.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        The file is broken, not sorted or of another genome, or another input does not fit.
    """
    settings = EffectConfig.read(config)
    genome, aliases = open_store(store), read_aliases(settings.contig_aliases)
    header = read_header(variants)
    check_header(variants, header)
    records = check_variants(variants, genome, aliases, FIELDS)
    predictors = load_predictors(checkpoints, device)
    outputs, length = predictors[0].outputs, predictors[0].length
    check_shifts(settings.shifts, length)
    compared, columns = read_background(background), effect_columns(predictors[0])
    if compared.columns != columns:
        raise UserError(f"{background}: is of other targets than {checkpoints[0]}; remove it and run snakemake again")
    found: Counter[str] = Counter()
    largest: list[dict[str, Any]] = []
    status(f"scoring {records:,} records with {len(checkpoints)} checkpoints")
    with ExitStack() as stack:
        paths = [stack.enter_context(atomic(path)) for path in (vcf, table)]
        with pysam.BGZFile(str(paths[0]), "w", None) as annotated, pysam.BGZFile(str(paths[1]), "w", None) as rows:
            for line in (*header[:-1], *info_lines(outputs, len(compared.effects)), header[-1]):
                annotated.write(_bytes(line))
            rows.write(_bytes("\t".join((*PLACE, *STATISTICS[outputs.kind], "sd", "percentile"))))
            judged = judged_records(variants, genome, aliases, length, settings.shifts, settings.reference_mismatch)
            for scored in scored_records(judged, predictors, genome, settings.shifts, compared):
                count(scored.judged, found)
                largest = with_larger(largest, scored.judged.record, scored.rows, scored.effects, columns)
                annotated.write(_bytes("\t".join(annotated_fields(scored, columns))))
                for row in table_rows(scored, columns):
                    rows.write(_bytes("\t".join(row)))
        index_places(paths[0], vcf_index, VCF)
        index_places(paths[1], table_index, POSITIONS)
    skipped = {name.removeprefix("skipped_"): found[name] for name in sorted(found) if name.startswith("skipped_")}
    totals = {name: found[name] for name in ("records", "alleles", "scored", "mismatches")}
    write_json(
        counts,
        {
            **stamp(KIND),
            **totals,
            "skipped": skipped,
            "targets": list(columns),
            "statistic": effect_name(outputs.kind),
            "background": len(compared.effects),
            "largest": largest,
        },
    )
    told = ", ".join(f"{number} {reason.replace('_', ' ')}" for reason, number in skipped.items())
    status(
        f"{variants.name}: {found['scored']:,} of {found['alleles']:,} alleles scored"
        + (f"; not scored: {told}" if told else "")
        + (f"; {found['mismatches']} records disagree with the genome" if found["mismatches"] else "")
    )


def check_header(path: Path, header: Sequence[str]) -> None:
    """Refuse a file whose header declares the fields that are added.

    Raises
    ------
    UserError
        See above.
    """
    taken = {name: line for name in FIELDS for line in header if line.startswith(f"##INFO=<ID={name},")}
    if any(OWN in line for line in taken.values()):
        raise UserError(
            f"{path}: holds effects of lociflow already (INFO {PREFIX}), expected a file without; give the file that "
            f"was scored, or drop them with `bcftools annotate -x {','.join(f'INFO/{name}' for name in FIELDS)}`"
        )
    for name in taken:
        raise taken_field(f"{path}: the header declares", name)


def scored_records(
    judged: Iterator[Judged],
    predictors: Sequence[Predictor],
    store: SequenceStore,
    shifts: Sequence[int],
    background: Background,
) -> Iterator[Scored]:
    """Score records, a chunk at a time, and yield them in their order."""
    size = chunk_size(predictors[0])
    waiting: list[Judged] = []
    alleles = 0
    for one in judged:
        waiting.append(one)
        alleles += sum(allele is not None for allele in one.alleles)
        if alleles >= size or len(waiting) >= size:
            yield from _scored(waiting, predictors, store, shifts, background)
            waiting, alleles = [], 0
    yield from _scored(waiting, predictors, store, shifts, background)


def _scored(
    judged: Sequence[Judged],
    predictors: Sequence[Predictor],
    store: SequenceStore,
    shifts: Sequence[int],
    background: Background,
) -> Iterator[Scored]:
    alleles = [allele for one in judged for allele in one.alleles if allele is not None]
    found: Effects | None = score_alleles(predictors, store, alleles, shifts) if alleles else None
    values: dict[str, np.ndarray] = {}
    if found is not None:
        values = {**found.statistics, "sd": found.spread, "percentile": percentiles(background, found.effect)}
    place = 0
    for one in judged:
        rows: list[dict[str, np.ndarray] | None] = []
        effects: list[np.ndarray | None] = []
        for allele in one.alleles:
            if allele is None or found is None:
                rows.append(None)
                effects.append(None)
                continue
            rows.append({name: value[place] for name, value in values.items()})
            effects.append(found.effect[place])
            place += 1
        yield Scored(one, rows, effects)


def info_lines(outputs: Outputs, background: int) -> list[str]:
    """Return the header lines that declare the INFO fields."""
    parts = "|".join(("allele", "target", *STATISTICS[outputs.kind], "sd", "percentile"))
    effect = effect_name(outputs.kind)
    declared = (
        ("", ".", "String", f"{OWN}, one item for each allele and target. Format: {parts}"),
        ("_EFFECT", "A", "Float", f"Largest effect over targets ({effect}), with its sign"),
        ("_TARGET", "A", "String", "Target of the largest effect"),
        (
            "_PERCENTILE",
            "A",
            "Float",
            f"Percentage of {background} background variants whose effect on it is smaller",
        ),
        ("_SKIPPED", ".", "String", "For each item of ALT why it has no effect, . where it has one"),
        ("_MISMATCH", "0", "Flag", "REF is not what the genome has there"),
    )
    return [
        f'##INFO=<ID={PREFIX}{name},Number={number},Type={kind},Description="{text}">'
        for name, number, kind, text in declared
    ]


def annotated_fields(scored: Scored, columns: Sequence[str]) -> list[str]:
    """Return a record's columns with the INFO fields added."""
    record, added = scored.judged.record, []
    if any(row is not None for row in scored.rows):
        items = [
            "|".join((letters, _encoded(column), *(number(float(value[place])) for value in row.values())))
            for letters, row in zip(record.alternatives, scored.rows, strict=True)
            if row is not None
            for place, column in enumerate(columns)
        ]
        tops = [None if effect is None else int(np.nanargmax(np.abs(effect))) for effect in scored.effects]
        largest = [(effect, row, top) for effect, row, top in zip(scored.effects, scored.rows, tops, strict=True)]
        added = [
            f"{PREFIX}={','.join(items)}",
            f"{PREFIX}_EFFECT="
            + ",".join("." if effect is None else number(float(effect[top])) for effect, _, top in largest),
            f"{PREFIX}_TARGET=" + ",".join("." if top is None else _encoded(columns[top]) for *_, top in largest),
            f"{PREFIX}_PERCENTILE="
            + ",".join("." if row is None else number(float(row["percentile"][top])) for _, row, top in largest),
        ]
    if any(scored.judged.reasons):
        added.append(f"{PREFIX}_SKIPPED=" + ",".join(reason or "." for reason in scored.judged.reasons))
    if scored.judged.mismatch:
        added.append(f"{PREFIX}_MISMATCH")
    fields = list(record.fields)
    kept = [] if fields[INFO] in (".", "") else [fields[INFO].rstrip(";")]
    fields[INFO] = ";".join((*kept, *added)) or "."
    return fields


def table_rows(scored: Scored, columns: Sequence[str]) -> Iterator[list[str]]:
    """Yield the rows of the table: contig (as the file names it), position (1-based), alleles, target, statistics."""
    contig, position, identifier, reference, *_ = scored.judged.record.fields
    for letters, row in zip(scored.judged.record.alternatives, scored.rows, strict=True):
        if row is None:
            continue
        for place, column in enumerate(columns):
            values = [number(float(value[place])) for value in row.values()]
            yield [contig, position, identifier, reference, letters, column, *values]


def number(value: float) -> str:
    """Write a number with six digits; ``.`` where there is none."""
    return "." if np.isnan(value) else f"{value + 0.0:.6g}"


def _encoded(text: str) -> str:
    return _RESERVED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def _bytes(line: str) -> bytes:
    return f"{line}\n".encode("utf-8", errors="surrogateescape")
