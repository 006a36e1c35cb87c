"""What must not change a result: workers, the size of evaluation batches, a kill, and that it is done once more.

All with what has a state or draws of its own switched on: the average of the weights, steps of several batches,
balanced epochs, jitter and a schedule.
"""

import csv
import os
import signal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest
import torch
from planted import Planted, config

from lociflow.evaluation.predict import predict
from lociflow.evaluation.predictions import read_predictions
from lociflow.models.checkpoint import build_model, save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.training import fit as fitting
from lociflow.training.module import TrainingModule
from lociflow.training.train import train

RECIPE: dict[str, Any] = {
    "max_epochs": 3,
    "batch_size": 50,
    "schedule": {"_target_": "torch.optim.lr_scheduler.OneCycleLR", "_partial_": True, "max_lr": 0.01},
    "weight_average": 0.9,
    # Batches of an epoch are no multiple of it: its last step is one of fewer.
    "accumulate_batches": 3,
    "balance": {"_target_": "lociflow.data.balancing.SomeNegatives", "ratio": 0.5},
    "jitter": 4,
}
OUTPUTS = Outputs("binary", tuple(planted.MOTIFS))
EVALUATION_BATCHES = (1, 7, 512)
PACKAGE = "lociflow.models"
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "deepbind": {"_target_": f"{PACKAGE}.deepbind.DeepBind", "detectors": 6, "kernel": 9, "hidden": 5},
    "deepsea": {**planted.CONFIG["model"]["architecture"], "batch_norm": True},
    "danq": {
        "_target_": f"{PACKAGE}.danq.DanQ",
        **{"filters": 6, "kernel": 8, "pool": 4, "units": 5, "hidden": 7},
    },
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return planted.make_planted(tmp_path_factory.mktemp("planted"))


def fit(data: Planted, folder: Path, workers: int = 0, devices: int = 1) -> None:
    train(
        **data.arguments(),
        config=config(**RECIPE),
        checkpoint=folder / "model.ckpt",
        config_copy=folder / "config.json",
        history=folder / "history.csv",
        resume=folder.with_name(f"{folder.name}.resume"),
        workers=workers,
        device="cpu",
        devices=devices,
    )


def foretell(data: Planted, checkpoint: Path, predictions: Path, workers: int = 0) -> Path:
    predict(data.store, data.windows, data.control, checkpoint, predictions, workers, "cpu")
    return predictions


def timeless(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as handle:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(handle)]


@pytest.fixture(scope="module")
def undisturbed(data: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "trained"
    fit(data, folder)
    foretell(data, folder / "model.ckpt", folder / "predictions.parquet")
    return folder


def assert_same_bytes(data: Planted, folder: Path, undisturbed: Path, workers: int = 0) -> None:
    foretell(data, folder / "model.ckpt", folder / "predictions.parquet", workers)
    for name in ("model.ckpt", "config.json", "predictions.parquet"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert timeless(folder) == timeless(undisturbed)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_neither_workers_nor_a_rerun_change_a_byte(
    data: Planted, undisturbed: Path, tmp_path: Path, workers: int
) -> None:
    fit(data, tmp_path / "trained", workers)
    assert_same_bytes(data, tmp_path / "trained", undisturbed, workers)


def train_until_killed(data: Planted, folder: Path, epoch: int, batch: int, devices: int = 1) -> None:
    """Train, and end each process that trains with SIGKILL before a batch, both counted from 0."""
    step = TrainingModule.training_step

    def count(self: TrainingModule, sample: Any, batch_idx: int) -> torch.Tensor:
        if (self.current_epoch, batch_idx) == (epoch, batch):
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self, sample, batch_idx)

    TrainingModule.training_step = count  # type: ignore[method-assign]
    fit(data, folder, devices=devices)


def test_kills_change_no_byte(data: Planted, undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    # In the middle of the second and of the third epoch, with the gradient of one batch waiting for its step.
    for epoch in (1, 2):
        process = get_context("fork").Process(target=train_until_killed, args=(data, folder, epoch, 4))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert len(list(folder.with_name("trained.resume").glob("training-*.ckpt"))) == 1
        assert not (folder / "model.ckpt").exists()
    fit(data, folder)
    assert_same_bytes(data, folder, undisturbed)
    assert not folder.with_name("trained.resume").exists()


def test_processes_that_are_killed_together_go_on_together(
    data: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "trained"
    fit(data, whole, devices=2)
    process = get_context("fork").Process(target=train_until_killed, args=(data, folder, 1, 4, 2))
    process.start()
    process.join()
    assert process.exitcode
    assert len(list(folder.with_name("trained.resume").glob("training-*.ckpt"))) == 1
    assert not (folder / "model.ckpt").exists()
    # The processes are forks: what they tell goes where the test can read it.
    told = tmp_path / "told"
    told.touch()
    monkeypatch.setattr(fitting, "status", lambda text: told.write_text(told.read_text() + text))
    fit(data, folder, devices=2)
    assert "going on from the last whole epoch" in told.read_text()
    assert (folder / "model.ckpt").read_bytes() == (whole / "model.ckpt").read_bytes()
    assert timeless(folder) == timeless(whole)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_size_of_evaluation_batches_hardly_matters(data: Planted, tmp_path: Path, name: str) -> None:
    found = []
    for size in EVALUATION_BATCHES:
        settings = config(evaluation_batch_size=size)
        settings["model"]["architecture"] = ARCHITECTURES[name]
        torch.manual_seed(1)
        model = build_model(settings["model"], OUTPUTS)
        checkpoint = tmp_path / f"{size}.ckpt"
        save_checkpoint(checkpoint, model.state_dict(), settings, OUTPUTS, {})
        table = read_predictions(foretell(data, checkpoint, tmp_path / f"{size}.parquet"))
        assert table["bin"].is_monotonic_increasing
        assert table["bin"].is_unique
        found.append(table[list(planted.MOTIFS)].to_numpy())
    # Sums of another size of batch are added up in another order: the last bit may differ.
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0, atol=1e-6)
