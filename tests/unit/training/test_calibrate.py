"""Probabilities that are corrected to a prevalence, through a training."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import planted
import pytest
import torch
from planted import Planted, config

from lociflow.command import UserError
from lociflow.evaluation.predict import predict
from lociflow.evaluation.predictions import read_predictions
from lociflow.genome.label_kinds import KINDS
from lociflow.models.checkpoint import LoadedModel, load_model
from lociflow.training.checks import check_recipe

BALANCE = {"_target_": "lociflow.data.balancing.SomeNegatives", "ratio": 1.0}
TRAIN = np.arange(planted.BINS["chrA"])
VALIDATION = np.arange(planted.BINS["chrA"], planted.BINS["chrA"] + planted.BINS["chrB"])


def load(folder: Path) -> LoadedModel:
    return load_model(folder / "model.ckpt")


def test_probabilities_are_corrected_to_the_prevalence(fit: Callable[..., Path], data: Planted, tmp_path: Path) -> None:
    loss = {"_target_": "lociflow.training.losses.MaskedBinaryCrossEntropy", "pos_weight": 20.0}
    means = {}
    for corrected in (True, False):
        folder = fit(f"corrected {corrected}", max_epochs=3, loss=loss, correct_prior=corrected)
        predict(data.store, data.windows, data.control, folder / "model.ckpt", tmp_path / "p.parquet", 0, "cpu")
        found = read_predictions(tmp_path / "p.parquet")
        means[corrected] = found.loc[found["split"] == "validation", list(planted.MOTIFS)].mean().tolist()
    # A quarter of the bins is positive.
    assert means[True] == pytest.approx([0.25, 0.25], abs=0.06)
    assert min(means[False]) > 0.6
    recipe = {"max_epochs": 3, "loss": loss, "correct_prior": True}
    natural, stated = (
        load(fit(f"for {shares}", **recipe, prevalence=shares)).provenance["calibration"]
        for shares in (None, {"second": 0.5})
    )
    assert stated[0] == natural[0]
    labels = np.load(data.targets)[planted.BINS["chrA"] :][: planted.BINS["chrB"], 1]
    shift = math.log((labels == 0).sum() / (labels == 1).sum())
    assert np.subtract(stated[1], natural[1]).tolist() == pytest.approx([0, shift])
    with pytest.raises(UserError, match="correct_prior: found true, expected false"):
        check_recipe(config(correct_prior=True)["training"], KINDS["real"], torch.device("cpu"))


def test_a_balanced_epoch_is_put_right(fit: Callable[..., Path], data: Planted) -> None:
    labels = np.load(data.targets)[: planted.BINS["chrA"], 0]
    label_counts = (labels == 1).sum(), (labels == 0).sum()
    balance = {"_target_": "lociflow.data.balancing.SomeNegatives", "ratio": 1.0}
    recipe = {"targets": ["first"], "balance": balance, "correct_prior": True, "max_epochs": 0}
    loaded = load(fit("balanced", **recipe))
    ((slope,), (intercept,)) = loaded.provenance["calibration"]
    positives, negatives = label_counts
    assert (slope, intercept) == (1.0, pytest.approx(math.log(positives / negatives)))
    # Begins at odds of 1, as the epochs have it, but for the half label that is added to each kind.
    assert float(loaded.model.get_submodule("head.output").bias) == pytest.approx(0, abs=0.01)
    (trained,) = (fit("one", **{**recipe, "max_epochs": 1}) / "history.csv").read_text().splitlines()[1:]
    assert trained.startswith("1,")
    # A loss that weighs positives moves the odds too: only the validation bins can tell by how much.
    weighted = load(fit("weighted", **{**recipe, "loss": {**planted.CONFIG["training"]["loss"], "pos_weight": 3.0}}))
    assert weighted.provenance["calibration"][0] != [1.0]


def test_a_target_without_positives_to_validate_keeps_its_probabilities(
    fit: Callable[..., Path], data: Planted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    on, spoilt = data._replace(targets=tmp_path / "targets.npy"), np.load(data.targets)
    spoilt[VALIDATION, 1] = 0
    np.save(on.targets, spoilt)
    recipe = {"on": on, "max_epochs": 0, "balance": BALANCE, "correct_prior": True, "prevalence": {"second": 0.5}}
    slope, intercept = load_model(fit("none", **recipe) / "model.ckpt").provenance["calibration"]
    assert "probabilities of second stay as they are: without positive" in caplog.text
    labels = np.load(data.targets)[TRAIN, 1]
    odds = math.log(((labels == 1).sum() + 0.5) / ((labels == 0).sum() + 0.5))
    # Only from the prevalence of the training labels to the one that is stated.
    assert (slope[1], intercept[1]) == (1.0, pytest.approx(-odds))


def test_classes_are_corrected_only_by_what_is_exact(fit: Callable[..., Path], data: Planted, tmp_path: Path) -> None:
    on = planted.relabel(data, tmp_path / "classes", "class")
    recipe = {"on": on, "max_epochs": 0, "correct_prior": True, "targets": ["first"]}
    recipe["loss"] = {"_target_": "lociflow.training.class_losses.CrossEntropy"}
    with pytest.raises(UserError, match="found classes of which the balance tells no exact correction"):
        fit("all", **recipe)
    alike = {"_target_": "lociflow.data.balancing.ClassesAlike"}
    folder = fit("alike", **recipe, balance=alike)
    slope, intercept = load_model(folder / "model.ckpt").provenance["calibration"]
    labels = np.load(data.targets)[TRAIN, 0]
    absent, present = (labels == 0).sum(), (labels == 1).sum()
    assert (slope, intercept) == ([1.0, 1.0], pytest.approx([math.log(absent / present), 0.0]))
    stated = {**recipe, "prevalence": {"absent": 0.5, "present": 0.5}}
    found = load_model(fit("stated", **stated, balance=alike) / "model.ckpt").provenance["calibration"]
    # Only what lies between them counts.
    assert found[1][0] == pytest.approx(found[1][1], abs=0.01)
    # What an epoch has is even: each class begins at one half.
    assert load(folder).model.get_submodule("head.output").bias.tolist() == pytest.approx([math.log(0.5)] * 2, abs=1e-6)
