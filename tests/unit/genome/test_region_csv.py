import gzip
from pathlib import Path

import pytest

from lociflow.command import UserError
from lociflow.genome.region_csv import csv_to_bed, is_csv
from lociflow.genome.regions import read_region_file

TABLE = "id,region,start,end,strand\nFP1,chr1,10,30,+\n7,chr2,0,5,-\n"


def test_what_is_csv():
    assert [is_csv(Path(name)) for name in ("a.csv", "a.CSV.gz", "a.csv.bgz", "a.csv.bed", "csv", "a.gz")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress])
def test_regions_of_a_table(tmp_path, pack):
    path = tmp_path / "positive.csv.gz"
    path.write_bytes(pack(TABLE.encode()))
    found = read_region_file(path)
    assert found.format == "BED"
    assert found.regions[["contig", "start", "end", "name", "strand", "summit"]].values.tolist() == [
        ["chr1", 10, 30, "FP1", "+", -1],
        ["chr2", 0, 5, "7", "-", -1],
    ]
    assert found.regions["score"].isna().all()


def test_columns_in_any_order_and_more_of_them():
    content = b'start,note,contig,end\n3,"a, b",c1,9\n\n4,,c2,5\n'
    assert csv_to_bed(Path("x.csv"), content) == (
        b"#start\tnote\tcontig\tend\nc1\t3\t9\t.\t.\t.\n\nc2\t4\t5\t.\t.\t.\n"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("chr1,10,30\n", "line 1: found the columns chr1, 10, 30, expected start, end and one of region"),
        ("region,start\nc,1\n", "line 1: found the columns region, start, expected"),
        ("region,chrom,start,end\n", "line 1: found the columns region, chrom, start, end, expected"),
        ("region,start,start,end\n", "line 1: found the columns"),
        ("", "line 1: found the columns none"),
        ("region,start,end\nc,1,2\nc,1\n", "line 3: found 2 fields, expected the header's 3"),
        ("region,start,end\nc,1,2\nc,1.5,2\n", "line 3: found start '1.5', expected a whole number"),
        ("region,start,end\nc,5,2\n", "line 2: found end 2 before start 5"),
        ("region,start,end,strand\nc,5,9,?\n", "line 2: found strand '\\?'"),
        ('region,start,end\n"c\nd",5,9\n', "a field that goes over several lines"),
        ('region,start,end\n"c"d,5,9\n', "expected a CSV table in UTF-8"),
    ],
)
def test_bad_tables_are_refused(tmp_path, text, sentence):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_region_file(path)
