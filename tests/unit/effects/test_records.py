import gzip
from pathlib import Path

import pysam
import pytest
from toy_predictors import write_vcf

from lociflow.command import UserError
from lociflow.effects.records import check_records, read_header, read_records

CONTIGS = "##contig=<ID=chrI,length=30>\n##contig=<ID=chrII,length=30>"
RECORDS = ["chrI 3 G T", "chrI 3 G GA,*", "chrII 1 A C"]


def copies(path: Path) -> list[Path]:
    """Return the same records as plain, gzip and bgzip VCF and as BCF, with suffixes that say nothing."""
    zipped, blocked, binary = (path.with_suffix(f".{number}") for number in range(3))
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    pysam.tabix_compress(str(path), str(blocked))
    with pysam.VariantFile(str(path)) as found, pysam.VariantFile(str(binary), "wb", header=found.header) as written:
        for record in found:
            written.write(record)
    return [path, zipped, blocked, binary]


def test_every_format_has_the_same_records(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "calls.vcf", RECORDS, CONTIGS)
    for copy in copies(path):
        found = [
            (record.contig, record.position, record.reference, record.alternatives) for record in read_records(copy)
        ]
        assert found == [("chrI", 2, "G", ["T"]), ("chrI", 2, "G", ["GA", "*"]), ("chrII", 0, "A", ["C"])], copy
        assert read_header(copy)[-1].split() == ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
        assert check_records(copy) == 3


def test_bytes_that_are_no_utf8_stay(tmp_path: Path) -> None:
    path = tmp_path / "calls.vcf"
    path.write_bytes(b"##x=\xe9\r\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\r\nI\t1\t\xe9\tA\tC\t.\t.\tX=0.50\r\n")
    (record,) = read_records(path)
    assert record.fields[2].encode("utf-8", "surrogateescape") == b"\xe9"
    assert record.fields[7] == "X=0.50"
    assert read_header(path)[0].encode("utf-8", "surrogateescape") == b"##x=\xe9"


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (["chrI 3 G T", "chrI 2 C T"], "line 4: found position 2 after 3"),
        (["chrI 3 G T", "chrII 2 C T", "chrI 4 C T"], "line 5: found chrI a second time, after chrII"),
    ],
)
def test_what_is_not_sorted_is_refused_with_the_remedy(tmp_path: Path, records: list[str], found: str) -> None:
    with pytest.raises(UserError, match=r"bcftools sort calls\.vcf") as error:
        check_records(write_vcf(tmp_path / "calls.vcf", records))
    assert found in str(error.value)


def test_of_a_bcf_the_record_is_told(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "calls.vcf", ["chrI 3 G T", "chrI 2 C T"], CONTIGS)
    with pytest.raises(UserError, match=r"calls\.2, record 2: found position 2 after 3"):
        check_records(copies(path)[3])


def test_a_record_with_a_field_that_will_be_added(tmp_path: Path) -> None:
    path = tmp_path / "calls.vcf"
    path.write_text("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nI\t1\t.\tA\tC\t.\t.\tXLF=1;LF=3;LF_A\n")
    assert check_records(path) == check_records(path, ["L", "LF_"]) == 1
    with pytest.raises(UserError, match="line 2: found an INFO field LF of another program") as error:
        check_records(path, ["LF"])
    assert "bcftools annotate -x INFO/LF" in str(error.value)


def test_what_has_no_header(tmp_path: Path) -> None:
    (tmp_path / "calls.vcf").write_text("chrI\t1\t.\tA\tC\n")
    with pytest.raises(UserError, match="no line that begins with #CHROM"):
        read_header(tmp_path / "calls.vcf")


@pytest.mark.parametrize(
    ("line", "found"), [("chrI\t1\t.\tA\tC", "line 2: found 5 columns"), ("I\tx\t.\tA\tC\t.\t.\t.", "found POS 'x'")]
)
def test_what_is_no_record(tmp_path: Path, line: str, found: str) -> None:
    (tmp_path / "calls.vcf").write_text(f"#CHROM\tPOS\n{line}\n")
    with pytest.raises(UserError, match=found):
        list(read_records(tmp_path / "calls.vcf"))


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "calls.vcf", RECORDS * 200)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(path.read_bytes())[:-20])
    with pytest.raises(UserError, match="broken gzip"):
        list(read_records(cut))
