import gzip
from pathlib import Path
from typing import Any

import pytest

from lociflow.preflight.contents import check_dataset_files, contigs_of
from lociflow.preflight.finding import ERROR, OK, Finding

PINNED = {"chrI": "0" * 32, "chrII": "1" * 32}


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


@pytest.mark.parametrize(
    ("text", "config", "told"),
    [
        ("chrI\t5\n", {}, "A.bed, line 1: found 2 columns, expected at least 3;"),
        ("#x\nchrI\tfive\t9\n", {}, "A.bed, line 2: found start 'five' and end '9', expected whole numbers"),
        ("chrI\t1\t9\n", {"labels": {"positive_score": 2}}, "found 3 columns, expected at least 5 for labels.positive"),
        (
            "chrI\t1\t9\tx\t1\n",
            {"labels": {"positive_score": 2, "score": "q_value"}},
            "found 5 columns, expected at least 9",
        ),
        ("chr1\t1\t9\n", {"genome": pinned()}, "found contig chr1, expected names such as chrI, chrII; if they"),
        ("chr1\t1\t9\n", {"genome": pinned()}, "contig_aliases: {chr1: chrI}"),
    ],
    ids=["two columns", "no numbers", "no score", "no q-value", "another name", "its alias"],
)
def test_bad_regions_are_told_by_their_line(tmp_path: Path, text: str, config: dict[str, Any], told: str) -> None:
    (tmp_path / "A.bed").write_text(text)
    (found,) = errors(look(tmp_path, **config))
    assert told in found


def test_aliases_and_blank_separated_columns_are_known(tmp_path: Path) -> None:
    (tmp_path / "A.bed").write_bytes(b"\xef\xbb\xbfchr1 1 9\r\nM 1 9\r\n")
    assert errors(look(tmp_path, {"chr1": "chrI", "M": None}, genome=pinned())) == []


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
    assert "no region named Abf1" in found[0]


def test_a_fasta_file_begins_with_a_header(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_bytes(gzip.compress(b"ACGT\n"))
    assert "line 1: found 'ACGT', expected a FASTA header" in errors(look(tmp_path))[0]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_bytes(gzip.compress(b">a\nACGT\n" * 9999)[:12])
    (tmp_path / "A.bed").write_text("a\t1\t9\n")
    (found,) = errors(look(tmp_path))
    assert "g.fa: cannot be read" in found
    (tmp_path / "t.parquet").write_text("no Parquet")
    table = {"genome": None, "sequences": {"table": [source("t.parquet")]}, "targets": {"columns": ["a"]}}
    assert "t.parquet: cannot be read" in errors(look(tmp_path, **table))[0]


@pytest.mark.parametrize(
    ("header", "columns", "told"),
    [
        ("seq,class\n", ["class"], "has no column sequence, found seq, class"),
        ("sequence,clas\n", ["class"], "has no column class, found sequence, clas; did you mean clas?"),
        ('"sequence",class\n', ["class"], None),
    ],
)
def test_tables_have_the_columns_that_are_named(
    tmp_path: Path, header: str, columns: list[str], told: str | None
) -> None:
    (tmp_path / "t.csv").write_text(header + "ACGT,x\n")
    config = {"genome": None, "sequences": {"table": [source("t.csv")]}, "targets": {"columns": columns}}
    found = errors(look(tmp_path, **config))
    assert bool(found) == bool(told)
    if told:
        assert told in found[0]
