"""Logits that are divided by a temperature, by themselves and through a training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import planted
import pytest
import torch
from planted import Planted, config
from scipy.special import expit, softmax
from scipy.stats import spearmanr

from lociflow.command import UserError
from lociflow.evaluation.predict import predict
from lociflow.evaluation.predictions import read_predictions
from lociflow.genome.label_kinds import KINDS
from lociflow.models.checkpoint import load_model
from lociflow.training.checks import check_recipe
from lociflow.training.temperature import fit_slope


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_logits_that_are_too_sure(temperature):
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (20_000, 1))
    labels = (generator.random(20_000) < expit(logits[:, 0])).astype(np.int16)
    assert 1 / fit_slope(logits * temperature, labels) == pytest.approx(temperature, rel=0.05)
    classes = generator.normal(0, 2, (20_000, 3))
    cumulated = softmax(classes, axis=1).cumsum(axis=1)
    called = (generator.random((20_000, 1)) > cumulated).sum(axis=1).astype(np.int16)
    assert 1 / fit_slope(classes * temperature, called) == pytest.approx(temperature, rel=0.05)


def test_two_logits_by_hand():
    # Three of four are right at logits of 2: sure by log(3) and not by 2.
    logits, labels = np.array([[2.0], [2.0], [2.0], [-2.0]]), np.array([1, 1, 0, 0], np.int16)
    assert fit_slope(logits, labels) == pytest.approx(np.log(3) / 2, abs=1e-4)


@pytest.mark.parametrize("labels", [[], [1, 1], [0, 0]])
def test_nothing_to_fit_on(labels):
    assert fit_slope(np.ones((len(labels), 1)), np.array(labels, np.int16)) == 1.0


def test_the_slope_is_held_where_all_are_told_apart():
    assert fit_slope(np.array([[3.0], [-3.0]]), np.array([1, 0], np.int16)) <= np.exp(4.0)


def test_a_training_with_temperature(fit: Callable[..., Path], data: Planted, tmp_path: Path) -> None:
    scores = {}
    for scaled in (False, True):
        folder = fit(f"scaled {scaled}", max_epochs=3, temperature=scaled)
        predict(data.store, data.windows, data.control, folder / "model.ckpt", tmp_path / "p.parquet", 0, "cpu")
        scores[scaled] = read_predictions(tmp_path / "p.parquet")
        calibration = load_model(folder / "model.ckpt").provenance.get("calibration")
    slope, intercept = calibration
    assert intercept == [0.0, 0.0]
    assert all(each > 0 and each != 1 for each in slope)
    validation = (scores[True]["split"] == "validation").to_numpy()
    labels = np.load(data.targets)[planted.BINS["chrA"] :][: validation.sum()]
    for column, name in enumerate(planted.MOTIFS):
        before, after = (scores[each][name].to_numpy() for each in (False, True))
        # Only the mean over both strands moves ranks, and hardly.
        assert spearmanr(before, after).statistic > 0.999
        known = labels[:, column] >= 0
        truth = labels[known, column]
        likelihood = [
            -np.log(np.where(truth == 1, each[validation][known], 1 - each[validation][known])).mean()
            for each in (before, after)
        ]
        # Fitted on one strand, predicted as the mean of both.
        assert likelihood[1] < likelihood[0] + 0.01


def test_what_it_is_not_for_is_refused():
    with pytest.raises(UserError, match=r"training\.temperature: found true, expected false for real labels"):
        check_recipe(config(temperature=True)["training"], KINDS["real"], torch.device("cpu"))
    recipe = config(temperature=True, correct_prior=True)["training"]
    with pytest.raises(UserError, match=r"training\.temperature: found true, expected false beside"):
        check_recipe(recipe, KINDS["binary"], torch.device("cpu"))
