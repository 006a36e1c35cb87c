import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lociflow.command import UserError
from lociflow.genome.window_table import about_windows, digest_windows, read_windows, write_windows


def windows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "contig": pd.Categorical(["z", "z", "a"], categories=["z", "unused", "a"]),
            "start": np.array([0, 10, 5], np.int64),
            "end": np.array([10, 20, 15], np.int64),
            "strand": pd.Categorical([".", "+", "-"], categories=[".", "+", "-"]),
            "group": pd.Categorical([None, "g", None], categories=pd.Index(["g"], dtype="str")),
            "shuffled": np.array([False, True, False]),
            "shuffle_seed": np.array([0, 7, 0], np.int64),
            "split:fold1": pd.Categorical(["train", "test", "train"], categories=["train", "validation", "test"]),
            "split:fold2": pd.Categorical(["test", None, "train"], categories=["train", "validation", "test"]),
        }
    )


def test_what_is_written_is_read(tmp_path: Path):
    path = tmp_path / "windows.parquet"
    write_windows(path, windows(), {"genome": "toy"})
    found = read_windows(path)
    assert list(found.columns) == ["contig", "start", "end", "strand", "group", "shuffled", "shuffle_seed"]
    for column in found.columns:
        pd.testing.assert_series_equal(found[column].astype(object), windows()[column].astype(object))
    assert about_windows(path) == {
        "format": "windows", "version": 2, "genome": "toy", "splits": ["fold1", "fold2"],
    }  # fmt: skip


def test_a_split_is_a_column_and_every_bin_keeps_its_row(tmp_path: Path):
    path = tmp_path / "windows.parquet"
    write_windows(path, windows(), {})
    assert read_windows(path, "fold1")["split"].tolist() == ["train", "test", "train"]
    second = read_windows(path, "fold2")["split"]
    assert second.isna().tolist() == [False, True, False]
    assert second.dropna().tolist() == ["test", "train"]
    with pytest.raises(UserError, match="has no split fold3, expected one of fold1, fold2; did you mean"):
        read_windows(path, "fold3")


def test_the_file_has_dictionaries_and_no_pandas_metadata(tmp_path: Path):
    path = tmp_path / "windows.parquet"
    write_windows(path, windows(), {})
    schema = pq.read_schema(path)
    assert set(schema.metadata) == {b"lociflow"}
    assert str(schema.field("contig").type).startswith("dictionary<values=string")
    assert str(schema.field("start").type) == "int64"


def test_bins_without_seeds_have_none_and_shuffles_need_one(tmp_path: Path):
    plain = windows().drop(columns="shuffle_seed")
    with pytest.raises(ValueError, match="expected a seed for every shuffled bin"):
        write_windows(tmp_path / "w.parquet", plain, {})
    write_windows(tmp_path / "w.parquet", plain.assign(shuffled=False), {})
    found = read_windows(tmp_path / "w.parquet")
    assert found["shuffle_seed"].tolist() == [0, 0, 0]
    assert found["shuffle_seed"].dtype == np.int64
    assert digest_windows(plain.assign(shuffled=False)) == digest_windows(
        windows().assign(shuffled=False, shuffle_seed=0)
    )


def test_same_bytes_for_the_same_bins(tmp_path: Path):
    for name in ("one", "two"):
        write_windows(tmp_path / name, windows(), {"b": 1, "a": 2} if name == "one" else {"a": 2, "b": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    "column", ["contig", "start", "end", "strand", "group", "shuffled", "shuffle_seed", "split:fold1"]
)
def test_the_digest_sees_every_column(column: str):
    changed = windows()
    values = {"split:fold1": ["train"] * 3, "group": [None] * 3, "shuffled": [True] * 3, "shuffle_seed": [0, 8, 0]}
    changed[column] = pd.Series(values.get(column, changed[column].tolist()[::-1])).astype(changed[column].dtype)
    assert digest_windows(changed) != digest_windows(windows())
    assert digest_windows(changed, "fold1") != digest_windows(windows(), "fold1")
    assert (digest_windows(changed, "fold2") == digest_windows(windows(), "fold2")) == (column == "split:fold1")


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UserError, match=r"none\.parquet: cannot be read"):
        read_windows(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(UserError, match="cannot be read as the windows of a data set"):
        read_windows(tmp_path / "text.parquet")
    windows()[["start"]].to_parquet(tmp_path / "other.parquet")
    with pytest.raises(UserError, match="found no format version none, expected windows version 2"):
        read_windows(tmp_path / "other.parquet")
    path = tmp_path / "windows.parquet"
    write_windows(path, windows(), {})
    about = {b"lociflow": json.dumps({"format": "windows", "version": 99}).encode()}
    pq.write_table(pq.read_table(path).replace_schema_metadata(about), path)
    with pytest.raises(UserError, match="found windows version 99, expected windows version 2"):
        read_windows(path)
