"""A whole training in two processes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from lociflow.models.checkpoint import load_model
from lociflow.training.resume import training_key

# Neither dropout nor batch normalisation, which differ between processes.
MODEL = {
    "architecture": {
        "_target_": "lociflow.models.deepsea.DeepSEA",
        "filters": [8],
        "kernels": [12],
        "pools": [8],
        "dropouts": [0.0],
        "hidden": 8,
    }
}


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one(fit: Callable[..., Path], tmp_path: Path) -> None:
    plain = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1}
    # 1,000 bins in batches of 111: the last has a single one, which one of the processes has not.
    recipe = {"max_epochs": 2, "batch_size": 111, "optimizer": plain, "early_stopping": None, "weight_average": 0.9}
    one = fit("one", model=MODEL, **recipe)
    two = fit("two", model=MODEL, devices=2, workers=1, **recipe)
    whole, shared = (load_model(folder / "model.ckpt") for folder in (one, two))
    for name, tensor in whole.model.state_dict().items():
        torch.testing.assert_close(shared.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)
    assert (whole.provenance["devices"], shared.provenance["devices"]) == (1, 2)
    assert json.loads((one / "config.json").read_text()) == json.loads((two / "config.json").read_text())
    rows = [np.genfromtxt(folder / "history.csv", delimiter=",", skip_header=1)[:, :-1] for folder in (one, two)]
    assert len(rows[0]) == 2
    np.testing.assert_allclose(rows[0], rows[1], rtol=1e-4)
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


def test_a_state_belongs_to_a_number_of_devices() -> None:
    assert training_key({}, {}, "cpu", 1) != training_key({}, {}, "cpu", 2)


def test_a_killed_training_goes_on_whatever_is_said_about_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "module.py"
    monkeypatch.setattr("lociflow.training.resume.package_files", lambda: [module])
    keys = []
    for text in ("x = 1\n", '"""What it does."""\n\n# Why.\nx = 1\n', "x = 2\n"):
        module.write_text(text)
        keys.append(training_key({}, {}, "cpu", 1))
    assert keys[0] == keys[1] != keys[2]
