"""Digests of results see every value and nothing but values."""

import json
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from result_digests import differences, result_digests


def write_results(folder: Path, **changed: object) -> Path:
    """Write one small file of each kind, in which some values may be other ones."""
    value = {"rows": 1, "metadata": "a", "target": 0, "weight": 1.0, "device": "cpu", "auroc": 0.5, "motif": 1.0}
    value |= {"group": 1, "indent": None, **changed}
    folder.mkdir()
    table = pa.table({"contig": ["I", None], "start": [0, 200]}).replace_schema_metadata({"split": value["metadata"]})
    pq.write_table(table, folder / "windows.parquet", row_group_size=value["group"])
    pq.write_table(
        pa.table({"bin": range(value["rows"]), "CTCF": [0.5] * value["rows"]}), folder / "predictions.parquet"
    )
    np.save(folder / "targets.npy", np.array([[value["target"]]], dtype=np.uint8))
    state = {"layer.weight": torch.tensor([value["weight"]])}
    torch.save({"state_dict": state, "provenance": json.dumps({"device": value["device"]})}, folder / "model.ckpt")
    (folder / "metrics.json").write_text(json.dumps({"auroc": value["auroc"], "n": 1}, indent=value["indent"]))
    with h5py.File(folder / "modisco.h5", "w", track_order=value["indent"] is not None) as file:
        file.create_dataset("pos_patterns/0/ppm", data=[value["motif"]], track_times=value["indent"] is not None)
        file["names"] = np.array([b"CTCF"], dtype=h5py.string_dtype())
    return folder


@pytest.fixture
def first(tmp_path):
    return result_digests(write_results(tmp_path / "first"))


def test_all_kinds_are_found_wherever_they_lie(tmp_path, first):
    assert set(first) == {
        "windows.parquet", "predictions.parquet", "targets.npy", "model.ckpt", "metrics.json", "modisco.h5"
    }  # fmt: skip
    (tmp_path / "first").rename(tmp_path / "first.kept")
    assert set(result_digests(tmp_path)) == {f"first.kept/{name}" for name in first}


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({"metadata": "b"}, "windows.parquet"),
        ({"rows": 2}, "predictions.parquet"),
        ({"target": 1}, "targets.npy"),
        ({"weight": 1.0000001}, "model.ckpt"),
        ({"auroc": 0.51}, "metrics.json"),
        ({"motif": 2.0}, "modisco.h5"),
    ],
)
def test_a_changed_value_changes_the_digest_of_its_file_alone(tmp_path, first, changed, differs):
    assert differences(first, result_digests(write_results(tmp_path / "second", **changed))) == [f"{differs} differs"]


def test_layout_times_and_devices_change_nothing(tmp_path, first):
    second = write_results(tmp_path / "second", group=2, indent=1, device="cuda")
    assert differences(first, result_digests(second)) == []
    for name in ("windows.parquet", "model.ckpt", "metrics.json"):
        assert (second / name).read_bytes() != (tmp_path / "first" / name).read_bytes()


def test_differences_tell_what_is_missing_and_what_was_not_expected():
    assert differences({"a": "1", "b": "2"}, {"b": "3", "c": "4"}) == [
        "a is missing", "b differs", "c was not expected"
    ]  # fmt: skip
