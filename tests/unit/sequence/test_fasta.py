import gzip

import pysam
import pytest

from lociflow.command import UserError
from lociflow.sequence.fasta import read_fasta


def write(tmp_path, content, name="genome.fa"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def read(path):
    return [(name, bytes(letters)) for name, letters in read_fasta(path)]


def test_line_widths_header_junk_blank_lines_and_line_ends(tmp_path):
    path = write(tmp_path, b"\n>chr1 first contig >x\nACG\nT\n\nnn\n>chr2\tjunk\r\nAC\r\nGT")
    assert read(path) == [("chr1", b"ACGTnn"), ("chr2", b"ACGT")]


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_gzip_is_told_by_content_and_not_by_suffix(tmp_path, name):
    path = write(tmp_path, gzip.compress(b">a\nAC\n") + gzip.compress(b"GT\n>b\nT\n"), name)
    assert read(path) == [("a", b"ACGT"), ("b", b"T")]
    plain = write(tmp_path, b">a\nACGT\n", "plain.fa.gz")
    assert read(plain) == [("a", b"ACGT")]


def test_bgzip_of_many_blocks(tmp_path):
    path = tmp_path / "genome.fa"
    sequence = b"ACGTT" * 40_000
    with pysam.BGZFile(str(path), "wb") as handle:
        handle.write(b">a\n" + sequence + b"\n>b\nC\n")
    assert read(path) == [("a", sequence), ("b", b"C")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "found no sequence in it"),
        (b"\n\n", "found no sequence in it"),
        (b"ACGT\n", r"line 1: found 'ACGT', expected a FASTA header"),
        (b"\n@read\nACGT\n+\nIIII\n", r"line 2: found '@read'"),
        (b"<!DOCTYPE html>\n", r"line 1: found '<!DOCTYPE html>'"),
        (b"BZh9\x00\xff", r"found 'BZh9"),
        (b">\nACGT\n", "line 1: found a header without a name"),
        (b">a\nC\n> b\nACGT\n", "line 3: found a header without a name"),
        (b">a\n>b\nACGT\n", "line 1: contig a is empty"),
        (b">a\nACGT\n>b\n", "line 3: contig b is empty"),
    ],
)
def test_what_is_not_fasta_is_refused(tmp_path, content, sentence):
    path = write(tmp_path, content)
    with pytest.raises(UserError, match=sentence) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"absent.fa: cannot be read"):
        read(tmp_path / "absent.fa")


def test_truncated_gzip_is_refused(tmp_path):
    whole = gzip.compress(b">a\n" + bytes(range(65, 85)) * 1000)
    with pytest.raises(UserError, match="truncated or damaged"):
        read(write(tmp_path, whole[:-12]))
    with pytest.raises(UserError, match="truncated or damaged"):
        read(write(tmp_path, whole[:-8] + b"\0" * 8))
