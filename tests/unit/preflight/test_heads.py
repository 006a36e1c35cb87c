import gzip
from pathlib import Path

import pytest

from lociflow.command import UserError
from lociflow.preflight import heads
from lociflow.preflight.heads import Head, head_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "heads").mkdir()
    return tmp_path / "heads"


def test_a_small_file_is_taken_whole(tmp_path: Path, folder: Path) -> None:
    content = b"chrI\t0\t9\r\nchrI\t9\t12\r\n"
    (tmp_path / "a.bed.gz").write_bytes(gzip.compress(content))
    assert head_of(tmp_path / "a.bed.gz", folder) == Head(folder / "a.bed.gz", True)
    assert (folder / "a.bed.gz").read_bytes() == content


def test_lines_are_counted_without_comments(tmp_path: Path, folder: Path) -> None:
    comments = b"##contig=<ID=x>\n" * 1000
    (tmp_path / "v.vcf").write_bytes(comments + b"x\t1\n" * 500)
    assert head_of(tmp_path / "v.vcf", folder) == Head(folder / "v.vcf", False)
    assert (folder / "v.vcf").read_bytes() == comments + b"x\t1\n" * heads.LINES


def test_only_bases_are_cut(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "BYTES", 10)
    (tmp_path / "a").write_bytes(b">a\nACGTACGTACGT\n")
    assert head_of(tmp_path / "a", folder, cut_lines=True) == Head(folder / "a", False)
    assert (folder / "a").read_bytes() == b">a\nACGTACG"
    (tmp_path / "b").write_bytes(b"chrI\t0\t100000\n")
    assert head_of(tmp_path / "b", folder) is None
    (tmp_path / "c").write_bytes(b"a\t0\t1\na\t10\t20\n")
    assert head_of(tmp_path / "c", folder) == Head(folder / "c", False)
    assert (folder / "c").read_bytes() == b"a\t0\t1\n"


def test_a_header_whose_bases_are_not_seen_is_left_out(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "g.fa").write_bytes(b">a\n" + b"A\n" * (heads.LINES - 2) + b">b\nA\n")
    assert head_of(tmp_path / "g.fa", folder, cut_lines=True) == Head(folder / "g.fa", False)
    assert (folder / "g.fa").read_bytes().endswith(b"A\n")


def test_a_damaged_file_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"chrI\t0\t9\n" * 999)[:20])
    for name in ("a.gz", "none"):
        with pytest.raises(UserError, match=rf"{name}: cannot be read .*fetch it again"):
            head_of(tmp_path / name, folder)
