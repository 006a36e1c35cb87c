import gzip

import pysam
import pytest

from lociflow.compression import is_gzip, open_binary


def test_content_decides_and_not_the_suffix(tmp_path):
    plain, packed = tmp_path / "a.gz", tmp_path / "b.txt"
    plain.write_bytes(b"text\n")
    packed.write_bytes(gzip.compress(b"te") + gzip.compress(b"xt\n"))
    assert (is_gzip(plain), is_gzip(packed)) == (False, True)
    for path in (plain, packed):
        with open_binary(path) as handle:
            assert handle.read() == b"text\n"


def test_an_empty_file_is_plain(tmp_path):
    (tmp_path / "empty").touch()
    assert not is_gzip(tmp_path / "empty")


def test_bgzip_without_its_last_block_is_read_up_to_an_error(tmp_path):
    path, text = tmp_path / "a.gz", b"ACGT\n" * 50_000
    with pysam.BGZFile(str(path), "wb") as handle:
        handle.write(text)
    with open_binary(path) as handle:
        assert handle.read() == text
    path.write_bytes(path.read_bytes()[:-28])
    with open_binary(path) as handle:
        assert handle.read(1000) == text[:1000]
        with pytest.raises(EOFError, match="the block that ends a bgzip file is missing"):
            handle.read()
