import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from window_files import HOLDOUT, write_holdout

from lociflow.sequence.genome_store import write_store

SCRIPTS = Path(__file__).parents[2] / "scripts"
LABELS = ["--windows", "windows.parquet", "--targets", "targets.npy", "--target-table", "targets.tsv"]
LABELS += ["--split", HOLDOUT]
KMER = {"_target_": "lociflow.evaluation.kmer.fit_predict", "k": 2, "window_length": 8, "regularisation": [1.0]}


def make_dataset(folder):
    """Bins that are GGCC or AATT; the former are positive."""
    positive = np.arange(120) % 3 == 0
    sequence = "".join(np.where(positive, "GGCCGGCC", "AATTAATT"))
    (folder / "genome.fa").write_text(f">a\n{sequence}\n")
    write_store([folder / "genome.fa"], folder / "codes.npy", folder / "store.json", "toy")
    windows = pd.DataFrame(
        {
            "contig": pd.Categorical(["a"] * 120),
            "start": np.arange(120) * 8,
            "end": np.arange(120) * 8 + 8,
            "strand": pd.Categorical(["."] * 120),
            "split": pd.Categorical(np.repeat(["train", "validation", "test"], 40)),
            "group": pd.Categorical([None] * 120, []),
        }
    )
    write_holdout(folder / "windows.parquet", windows)
    np.save(folder / "targets.npy", positive[:, np.newaxis].astype(np.int8))
    (folder / "targets.tsv").write_text("target\tpeaks\nGC\t40\n")


def call(folder, script, *arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *arguments], cwd=folder, capture_output=True, text=True
    )


def fit(folder, config=KMER):
    arguments = ["--store", "store.json", *LABELS, "--config", json.dumps(config)]
    return call(folder, "fit_baseline.py", *arguments, "--predictions", "out/p.parquet", "--log", "fit.log")


def test_a_baseline_is_fitted_and_scored(tmp_path):
    make_dataset(tmp_path)
    done = fit(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("predicted 80 bins of 1 targets\n")
    arguments = [*LABELS, "--predictions", "out/p.parquet", "--config", '{"block": 32, "draws": 20}']
    outputs = ["--metrics", "out/m.json", "--curves", "out/c.npz", "--draws", "out/d.npz"]
    done = call(tmp_path, "evaluate.py", *arguments, *outputs)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "40 test bins, 1 targets: median AUROC 1.000 (1.000 to 1.000), median AUPRC 1.000 (1.000 to 1.000)\n"
    )
    found = json.loads((tmp_path / "out" / "m.json").read_text())
    assert found["summary"]["auroc"]["median"] == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["c.npz", "d.npz", "m.json", "p.parquet"]


def test_a_mistake_is_one_sentence_and_exit_1(tmp_path):
    make_dataset(tmp_path)
    done = fit(tmp_path, {**KMER, "kmer": 3})
    assert done.returncode == 1
    assert done.stderr.startswith("error: _target_ lociflow.evaluation.kmer.fit_predict: ")
    assert "kmer" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
