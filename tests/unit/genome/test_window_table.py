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
            "split": pd.Categorical(["train", "test", "train"], categories=["train", "validation", "test"]),
            "group": pd.Categorical([None, None, None], categories=pd.Index([], dtype="str")),
        }
    )


def test_what_is_written_is_read(tmp_path: Path):
    path = tmp_path / "windows.parquet"
    write_windows(path, windows(), {"genome": "toy"})
    found = read_windows(path)
    assert list(found.columns) == ["contig", "start", "end", "strand", "split", "group"]
    for column in ("contig", "start", "end", "strand", "split"):
        assert found[column].tolist() == windows()[column].tolist()
    assert found["group"].isna().all()
    assert digest_windows(found) == digest_windows(windows())
    assert about_windows(path) == {"format": "windows", "version": 1, "genome": "toy"}


def test_the_file_has_dictionaries_and_no_pandas_metadata(tmp_path: Path):
    path = tmp_path / "windows.parquet"
    write_windows(path, windows(), {})
    schema = pq.read_schema(path)
    assert set(schema.metadata) == {b"lociflow"}
    assert str(schema.field("contig").type).startswith("dictionary<values=string")
    assert str(schema.field("start").type) == "int64"


def test_same_bytes_for_the_same_bins(tmp_path: Path):
    for name in ("one", "two"):
        write_windows(tmp_path / name, windows(), {"b": 1, "a": 2} if name == "one" else {"a": 2, "b": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("column", ["contig", "start", "end", "strand", "split"])
def test_the_digest_sees_every_column(column: str):
    changed = windows()
    values = changed[column].tolist()
    changed[column] = pd.Series(values[::-1] if column != "split" else ["train"] * 3).astype(changed[column].dtype)
    assert digest_windows(changed) != digest_windows(windows())


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UserError, match=r"none\.parquet: cannot be read"):
        read_windows(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(UserError, match="expected the windows of a data set"):
        read_windows(tmp_path / "text.parquet")
    windows()[["start"]].to_parquet(tmp_path / "other.parquet")
    with pytest.raises(UserError, match="found no format version none, expected windows version 1"):
        read_windows(tmp_path / "other.parquet")
    path = tmp_path / "windows.parquet"
    write_windows(path, windows(), {})
    about = {b"lociflow": json.dumps({"format": "windows", "version": 99}).encode()}
    pq.write_table(pq.read_table(path).replace_schema_metadata(about), path)
    with pytest.raises(UserError, match="found windows version 99, expected windows version 1"):
        read_windows(path)
