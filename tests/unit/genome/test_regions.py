import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
import pytest

from lociflow.command import UserError
from lociflow.genome.region_formats import layout_of
from lociflow.genome.regions import empty_regions, read_region_file, read_regions


def write(tmp_path: Path, text: str, name: str = "peaks.bed") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def rows(path: Path) -> list[tuple]:
    table = read_regions(path)
    return list(table[["contig", "start", "end"]].itertuples(index=False, name=None))


def test_bed3(tmp_path: Path):
    table = read_regions(write(tmp_path, "chr1\t0\t5\nchr2\t3\t4\n"))
    assert list(table["contig"]) == ["chr1", "chr2"]
    assert list(table["start"]) == [0, 3]
    assert list(table["end"]) == [5, 4]
    assert list(table["name"]) == [".", "."]
    assert np.isnan(table["score"]).all()
    assert list(table["strand"]) == [".", "."]
    assert list(table["summit"]) == [-1, -1]
    assert table.dtypes["start"] == table.dtypes["end"] == table.dtypes["summit"] == np.int64


def test_bed6_with_every_strand(tmp_path: Path):
    table = read_regions(write(tmp_path, "c\t1\t2\ta\t7\t+\nc\t1\t2\tb\t.\t-\nc\t1\t2\tNA\t1e2\t*\nc\t1\t2\t\t\t.\n"))
    assert list(table["name"]) == ["a", "b", "NA", ""]
    assert list(table["score"].fillna(-9)) == [7, -9, 100, -9]
    assert list(table["strand"]) == ["+", "-", ".", "."]


def test_bed12_keeps_the_first_six_columns(tmp_path: Path):
    table = read_regions(write(tmp_path, "c\t0\t90\tgene\t5\t-\t0\t90\t0,0,0\t2\t10,20,\t0,70,\n"))
    assert table.iloc[0, :7].tolist() == ["c", 0, 90, "gene", 5.0, "-", -1]


def test_narrow_peak_summit_is_start_plus_peak_where_one_is_called(tmp_path: Path):
    line = "c\t{}\t50\tp\t1\t.\t1.5\t2.5\t-1\t{}\n"
    table = read_regions(write(tmp_path, line.format(10, 7) + line.format(20, -1), "x.narrowPeak"))
    assert list(table["summit"]) == [17, -1]


@pytest.mark.parametrize(
    "text",
    [
        'track type=narrowPeak name="x"\nbrowser position chr1:1-2\n#c\nchr1\t1\t2\n',
        "chr1\t1\t2\ntrack name=second\n",
        "\n  \n\nchr1\t1\t2\n\t\n",
        "chr1\t1\t2\r\n",
        "#head\r\nchr1\t1\t2\r\n",
        "chr1\t1\t2\r",
        "chr1\t1\t2",
        "chr1 1  2\n",
        " chr1 1 2 \n",
        "\ufeffchr1\t1\t2\n",
    ],
)
def test_lines_without_a_region_and_other_line_ends(tmp_path: Path, text: str):
    assert rows(write(tmp_path, text)) == [("chr1", 1, 2)]


def test_a_contig_may_be_called_like_a_keyword(tmp_path: Path):
    assert rows(write(tmp_path, "track1\t1\t2\nNA\t1\t2\n")) == [("track1", 1, 2), ("NA", 1, 2)]


def test_quotes_and_spaces_in_names_are_letters(tmp_path: Path):
    table = read_regions(write(tmp_path, 'c\t1\t2\t"open\nc\t1\t2\tLow Mappability\n'))
    assert list(table["name"]) == ['"open', "Low Mappability"]


def test_gzip_and_bgzip_by_content(tmp_path: Path):
    plain = b"chr1\t1\t2\nchr1\t3\t4\n"
    (tmp_path / "gzip.bed").write_bytes(gzip.compress(plain[:9]) + gzip.compress(plain[9:]))
    with pysam.BGZFile(str(tmp_path / "bgzip.bed"), "wb") as handle:
        handle.write(plain)
    assert rows(tmp_path / "gzip.bed") == rows(tmp_path / "bgzip.bed") == [("chr1", 1, 2), ("chr1", 3, 4)]


@pytest.mark.parametrize("text", ["", "\n\n", "#only\ntrack x\n"])
def test_a_file_without_regions_gives_the_same_columns_and_dtypes(tmp_path: Path, text: str):
    table = read_regions(write(tmp_path, text))
    assert len(table) == 0
    full = read_regions(write(tmp_path, "c\t1\t2\n", "full.bed"))
    assert list(table.columns) == list(full.columns) == list(empty_regions().columns)
    assert [str(kind) for kind in table.dtypes] == [str(kind) for kind in full.dtypes]


def test_zero_length_is_valid_here(tmp_path: Path):
    assert rows(write(tmp_path, "c\t5\t5\n")) == [("c", 5, 5)]


NARROW = "c\t10\t20\tp\t1\t.\t1\t1\t1\t"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("#a\nc\t1\t2\n\nc\t9\t5\n", 4, "found end 5 before start 9, expected end > start"),
        ("c\t-1\t5\n", 1, "found start -1, expected 0 or more; BED counts from 0"),
        ("c\t1\t2\nc\tx\t5\n", 2, "found start 'x', expected a whole number"),
        ("c\t1\t2.0\n", 1, "found end '2.0', expected a whole number"),
        ("c\t1\t1e3\n", 1, "found end '1e3', expected a whole number"),
        ("c\t1\t\n", 1, "found end '', expected a whole number"),
        ("c\t1\t99999999999999999999\n", 1, "expected a whole number"),
        ("chrom\tstart\tend\nc\t1\t2\n", 1, "found start 'start', expected a whole number"),
        ("c\t1\n", 1, "found 2 columns ('c 1'), expected contig, start and end"),
        ("hello\n", 1, "found 1 column ('hello')"),
        (">chr1\nACGT\n", 1, "is this a BED file?"),
        ("c\t1\t2\ta\nc\t1\t2\n", 2, "found 3 columns, expected 4 as in the first region"),
        ("c\t1\t2\nc\t1\t2\tb\n", 2, "found 4 columns, expected 3"),
        ("c 1 2 a\r\nc 1 2\r\n", 2, "found 3 columns, expected 4"),
        ("\t1\t2\n", 1, "found no contig name"),
        ("c\t1\t2\ta\thigh\n", 1, "found score 'high', expected a number or '.' in column 5"),
        ("c\t1\t2\ta\t5\tforward\n", 1, "found strand 'forward', expected +, - or . in column 6"),
        (NARROW + "10\n", 1, "found a summit 10 bases after start 10, expected one before end 20"),
        (NARROW + ".\n", 1, "found peak '.', expected a whole number in column 10"),
    ],
)
def test_errors_name_file_line_and_what_was_found(tmp_path: Path, text: str, line: int, sentence: str):
    path = write(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_regions(path)
    assert str(error.value).startswith(f"{path}, line {line}: ")
    assert sentence in str(error.value)


def values(table: pd.DataFrame) -> list[list[float | None]]:
    found = table[["score", "signal_value", "p_value", "q_value"]].astype(object)
    return found.where(found.notna(), None).to_numpy().tolist()


def test_values_of_narrow_and_broad_peaks(tmp_path: Path):
    lines = "c\t1\t9\tp\t7\t.\t{}\t{}\t{}{}\n"
    narrow = lines.format(1.5, 2.25, 3, "\t-1") + lines.format(-1, -1, -1, "\t4") + lines.format(0, ".", "inf", "\t0")
    assert values(read_regions(write(tmp_path, narrow))) == [
        [7, 1.5, 2.25, 3],
        [7, -1, None, None],
        [7, 0, None, np.inf],
    ]
    broad = lines.format(1.5, 2.25, 3, "") + lines.format(0, -1, -1.0, "")
    assert values(read_regions(write(tmp_path, broad))) == [[7, 1.5, 2.25, 3], [7, 0, None, None]]
    assert values(read_regions(write(tmp_path, "c\t1\t2\n"))) == [[None] * 4]


def test_bedgraph_and_pairs(tmp_path: Path):
    graph = read_region_file(write(tmp_path, "c 0 5 1e-2\nc 5 6 -3\n", "x.bedGraph"))
    assert graph.format == "bedGraph"
    assert graph.regions["score"].tolist() == [0.01, -3]
    pairs = read_region_file(
        write(tmp_path, "c\t5\t9\tc\t0\t4\nc\t5\t9\td\t0\t4\nc\t5\t9\tc\t7\t20\n.\t-1\t-1\tc\t5\t9\n", "x.bedpe.gz")
    )
    assert pairs.format == "BEDPE"
    assert list(pairs.regions[["contig", "start", "end"]].itertuples(index=False, name=None)) == [
        ("c", 0, 9),
        ("c", 5, 20),
    ]
    assert pairs.regions["contig"].cat.categories.tolist() == ["c"]
    assert pairs.dropped == {"no_mate": 1, "mates_on_two_contigs": 1}


@pytest.mark.parametrize(
    ("name", "header", "first", "expected"),
    [
        ("x.bed", "", "c 1 2 a", "BED"),
        ("x.bg", "", "c 1 2 a", "bedGraph"),
        ("x.BedGraph.gz", "", "c 1 2 a", "bedGraph"),
        ("x.bg.bgz", "", "c 1 2 a b", "bedGraph"),
        ("x.bed", "track name=a type=bedGraph", "c 1 2 3", "bedGraph"),
        ("x.bed", "#track type=bedGraph", "c 1 2 3", "BED"),
        ("x.bed", "track type=bedDetail", "c 1 2 3", "BED"),
        ("x.bed", "", "c 1 2 a 5 + 1.0 2 3 4", "narrowPeak"),
        ("x.bed", "", "c 1 2 a 5 + 1 2 0,0,0 4", "BED"),
        ("x.narrowPeak", "", "c 1 2", "BED"),
        ("x.bed", "", "c 1 2 a 5 + 1 2 0", "BED"),
        ("x.bed", "", "c 1 2 a 5 + 1 2 3,4,5", "BED"),
        ("x.bed", "", "c 1 2 a 5 + 1 -1 -1", "broadPeak"),
        ("x.broadPeak.gz", "", "c 1 2 a 5 + 1 2 0", "broadPeak"),
        ("x.bedpe", "", "c 1 2", "BED"),
        ("x.bedpe", "", "c 1 2 c 3 4", "BEDPE"),
        ("x.bed", "", "c 1 2 c 3 4", "BED"),
        ("x.bed", "", "c 1 2 d 3 4 name 60 + -", "BEDPE"),
        ("x.bed", "", "c 1 2 gene 3 + 1 2 0 2 5,5 0,9", "BED"),
    ],
)
def test_the_format_is_told_by_suffix_track_line_or_content(name: str, header: str, first: str, expected: str):
    assert layout_of(Path(name), header.encode(), first.encode().split()).format == expected


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.skipif("LOCIFLOW_REAL_DATA" not in os.environ, reason="LOCIFLOW_REAL_DATA names no folder")
def test_every_region_file_of_the_real_data_is_read_line_by_line():
    folder = Path(os.environ.get("LOCIFLOW_REAL_DATA", ""))
    expected = {".narrowPeak": "narrowPeak", ".bg": "bedGraph"}
    seen = set()
    for path in sorted(folder.rglob("*")):
        suffix = path.name.removesuffix(".gz")
        suffix = suffix[suffix.rfind(".") :]
        # The genes have their name in the column of the score.
        if suffix not in (".bed", ".bedpe", ".bg", ".narrowPeak") or "genes" in path.name:
            continue
        found = read_region_file(path)
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = [line for line in content.splitlines() if line and not line.startswith((b"#", b"track"))]
        assert len(found.regions) == len(lines), path
        assert not lines or found.format == expected.get(suffix, "BED"), path
        seen.add(suffix)
    assert len(seen) == 4


def test_a_missing_and_a_broken_file(tmp_path: Path):
    with pytest.raises(UserError, match=r"none\.bed: cannot be read \(No such file"):
        read_regions(tmp_path / "none.bed")
    (tmp_path / "broken.bed.gz").write_bytes(gzip.compress(b"chr1\t1\t2\n" * 100)[:-12])
    with pytest.raises(UserError, match="a broken gzip file"):
        read_regions(tmp_path / "broken.bed.gz")
