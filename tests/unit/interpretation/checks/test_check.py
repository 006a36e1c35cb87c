import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toy import Toy

from lociflow.command import UserError
from lociflow.interpretation.attribute import attribute
from lociflow.interpretation.attributions import Attributions, read_attributions, write_attributions
from lociflow.interpretation.checks.check import (
    CheckConfig,
    check_completeness,
    check_curves,
    check_explanations,
    check_randomisation,
    choose_rows,
)
from lociflow.interpretation.checks.verdicts import failed, read_checks
from lociflow.interpretation.methods import Contributions, input_x_gradient
from lociflow.interpretation.prefixes import score_prefixes
from lociflow.models.checkpoint import load_model
from lociflow.sequence.one_hot import one_hot

GRADIENT = {"_target_": "lociflow.interpretation.methods.input_x_gradient", "_partial_": True}
SETTINGS = CheckConfig("input_x_gradient", GRADIENT)
LENGTH = 60
WORD = [3, 3, 0, 1, 1, 1, 2, 3]


def edges(model: nn.Module, one_hot: torch.Tensor, target: int, bins: np.ndarray, seed: int) -> Contributions:
    """Show where a base differs from the one before: a picture of the input that ignores the model."""
    moved = one_hot.roll(1, dims=2)
    nothing = torch.full((len(one_hot),), torch.nan)
    return Contributions((one_hot - moved).abs().sum(dim=1, keepdim=True) * one_hot, nothing, nothing)


def noise(model: nn.Module, one_hot: torch.Tensor, target: int, bins: np.ndarray, seed: int) -> Contributions:
    nothing = torch.full((len(one_hot),), torch.nan)
    return Contributions(torch.randn(one_hot.shape, generator=torch.Generator().manual_seed(3)), nothing, nothing)


def inverted(model: nn.Module, *arguments: Any) -> Contributions:
    found = input_x_gradient(model, *arguments)
    return found._replace(hypothetical=-found.hypothetical)


def word_model() -> nn.Module:
    """A network whose first filter is WORD, and whose other weights are small."""
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv1d(4, 6, 8), nn.ReLU(), nn.MaxPool1d(53), nn.Flatten(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2)
    ).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.1)
        model.get_parameter("0.weight")[0, WORD, range(8)] = 1.0
        model.get_parameter("4.weight")[0, 0] = 1.0
        model.get_parameter("6.weight")[1, 0] = 1.0
    return model


MODEL = word_model()
CODES = np.random.default_rng(1).integers(0, 4, (30, LENGTH)).astype(np.uint8)
for row, start in enumerate(np.random.default_rng(2).integers(0, LENGTH - 8, 30)):
    CODES[row, start : start + 8] = WORD


def explained(method: Callable[..., Contributions], model: nn.Module = MODEL) -> Attributions:
    bins = np.arange(30)
    found = method(model, torch.from_numpy(one_hot(CODES)), 1, bins, 1)
    return Attributions(bins, np.ones(30, dtype=np.int64), CODES, found.hypothetical.numpy(), {})


def test_a_gradient_follows_the_weights_and_the_prediction_follows_it() -> None:
    found = explained(input_x_gradient)
    randomisation = check_randomisation(MODEL, input_x_gradient, found, SETTINGS)
    assert randomisation["verdict"] == "pass"
    assert [stage["layers"] for stage in randomisation["stages"]] == [["6"], ["4"], ["0"]]
    assert randomisation["value"] == randomisation["stages"][-1]["similarity"] < 0.5
    curves = check_curves(MODEL, found, SETTINGS)
    for name in ("deletion", "insertion"):
        assert curves[name]["verdict"] == "pass"
        assert 0 < curves[name]["low"] < curves[name]["value"] < curves[name]["high"]
    # All of the output is the reference's once all positions are replaced, and the window's once all are put in.
    assert curves["deletion"]["top"][-1] == pytest.approx(0, abs=1e-6)
    assert curves["deletion"]["random"][-1] == pytest.approx(0, abs=1e-6)
    assert curves["deletion"]["top"][0] == pytest.approx(curves["insertion"]["top"][-1])
    assert curves["deletion"]["positions"][0] == 0
    assert curves["deletion"]["positions"][-1] == 1


def test_a_method_that_ignores_the_model_fails_when_weights_are_randomised() -> None:
    found = check_randomisation(MODEL, edges, explained(edges), SETTINGS)
    assert found["verdict"] == "fail"
    assert [stage["similarity"] for stage in found["stages"]] == pytest.approx([1.0, 1.0, 1.0])


def test_random_attributions_fail_deletion_and_insertion() -> None:
    found = check_curves(MODEL, explained(noise), SETTINGS)
    assert (found["deletion"]["verdict"], found["insertion"]["verdict"]) == ("fail", "fail")


def test_an_explanation_with_the_wrong_sign_fails_deletion() -> None:
    found = check_curves(MODEL, explained(inverted), SETTINGS)
    assert found["deletion"]["verdict"] == "fail"
    assert found["deletion"]["high"] < 0


def test_a_constant_explanation_does_exactly_as_well_as_chance() -> None:
    constant = explained(input_x_gradient)._replace(hypothetical=np.ones((30, 4, LENGTH), dtype=np.float32))
    found = check_curves(MODEL, constant, SETTINGS)["deletion"]
    assert (found["value"], found["low"], found["high"], found["verdict"]) == (0.0, 0.0, 0.0, "fail")


def test_random_weights_fail_nothing() -> None:
    """The checks ask whether an explanation is true of the model, not whether the model has learnt."""
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv1d(4, 16, 8), nn.ReLU(), nn.MaxPool1d(5), nn.Flatten(), nn.Linear(160, 16), nn.ReLU(), nn.Linear(16, 2)
    ).eval()
    found = explained(input_x_gradient, model)
    assert check_randomisation(model, input_x_gradient, found, SETTINGS)["verdict"] == "pass"
    curves = check_curves(model, found, SETTINGS)
    assert (curves["deletion"]["verdict"], curves["insertion"]["verdict"]) == ("pass", "pass")


def test_few_windows_are_not_judged() -> None:
    few = Attributions(*(part[:9] for part in explained(noise)[:4]), {})
    found = check_curves(MODEL, few, SETTINGS)
    assert found["deletion"]["verdict"] == "not applicable"
    assert found["deletion"]["value"] is not None


def test_no_window_is_not_judged() -> None:
    none = Attributions(*(part[:0] for part in explained(noise)[:4]), {})
    assert check_randomisation(MODEL, noise, none, SETTINGS)["verdict"] == "not applicable"
    found = check_curves(MODEL, none, SETTINGS)["insertion"]
    assert (found["value"], found["verdict"], found["top"]) == (None, "not applicable", [])


def quality(gap: float | None, change: float | None, windows: int, name: str) -> dict[str, Any]:
    relative = gap / change if gap is not None and change else None
    return {"target": name, "windows": windows, "quality": {"gap": gap, "change": change, "relative_gap": relative}}


def test_completeness_by_hand() -> None:
    meta = {"targets": [quality(0.2, 1.0, 10, "a"), quality(0.1, 4.0, 30, "b")]}
    found = check_completeness(meta, SETTINGS._replace(method="integrated_gradients"))
    assert found == {"value": 5 / 130, "threshold": 0.1, "verdict": "pass", "worst": "a"}
    found = check_completeness({"targets": meta["targets"][:1]}, SETTINGS._replace(method="deep_lift_shap"))
    assert found == {"value": 0.2, "threshold": 0.05, "verdict": "fail", "worst": "a"}
    assert check_completeness(meta, SETTINGS._replace(method="expected_gradients"))["threshold"] == 0.1


def test_a_method_that_promises_no_sum_has_no_completeness() -> None:
    found = check_completeness({"targets": [quality(None, None, 10, "a")]}, SETTINGS)
    assert (found["value"], found["verdict"]) == (None, "not applicable")


def test_rows_are_spread_over_targets_and_fewer_are_among_more() -> None:
    target = np.repeat([2, 5], [40, 3])
    many, few = choose_rows(target, 20, 1), choose_rows(target, 4, 1)
    assert np.bincount(target[many])[[2, 5]].tolist() == [10, 3]
    assert np.bincount(target[few])[[2, 5]].tolist() == [2, 2]
    assert set(few) < set(many)
    assert len(choose_rows(target, 1, 1)) == 2
    assert choose_rows(target[:0], 10, 1).tolist() == []


CONFIG: dict[str, Any] = {"method": "input_x_gradient", "call": GRADIENT, "windows": 20}


@pytest.fixture(scope="module")
def attributions(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attributions") / "attributions.npz"
    settings = {"method": "input_x_gradient", "call": GRADIENT, "targets": 1, "windows_per_target": 40}
    attribute(**toy._asdict(), config=settings, attributions=path)
    return path


def test_a_trained_model_passes_and_the_same_bytes_are_written_again(
    toy: Toy, attributions: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        check_explanations(attributions, toy.checkpoint, CONFIG, tmp_path / f"{name}.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    found = read_checks(tmp_path / "a.json")
    assert failed(found) == []
    assert (found["method"], found["windows"]) == ("input_x_gradient", 20)
    assert found["randomisation"]["windows"] == 16
    assert found["completeness"]["verdict"] == "not applicable"


def test_attributions_that_are_noise_are_caught(toy: Toy, attributions: Path, tmp_path: Path) -> None:
    real = read_attributions(attributions)
    false = np.random.default_rng(1).normal(size=real.hypothetical.shape).astype(np.float32)
    write_attributions(tmp_path / "noise.npz", real._replace(hypothetical=false))
    check_explanations(tmp_path / "noise.npz", toy.checkpoint, CONFIG, tmp_path / "checks.json")
    assert failed(read_checks(tmp_path / "checks.json")) == ["deletion", "insertion"]


def test_attributions_of_another_model_are_refused(toy: Toy, attributions: Path, tmp_path: Path) -> None:
    real = read_attributions(attributions)
    target = {**real.meta["targets"][0], "target": "Hsf1"}
    write_attributions(tmp_path / "other.npz", real._replace(meta={**real.meta, "targets": [target]}))
    with pytest.raises(UserError, match="explains Hsf1 as column 0, expected one of the columns of"):
        check_explanations(tmp_path / "other.npz", toy.checkpoint, CONFIG, tmp_path / "checks.json")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checks.json"
    path.write_text(json.dumps({"format": "metrics", "version": 2}))
    with pytest.raises(UserError, match="found metrics version 2, expected explanation checks version 1"):
        read_checks(path)
    path.write_text("{")
    with pytest.raises(UserError, match="cannot be read as explanation checks"):
        read_checks(path)


def test_contrasts_are_checked_like_outputs(toy: Toy, tmp_path: Path) -> None:
    names = load_model(toy.checkpoint).targets
    settings = {"method": "input_x_gradient", "call": GRADIENT, "targets": 1, "windows_per_target": 10}
    contrast = {"contrasts": {"difference": [names[0], names[1]]}}
    attribute(**toy._asdict(), config={**settings, **contrast}, attributions=tmp_path / "a.npz")
    assert [fact["target"] for fact in read_attributions(tmp_path / "a.npz").meta["targets"]][-1] == "difference"
    check_explanations(tmp_path / "a.npz", toy.checkpoint, CONFIG, tmp_path / "checks.json")
    score_prefixes(toy.checkpoint, tmp_path / "a.npz", {"steps": 4}, tmp_path / "prefixes.tsv")
    assert "difference" in (tmp_path / "prefixes.tsv").read_text()
