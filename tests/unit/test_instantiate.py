import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from groups import refusal
from omegaconf import OmegaConf

from lociflow.command import UserError
from lociflow.genome.settings import partial
from lociflow.instantiate import instantiate, targets_of, trusted_object
from lociflow.models.outputs import Outputs
from lociflow.training.labels import label_statistics
from lociflow.training.losses import MaskedBinaryCrossEntropy

ADAM = {"_target_": "torch.optim.Adam", "_partial_": True}


def refused(config, *args, **more) -> str:
    with pytest.raises(UserError) as caught:
        instantiate(config, *args, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("target", "home"),
    [
        ("os.system", "os"),
        ("builtins.eval", "builtins"),
        ("functools.partial", "functools"),
        ("hydra.utils.get_method", "hydra.utils"),
        ("hydra.utils.instantiate", "hydra.utils"),
        ("lociflow.command.os.system", "lociflow.command.os"),
        ("lociflow.command.write_json", "lociflow.command"),
        ("lociflow.download.discard", "lociflow.download"),
        ("lociflow.tracks.bigwig.shutil.rmtree", "lociflow.tracks.bigwig.shutil"),
        ("lociflow.training.train.torch.load", "torch.serialization"),
        ("lociflow.instantiate.hydra.utils.get_method", "lociflow.instantiate.hydra.utils"),
        ("lociflow.genome.settings.hydra.utils.get_method", "hydra.utils"),
        ("lociflow.training.resume.json.loads", "json"),
        ("torch.nn.functional.warnings.warn", "_warnings"),
        ("torch.load", "torch"),
        ("lociflow.training", "no module"),
        ("lociflow_other.call", "lociflow_other"),
    ],
)
def test_the_objects_own_module_decides_and_not_the_name_it_is_reached_by(target, home):
    told = refused({"_target_": target})
    assert told.startswith(
        f"_target_ {target}: comes from {home}, expected one of lociflow.data, lociflow.evaluation, "
    )


@pytest.mark.parametrize(
    "target",
    [
        "lociflow.training.train.train",
        "lociflow.training.resume.remove_state",
        "lociflow.genome.dataset.make_windows",
        "lociflow.genome.settings._public",
        "lociflow.genome.intervals._compute",
        "torch.nn.Linear.__init__",
    ],
)
def test_steps_and_private_parts_are_nothing_to_choose(target):
    assert refused({"_target_": target}) == (
        f"_target_ {target}: is no part that a configuration chooses, expected a model, loss, optimiser, maker of "
        "windows or the like"
    )


def test_a_module_that_is_not_trusted_is_not_even_imported(tmp_path, monkeypatch):
    (tmp_path / "lociflow_trap.py").write_text("from pathlib import Path\nPath('sprung').touch()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert "comes from lociflow_trap" in refused({"_target_": "lociflow_trap.call"})
    told = refusal(partial, {"_target_": "lociflow_trap.call"}, "split")
    assert "comes from lociflow_trap" in told
    assert not (tmp_path / "sprung").exists()


def test_functions_of_lociflow_itself_write_no_file_for_a_configuration(tmp_path):
    trap = {
        "_target_": "lociflow.command.write_json",
        "path": {"_target_": "lociflow.download.local_path", "url": (tmp_path / "bashrc").as_uri()},
        "value": "$(touch sprung)",
    }
    told = refused({"_target_": "torch.nn.Linear", "in_features": trap, "out_features": 2})
    assert "comes from lociflow.command" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["_args_", "_partial_", "_convert_", "_recursive_", "p"])
def test_no_key_of_hydra_hides_a_target(key):
    told = refused({"_target_": "torch.nn.Dropout", key: [{"_target_": "os.getcwd"}]})
    assert "_target_ os.getcwd: comes from os" in told


def test_every_target_that_is_shipped_is_trusted():
    folder = Path(__file__).parents[2] / "config"
    files = [yaml.safe_load(path.read_text()) for path in folder.glob("*/*.yaml")]
    found = {target for content in files for target in targets_of(content)}
    assert len(found) > 80
    for target in found:
        assert callable(trusted_object(target))


def test_a_module_whose_name_only_begins_like_a_trusted_one_is_refused(tmp_path, monkeypatch):
    (tmp_path / "lociflow_other.py").write_text("def call():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "comes from lociflow_other" in refused({"_target_": "lociflow_other.call"})
    assert instantiate({"_target_": "lociflow_other.call"}, trusted=("lociflow_other",)) == 1


def test_objects_of_trusted_modules_are_built_also_under_a_shorter_name():
    assert isinstance(instantiate({"_target_": "torch.nn.ReLU"}), torch.nn.ReLU)
    assert trusted_object("torch.optim.Adam") is torch.optim.Adam
    loss = instantiate(
        {"_target_": "lociflow.training.losses.MaskedBinaryCrossEntropy"},
        labels=label_statistics(np.ones((2, 1), np.int8), np.arange(2), Outputs("binary", ("a",))),
    )
    assert isinstance(loss, MaskedBinaryCrossEntropy)


@pytest.mark.parametrize(
    "nested",
    [
        {"a": {"_target_": "os.getcwd"}},
        {"a": [{"b": {"_target_": "os.getcwd"}}]},
        {"_args_": [{"_target_": "os.getcwd"}]},
        {"a": OmegaConf.create([{"_target_": "os.getcwd"}])},
    ],
)
def test_a_target_inside_is_checked_like_the_outer_one(nested):
    assert "_target_ os.getcwd: comes from os" in refused({"_target_": "torch.nn.Identity", **nested})


def test_every_target_is_found_wherever_it_stands():
    config = {"_target_": "a", "b": [{"_target_": "c", "d": {"_target_": "e"}}, 1, "text"], "f": {"g": None}}
    assert list(targets_of(config)) == ["a", "c", "e"]


@pytest.mark.parametrize(
    "value",
    [
        "${oc.create:'{_target_: os.getcwd}'}",
        "${oc.env:HOME}",
    ],
)
def test_a_value_that_would_be_resolved_after_the_checks_is_refused(value):
    assert "still unresolved" in refused({"_target_": "torch.nn.Identity", "a": [value]})
    escaped = OmegaConf.create({"_target_": "torch.nn.Identity", "a": "\\" + value})
    assert "still unresolved" in refused(escaped)


def test_a_configuration_object_is_resolved_before_it_is_checked():
    config = OmegaConf.create({"which": "torch.nn.ReLU", "made": {"_target_": "${which}"}})
    assert isinstance(instantiate(config.made), torch.nn.ReLU)


@pytest.mark.parametrize("target", ["torch.nn.Relu", "lociflow.models.nothing.Model", "torch.optim.no.such"])
def test_an_unknown_name_is_told(target):
    told = refused({"_target_": target})
    assert told.startswith(f"_target_ {target}: no such object")
    assert told.endswith("check its spelling")


def test_an_unknown_name_leaves_nothing_beside_the_sentence():
    code = "from lociflow.instantiate import instantiate\ntry: instantiate({'_target_': 'lociflow.models.nothing'})"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\nexcept Exception as error: print(type(error).__name__)"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("UserError\n", "")


def test_what_cannot_be_called_is_refused():
    told = refused({"_target_": "lociflow.data.draws.Purpose.STEP"})
    assert told == "_target_ lociflow.data.draws.Purpose.STEP: found Purpose, expected a function or a class"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"_target_": "torch.nn.ReLU", "inplac": True}, "_target_ torch.nn.ReLU: got an unexpected keyword argument"),
        ({"_target_": "torch.nn.Linear", "in_features": 3}, "missing a required argument: 'out_features'"),
        ({**ADAM, "lrr": 0.1}, "_target_ torch.optim.Adam: got an unexpected keyword argument 'lrr'"),
        (
            {"_target_": "torch.nn.Sequential", "_args_": [{"_target_": "torch.nn.ReLU", "inplac": True}]},
            "_target_ torch.nn.ReLU: got an unexpected keyword argument 'inplac'; its arguments are inplace",
        ),
        ({"_target_": "torch.nn.Dropout", "p": 3}, "dropout probability has to be between 0 and 1, but got 3"),
        ({"_target_": "torch.nn.Linear", "in_features": 3, "out_features": "many"}, "its arguments do not fit it"),
    ],
)
def test_arguments_that_do_not_fit_are_told(config, told):
    assert told in refused(config)


def test_what_an_architecture_says_of_its_arguments_reaches_the_user_as_it_is():
    told = refused({"_target_": "lociflow.models.deepsea.DeepSEA"}, input_length=10, n_targets=2)
    assert told.startswith("model.input_length: 10 bases are too short for DeepSEA")


def test_a_failure_that_is_no_matter_of_arguments_is_no_mistake_of_the_user(monkeypatch):
    def broken() -> None:
        raise OSError("disk full")

    monkeypatch.setattr(sys.modules["lociflow.training.losses"], "broken", broken, raising=False)
    broken.__module__ = "lociflow.training.losses"
    with pytest.raises(Exception, match="disk full") as caught:
        instantiate({"_target_": "lociflow.training.losses.broken"})
    assert not isinstance(caught.value, UserError)


def test_a_partial_takes_what_is_missing_later():
    bound = instantiate({**ADAM, "lr": 0.25})
    assert isinstance(bound, functools.partial)
    optimizer = bound([torch.nn.Parameter(torch.zeros(1))])
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.defaults["lr"] == 0.25


def test_arguments_of_the_caller_are_added_to_the_configurations():
    layer = instantiate({"_target_": "torch.nn.Linear", "bias": False}, 3, out_features=2)
    assert tuple(layer.weight.shape) == (2, 3)
    assert layer.bias is None


def test_the_given_configuration_stays_as_it_was():
    config = {"_target_": "torch.nn.Linear", "in_features": 3}
    instantiate(config, out_features=2)
    assert config == {"_target_": "torch.nn.Linear", "in_features": 3}
