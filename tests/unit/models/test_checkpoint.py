import json
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest
import torch

from lociflow.command import UserError
from lociflow.models.checkpoint import build_model, load_model, save_checkpoint, weights_digest
from lociflow.models.device import resolve_device
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import DNA, PROTEIN

CONFIG = planted.config()
NAMES = ("first", "second")
OUTPUTS = Outputs("binary", NAMES)


def save(path: Path, **changes: Any) -> torch.nn.Module:
    torch.manual_seed(1)
    model = build_model(CONFIG["model"], OUTPUTS)
    save_checkpoint(path, model.state_dict(), CONFIG, OUTPUTS, {"epoch": 3})
    if changes:
        content = torch.load(path, weights_only=True)
        torch.save({**content, **changes}, path)
    return model


@pytest.mark.parametrize("changes", [{"config": "{}"}, {"targets": 3}, {"classes": 5}])
def test_a_checkpoint_that_says_other_things_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    save(tmp_path / "model.ckpt", **changes)
    with pytest.raises(UserError, match=r"model\.ckpt: cannot be read as a checkpoint"):
        load_model(tmp_path / "model.ckpt")


def test_a_checkpoint_gives_back_what_it_was_given(tmp_path: Path) -> None:
    model = save(tmp_path / "model.ckpt")
    loaded = load_model(tmp_path / "model.ckpt")
    assert (loaded.config, loaded.targets) == (CONFIG, NAMES)
    assert loaded.provenance == {"epoch": 3, "weights": weights_digest(model.state_dict())}
    assert not loaded.model.training
    sequence = torch.rand(2, 4, planted.BIN)
    assert torch.equal(loaded.model({"sequence": sequence}), model.eval()({"sequence": sequence}))


def test_the_same_weights_give_the_same_bytes_under_any_name(tmp_path: Path) -> None:
    save(tmp_path / "model.ckpt")
    save(tmp_path / "another name.pt")
    assert (tmp_path / "model.ckpt").read_bytes() == (tmp_path / "another name.pt").read_bytes()


def test_loading_leaves_torch_generator_alone(tmp_path: Path) -> None:
    save(tmp_path / "model.ckpt")
    before = torch.random.get_rng_state()
    load_model(tmp_path / "model.ckpt")
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_digest_sees_names_shapes_and_numbers() -> None:
    state = {"a": torch.zeros(2, 3), "b": torch.ones(1)}
    others = [
        {"a": torch.zeros(3, 2), "b": torch.ones(1)},
        {"a": torch.zeros(2, 3), "c": torch.ones(1)},
        {"a": torch.zeros(2, 3), "b": torch.zeros(1)},
        {"a": torch.zeros(2, 3).double(), "b": torch.ones(1)},
    ]
    assert weights_digest(state) == weights_digest(dict(reversed(state.items())))
    assert len({weights_digest(one) for one in [state, *others]}) == 5


@pytest.mark.parametrize("change", [{"version": 0}, {"format": "weights"}])
def test_another_version_is_refused_by_name(tmp_path: Path, change: dict[str, Any]) -> None:
    save(tmp_path / "model.ckpt", **change)
    with pytest.raises(UserError, match=r"model\.ckpt: found .* expected checkpoint version 2"):
        load_model(tmp_path / "model.ckpt")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "model.ckpt")
    whole = (tmp_path / "model.ckpt").read_bytes()
    for name, content in {"half": whole[: len(whole) // 2], "empty": b"", "text": b"not weights"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=f"{name}: cannot be read as a checkpoint"):
            load_model(tmp_path / name)
    with pytest.raises(UserError, match="none: cannot be read as a checkpoint"):
        load_model(tmp_path / "none")


def test_no_flipped_bit_is_overlooked(tmp_path: Path) -> None:
    model = save(tmp_path / "model.ckpt")
    whole = (tmp_path / "model.ckpt").read_bytes()
    digest = weights_digest(model.state_dict())
    draws = np.random.default_rng(1)
    refused = 0
    for place in draws.integers(0, len(whole), 60):
        content = bytearray(whole)
        content[place] ^= 1 << draws.integers(0, 8)
        (tmp_path / "flipped.ckpt").write_bytes(content)
        try:
            loaded = load_model(tmp_path / "flipped.ckpt")
        except UserError:
            refused += 1
            continue
        # Padding and dates of the archive mean nothing.
        assert weights_digest(loaded.model.state_dict()) == digest
        assert (loaded.config, loaded.targets, loaded.provenance["epoch"]) == (CONFIG, NAMES, 3)
    assert refused > 40


def test_a_file_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    torch.save(planted.Planted, tmp_path / "model.ckpt")
    with pytest.raises(UserError, match="cannot be read as a checkpoint"):
        load_model(tmp_path / "model.ckpt")


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    other = {"weight": torch.zeros(1)}
    provenance = json.dumps({"weights": weights_digest(other)})
    save(tmp_path / "model.ckpt", state_dict=other, provenance=provenance)
    with pytest.raises(UserError, match=r"its weights do not fit the present lociflow.models.deepsea.DeepSEA"):
        load_model(tmp_path / "model.ckpt")


def test_an_architecture_from_elsewhere_is_refused() -> None:
    with pytest.raises(UserError, match="comes from"):
        build_model({"architecture": {"_target_": "os.system"}, "input_length": 10}, OUTPUTS)


def test_devices() -> None:
    assert resolve_device("cpu").type == "cpu"
    if torch.cuda.is_available():
        assert resolve_device("auto").type == resolve_device("cuda").type == "cuda"
    else:
        assert resolve_device("auto").type == "cpu"
        with pytest.raises(UserError, match="--device cuda: found no GPU"):
            resolve_device("cuda")


def test_a_model_of_proteins_is_rebuilt_with_their_channels(tmp_path: Path) -> None:
    model = build_model(CONFIG["model"], OUTPUTS, len(PROTEIN.channels))
    save_checkpoint(tmp_path / "model.ckpt", model.state_dict(), CONFIG, OUTPUTS, {"alphabet": "protein"})
    loaded = load_model(tmp_path / "model.ckpt")
    assert loaded.alphabet is PROTEIN
    assert loaded.model({"sequence": torch.rand(2, 20, planted.BIN)}).shape == (2, len(NAMES))
    save(tmp_path / "bases.ckpt")
    assert load_model(tmp_path / "bases.ckpt").alphabet is DNA
