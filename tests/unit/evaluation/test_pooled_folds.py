import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.evaluation.evaluate import evaluate
from lociflow.evaluation.pooled_folds import pool_folds
from lociflow.evaluation.predictions import PredictedBatch, read_predictions, write_batches
from lociflow.genome.window_table import SPLIT, digest_windows, pooled_digest, read_pooled, split_digest, write_windows

SCRIPTS = Path(__file__).parents[3] / "scripts"
FOLDS = ("cv1", "cv2", "cv3")
BINS = 36
SIDES = ["train", "validation", "test"]
CLASSES = ["EI", "IE", "N"]


@pytest.fixture
def folder(tmp_path):
    """Write 36 sequences of three classes in three folds, and predictions that are wrong in the first bin of each."""
    home = np.arange(BINS) % 3
    bins = pd.DataFrame(
        {
            "contig": pd.Categorical([f"s{n:02d}" for n in range(BINS)]),
            "start": 0,
            "end": 60,
            "strand": pd.Categorical(["+"] * BINS),
            "group": pd.Categorical([None] * BINS, []),
            "shuffled": False,
            **{
                f"{SPLIT}{name}": pd.Categorical(np.array(SIDES)[(home - fold + 2) % 3], SIDES)
                for fold, name in enumerate(FOLDS)
            },
        }
    )
    about = {
        "split_digests": {name: digest_windows(bins, name) for name in FOLDS},
        "labels": {"kind": "class", "classes": [CLASSES], "reverse": None, "stranded": True},
    }
    write_windows(tmp_path / "windows.parquet", bins, about)
    truth = np.arange(BINS) // 12
    np.save(tmp_path / "targets.npy", truth[:, None].astype(np.int16))
    (tmp_path / "targets.tsv").write_text("target\njunction\n")
    for fold, name in enumerate(FOLDS):
        split = bins[f"{SPLIT}{name}"].astype(str).to_numpy()
        scored = np.flatnonzero(split != "train")
        called = truth[scored].copy()
        called[split[scored] == "validation"] = 2 - fold
        called[np.flatnonzero(split[scored] == "test")[0]] = 2
        scores = np.where(called[:, None] == np.arange(3), 0.8, 0.1).astype(np.float32)
        columns = {f"junction:{label}": scores[:, number] for number, label in enumerate(CLASSES)}
        digest = split_digest(tmp_path / "windows.parquet", name)
        write_batches(tmp_path / f"{name}.parquet", [PredictedBatch(scored, split[scored], columns)], digest)
    return tmp_path


def parts(folder):
    return {name: folder / f"{name}.parquet" for name in FOLDS}


def test_each_bin_is_predicted_by_the_model_that_has_not_seen_it(folder):
    pool_folds(folder / "windows.parquet", parts(folder), folder / "all.parquet")
    found = read_predictions(folder / "all.parquet")
    assert found["bin"].tolist() == list(range(BINS))
    assert set(found["split"].astype(str)) == {"test"}
    for fold, path in enumerate(parts(folder).values()):
        own = read_predictions(path)
        own = own[own["split"] == "test"]
        assert own["bin"].tolist() == list(range(fold, BINS, 3))
        np.testing.assert_array_equal(found.iloc[fold::3, 2:].to_numpy(), own.iloc[:, 2:].to_numpy())


def test_errors_of_all_folds_together(folder):
    pool_folds(folder / "windows.parquet", parts(folder), folder / "all.parquet")
    evaluate(
        folder / "windows.parquet", folder / "targets.npy", folder / "targets.tsv", folder / "all.parquet", "cv",
        {"draws": 200, "level": 0.9}, folder / "metrics.json", folder / "curves.npz", folder / "draws.npz", FOLDS,
    )  # fmt: skip
    found = json.loads((folder / "metrics.json").read_text())
    assert (found["split"], found["bins"]) == ("cv", {"test": 36, "validation": 0})
    # The first test bins of the folds are 0, 1 and 2, all of them EI, called N.
    errors = [row["class_error"] for row in found["targets"]]
    assert [error["value"] for error in errors] == [3 / 12, 0, 0]
    assert errors[0]["low"] < 3 / 12 < errors[0]["high"]
    assert found["summary"]["accuracy"]["median"] == pytest.approx(33 / 36)
    assert found["digests"]["split"] == pooled_digest(folder / "windows.parquet", FOLDS)
    assert found["interval"]["blocks"] == 36


def test_the_script_writes_the_same_bytes(folder):
    pool_folds(folder / "windows.parquet", parts(folder), folder / "all.parquet")
    command = [sys.executable, SCRIPTS / "pool_folds.py", "--windows", folder / "windows.parquet", "--folds"]
    command += [f"{name}={path}" for name, path in parts(folder).items()]
    subprocess.run([*command, "--predictions", folder / "again.parquet"], check=True)
    assert (folder / "again.parquet").read_bytes() == (folder / "all.parquet").read_bytes()


def test_bins_that_no_fold_tests_on_are_in_no_split(folder):
    found = read_pooled(folder / "windows.parquet", FOLDS[:2])["split"]
    assert found.isna().tolist() == [number % 3 == 2 for number in range(BINS)]


def test_mistakes_are_told(folder):
    windows = folder / "windows.parquet"
    with pytest.raises(UserError, match="found 12 bins in the test split of several of cv1, cv1"):
        read_pooled(windows, ["cv1", "cv1"])
    with pytest.raises(UserError, match=r"cv1\.parquet: found predictions on a split with the digest"):
        pool_folds(windows, {**parts(folder), "cv2": folder / "cv1.parquet"}, folder / "all.parquet")
    with pytest.raises(UserError, match="has no split cv4"):
        pool_folds(windows, {"cv4": folder / "cv1.parquet"}, folder / "all.parquet")
    digest = split_digest(windows, "cv3")
    one = PredictedBatch(np.array([2]), np.array(["test"]), {"other": np.zeros(1, np.float32)})
    write_batches(folder / "other.parquet", [one], digest)
    with pytest.raises(
        UserError, match=re.escape("found the columns bin, split, other, expected bin, split, junction:EI")
    ):
        pool_folds(windows, {**parts(folder), "cv3": folder / "other.parquet"}, folder / "all.parquet")
    columns = {f"junction:{label}": np.zeros(1, np.float32) for label in CLASSES}
    write_batches(folder / "few.parquet", [PredictedBatch(np.array([2]), np.array(["test"]), columns)], digest)
    with pytest.raises(UserError, match="found 25 predictions of test bins in 3 folds, expected one for each of"):
        pool_folds(windows, {**parts(folder), "cv3": folder / "few.parquet"}, folder / "all.parquet")
    assert not (folder / "all.parquet").exists()
