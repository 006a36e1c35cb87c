"""Scores that another tool has written for the same bins."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.evaluation.other_tool import read_scores

SEQUENCES = pd.DataFrame(
    {
        "contig": pd.Categorical(["s1", "s2", "s3", "s4"]),
        "start": [0, 0, 0, 0],
        "end": [8, 8, 8, 8],
        "split": ["train", "test", "validation", "test"],
    }
)
TILES = SEQUENCES.assign(
    contig=pd.Categorical(["chr1", "chr1", "chr1", "chr2"]), start=[0, 8, 16, 0], end=[8, 16, 24, 8]
)


def read(windows: pd.DataFrame, *files: Path, names: tuple[str, ...] = ("TF",)) -> pd.DataFrame:
    return read_scores(None, windows, np.zeros((4, 1), np.int8), names, tool="gkm", files=files)  # type: ignore[arg-type]


def test_bins_of_whole_sequences_have_the_names_of_these(tmp_path: Path) -> None:
    tested, crossed = tmp_path / "test.txt", tmp_path / "cv.txt.gz"
    tested.write_text("# by gkmpredict\ns4\t-1.5\n\ns2\t0.25\n")
    crossed.write_bytes(gzip.compress(b"s1\t3\t1\t0\r\ns3\t2e-1\t-1\t4\r\n"))
    found = read(SEQUENCES, tested, crossed)
    assert found["bin"].tolist() == [1, 2, 3]
    assert found["split"].tolist() == ["test", "validation", "test"]
    np.testing.assert_array_equal(found["TF"], np.array([0.25, 0.2, -1.5], np.float32))


def test_other_bins_have_those_of_their_places(tmp_path: Path) -> None:
    table = tmp_path / "scores.tsv"
    table.write_text("chr1:8-16\t1\nchr1:16-24\t2\nchr2:0-8\t3\nchr9:0-8\t4\n")
    assert read(TILES, table)["TF"].tolist() == [1, 2, 3]


def test_bins_of_one_name_are_refused(tmp_path: Path) -> None:
    # As shuffled negatives have it, which stand where their positives do.
    table = tmp_path / "scores.tsv"
    table.write_text("chr1:8-16\t1\nchr2:0-8\t3\n")
    shuffled = TILES.assign(start=[0, 8, 8, 0], end=[8, 16, 16, 8])
    with pytest.raises(UserError, match="baseline gkm: several validation and test bins are called chr1:8-16"):
        read(shuffled, table)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("s2\t1\ns3\n", r"scores.tsv, line 2: found 's3', expected a name, a tab and a score"),
        ("name\tscore\n", r"line 1: found 'name\\tscore', expected a name"),
        ("s2\tnan\n", "line 1: found"),
        ("\t1\n", "line 1: found"),
        ("s2\t1\ns2\t2\n", "line 2: found a second score of s2, 2, expected 1 as before"),
        (
            "s2\t1\ns2\t1\n",
            "baseline gkm: 2 of 3 validation and test bins have no score, the first is s3; expected one",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    table = tmp_path / "scores.tsv"
    table.write_text(text)
    with pytest.raises(UserError, match=told):
        read(SEQUENCES, table)


def test_what_cannot_be_read_or_has_several_targets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="baseline gkm: found no table of its scores"):
        read(SEQUENCES)
    with pytest.raises(UserError, match=r"scores\.tsv: no such file"):
        read(SEQUENCES, tmp_path / "scores.tsv")
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"s2\t1\n" * 1000)[:-10])
    with pytest.raises(UserError, match=r"cut\.gz: is truncated or damaged"):
        read(SEQUENCES, cut)
    with pytest.raises(UserError, match="baseline gkm: found 2 targets, expected one"):
        read(SEQUENCES, cut, names=("A", "B"))
