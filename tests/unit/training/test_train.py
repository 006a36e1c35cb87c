import ast
import csv
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest
import torch
from planted import Planted, config

from lociflow.command import UserError
from lociflow.models.checkpoint import LoadedModel, build_model, load_model
from lociflow.training import callbacks
from lociflow.training.train import train


class Stopped(Exception):
    """The process is killed, as far as a test can do that."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return planted.make_planted(tmp_path_factory.mktemp("planted"))


@pytest.fixture
def fit(data: Planted, tmp_path: Path) -> Callable[..., Path]:
    """Train into a folder of that name, and return the folder."""

    def run(name: str, workers: int = 0, seed: int = 1, resume: str | None = None, **training: Any) -> Path:
        folder = tmp_path / name
        train(
            **data.arguments(),
            config={**config(**training), "seed": seed},
            checkpoint=folder / "model.ckpt",
            config_copy=folder / "config.json",
            history=folder / "history.csv",
            resume=tmp_path / (resume or f"{name}.resume"),
            workers=workers,
            device="cpu",
        )
        return folder

    return run


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as handle:
        return list(csv.DictReader(handle))


def timeless(folder: Path) -> list[dict[str, str]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history(folder)]


def same(one: Path, other: Path) -> bool:
    return (one / "model.ckpt").read_bytes() == (other / "model.ckpt").read_bytes() and timeless(one) == timeless(other)


def load(folder: Path) -> LoadedModel:
    return load_model(folder / "model.ckpt")


def test_a_planted_motif_is_learnt(fit: Callable[..., Path]) -> None:
    folder = fit("long", max_epochs=25)
    assert float(history(folder)[-1]["validation_auroc"]) > 0.9
    loaded = load(folder)
    assert loaded.targets == tuple(planted.MOTIFS)
    assert loaded.provenance["genome"] == "planted"
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    assert json.loads((folder / "config.json").read_text()) == {**loaded.config, "parameters": parameters}
    assert not folder.with_name("long.resume").exists()
    assert list(history(folder)[0]) == list(callbacks.HISTORY)


def test_workers_a_rerun_and_the_folder_change_nothing(fit: Callable[..., Path]) -> None:
    alone = fit("alone")
    assert same(alone, fit("again"))
    assert same(alone, fit("one", workers=1))
    assert same(alone, fit("two", workers=2))


def test_another_seed_gives_other_weights(fit: Callable[..., Path]) -> None:
    assert not same(fit("seed1", max_epochs=1), fit("seed2", max_epochs=1, seed=2))


def test_nothing_is_written_where_it_is_run(
    fit: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    fit("elsewhere", max_epochs=1)
    assert not list((tmp_path / "empty").iterdir())
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {"model.ckpt", "config.json", "history.csv"}


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_killed_training_goes_on_from_its_last_epoch(
    fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, epochs: int
) -> None:
    recipe: dict[str, Any] = {
        "max_epochs": 4,
        # A schedule, momentum and patience are parts of the state.
        "schedule": {"_target_": "torch.optim.lr_scheduler.OneCycleLR", "_partial_": True, "max_lr": 0.01},
        "early_stopping": {"monitor": "validation_loss", "patience": 3, "min_delta": 0.0},
    }
    undisturbed = fit("undisturbed", **recipe)
    saved = callbacks.SaveState.on_train_epoch_end

    def kill(self: callbacks.SaveState, trainer: Any, pl_module: Any) -> None:
        saved(self, trainer, pl_module)
        if trainer.current_epoch + 1 == epochs:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.SaveState, "on_train_epoch_end", kill)
        with pytest.raises(Stopped):
            fit("killed", **recipe)
    caplog.clear()
    logging.getLogger("lociflow").propagate = True
    with caplog.at_level(logging.INFO, logger="lociflow"):
        assert same(undisturbed, fit("killed", **recipe))
    assert "going on from the last whole epoch" in caplog.text
    assert f"epoch {epochs} of" not in caplog.text


def test_a_training_killed_after_its_last_epoch_is_not_repeated(
    fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = {"max_epochs": 9, "early_stopping": {"monitor": "validation_auroc", "patience": 1, "min_delta": 0.9}}
    undisturbed = fit("undisturbed", **recipe)
    assert len(history(undisturbed)) == 2
    with monkeypatch.context() as patch:
        patch.setattr("lociflow.training.train.save_checkpoint", raise_stopped)
        with pytest.raises(Stopped):
            fit("killed", **recipe)
    assert same(undisturbed, fit("killed", **recipe))


def raise_stopped(*_: Any) -> None:
    raise Stopped


def test_the_state_of_another_training_is_not_taken_up(
    fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("lociflow.training.train.save_checkpoint", raise_stopped)
        with pytest.raises(Stopped):
            fit("killed", resume="shared", max_epochs=1)
    assert len(list((tmp_path / "shared").iterdir())) == 1
    assert same(fit("plain", seed=2, max_epochs=1), fit("other", resume="shared", seed=2, max_epochs=1))
    assert not (tmp_path / "shared").exists()


def test_a_damaged_state_is_not_taken_up(
    fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("lociflow.training.train.save_checkpoint", raise_stopped)
        with pytest.raises(Stopped):
            fit("killed", max_epochs=1)
    (state,) = (tmp_path / "killed.resume").iterdir()
    state.write_bytes(state.read_bytes()[:1000])
    assert same(fit("plain", max_epochs=1), fit("killed", max_epochs=1))


def test_the_best_epoch_is_kept(fit: Callable[..., Path]) -> None:
    folder = fit("best", max_epochs=4, optimizer={"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.5})
    rows = history(folder)
    best = max(range(len(rows)), key=lambda row: float(rows[row]["validation_auprc"]))
    assert load(folder).provenance["epoch"] == best + 1
    assert load(folder).provenance["epochs"] == len(rows)


def test_without_early_stopping_the_last_epoch_is_kept(fit: Callable[..., Path]) -> None:
    assert load(fit("last", max_epochs=2, early_stopping=None)).provenance["epoch"] == 2


def test_no_epochs_give_the_untrained_network(fit: Callable[..., Path]) -> None:
    folder = fit("untrained", max_epochs=0)
    assert history(folder) == []
    loaded = load(folder)
    assert (loaded.provenance["epoch"], loaded.provenance["epochs"]) == (0, 0)
    # Each target begins at its own prevalence of about a quarter.
    bias = loaded.model.get_submodule("head.output").bias
    assert torch.sigmoid(bias).tolist() == pytest.approx([0.25, 0.25], abs=0.04)


def test_permuted_labels_cannot_be_learnt(fit: Callable[..., Path]) -> None:
    folder = fit("permuted", max_epochs=6, label_permutation=True)
    assert all(abs(float(row["validation_auroc"]) - 0.5) < 0.15 for row in history(folder))
    assert not same(folder, fit("plain", max_epochs=6))
    assert same(folder, fit("again", max_epochs=6, label_permutation=True))


def test_the_test_split_is_not_touched(data: Planted, fit: Callable[..., Path], tmp_path: Path) -> None:
    folder = fit("clean", max_epochs=1)
    other = tmp_path / "other"
    other.mkdir()
    labels = np.load(data.targets)
    labels[-planted.BINS["chrC"] :] = 1
    np.save(other / "targets.npy", labels)
    train(
        **{**data.arguments(), "targets": other / "targets.npy"},
        config=config(max_epochs=1),
        checkpoint=other / "model.ckpt",
        config_copy=other / "config.json",
        history=other / "history.csv",
        resume=other / "resume",
        workers=0,
        device="cpu",
    )
    weights = [load(one).provenance["weights"] for one in (folder, other)]
    assert weights[0] == weights[1]
    assert timeless(folder) == timeless(other)


def test_a_loss_that_is_no_number_is_told(fit: Callable[..., Path]) -> None:
    with pytest.raises(
        UserError, match=r"training, epoch 1: found a train loss of (nan|inf), expected a number; lower"
    ):
        fit("nan", optimizer={"_target_": "torch.optim.SGD", "_partial_": True, "lr": 1e30})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"early_stopping": {"monitor": "loss", "patience": 1, "min_delta": 0}},
            "monitor: found 'loss', expected one of",
        ),
        ({"batch_size": 0}, "training.batch_size: found 0"),
        ({"max_epochs": -1}, "training.max_epochs: found -1"),
        ({"optimizer": {"_target_": "os.system", "_partial_": True}}, "comes from"),
    ],
)
def test_a_wrong_recipe_is_refused(fit: Callable[..., Path], change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        fit("wrong", **change)


def test_initial_weights_are_those_of_the_seed(fit: Callable[..., Path]) -> None:
    loaded = load(fit("untrained", max_epochs=0))
    torch.manual_seed(99)
    other = build_model(planted.CONFIG["model"], 2)
    weights = [one.get_submodule("trunk.block1.convolution").weight for one in (loaded.model, other)]
    assert not torch.equal(*weights)


def test_training_names_no_architecture() -> None:
    # The digest of the step's code is its import closure and one architecture: an edit of another must not rerun it.
    text = (
        "import sys, lociflow.training.train; print(sorted(n for n in sys.modules if n.startswith('lociflow.models.')))"
    )
    scripts = Path(__file__).parents[3] / "scripts"
    done = subprocess.run([sys.executable, "-c", text], cwd=scripts, capture_output=True, text=True, check=True)
    parts = {"blocks", "checkpoint", "device", "heads", "layers"}
    assert set(ast.literal_eval(done.stdout)) <= {f"lociflow.models.{name}" for name in parts}
