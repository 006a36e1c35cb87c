"""Changed sequences and the epochs without, through a training."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lociflow.command import UserError
from lociflow.data.augmentation import Augmentation
from lociflow.models.checkpoint import load_model
from lociflow.training import callbacks

NAME = "lociflow.data.augmentation."
CHANGES = [{"_target_": NAME + "Mutation", "fraction": 0.1}, {"_target_": NAME + "Deletion", "longest": 10}]


class Stopped(Exception):
    """The process is killed, as far as a test can do that."""


def augmentation(**settings: Any) -> dict[str, Any]:
    return {"_target_": NAME + "Augmentation", "changes": CHANGES, "clean_epochs": 1, **settings}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as handle:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(handle)]


def test_training_sequences_change_and_those_of_validation_and_of_the_end_do_not(
    fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, bool]] = []
    forward = Augmentation.forward

    def watch(self: Augmentation, sequence: torch.Tensor) -> torch.Tensor:
        changed = forward(self, sequence)
        seen.append((len(sequence), bool((changed != sequence).any())))
        return changed

    monkeypatch.setattr(Augmentation, "forward", watch)
    fit("augmented", max_epochs=3, early_stopping=None, batch_size=250, augmentation=augmentation())
    # Two epochs of 1,000 bins in four batches; the third is clean, and validation has 200 bins.
    assert seen == [(250, True)] * 8


def test_a_killed_training_goes_on_with_the_same_changes(
    fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe: dict[str, Any] = {"max_epochs": 4, "early_stopping": None, "augmentation": augmentation()}
    undisturbed = fit("undisturbed", **recipe)
    saved = callbacks.SaveState.on_train_epoch_end

    def kill(self: callbacks.SaveState, trainer: Any, pl_module: Any) -> None:
        saved(self, trainer, pl_module)
        if trainer.current_epoch == 1:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.SaveState, "on_train_epoch_end", kill)
        with pytest.raises(Stopped):
            fit("killed", **recipe)
    resumed = fit("killed", workers=1, **recipe)
    assert (resumed / "model.ckpt").read_bytes() == (undisturbed / "model.ckpt").read_bytes()
    assert rows(resumed) == rows(undisturbed)
    assert rows(undisturbed) != rows(fit("plain", max_epochs=4, early_stopping=None))


def test_patience_counts_the_clean_epochs(fit: Callable[..., Path]) -> None:
    # Nothing after the first epoch is better by so much.
    recipe = {"max_epochs": 8, "early_stopping": {"monitor": "validation_auroc", "patience": 2, "min_delta": 0.9}}
    assert len(rows(fit("plain", **recipe))) == 3
    assert len(rows(fit("augmented", augmentation=augmentation(clean_epochs=4), **recipe))) == 7
    assert len(rows(fit("short", augmentation=augmentation(clean_epochs=1), **recipe))) == 8


def test_what_is_kept_has_had_the_clean_stage(fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def worse_and_worse(row: dict[str, float | None], epoch: int) -> None:
        row["validation_auroc"] = 1 / epoch

    monkeypatch.setattr(callbacks, "check_finite", worse_and_worse)
    recipe = {"max_epochs": 4, "early_stopping": {"monitor": "validation_auroc", "patience": 8, "min_delta": 0.0}}
    kept = {
        name: load_model(fit(name, augmentation=changed, **recipe) / "model.ckpt").provenance["epoch"]
        for name, changed in (("plain", None), ("augmented", augmentation(clean_epochs=2)))
    }
    assert kept == {"plain": 1, "augmented": 3}


def test_what_does_not_fit_is_refused_before_training(fit: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match=r"clean_epochs: found 3 of 3 epochs, expected fewer"):
        fit("wrong", max_epochs=3, augmentation=augmentation(clean_epochs=3))
