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
from lociflow.evaluation.predict import predict
from lociflow.evaluation.predictions import read_predictions
from lociflow.models.checkpoint import LoadedModel, build_model, load_model
from lociflow.models.outputs import Outputs
from lociflow.processor import processor
from lociflow.training import callbacks
from lociflow.training.averaging import WeightAverage
from lociflow.training.train import train

TRANSFER = {"model": "tiny", "freeze": ["trunk"]}


class Stopped(Exception):
    """The process is killed, as far as a test can do that."""


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as handle:
        return list(csv.DictReader(handle))


def timeless(folder: Path) -> list[dict[str, str]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history(folder)]


def same(one: Path, other: Path) -> bool:
    return (one / "model.ckpt").read_bytes() == (other / "model.ckpt").read_bytes() and timeless(one) == timeless(other)


def load(folder: Path) -> LoadedModel:
    return load_model(folder / "model.ckpt")


def test_a_planted_motif_is_learnt(fit: Callable[..., Path], data: Planted) -> None:
    folder = fit("long", max_epochs=25)
    assert float(history(folder)[-1]["validation_auroc"]) > 0.9
    loaded = load(folder)
    assert loaded.targets == tuple(planted.MOTIFS)
    assert loaded.provenance["genome"] == "planted"
    assert (loaded.provenance["device"], loaded.provenance["device_name"]) == ("cpu", processor())
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    labels = np.load(data.targets)[: planted.BINS["chrA"]]
    positives = (labels == 1).sum(axis=0)
    assert json.loads((folder / "config.json").read_text()) == {
        **loaded.config,
        "parameters": parameters,
        "training_bins": planted.BINS["chrA"],
        "epoch_windows": planted.BINS["chrA"],
        "kept_epoch": loaded.provenance["epoch"],
        "training_labels": int((labels >= 0).sum()),
        "training_positives": int(positives.sum()),
        "fewest_training_positives": int(positives.min()),
    }
    assert not folder.with_name("long.resume").exists()
    assert list(history(folder)[0]) == [
        "epoch",
        "train_loss",
        "validation_loss",
        "validation_auroc",
        "validation_auprc",
        "learning_rate",
        "seconds",
    ]


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
        # So are the average of the weights, and that the last step of an epoch may be one of fewer batches.
        "weight_average": 0.9,
        "accumulate_batches": 3,
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
        assert same(undisturbed, fit("killed", workers=epochs - 1, **recipe))
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


@pytest.mark.parametrize(
    ("kind", "loss", "monitor"),
    [
        ("class", "lociflow.training.class_losses.CrossEntropy", "validation_auroc"),
        ("real", "lociflow.training.value_losses.MeanSquaredError", "validation_pearson"),
    ],
)
def test_other_labels_are_learnt_and_predicted(
    data: Planted, tmp_path: Path, kind: str, loss: str, monitor: str
) -> None:
    other = planted.relabel(data, tmp_path / "data", kind)
    stopping = {"monitor": monitor, "patience": 6, "min_delta": 0.0}
    settings = config(loss={"_target_": loss}, early_stopping=stopping, max_epochs=6)
    settings["model"]["architecture"]["initial_threshold"] = 1.5
    train(
        **other.arguments(),
        config=settings,
        checkpoint=tmp_path / "model.ckpt",
        config_copy=tmp_path / "config.json",
        history=tmp_path / "history.csv",
        resume=tmp_path / "resume",
        workers=0,
        device="cpu",
    )
    rows = history(tmp_path)
    assert float(rows[-1][monitor]) > {"class": 0.9, "real": 0.8}[kind]
    predict(other.store, other.windows, other.control, tmp_path / "model.ckpt", tmp_path / "p.parquet", 0, "cpu")
    found = read_predictions(tmp_path / "p.parquet")
    column = "first:present" if kind == "class" else "first"
    labels = np.load(data.targets)[found["bin"], 0]
    mean = {label: float(found.loc[labels == label, column].mean()) for label in (0, 1)}
    assert mean[1] > mean[0] + 0.4
    if kind == "class":
        np.testing.assert_allclose(found["first:present"] + found["first:absent"], 1, rtol=1e-5)


def test_some_of_the_bins_and_targets_are_learnt(fit: Callable[..., Path], data: Planted, tmp_path: Path) -> None:
    folder = fit("half", max_epochs=1, label_fraction=0.1, targets=["second"], batch_size=100)
    loaded = load(folder)
    assert loaded.outputs == Outputs("binary", ("second",))
    assert loaded.provenance["other_strand"] is None
    # 100 of 1,000 bins in one batch: another order of them, of which nothing depends but the strands.
    assert not same(folder, fit("other", max_epochs=1, label_fraction=0.1, targets=["first"], batch_size=100))
    predict(data.store, data.windows, data.control, folder / "model.ckpt", tmp_path / "p.parquet", 0, "cpu")
    assert list(read_predictions(tmp_path / "p.parquet").columns) == ["bin", "split", "second"]


def test_a_frozen_trunk_stays_and_the_head_learns(fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    # Running statistics of batch normalisation would otherwise follow; between two epochs lies a validation.
    normalised = {**planted.CONFIG["model"]["architecture"], "batch_norm": True}
    monkeypatch.setitem(planted.CONFIG["model"], "architecture", normalised)
    origin = fit("origin", max_epochs=1)
    recipe = {"max_epochs": 2, "early_stopping": None, "transfer": TRANSFER}
    tuned = fit("tuned", seed=2, start_from=origin / "model.ckpt", **recipe)
    one, other = load(origin).model.state_dict(), load(tuned).model.state_dict()
    assert any("running_mean" in name for name in one)
    for name in one:
        assert torch.equal(one[name], other[name]) == name.startswith("trunk."), name
    with pytest.raises(UserError, match=r"training.transfer: found None, and .*model.ckpt to start from"):
        fit("needless", start_from=origin / "model.ckpt")
    with pytest.raises(UserError, match=r"no checkpoint to start from"):
        fit("lacking", transfer=TRANSFER)


def test_the_average_of_the_weights_is_kept(fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    update = WeightAverage.update

    def watch(self: WeightAverage, model: torch.nn.Module) -> None:
        update(self, model)
        seen.append(model.get_submodule("head.output").bias.detach().clone())

    monkeypatch.setattr(WeightAverage, "update", watch)
    recipe: dict[str, Any] = {"max_epochs": 1, "early_stopping": None, "batch_size": 250, "accumulate_batches": 2}
    loaded = load(fit("average", weight_average=0.99, **recipe))
    # Two steps: the first is taken over, the second with a share of 1 - 3 / 12.
    assert len(seen) == 2
    expected = seen[0] + 0.75 * (seen[1] - seen[0])
    assert torch.allclose(loaded.model.get_submodule("head.output").bias, expected)
    plain = load(fit("plain", **recipe))
    assert torch.equal(plain.model.get_submodule("head.output").bias, seen[1])


def test_gradients_of_two_batches_make_one_step(fit: Callable[..., Path]) -> None:
    plain = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1}
    recipe: dict[str, Any] = {"max_epochs": 1, "optimizer": plain, "early_stopping": None}
    recipe["schedule"] = {"_target_": "torch.optim.lr_scheduler.OneCycleLR", "_partial_": True, "max_lr": 0.1}
    whole = fit("whole", batch_size=1000, **recipe)
    parts = fit("parts", batch_size=500, accumulate_batches=2, **recipe)
    one, other = (load(folder).model.get_submodule("trunk.block1.convolution").bias for folder in (whole, parts))
    # Dropout differs between batches of other sizes, the size of the step does not.
    assert torch.allclose(one, other, atol=0.02)
    with pytest.raises(UserError, match="precision: found 16-mixed, expected 32 or bf16-mixed on a CPU"):
        fit("half", precision="16-mixed")


def test_half_precision_learns_alike(fit: Callable[..., Path]) -> None:
    rows = [history(fit(name, max_epochs=1, precision=name)) for name in ("32", "bf16-mixed")]
    losses = [float(row[0]["train_loss"]) for row in rows]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_the_checkpoint_says_where_its_bins_lie(fit: Callable[..., Path]) -> None:
    provenance = load(fit("told", max_epochs=0)).provenance
    read = {side: list(contigs.values()) for side, contigs in provenance["contigs"].items()}
    assert read == {"train": ["chrA"], "validation": ["chrB"]}
    assert (provenance["label_kind"], provenance["input_length"]) == ("binary", planted.BIN)


def test_without_a_terminal_each_epoch_is_a_line_with_the_time_left(
    fit: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("lociflow").propagate = True
    with caplog.at_level(logging.INFO, logger="lociflow"):
        fit("told", max_epochs=2)
    lines = [message for message in caplog.messages if message.startswith("epoch ")]
    assert len(lines) == 2
    assert "validation auprc" in lines[0]
    assert "0 s left at most" in lines[1]


def test_time_left_by_the_epochs_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 100.0, 100.0, 10_000.0])
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(now))
    left = callbacks.TimeLeft(2)
    assert left.tell(2, 12) == "time left unknown"
    assert left.tell(4, 12) == "6 min 40 s left at most"
    assert left.tell(11.9, 12) == "1 s left at most"
    assert left.tell(4, 5) == "1 h 23 min left at most"


def test_the_best_epoch_is_kept(fit: Callable[..., Path]) -> None:
    folder = fit("best", max_epochs=4, optimizer={"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.5})
    rows = history(folder)
    best = max(range(len(rows)), key=lambda row: float(rows[row]["validation_auprc"]))
    assert load(folder).provenance["epoch"] == best + 1
    assert load(folder).provenance["epochs"] == len(rows)


def test_the_best_value_is_kept_though_it_is_no_gain_that_patience_counts(fit: Callable[..., Path]) -> None:
    stopping = {"monitor": "validation_loss", "patience": 3, "min_delta": 0.9}
    folder = fit("small gains", max_epochs=9, early_stopping=stopping)
    losses = [float(row["validation_loss"]) for row in history(folder)]
    # No epoch is better by 0.9: after the first and three more it ends, and one of the three is a little better.
    assert len(losses) == 4
    assert min(losses) < losses[0]
    assert load(folder).provenance["epoch"] == losses.index(min(losses)) + 1


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
    other = build_model(planted.CONFIG["model"], Outputs("binary", tuple(planted.MOTIFS)))
    weights = [one.get_submodule("trunk.block1.convolution").weight for one in (loaded.model, other)]
    assert not torch.equal(*weights)


def test_training_names_no_architecture() -> None:
    # The digest of the step's code is its import closure and one architecture: an edit of another must not rerun it.
    text = (
        "import sys, lociflow.training.train; print(sorted(n for n in sys.modules if n.startswith('lociflow.models.')))"
    )
    scripts = Path(__file__).parents[3] / "scripts"
    done = subprocess.run([sys.executable, "-c", text], cwd=scripts, capture_output=True, text=True, check=True)
    parts = {"arguments", "blocks", "checkpoint", "device", "heads", "layers", "outputs"}
    assert set(ast.literal_eval(done.stdout)) <= {f"lociflow.models.{name}" for name in parts}
