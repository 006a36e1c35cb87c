import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lociflow.preflight.contents import check_dataset_files, check_settings, contigs_of
from lociflow.preflight.finding import ERROR, OK, Finding

PINNED = {"chrI": "0" * 32, "chrII": "1" * 32}
TILES = {"_target_": "lociflow.genome.windows.tile_bins", "bin": 200, "length": 500}
PEAKS = {"_target_": "lociflow.genome.windows.peak_centred_bins", "bin": 200, "length": 500}
BY_CONTIG = {"name": "a", "_target_": "lociflow.genome.splits.by_contig", "validation": ["b"], "test": ["c"]}


def source(file: str, **more: Any) -> dict[str, Any]:
    return {"file": file, "url": None, "path": None, "sha256": None, "derived_from": None, **more}


def look(folder: Path, aliases: dict[str, str | None] | None = None, **config: Any) -> list[Finding]:
    """Look into a data set whose files are those of a folder."""
    whole = {"name": "toy", "genome": {"source": [source("g.fa")]}, "targets": {"files": {"A": source("A.bed")}}}
    here = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return check_dataset_files({**whole, **config}, here, aliases or {})


def errors(found: list[Finding]) -> list[str]:
    return [finding.told for finding in found if finding.verdict == ERROR]


def pinned() -> dict[str, Any]:
    return {"source": [source("g.fa")], "contig_md5": PINNED}


def test_good_files_say_how_much_was_seen(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">chrI\nACGT\n")
    (tmp_path / "A.bed").write_text("track name=x\nchrI\t0\t10\n")
    found = look(tmp_path, genome=pinned())
    assert found == [Finding("dataset toy", OK, "2 of 2 files are here and looked into")]


def test_what_is_not_here_is_not_refused(tmp_path: Path) -> None:
    assert look(tmp_path) == [Finding("dataset toy", OK, "0 of 2 files are here and looked into")]


def test_scores_of_another_tool_are_looked_into(tmp_path: Path) -> None:
    predictions = {"gkm": [source("s.tsv")]}
    (tmp_path / "s.tsv").write_text("chrI:0-200\t0.5\n")
    assert errors(look(tmp_path, predictions=predictions)) == []
    (tmp_path / "s.tsv").write_text("chrI:0-200\t0.5\nchrI:200-400,1\n")
    (told,) = errors(look(tmp_path, predictions=predictions))
    assert told == f"{tmp_path}/s.tsv, line 2: found 'chrI:200-400,1', expected a name, a tab and a score"


Q = {"labels": {"positive_score": 2, "score": "q_value"}}


@pytest.mark.parametrize(
    ("name", "text", "config", "told"),
    [
        ("A.bed", "chrI\t5\n", {}, "A.bed, line 1: found 2 columns"),
        ("A.bed", "#x\nchrI\tfive\t9\n", {}, "A.bed, line 2: found "),
        (
            "A.bed",
            "chrI\t1\t9\n",
            {"labels": {"positive_score": 2}},
            "labels.positive_score: found a peak of A without",
        ),
        ("A.bed", "chrI\t1\t9\tx\t1\n", Q, "without q_value (chrI:1-9)"),
        ("A.bed", "chr1\t1\t9\n", {}, "A.bed: the genome has no contig chr1; expected names such as chrI, chrII"),
        ("A.bed", "chr1\t1\t9\n", {}, "contig_aliases: {chr1: chrI}"),
        ("A.bed", "chrI\t0\t9\nchr7\t0\t9\n", {}, "the genome has no contig chr7"),
        ("A.bed", "#nothing\n", {}, "A.bed: found no peak for A"),
        ("A.bed", "chrI\t1\t9\n", {"labels": {"min_overlap": 2}}, "labels.min_overlap: found 2"),
        ("A.bed", "chrI\t1\t9\n", {"labels": {"min_overlop": 1}}, "did you mean min_overlap?"),
    ],
    ids=[
        *("two columns", "no numbers", "no score", "no q-value", "another name", "its alias", "one of two names"),
        *("no region", "a setting's value", "a setting's name"),
    ],
)
def test_bad_regions_are_told_as_their_step_would(
    tmp_path: Path, name: str, text: str, config: dict[str, Any], told: str
) -> None:
    (tmp_path / name).write_text(text)
    (found,) = errors(look(tmp_path, **{"genome": pinned(), **config}))
    assert told in found


@pytest.mark.parametrize(
    ("name", "content", "config"),
    [
        ("A.bed", b"\xef\xbb\xbfchrI 1 9\r\nchrII 1 9\r\n", {}),
        ("A.bed", b"chrI\t1\t5\rchrI\t9\t15\r", {}),
        ("A.bedgraph", b"chrI\t1\t5\t9.5\n", {"labels": {"positive_score": 2}}),
        ("A.bedpe", b".\t-1\t-1\tchrI\t3\t9\tx\t1\t.\t+\nchrI\t0\t9\tchrI\t5\t20\tx\t1\t+\t-\n", {}),
        ("A.narrowPeak", b"chrI\t1\t9\tp\t1\t.\t2\t3\t4\t5\n", Q),
        ("A.bed", b"chrI\t1\t9\n" * 300 + b"chrII\tx\n", {}),
        ("A.bed", b"#nothing\n", {"labels": {"allow_empty_targets": True}}),
        ("A.bed.gz", gzip.compress(b"chrI\t1\t9\n"), {}),
    ],
    ids=[
        *("blanks and CRLF", "lone CR", "bedGraph with a score", "an unknown mate", "q-values"),
        *("a fault further down", "an empty target that is allowed", "gzip"),
    ],
)
def test_what_the_step_takes_is_not_refused(tmp_path: Path, name: str, content: bytes, config: dict[str, Any]) -> None:
    (tmp_path / name).write_bytes(content)
    found = look(tmp_path, **{"genome": pinned(), "targets": {"files": {"A": source(name)}}, **config})
    assert errors(found) == []
    assert found[-1].told == "1 of 2 files are here and looked into"


def test_every_file_of_a_published_split_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("region,start,end\nchrI,1,9\n")
    (tmp_path / "test.csv").write_text("region,start,end\nchrI,nine,9\n")
    parts = [{**source("train.csv"), "split": "train"}, {**source("test.csv"), "split": "test"}]
    (found,) = errors(look(tmp_path, genome=pinned(), targets={"files": {"A": parts}}))
    assert "test.csv, line 2: found start 'nine'" in found


def test_settings_that_do_not_fit_are_told_once(tmp_path: Path) -> None:
    for name in ("A.bed", "B.bed"):
        (tmp_path / name).write_text("chrI\t1\t9\n")
    targets = {"files": {name: source(f"{name}.bed") for name in "AB"}}
    assert len(errors(look(tmp_path, genome=pinned(), targets=targets, labels={"kind": "real"}))) == 1


def test_aliases_are_known(tmp_path: Path) -> None:
    (tmp_path / "A.bed").write_text("chr1\t1\t9\nM\t1\t9\n")
    assert errors(look(tmp_path, {"chr1": "chrI", "M": None}, genome=pinned())) == []
    # What the genome's names are is not seen here.
    assert errors(look(tmp_path, {"chr1": "chrI", "M": None})) == []


def test_a_blacklist_may_be_of_the_whole_genome(tmp_path: Path) -> None:
    blacklist = source("black.bed")
    for text, wrong in (
        ("chr9\t0\t9\nchrI\t0\t9\n", 0),
        ("chr9\t0\t9\n" * 300 + "chrI\t0\t9\n", 0),
        ("chr1\t0\t9\n" * 300, 1),
        ("chr9\t0\t9\n", 1),
    ):
        (tmp_path / "black.bed").write_text(text)
        assert len(errors(look(tmp_path, genome=pinned(), blacklist=blacklist))) == wrong


def test_a_vcf_may_have_other_contigs(tmp_path: Path) -> None:
    lines = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n"
    for text, wrong in (
        ("chrUn\t1\t.\tA\tC\nchrI\t1\t.\tA\tC\n", 0),
        ("chrUn\t1\t.\tA\tC\n" * 300, 0),
        ("chrUn\t1\t.\tA\tC\n", 1),
        ("chrI\tone\t.\tA\tC\n", 1),
        ("chrI\t1\n", 1),
    ):
        (tmp_path / "v.vcf").write_text(lines + text)
        assert len(errors(look(tmp_path, genome=pinned(), variants=[source("v.vcf")]))) == wrong


def test_sequences_with_places_may_stand_for_a_vcf(tmp_path: Path) -> None:
    (tmp_path / "v.fa").write_text(">chrI:0-4\nACGT\n")
    assert errors(look(tmp_path, genome=pinned(), variants=[source("v.fa")])) == []
    (tmp_path / "v.bcf").write_bytes(gzip.compress(b"BCF\2\2"))
    assert errors(look(tmp_path, genome=pinned(), variants=[source("v.bcf")])) == []


def test_empty_files_are_told_whatever_is_known_of_the_genome(tmp_path: Path) -> None:
    (tmp_path / "A.bed").write_bytes(b"")
    assert "A.bed: found no peak" in errors(look(tmp_path))[0]
    (tmp_path / "t.bg").write_bytes(b"")
    signal = {"targets": {"signal": {"tracks": {"t": source("t.bg")}}}, "labels": {"kind": "real"}}
    assert errors(look(tmp_path, **signal)) == []


GENE = 'chrI\tx\tgene\t1\t9\t.\t+\t.\tgene_id "g"; transcript_id "t";\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GENE, None),
        (GENE.replace("gene\t", "region\t") * 300 + GENE, None),
        (GENE.replace("gene\t", "region\t"), "no gene, transcript, exon or CDS"),
        (GENE.replace("\t9", "\tnine"), "a.gtf, line 1: found end 'nine'"),
        (GENE.replace("chrI", "chr1"), "a.gtf: the genome has no contig chr1"),
    ],
)
def test_annotation_is_read_as_far_as_it_is_seen(tmp_path: Path, text: str, told: str | None) -> None:
    (tmp_path / "a.gtf").write_text(text)
    annotation = {"source": source("a.gtf"), "features": {"gene": {"kind": "gene_body"}}}
    found = errors(look(tmp_path, genome=pinned(), targets={"annotation": annotation}))
    assert [told in sentence for sentence in found] == [True] * bool(told) if told else found == []


@pytest.mark.parametrize(
    ("name", "text", "signal", "told"),
    [
        ("t.bg", "chrI\t0\t9\t1.5\n", {}, None),
        ("t.bg", "chrI\t0\t9\t1.5\nchrI\t5\t12\t1\n", {}, "t.bg, line 2: found an interval"),
        ("t.bed", "chrI\t0\t9\n", {"reads": "cut_sites"}, None),
        ("t.bed", "chr1\t0\t9\n", {}, "the genome has no contig chr1"),
        ("t.narrowPeak", "chrI\t0\t9\tp\t1\t.\t2\t3\t4\t5\n", {}, "t.narrowPeak: found a narrowPeak"),
        ("t.bw", "\x00", {"reads": "pieces"}, "targets.signal.reads: found 'pieces'"),
    ],
)
def test_signal_tracks_are_opened_at_their_head(
    tmp_path: Path, name: str, text: str, signal: dict[str, Any], told: str | None
) -> None:
    (tmp_path / name).write_text(text)
    targets = {"signal": {"tracks": {"t": source(name)}, **signal}}
    found = errors(look(tmp_path, genome=pinned(), targets=targets, labels={"kind": "real"}))
    assert len(found) == bool(told)
    assert told is None or told in found[0]


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        ({"features": {"gene": {"kind": "gone_body"}}}, "targets.annotation.features.gene: found the kind 'gone_body'"),
        ({"biotypes": ["coding"]}, "a.gtf: found no biotype coding"),
        ({"features": {"between": {"kind": "exon"}}}, "a.gtf: found no exon for the target between"),
    ],
)
def test_what_is_asked_of_an_annotation_is_held_against_a_small_one(
    tmp_path: Path, annotation: dict[str, Any], told: str
) -> None:
    whole = {"source": source("a.gtf"), "features": {"gene": {"kind": "gene_body"}}, **annotation}
    for copies, wrong in ((1, True), (300, told.startswith("targets"))):
        (tmp_path / "a.gtf").write_text(GENE * copies)
        found = errors(look(tmp_path, genome=pinned(), targets={"annotation": whole}))
        assert [told in sentence for sentence in found] == [True] * wrong


def test_an_unpinned_genome_names_only_what_can_be_seen(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">chr1 some text\n" + "ACGT\n" * 300 + ">chr2\nA\n")
    (tmp_path / "A.bed").write_text("chr2\t1\t9\n")
    genome = {"source": [source("g.fa")]}
    assert contigs_of({"genome": genome}, {"g.fa": tmp_path / "g.fa"}) == (["chr1"], False)
    assert errors(look(tmp_path, genome=genome)) == []
    (tmp_path / "A.bed").write_text("1\t1\t9\n")
    assert "contig_aliases: {1: chr1}" in errors(look(tmp_path, genome=genome))[0]
    (tmp_path / "g.fa.fai").write_text("chr1\t1200\t5\t4\t5\nchr2\t1\t6\t1\t2\n")
    (tmp_path / "A.bed").write_text("chr9\t1\t9\n")
    assert "chr9" in errors(look(tmp_path, genome=genome))[0]


def test_names_of_targets_are_looked_for_in_small_files(tmp_path: Path) -> None:
    (tmp_path / "all.bed").write_text("".join(f"chrI\t{n}\t{n + 5}\tReb1\n" for n in range(400)) + "chrI\t1\t2\tRap1\n")
    for names, wrong in ((["Reb1", "Rap1"], 0), (["Reb1", "Abf1"], 1)):
        found = errors(look(tmp_path, targets={"named": source("all.bed"), "names": names}))
        assert len(found) == wrong
    assert "no peak named Abf1" in found[0]


def test_a_fasta_file_begins_with_a_header(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_bytes(gzip.compress(b"ACGT\n"))
    assert "line 1: found 'ACGT', expected a FASTA header" in errors(look(tmp_path))[0]


def test_long_lines_and_a_header_at_the_end_of_what_is_seen_are_no_fault(tmp_path: Path) -> None:
    for text in (">a\n" + "A" * 3_000_000 + "\n", "\n\n>a\n" + "A\n" * 197 + ">b\nA\n>c\nA\n"):
        (tmp_path / "g.fa").write_text(text)
        assert errors(look(tmp_path)) == []


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_bytes(gzip.compress(b">a\nACGT\n" * 9999)[:12])
    (tmp_path / "A.bed").write_text("a\t1\t9\n")
    (found,) = errors(look(tmp_path))
    assert "g.fa: cannot be read" in found
    (tmp_path / "t.parquet").write_text("no Parquet")
    assert "t.parquet: cannot be read" in errors(tables(tmp_path, "t.parquet"))[0]


def tables(folder: Path, file: str, columns: Any = ("class",), **sequences: Any) -> list[Finding]:
    table = {"alphabet": "dna", "name": None, "table": [source(file)], **sequences}
    targets = {"columns": columns if isinstance(columns, dict) else list(columns)}
    return look(folder, genome=None, sequences=table, targets=targets)


@pytest.mark.parametrize(
    ("name", "text", "sequences", "columns", "told"),
    [
        ("t.csv", "seq,class\nA,x\n", {}, ["class"], "found the columns seq, class, expected 'sequence' among them"),
        (
            "t.csv",
            "sequence,clas\nA,x\n",
            {},
            ["class"],
            "t.csv: has no column class, expected one of clas for targets.columns",
        ),
        ("t.csv", "sequence,clas\nA,x\n", {}, ["class"], "did you mean clas?"),
        ("t.csv", "sequence,class\nA\n", {}, ["class"], "t.csv, line 2: found 1 fields, expected 2"),
        ("t.csv", '"sequence",class\nA,x\n', {}, ["class"], None),
        ("t.csv", "\n id, sequence ,y\nq,ACGT,1\n", {"name": "id"}, {"Target": "y"}, None),
        ("t.CSV", "sequence,y\nACGT,1\n", {}, {"Target": "y"}, None),
        ("t.tsv.gz", "sequence\ty\nACGT\t1\n", {}, ["y"], None),
        (
            "t.csv",
            "sequence\nACGT\n",
            {"table": [source("t.csv", **{"class": "P", "split": "train"})]},
            ["class"],
            None,
        ),
        ("t.data", "a,A,C,x\n", {"format": {"separator": ",", "columns": ["i", {"sequence": 2}, "y"]}}, ["y"], None),
    ],
    ids=[
        *("no sequence", "no target", "a near name", "a short row", "quotes", "blanks and another name", "upper case"),
        *("packed", "fixed per file", "a column for each base"),
    ],
)
def test_tables_have_the_columns_that_are_named(
    tmp_path: Path, name: str, text: str, sequences: dict[str, Any], columns: Any, told: str | None
) -> None:
    (tmp_path / name).write_text(text)
    found = errors(tables(tmp_path, name, columns, **sequences))
    assert len(found) == bool(told)
    assert told is None or told in found[0]


def test_parquet_by_both_suffixes(tmp_path: Path) -> None:
    for name in ("t.pq", "t.parquet"):
        pd.DataFrame({"sequence": ["ACGT"], "y": [1]}).to_parquet(tmp_path / name)
        assert errors(tables(tmp_path, name, ["y"])) == []


def test_labelled_fasta_gives_the_columns_of_its_header(tmp_path: Path) -> None:
    (tmp_path / "s.fa").write_text(">a y=3\nACGT\n")
    config = {"genome": None, "targets": {"columns": ["y"]}}
    for header, wrong in ((r"y=(?P<y>\d)", 0), (r"z=(?P<y>\d)", 1), (None, 1)):
        sequences = {"alphabet": "dna", "fasta": [source("s.fa")], "header": header}
        assert len(errors(look(tmp_path, sequences=sequences, **config))) == wrong


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({}, None),
        ({"split": [BY_CONTIG, {**BY_CONTIG, "name": "b"}], "clean": True}, None),
        ({"windows": {**TILES, "strid": 5}}, "windows: found the key 'strid', expected one of"),
        (
            {"windows": {**TILES, "_target_": "lociflow.genome.windows.tile_binz"}},
            "did you mean lociflow.genome.windows.tile_bins?",
        ),
        ({"split": {**BY_CONTIG, "_target_": "lociflow.genome.split.by_contig"}}, "split._target_: found"),
        ({"split": [BY_CONTIG, BY_CONTIG]}, "split: found the name a twice"),
        (
            {"windows": {**PEAKS, "negatives": {"_target_": "lociflow.genome.negatives.background", "ration": 1}}},
            "did you mean ratio?",
        ),
    ],
)
def test_windows_and_splits_are_bound_by_name(config: dict[str, Any], told: str | None) -> None:
    found = errors(check_settings({"name": "toy", "windows": TILES, "split": BY_CONTIG, **config}))
    assert len(found) == bool(told)
    assert told is None or told in found[0]
