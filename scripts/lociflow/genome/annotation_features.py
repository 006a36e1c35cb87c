"""Regions that an annotation defines: transcription start sites, promoters, gene parts and splice sites."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.annotation import CDS, EXON, GENE, TRANSCRIPT, Annotation, read_annotation
from lociflow.genome.contig_names import resolve_contigs, some
from lociflow.genome.regions import NO_SUMMIT, STRANDS, categorical
from lociflow.sequence.store import SequenceStore


class Genes(NamedTuple):
    """An annotation on the genome's own contigs; each table has the columns of ``Annotation.features``."""

    genes: pd.DataFrame
    transcripts: pd.DataFrame
    """Those of the chosen biotypes of which both ends are known."""
    exons: pd.DataFrame
    """Of the chosen biotypes; also of transcripts that the file has in part."""
    coding: pd.DataFrame
    every: pd.DataFrame
    """All rows whatever their biotype."""
    store: SequenceStore


class AnnotationRegions(NamedTuple):
    """The regions of the features that a configuration asks for.

    ``regions`` has ``contig`` (categorical in the store's order), ``start``, ``end`` (int64, 0-based, half-open),
    ``strand`` (categorical), ``score`` (NaN), ``summit`` (int64, -1: none), ``target`` (categorical in the order of
    ``names``) and ``name`` (str: the gene; of several genes with this region the first in the alphabet; "" for
    none), sorted by (target, contig, start, end, strand), each once per target. ``read`` is the number of regions of
    each target before any was dropped; ``counts`` is JSON: lines and rows of the file, what was dropped and why, and
    how many regions were clipped at the contigs' ends.
    """

    names: list[str]
    regions: pd.DataFrame
    read: list[int]
    counts: dict[str, Any]


Maker = Callable[..., pd.DataFrame]


def annotation_regions(
    config: Mapping[str, Any], path: Path, store: SequenceStore, aliases: Mapping[str, str | None]
) -> AnnotationRegions:
    """Make the regions of every feature that a configuration asks for.

    The kinds of feature:

    ``tss``
        The first base of each transcript; the same base of several transcripts counts once.
    ``promoter``
        ``upstream`` bases before the first base of each transcript and ``downstream`` from it on, along the strand, so
        that it is ``upstream + downstream`` long and has the start site as its summit.
    ``gene_body``
        Each gene from end to end.
    ``exon``, ``intron``, ``coding``
        Exons, the gaps between consecutive exons of one transcript, and coding parts; equal ones of several
        transcripts count once, different ones may overlap. ``min_length`` (default 1) leaves out shorter introns: some
        files write frame shifts as gaps of a base or two.
    ``intergenic``
        What no gene, transcript or exon of any biotype on either strand covers, on the contigs of the genome of which
        the annotation says anything.
    ``splice_donor``, ``splice_acceptor``
        The last base of the exon before each intron and the first base of the exon after it, along the strand, as
        SpliceAI labels them (Jaganathan et al. 2019, Cell 176:535); ``min_length`` as for ``intron``.

    Transcripts of which the file has parts but not the parent have no known ends: they give exons, introns and splice
    sites, and cover intergenic bases, but no start site.

    Parameters
    ----------
    config
        ``features`` maps the name of each target to its ``kind`` and the keys of that kind; ``biotypes`` (default:
        all) keeps these biotypes only, a gene without one for the sake of any of its transcripts; ``source`` is not
        looked at.
    path
        GTF or GFF3 file (:func:`lociflow.genome.annotation.read_annotation`).
    store
        The genome.
    aliases
        As :func:`lociflow.genome.contig_names.read_aliases` returns.

    Raises
    ------
    UserError
        The configuration has an unknown kind, key or biotype, the file is bad, its contigs are not the genome's, a
        feature begins beyond its contig's end, or a kind of feature is not in the file at all.
    """
    features = _checked(config)
    found = read_annotation(path)
    counts: dict[str, Any] = {
        "file": Path(path).name,
        "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "format": found.format,
        **found.counts,
    }
    genes, dropped = _on_genome(found, Path(path), store, aliases, config.get("biotypes"))
    tables, read, clipped = [], [], 0
    counts["targets"] = {}
    for number, (name, feature) in enumerate(features.items()):
        keys = {key: value for key, value in feature.items() if key != "kind"}
        made = KINDS[feature["kind"]](genes, **keys)
        kept, outside, over = _inside(_once(made), store)
        if kept.empty:
            raise UserError(
                f"{path}: found no {feature['kind']} for the target {name}, expected some; the file has "
                f"{counts['genes']} genes, {counts['transcripts']} transcripts, {counts['exons']} exons and "
                f"{counts['coding_parts']} coding parts: remove the target, or correct annotation.biotypes"
            )
        counts["targets"][name] = {"kind": feature["kind"], "regions": len(kept), "outside": outside, "clipped": over}
        tables.append(kept.assign(target=categorical(np.full(len(kept), number, np.int32), features)))
        read.append(len(kept) + outside)
        clipped += over
    counts |= {"dropped": dropped, "clipped": clipped}
    return AnnotationRegions(list(features), pd.concat(tables, ignore_index=True), read, counts)


def _checked(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    features = config.get("features")
    unknown = set(config) - {"source", "features", "biotypes"}
    if not isinstance(features, Mapping) or not features or unknown:
        raise UserError(
            f"targets.annotation: found the keys {', '.join(map(str, config))}, expected source, features (a mapping "
            "from the name of each target to its kind) and biotypes"
        )
    for name, feature in features.items():
        kind = feature.get("kind") if isinstance(feature, Mapping) else feature
        if not isinstance(feature, Mapping) or kind not in KINDS:
            raise UserError(
                f"targets.annotation.features.{name}: found the kind {kind!r}, expected one of {', '.join(KINDS)}"
            )
        keys = _KEYS.get(kind, {})
        odd = set(feature) - {"kind", *keys}
        if odd or (kind == "promoter" and not set(keys) <= set(feature)):
            raise UserError(
                f"targets.annotation.features.{name}: found the keys {', '.join(map(str, feature))}, expected kind"
                f"{''.join(f', {key}' for key in keys)} for {kind}"
            )
        for key, least in keys.items():
            value = feature.get(key, least)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise UserError(
                    f"targets.annotation.features.{name}.{key}: found {value!r}, expected a whole number of bases of "
                    f"at least {least}"
                )
        if kind == "promoter" and feature["upstream"] + feature["downstream"] < 1:
            raise UserError(f"targets.annotation.features.{name}: found a promoter of 0 bases, expected at least 1")
    return {str(name): feature for name, feature in features.items()}


def _on_genome(
    found: Annotation,
    path: Path,
    store: SequenceStore,
    aliases: Mapping[str, str | None],
    biotypes: list[str] | None,
) -> tuple[Genes, dict[str, int]]:
    resolved = resolve_contigs(found.features, store.names, aliases, path)
    every = resolved.regions
    ends = store.lengths[every["contig"].cat.codes.to_numpy()]
    beyond = every["start"].to_numpy() >= ends
    if beyond.any():
        first = every[beyond].iloc[0]
        raise UserError(
            f"{path}: found {int(beyond.sum())} features that begin beyond their contig's end, the first "
            f"{first['contig']}:{first['start']}-{first['end']}, expected at most {ends[beyond][0]} in {store.name}; "
            "is the file from another assembly?"
        )
    chosen = np.ones(len(every), bool) if biotypes is None else _of_biotypes(every, biotypes, path)
    kind = every["kind"].cat.codes.to_numpy()
    whole = every["whole"].to_numpy()
    stranded = every["strand"].cat.codes.to_numpy() > 0
    usable = chosen & whole & stranded
    dropped = {
        "excluded_contig": resolved.excluded,
        "biotype": int((~chosen).sum()),
        "transcripts_without_ends": int((chosen & ~whole & (kind == TRANSCRIPT)).sum()),
        "transcripts_without_strand": int((chosen & whole & ~stranded & (kind == TRANSCRIPT)).sum()),
    }
    rows = (chosen & (kind == GENE), usable & (kind == TRANSCRIPT), chosen & (kind == EXON), chosen & (kind == CDS))
    genes, transcripts, exon, coding = (every[row].reset_index(drop=True) for row in rows)
    return Genes(genes, transcripts, exon, coding, every, store), dropped


def _of_biotypes(every: pd.DataFrame, biotypes: list[str], path: Path) -> np.ndarray:
    known = sorted(set(every["biotype"]) - {""})
    unknown = [name for name in biotypes if name not in known]
    if unknown or not biotypes:
        raise UserError(
            f"{path}: found no biotype {some(map(str, unknown))}, expected targets.annotation.biotypes to be among "
            f"{some(known, 12) or 'none: the file tells no biotype, leave the key out'}"
        )
    chosen = every["biotype"].isin(biotypes).to_numpy()
    untold = ((every["kind"] == "gene") & (every["biotype"] == "")).to_numpy()
    genes = set(every["gene"][chosen & (every["kind"] == "transcript").to_numpy()])
    return chosen | (untold & every["gene"].isin(genes).to_numpy())


def _once(regions: pd.DataFrame) -> pd.DataFrame:
    """Keep each region once, sorted, under the first of its genes' names."""
    regions = regions.sort_values(["contig", "start", "end", "strand", "gene"], kind="stable")
    regions = regions.drop_duplicates(["contig", "start", "end", "strand"])
    return regions.rename(columns={"gene": "name"}).reset_index(drop=True)


def _inside(regions: pd.DataFrame, store: SequenceStore) -> tuple[pd.DataFrame, int, int]:
    """Clip regions at their contigs' ends; return them, how many lay wholly beyond, and how many were clipped."""
    length = store.lengths[regions["contig"].cat.codes.to_numpy()]
    start, end, summit = (regions[column].to_numpy() for column in ("start", "end", "summit"))
    inside = (start < length) & (end > 0)
    clipped = inside & ((start < 0) | (end > length))
    # A summit beyond the contig is no base that a window could be centred on.
    summit = np.where((summit < 0) | (summit >= length), NO_SUMMIT, summit)
    regions = regions.assign(start=np.maximum(start, 0), end=np.minimum(end, length), summit=summit, score=np.nan)
    columns = ["contig", "start", "end", "strand", "score", "summit", "name"]
    return regions.loc[inside, columns].reset_index(drop=True), int((~inside).sum()), int(clipped.sum())


def _regions(like: pd.DataFrame, start: np.ndarray, end: np.ndarray, summit: np.ndarray | None = None) -> pd.DataFrame:
    point = np.full(len(like), NO_SUMMIT, np.int64) if summit is None else summit
    return like[["contig", "strand", "gene"]].assign(start=start, end=end, summit=point)


def start_sites(genes: Genes) -> pd.DataFrame:
    """Return the first base of every transcript."""
    site = _first_base(genes.transcripts)
    return _regions(genes.transcripts, site, site + 1, site)


def promoters(genes: Genes, upstream: int, downstream: int) -> pd.DataFrame:
    """Return the bases around every transcript's first base."""
    table = genes.transcripts
    site = _first_base(table)
    forward = (table["strand"] == "+").to_numpy()
    start = np.where(forward, site - upstream, site - downstream + 1)
    return _regions(table, start, start + upstream + downstream, site)


def gene_bodies(genes: Genes) -> pd.DataFrame:
    """Return every gene from end to end."""
    return _regions(genes.genes, genes.genes["start"].to_numpy(), genes.genes["end"].to_numpy())


def exons(genes: Genes) -> pd.DataFrame:
    """Return every exon."""
    return _regions(genes.exons, genes.exons["start"].to_numpy(), genes.exons["end"].to_numpy())


def coding_parts(genes: Genes) -> pd.DataFrame:
    """Return every coding part of every transcript."""
    return _regions(genes.coding, genes.coding["start"].to_numpy(), genes.coding["end"].to_numpy())


def introns(genes: Genes, min_length: int = 1) -> pd.DataFrame:
    """Return the gaps between consecutive exons of one transcript; exons that overlap or touch leave none."""
    table = genes.exons
    key = table.groupby(["contig", "transcript"], observed=True, sort=False).ngroup().to_numpy()
    order = np.lexsort((table["end"], table["start"], key))
    table, key = table.iloc[order].reset_index(drop=True), key[order]
    reached = table["end"].groupby(key).cummax().to_numpy()
    start, end = reached[:-1], table["start"].to_numpy()[1:]
    gap = np.flatnonzero((key[1:] == key[:-1]) & (end - start >= min_length))
    return _regions(table.iloc[gap], start[gap], end[gap])


def splice_donors(genes: Genes, min_length: int = 1) -> pd.DataFrame:
    """Return the last base of the exon before every intron, along the strand."""
    return _splice_sites(introns(genes, min_length), before="+")


def splice_acceptors(genes: Genes, min_length: int = 1) -> pd.DataFrame:
    """Return the first base of the exon after every intron, along the strand."""
    return _splice_sites(introns(genes, min_length), before="-")


def _splice_sites(gaps: pd.DataFrame, before: str) -> pd.DataFrame:
    gaps = gaps[gaps["strand"] != "."]
    site = np.where(gaps["strand"] == before, gaps["start"] - 1, gaps["end"])
    return _regions(gaps, site, site + 1, site)


def intergenic(genes: Genes) -> pd.DataFrame:
    """Return what no feature covers, of the contigs that have any."""
    contig, start, end = [], [], []
    codes = genes.every["contig"].cat.codes.to_numpy()
    begins, ends = genes.every["start"].to_numpy(), genes.every["end"].to_numpy()
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        rows = rows[np.argsort(begins[rows], kind="stable")]
        left = np.concatenate([[0], np.maximum.accumulate(ends[rows])])
        right = np.concatenate([begins[rows], [genes.store.lengths[code]]])
        free = right > left
        contig.append(np.full(int(free.sum()), code))
        start.append(left[free])
        end.append(right[free])
    code = np.concatenate([*contig, np.empty(0, np.int64)])
    like = pd.DataFrame(
        {
            "contig": categorical(code.astype(np.int32), genes.store.names),
            "strand": categorical(np.zeros(len(code), np.int8), STRANDS),
            "gene": pd.Series([""] * len(code), dtype="str"),
        }
    )
    return _regions(like, np.concatenate([*start, code[:0]]), np.concatenate([*end, code[:0]]))


def _first_base(transcripts: pd.DataFrame) -> np.ndarray:
    forward = (transcripts["strand"] == "+").to_numpy()
    return np.where(forward, transcripts["start"], transcripts["end"] - 1)


KINDS: dict[str, Maker] = {
    "tss": start_sites,
    "promoter": promoters,
    "gene_body": gene_bodies,
    "exon": exons,
    "intron": introns,
    "intergenic": intergenic,
    "splice_donor": splice_donors,
    "splice_acceptor": splice_acceptors,
    "coding": coding_parts,
}

# The least value of each key of a kind; what a promoter needs must be given.
_KEYS: dict[str, dict[str, int]] = {
    "promoter": {"upstream": 0, "downstream": 0},
    "intron": {"min_length": 1},
    "splice_donor": {"min_length": 1},
    "splice_acceptor": {"min_length": 1},
}
