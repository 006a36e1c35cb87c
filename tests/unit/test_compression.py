import gzip

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
