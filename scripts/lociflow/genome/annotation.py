"""Gene annotation from GTF and GFF3 files: genes, their transcripts, exons and coding parts.

Both formats count from 1 and include the end; here, as everywhere, coordinates are 0-based and half-open. The formats:
GTF 2.2 (https://mblab.wustl.edu/GTF22.html, as Ensembl, GENCODE and UCSC write it) and GFF3 1.26 (Sequence Ontology).
"""

import io
import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary
from lociflow.genome.regions import STRANDS, categorical

KINDS = ("gene", "transcript", "exon", "cds")
GENE, TRANSCRIPT, EXON, CDS = range(4)

_EXON_TYPES = {"exon", "pseudogenic_exon", "noncoding_exon", "coding_exon"}
_PROTEIN_TYPES = {"protein", "polypeptide"}
# Parts of which nothing is a part, so that their ID (which some files repeat) need not be kept.
_UNUSED_TYPES = {
    "intron", "five_prime_UTR", "three_prime_UTR", "UTR", "5UTR", "3UTR", "start_codon", "stop_codon", "Selenocysteine",
    "region", "chromosome", "contig", "supercontig", "match", "match_part", "cDNA_match", "sequence_feature",
}  # fmt: skip
_GTF_TYPES = {"gene": GENE, "transcript": TRANSCRIPT, "mRNA": TRANSCRIPT, "exon": EXON, "CDS": CDS}
_GTF_ATTRIBUTE = re.compile(
    r"(?:^|;)\s*(gene_id|transcript_id|gene_type|gene_biotype|transcript_type|transcript_biotype)"
    r"""\s+(?:"([^"]*)"|([^;"\s]+))"""
)
_LOOKS_LIKE_GFF3 = re.compile(r"\s*[A-Za-z_][^\s=\";]*=")
_LOOKS_LIKE_GTF = re.compile(r"\s*[A-Za-z_]\w*\s+[\"\w]")
_STRAND_CODES = {".": 0, "?": 0, "+": 1, "-": 2}
_DIGITS = re.compile(r"[0-9]{1,18}")


class Annotation(NamedTuple):
    """What an annotation says of the genome.

    ``features`` has a row for each gene, each transcript, and each exon and coding part of a transcript: ``contig``
    (categorical, the file's names), ``start``, ``end`` (int64), ``strand`` (categorical), ``kind`` (categorical of
    :data:`KINDS`), ``gene``, ``transcript``, ``biotype`` (str, "" where there is none) and ``whole`` (bool: false for
    what was put together from parts of which the file lacks the parent, so that its ends may not be the real ones).
    ``counts`` says how many lines were read and what became of those that are not there.
    """

    features: pd.DataFrame
    format: str
    """"gtf" or "gff3"."""
    counts: dict[str, int]


class Line(NamedTuple):
    """One feature line, already on 0-based half-open coordinates; ``strand`` is the place in ``STRANDS``."""

    number: int
    contig: str
    type: str
    start: int
    end: int
    strand: int
    attributes: str


class Rows:
    """Rows in columns: millions of tuples would take several times the memory, and the garbage collector's time."""

    def __init__(self) -> None:
        self.contig: list[str] = []
        self.start, self.end = array("q"), array("q")
        self.strand, self.kind, self.whole = array("b"), array("b"), array("b")
        self.gene: list[str] = []
        self.transcript: list[str] = []
        self.biotype: list[str] = []
        self._names: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.contig)

    def add(self, line: Line, kind: int, gene: str, transcript: str, biotype: str, whole: bool = True) -> None:
        """Append a row; of names that stand on dozens of lines one copy is kept."""
        once = self._names.setdefault
        self.contig.append(once(line.contig, line.contig))
        self.start.append(line.start)
        self.end.append(line.end)
        self.strand.append(line.strand)
        self.kind.append(kind)
        self.gene.append(once(gene, gene))
        self.transcript.append(once(transcript, transcript))
        self.biotype.append(once(biotype, biotype))
        self.whole.append(whole)


class Node(NamedTuple):
    """A GFF3 feature that others may name as their parent."""

    line: Line
    parents: tuple[str, ...]
    biotype: str


def read_annotation(path: Path) -> Annotation:
    """Read a GTF or GFF3 file, plain, gzip or bgzip; which of them it is, its attributes tell.

    Comments, ``track`` and ``browser`` lines and blank lines are skipped, as is a GFF3's ``##FASTA`` section. What the
    file leaves out is put together from the parts: transcripts from their exons (a GTF of ``exon`` rows alone is
    enough), exons from coding parts where a transcript has no other, genes from their transcripts. Introns are never
    read: files list predicted ones beside those of their transcripts.

    A transcript's biotype is its own ``transcript_biotype``, ``transcript_type`` or ``biotype``, else its gene's, else
    the GFF3 type, of which ``mRNA`` reads as ``protein_coding``. Transcripts with parts on both strands of a contig are
    left out and counted as ``trans_spliced``. A GTF's transcript name on two contigs means two transcripts. The rows
    of a GTF's ``CDS`` end before the stop codon, those of a GFF3 after it.

    Raises
    ------
    UserError
        The file is missing, broken off, of another format or without genes, or a line has not nine columns, borders
        that are no whole numbers, a start below 1, an end before its start, an unknown strand, or names no transcript.
    """
    path = Path(path)
    counts = {"lines": 0, "unused_lines": 0}
    lines = _lines(path, counts)
    try:
        first: list[Line] = []
        kind = None
        for line in lines:
            first.append(line)
            kind = _told_format(line.attributes)
            if kind:
                break
        if kind is None:
            raise UserError(
                f"{path}: found no attributes such as 'gene_id \"x\"' (GTF) or 'ID=x' (GFF3) in {len(first)} feature "
                "lines, expected gene annotation in column 9"
            )
        rows = (_gtf if kind == "gtf" else _gff3)(path, _chain(first, lines), counts)
    except GZIP_ERRORS as error:
        raise UserError(f"{path}: a broken gzip file ({error}); fetch it again") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected a GTF or GFF3 file") from None
    if not rows:
        raise UserError(
            f"{path}: found {counts['lines']} feature lines and no gene, transcript, exon or CDS among them, expected "
            "some; give the annotation of genes"
        )
    return Annotation(_completed(_table(rows), counts), kind, counts)


def _chain(first: Sequence[Line], rest: Iterator[Line]) -> Iterator[Line]:
    yield from first
    yield from rest


def _told_format(attributes: str) -> str | None:
    if _LOOKS_LIKE_GFF3.match(attributes):
        return "gff3"
    return "gtf" if _LOOKS_LIKE_GTF.match(attributes) else None


def _lines(path: Path, counts: dict[str, int]) -> Iterator[Line]:
    with open_binary(path) as handle:
        text = io.TextIOWrapper(handle, encoding="utf-8-sig", errors="replace")
        for number, content in enumerate(text, start=1):
            if content.startswith("##FASTA") or content.startswith(">"):
                return
            if content.startswith("#") or not content.strip() or re.match(r"(track|browser)\s", content):
                continue
            counts["lines"] += 1
            yield _line(path, number, content.rstrip("\n"))


def _line(path: Path, number: int, content: str) -> Line:
    fields = content.split("\t")
    # Some programs end the line with another tab or two.
    if len(fields) < 9 or any(fields[9:]):
        raise UserError(
            f"{path}, line {number}: found {len(fields)} columns ({content[:60]!r}), expected the 9 of GTF or GFF3, "
            "separated by tabs"
        )
    contig, _, kind, start, end, _, strand, _, attributes = fields[:9]
    for what, field in (("start", start), ("end", end)):
        if not _DIGITS.fullmatch(field):
            raise UserError(f"{path}, line {number}: found {what} {field!r}, expected a whole number of at least 1")
    if int(start) < 1:
        raise UserError(f"{path}, line {number}: found start {start}, expected 1 or more; GTF and GFF3 count from 1")
    if int(end) < int(start):
        raise UserError(
            f"{path}, line {number}: found end {end} before start {start}, expected end >= start on either strand; "
            "correct the line"
        )
    if strand not in _STRAND_CODES:
        raise UserError(f"{path}, line {number}: found strand {strand!r}, expected +, -, . or ? in column 7")
    if not contig or not kind:
        raise UserError(f"{path}, line {number}: found an empty column {1 if not contig else 3}, expected a name")
    if "%" in contig:
        contig = unquote(contig)
    return Line(number, contig, kind, int(start) - 1, int(end), _STRAND_CODES[strand], attributes)


def _gtf(path: Path, lines: Iterator[Line], counts: dict[str, int]) -> Rows:
    rows = Rows()
    for line in lines:
        kind = _GTF_TYPES.get(line.type)
        if kind is None:
            counts["unused_lines"] += 1
            continue
        found = {key: quoted or plain for key, quoted, plain in _GTF_ATTRIBUTE.findall(line.attributes)}
        gene, transcript = found.get("gene_id", ""), found.get("transcript_id", "")
        if not gene or (not transcript and kind != GENE):
            lacking = "transcript_id" if gene else "gene_id"
            raise UserError(
                f"{path}, line {line.number}: found {line.type} without {lacking} ({line.attributes[:60]!r}), "
                f'expected {lacking} "…"; as in the lines before it, this is read as GTF'
            )
        biotype = found.get("gene_type") or found.get("gene_biotype") or ""
        if kind != GENE:
            biotype = found.get("transcript_type") or found.get("transcript_biotype") or biotype
        rows.add(line, kind, gene, "" if kind == GENE else transcript, biotype)
    return rows


def _gff3(path: Path, lines: Iterator[Line], counts: dict[str, int]) -> Rows:
    nodes: dict[str, list[Node]] = {}
    parts: list[tuple[int, Line, tuple[str, ...]]] = []
    alone: set[str] = set()
    for line in lines:
        if line.type in _UNUSED_TYPES:
            counts["unused_lines"] += 1
            continue
        found = _gff3_attributes(path, line)
        parents = tuple(unquote(name) for name in found.get("Parent", "").split(",") if name)
        name = unquote(found.get("ID", ""))
        kind = EXON if line.type in _EXON_TYPES else CDS if line.type == "CDS" else None
        if kind is not None:
            if not parents and (kind == EXON or not name):
                raise UserError(
                    f"{path}, line {line.number}: found {line.type} without Parent ({line.attributes[:60]!r}), "
                    "expected the transcript that it is a part of"
                )
            if not parents:
                # Prokaryotic annotation: a coding part that is gene and transcript in one.
                parents = (name,)
                alone.add(name)
            parts.append((kind, line, parents))
        elif name:
            biotype = next((found[key] for key in _GFF3_BIOTYPES if key in found), "")
            nodes.setdefault(name, []).append(Node(line, parents, unquote(biotype)))
        else:
            counts["unused_lines"] += 1
    return _related(nodes, parts, alone, counts)


_GFF3_BIOTYPES = ("biotype", "transcript_biotype", "transcript_type", "gene_biotype", "gene_type")


def _gff3_attributes(path: Path, line: Line) -> dict[str, str]:
    found = {}
    for entry in line.attributes.split(";"):
        key, equals, value = entry.strip().partition("=")
        if equals:
            found[key] = value
        elif key not in ("", ".") and not found:
            # Unescaped semicolons in notes are common; a line that begins without a key is another format.
            raise UserError(
                f"{path}, line {line.number}: found the attribute {key[:40]!r}, expected KEY=VALUE; as in the lines "
                "before it, this is read as GFF3"
            )
    return found


def _related(
    nodes: dict[str, list[Node]],
    parts: Sequence[tuple[int, Line, tuple[str, ...]]],
    alone: set[str],
    counts: dict[str, int],
) -> Rows:
    """Follow the Parent chains: a transcript is what has exons (or, without any, coding parts)."""
    transcripts = dict.fromkeys(name for kind, _, parents in parts if kind == EXON for name in parents)
    for kind, _, parents in parts:
        # Arabidopsis names the protein as a second parent of its coding parts.
        if kind == CDS and not any(name in transcripts for name in parents):
            named = [name for name in parents if name in nodes and nodes[name][0].line.type not in _PROTEIN_TYPES]
            transcripts.update(dict.fromkeys(named or [name for name in parents if name not in nodes][:1]))
    genes = {name for name, found in nodes.items() if found[0].line.type.endswith("gene")}
    for name, found in nodes.items():
        if name not in genes and any(parent in genes for parent in found[0].parents) and _is_rna(found[0].line.type):
            transcripts.setdefault(name)
    rows = Rows()
    gene_of: dict[str, tuple[str, str]] = {}
    for name in transcripts:
        found = nodes.get(name, [])
        gene = next((parent for node in found for parent in node.parents), name if found or name in alone else "")
        own, of_gene = (nodes[place][0].biotype if place in nodes else "" for place in (name, gene))
        biotype = own or of_gene or (_biotype_of_type(found[0].line.type) if found else "")
        gene_of[name] = gene, biotype
        if gene in nodes:
            genes.add(gene)
        for node in found:
            rows.add(node.line, TRANSCRIPT, gene, name, biotype)
    for name in nodes:
        if name in genes:
            for node in nodes[name]:
                rows.add(node.line, GENE, name, "", node.biotype)
    for kind, line, parents in parts:
        for name in parents:
            if name in gene_of:
                rows.add(line, kind, gene_of[name][0], name, gene_of[name][1], name in nodes or name in alone)
    used = genes.union(transcripts)
    counts["unused_lines"] += sum(len(found) for name, found in nodes.items() if name not in used)
    counts["missing_parents"] = sum(name not in nodes and name not in alone for name in transcripts)
    return rows


def _is_rna(kind: str) -> bool:
    return kind.endswith(("RNA", "transcript", "RNA_TE_gene"))


def _biotype_of_type(kind: str) -> str:
    return {"mRNA": "protein_coding", "transcript": ""}.get(kind, kind)


def _table(rows: Rows) -> pd.DataFrame:
    contigs = list(dict.fromkeys(rows.contig))
    place = {name: index for index, name in enumerate(contigs)}
    codes = np.fromiter((place[name] for name in rows.contig), np.int32, len(rows))
    return pd.DataFrame(
        {
            "contig": categorical(codes, contigs),
            "start": np.array(rows.start, np.int64),
            "end": np.array(rows.end, np.int64),
            "strand": categorical(np.array(rows.strand, np.int8), STRANDS),
            "kind": categorical(np.array(rows.kind, np.int8), KINDS),
            "gene": pd.Series(rows.gene, dtype="str"),
            "transcript": pd.Series(rows.transcript, dtype="str"),
            "biotype": pd.Series(rows.biotype, dtype="str"),
            "whole": np.array(rows.whole, bool),
        }
    )


def _completed(table: pd.DataFrame, counts: dict[str, int]) -> pd.DataFrame:
    """Put together what the file leaves out, and leave out what is on both strands."""
    named = table["transcript"] != ""
    strands = table[named].groupby(["contig", "transcript"], observed=True)["strand"].nunique()
    spliced = strands.index[strands > 1]
    both = named & pd.MultiIndex.from_frame(table[["contig", "transcript"]].astype("str")).isin(
        [(str(contig), name) for contig, name in spliced]
    )
    counts["trans_spliced"] = len(spliced)
    table = table[~both]
    kind = table["kind"].cat.codes
    exons, coding = table[kind == EXON], table[kind == CDS]
    bare = coding[~_among(coding, exons, "transcript")].assign(kind=KINDS[EXON])
    exons = pd.concat([exons, bare]) if len(bare) else exons
    transcripts = table[kind == TRANSCRIPT]
    built = _spans(exons[~_among(exons, transcripts, "transcript")], "transcript", TRANSCRIPT)
    if transcripts.duplicated(["contig", "transcript"]).any():
        transcripts = _spans(transcripts, "transcript", TRANSCRIPT)
    transcripts = pd.concat([transcripts, built]) if len(built) else transcripts
    genes = table[kind == GENE]
    parts = transcripts[transcripts["gene"] != ""]
    made = _spans(parts[~_among(parts, genes, "gene")], "gene", GENE).assign(transcript="")
    genes = pd.concat([genes, made]) if len(made) else genes
    counts |= {"genes": len(genes), "transcripts": len(transcripts), "exons": len(exons), "coding_parts": len(coding)}
    counts |= {"transcripts_from_parts": len(built), "genes_from_parts": len(made), "exons_from_coding": len(bare)}
    found = pd.concat([genes, transcripts, exons, coding], ignore_index=True)
    return found.assign(kind=pd.Categorical(found["kind"], categories=list(KINDS)))


def _among(rows: pd.DataFrame, others: pd.DataFrame, name: str) -> np.ndarray:
    """Tell which rows have their (contig, ``name``) in others."""
    return pd.MultiIndex.from_frame(rows[["contig", name]]).isin(pd.MultiIndex.from_frame(others[["contig", name]]))


def _spans(rows: pd.DataFrame, name: str, kind: int) -> pd.DataFrame:
    """Join the rows of one (contig, ``name``, strand) from their first base to their last."""
    if rows.empty:
        return rows.assign(kind=KINDS[kind])
    by = rows.groupby(["contig", name, "strand"], observed=True, sort=False)
    spans = by.agg(start=("start", "min"), end=("end", "max"), whole=("whole", "all"))
    others = [column for column in ("gene", "transcript", "biotype") if column != name]
    return spans.join(by[others].first()).reset_index().assign(kind=KINDS[kind])[list(rows.columns)]
