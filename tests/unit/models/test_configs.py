"""Every file in config/model: it composes, its model trains a step as its own recipe says, and it can be explained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from lociflow.instantiate import instantiate
from lociflow.models.checkpoint import build_model
from lociflow.training.losses import MaskedBinaryCrossEntropy

FOLDER = Path(__file__).parents[3] / "config" / "model"
PUBLISHED_SIZES = {"deepsea": 919, "danq": 919, "deepbind": 1}


def compose(path: Path, length: int) -> dict[str, Any]:
    whole = OmegaConf.create({"dataset": {"windows": {"length": length}}, "model": OmegaConf.load(path)})
    model = OmegaConf.to_container(whole.model, resolve=True)
    assert isinstance(model, dict)
    return {str(key): value for key, value in model.items()}


def train_a_step(config: dict[str, Any], n_targets: int) -> None:
    torch.manual_seed(0)
    model = build_model(config, n_targets)
    optimizer = instantiate(config["training"]["optimizer"])([one for one in model.parameters() if one.requires_grad])
    if config["training"].get("schedule"):
        instantiate(config["training"]["schedule"])(optimizer, total_steps=10)
    codes = torch.randint(0, 4, (2, config["input_length"]))
    sequence = torch.nn.functional.one_hot(codes, 4).float().transpose(1, 2)
    targets = torch.randint(-1, 2, (2, n_targets), dtype=torch.int8)
    loss = MaskedBinaryCrossEntropy(np.ones(n_targets), np.ones(n_targets))
    before = [one.detach().clone() for one in model.parameters()]
    value = loss(model({"sequence": sequence}), targets, targets >= 0)
    value.backward()
    optimizer.step()
    assert bool(torch.isfinite(value))
    assert any(not torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_config_says_what_it_must(path: Path) -> None:
    config = compose(path, 200)
    assert {"name", "paper", "doi", "description", "views", "strand_specific", "training"} <= set(config)
    assert config["attribution"]["method"] in config["attribution"]["valid"]
    assert path.stem.endswith("_small") == ("Scaled:" in config["description"])


@pytest.mark.parametrize("length", [200, 256, 500])
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*_small.yaml")), ids=lambda path: path.stem)
def test_small_models_train_a_step(path: Path, length: int) -> None:
    config = compose(path, length)
    assert config["input_length"] == length
    train_a_step(config, 6)


@pytest.mark.parametrize("name", PUBLISHED_SIZES)
def test_published_models_train_a_step(name: str) -> None:
    train_a_step(compose(FOLDER / f"{name}.yaml", 200), PUBLISHED_SIZES[name])
