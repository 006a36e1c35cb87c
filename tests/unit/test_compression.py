import gzip

import pysam
import pytest

from lociflow.compression import first_bytes, is_gzip, open_binary


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


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_first_bytes_are_had_of_a_file_whose_end_is_missing(tmp_path, pack):
    content = pack(bytes(range(256)) * 300)
    (tmp_path / "x").write_bytes(content[: len(content) // 2])
    assert first_bytes(tmp_path / "x", 4) == b"\0\1\2\3"
    (tmp_path / "x").write_bytes(b"")
    assert first_bytes(tmp_path / "x", 4) == b""
