"""A finished run of one model and one baseline, small enough to type."""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from lociflow.command import write_json
from lociflow.file_digest import sha256_of
from lociflow.formats import stamp
from lociflow.models.checkpoint import save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.provenance.record import record

CONFIG: dict[str, Any] = {
    "run": "toy",
    "datasets": ["peaks"],
    "models": ["small+long"],
    "seeds": [7],
    "training": "default",
    "baselines": ["gc"],
    "interpretation": None,
    "variants": {"long": ["training.max_epochs=9"]},
    "export": None,
}
MANIFEST: dict[str, Any] = {
    "run": "toy",
    "config": CONFIG,
    "seeds": [7],
    "interpreted": [],
    "datasets": [
        {
            "name": "peaks",
            "description": "some peaks",
            "split": "holdout",
            "splits": 1,
            "explained": True,
            "simulation": None,
            "models": [{"label": "small+long", "control": False, "methods": []}],
            "baselines": ["gc"],
            "sources": ["peaks/peaks.bed"],
        }
    ],
}
TRAINED = Path("results/peaks/holdout/small+long/seed7")
BASELINE = Path("results/peaks/holdout/baselines/gc")
BENCHMARKS = Path("benchmarks/peaks/holdout/small+long/seed7")
RUN = Path("results/runs/toy")
SCORES = """\
dataset\tsplit\tlabel\tmodel\tvariant\tseed\tkind\tauroc_mean\ttrain_seconds
peaks\tholdout\tsmall+long\tsmall\tlong\t7\tmodel\t0.91\t12
peaks\tholdout\tgc\tgc\t\t\tbaseline\t0.6\t
"""


def write_run(folder: Path, weight: float = 0.5) -> None:
    """Write the files that steps would have left in a working directory."""
    for part in (
        TRAINED,
        BASELINE,
        RUN,
        Path("resources/sources/peaks"),
        Path("benchmarks/peaks/holdout/small+long/seed7"),
    ):
        (folder / part).mkdir(parents=True)
    data = folder / "results/peaks"
    split = pa.array(["train", "test", "test"]).dictionary_encode()
    pq.write_table(pa.table({"start": [0, 10, 20], "split:holdout": split}), data / "windows.parquet")
    np.save(data / "targets.npy", np.array([[1], [0], [-1]], dtype=np.int8))
    np.save(data / "control.npy", np.zeros((3, 0)))
    (data / "targets.tsv").write_text("target\nCTCF\n")
    (data / "removed.tsv").write_text("bin\n")
    write_json(data / "windows.json", {"digests": {"windows": "aa", "targets": "bb"}})
    write_json(data / "audit.json", {"checks": []})
    save_checkpoint(
        folder / TRAINED / "model.ckpt",
        {"weight": torch.tensor([weight])},
        {},
        Outputs("binary", ("CTCF",)),
        {"device": "cuda", "device_name": "Tesla T4"},
    )
    write_json(folder / TRAINED / "config.json", {"training": {"transfer": None}})
    (folder / TRAINED / "history.csv").write_text("epoch,loss,seconds\n1,0.5,3.2\n")
    for place in (TRAINED, BASELINE):
        pq.write_table(pa.table({"bin": [1, 2], "CTCF": [weight, 0.25]}), folder / place / "predictions.parquet")
        write_json(folder / place / "metrics.json", {"auroc": 0.91})
        np.savez(folder / place / "curves.npz", x=np.arange(3))
        np.savez(folder / place / "draws.npz", x=np.arange(4))
    source = folder / "resources/sources/peaks/peaks.bed"
    source.write_text("chr1\t0\t10\n")
    write_json(
        Path(f"{source}.source.json"),
        {
            **stamp("source"),
            "file": "peaks/peaks.bed",
            "via": "url",
            "from": ["https://me:hunter2@example.org/peaks.bed?token=abc123&part=1"],
            "sha256": sha256_of(source),
            "bytes": source.stat().st_size,
            "pinned": True,
            "held_to": "sha256",
            "derived_from": None,
        },
    )
    write_json(folder / RUN / "manifest.json", MANIFEST)
    (folder / RUN / "scores.tsv").write_text(SCORES)
    (folder / RUN / "report.html").write_text("<html></html>")
    rows = [{"s": 30.0, "max_rss": 100.5}, {"s": 2.5, "max_rss": 300.25}]
    (folder / BENCHMARKS / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def record_run(config_dirs: tuple[Path, ...] = ()) -> None:
    """Record the run of the working directory."""
    record(MANIFEST, [], config_dirs, RUN / "ro-crate-metadata.json", RUN / "Snakefile", RUN / "configuration")


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the finished run, and not yet recorded."""
    folder = tmp_path / "work"
    write_run(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recorded run, ``work``, and with the same made again with another weight, ``again``."""
    folder = tmp_path_factory.mktemp("recorded")
    for name, weight in (("work", 0.5), ("again", 0.75)):
        write_run(folder / name, weight)
        with contextlib.chdir(folder / name):
            record_run()
    return folder


@pytest.fixture
def recorded(recorded_once: Path, tmp_path: Path) -> Path:
    """A copy of both runs, for one test to change."""
    return Path(shutil.copytree(recorded_once, tmp_path / "recorded"))
