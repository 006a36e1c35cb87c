"""Every small architecture as a program for PyTorch alone and as ONNX, on windows with unknown letters."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from lociflow.config import Configuration
from lociflow.export.check import TOLERANCE, check, with_unknown
from lociflow.export.program import predictor, record, run_onnx, write_onnx
from lociflow.genome.label_kinds import KINDS
from lociflow.models.checkpoint import LoadedModel, build_model
from lociflow.models.outputs import UNLABELLED, Outputs
from lociflow.training.recipe import SUPPORTED

HOME = Path(__file__).parents[3]
FOLDER = HOME / "config" / "model"
LABELS = {path.stem: yaml.safe_load(path.read_text()).get("labels", list(SUPPORTED)) for path in FOLDER.glob("*.yaml")}
SMALL = sorted(
    name
    for name, kinds in LABELS.items()
    if (name.endswith("_small") or name in ("kmer_regression", "perceptron", "pwm_scanner")) and kinds != [UNLABELLED]
)
# A convolution, a recurrent layer, and two outputs; the others take a quarter of an hour on one core.
QUICK = ("deepsea_small", "danq_small", "bpnet_small")
# What torch and onnxruntime cannot do, as they say it: a name that leaves this list is a change to write down.
NOT_RECORDED = {
    # Words are looked for in Python, by a table of merges that training has learnt.
    "transformer_byte_pairs_small": r"\.numpy\(\) is not supported for tensor subclasses",
}
NOT_ONNX: dict[str, str] = {}
POSITIONS, WINDOWS = 20, 4
DATASET: dict[str, Any] = {
    "description": "A toy.",
    "genome": {"name": "toy1", "source": {"path": "toy1.fa"}},
    "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": POSITIONS, "length": 240},
    "split": {"name": "holdout", "_target_": "lociflow.genome.splits.by_contig", "validation": ["b"], "test": ["c"]},
}


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    """The groups of lociflow with a data set of each kind of labels."""
    own = tmp_path_factory.mktemp("own")
    (own / "dataset").mkdir()
    for kind in KINDS:
        files = {name: {"path": f"{name}.bw"} for name in "ab"}
        targets = {"signal": {"tracks": files}} if kind in ("real", "profile") else {"files": files}
        content = {**DATASET, "targets": targets, "labels": {"kind": kind}}
        (own / "dataset" / f"{kind}.yaml").write_text(yaml.safe_dump(content))
    return Configuration(HOME / "config", HOME / "workflow" / "schemas", [own])


def fresh(groups: Configuration, name: str, **architecture: Any) -> LoadedModel:
    """Return a model with weights of its own, as if it had been trained."""
    kind = LABELS[name][0]
    config = groups.trained(kind, name, "default", ())["training"]
    config = {
        **config,
        "model": {**config["model"], "architecture": {**config["model"]["architecture"], **architecture}},
    }
    classes = (("none", "donor", "acceptor"), ("low", "high")) if kind in ("class", "position_class") else ()
    outputs = Outputs(kind, ("a", "b"), classes, POSITIONS if KINDS[kind].positional else 0)
    torch.manual_seed(0)
    model = build_model(config["model"], outputs)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            # Fresh statistics would leave out what evaluation does with them.
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    if hasattr(model, "learn_vocabulary"):
        draws = np.random.default_rng(0)
        model.learn_vocabulary("".join(draws.choice(list("ACGT"), 240)) for _ in range(100))
    return LoadedModel(model.eval(), config, outputs, {})


def random_windows(length: int) -> torch.Tensor:
    codes = torch.randint(0, 4, (WINDOWS, length), generator=torch.Generator().manual_seed(1))
    return with_unknown(nn.functional.one_hot(codes, 4).float().transpose(1, 2).contiguous())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in SMALL]
)
def test_programs_compute_what_the_model_does(groups: Configuration, name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    loaded = fresh(groups, name)
    model = predictor(loaded)
    inputs = (random_windows(loaded.config["model"]["input_length"]),)
    with torch.no_grad():
        expected = model(*inputs)
    assert len(expected) == len(model.names)
    if name in NOT_RECORDED:
        with pytest.raises(Exception, match=NOT_RECORDED[name]):
            record(model, inputs)
        return
    program = record(model, inputs)
    torch.export.save(program, tmp_path / "model.pt2")
    check(torch.export.load(tmp_path / "model.pt2").module(), inputs, expected, TOLERANCE)
    path = tmp_path / "model.onnx"
    if name in NOT_ONNX:
        with pytest.raises(Exception, match=NOT_ONNX[name]):  # noqa: PT012
            write_onnx(program, model, path)
            run_onnx(path, 1)
        return
    write_onnx(program, model, path)
    assert [found.name for found in tmp_path.iterdir() if found.suffix == ".data"] == []
    check(run_onnx(path, 1), inputs, expected, TOLERANCE)


def test_a_model_with_a_control_takes_two_inputs(groups: Configuration, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    loaded = fresh(groups, "bpnet_small", control=2, control_window=5)
    loaded = loaded._replace(
        config={**loaded.config, "model": {**loaded.config["model"], "views": ["sequence", "control"]}},
        provenance={"other_strand": [1, 0]},
    )
    model = predictor(loaded, [1, 0])
    assert model.views == ("sequence", "control")
    sequence = random_windows(loaded.config["model"]["input_length"])
    control = torch.rand(len(sequence), POSITIONS, 2, generator=torch.Generator().manual_seed(2)) * 10
    inputs = (sequence, control)
    with torch.no_grad():
        expected = model(*inputs)
        # The other strand's tracks change places and run the other way: the mean over both strands is turned alike.
        turned = model(sequence.flip((1, 2)), control.flip(1)[..., [1, 0]])
    torch.testing.assert_close(turned[0], expected[0].flip(1)[..., [1, 0]])
    torch.testing.assert_close(turned[1], expected[1][:, [1, 0]])
    program = record(model, inputs)
    check(program.module(), inputs, expected, TOLERANCE)
    write_onnx(program, model, tmp_path / "model.onnx")
    check(run_onnx(tmp_path / "model.onnx", 1), inputs, expected, TOLERANCE)


def test_a_model_with_a_mask_is_turned_with_its_windows() -> None:
    class Masked(nn.Module):
        def forward(self, views: dict[str, torch.Tensor]) -> torch.Tensor:
            places = torch.arange(4.0) * views["mask"]
            return (views["sequence"][:, 0] * places).sum(1, keepdim=True)

    config = {
        "model": {"views": ["sequence", "mask"], "strand_specific": False},
        "training": {"reverse_complement": {"averaging": True}},
    }
    model = predictor(LoadedModel(Masked(), config, Outputs("binary", ("a",)), {}))
    sequence = torch.zeros(3, 4, 4)
    sequence[:, 0, 3] = 1
    sequence[:, 3, 0] = 1
    mask = torch.tensor([[True] * 4, [False] + [True] * 3, [True] * 3 + [False]])
    # Both strands read A at the last place, 3, where the mask of each lets it through.
    expected = torch.tensor([[3.0, 3.0], [3.0, 0.0], [0.0, 3.0]]).sigmoid().mean(1, keepdim=True)
    found = record(model, (sequence, mask)).module()(sequence, mask)
    torch.testing.assert_close(found[0], expected)
    assert found[1].flatten().tolist() == [3, 3, 0]
