"""Every file in config/model with every kind of labels that it supports, and what it refuses."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hydra.utils import get_class
from torch import nn

from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.data.dataset import Sample
from lociflow.data.one_hot import OneHot
from lociflow.evaluation.answers import answer_function, column_arrays
from lociflow.genome.label_kinds import KINDS
from lociflow.instantiate import instantiate
from lociflow.interpretation.attribute import summary
from lociflow.interpretation.methods import Contributions, deep_lift_shap, integrated_gradients
from lociflow.models.checkpoint import build_model
from lociflow.models.heads import ProfileOutput
from lociflow.models.layers import count_parameters
from lociflow.models.outputs import UNLABELLED, Outputs
from lociflow.sequence.alphabet import PROTEIN
from lociflow.training.labels import label_statistics
from lociflow.training.recipe import SUPPORTED
from lociflow.training.supervised import make_objective

HOME = Path(__file__).parents[3]
FOLDER = HOME / "config" / "model"
PATHS = sorted(FOLDER.glob("*.yaml"))
LABELS = {path.stem: yaml.safe_load(path.read_text()).get("labels", list(SUPPORTED)) for path in PATHS}


def valid(name: str, method: str) -> bool:
    """Tell whether a model is said to be explained rightly by a method."""
    found = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return method in found["attribution"]["valid"]


# One file of each architecture for which DeepLIFT is said to be valid, the small one where there is one.
DEEP_LIFT = {
    yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["architecture"]["_target_"]: name
    for name in sorted(LABELS, key=lambda name: name.endswith("_small"))
    if valid(name, "deep_lift_shap")
}
SMALL = [path.stem for path in PATHS if path.stem.endswith("_small")]
CLASSES = (("none", "donor", "acceptor"), ("low", "high"))
# Published models of so many weights that a step takes a second or more: a step on the first kind of labels is always
# trained, on the others in the long tests; of these the quick ones look at shapes alone.
LARGE = ("beluga", "biren", "danq", "danq_jaspar", "deepsea")
# Published windows of which a shorter part is trained on, with the same weights; at least SpliceAI's own context.
SHORTER = {"basenji": 8_192, "spliceai_10k": 10_000 + 20}
# Models whose weights are looked up in numbers, which a tensor of shape alone does not have.
NEED_NUMBERS = ("danq_jaspar",)
# Parameters of the published models with as many outputs as in their papers, counted layer by layer beside the tests of
# each architecture.
SPLICES = Outputs("position_class", ("splice",), (("none", "donor", "acceptor"),), 5_000)
TOTALS: dict[str, tuple[Outputs | tuple[str, int], int]] = {
    "basenji": (("real", 4_229), 15_190_636),
    "basset": (("binary", 164), 4_132_364),
    "beluga": (("binary", 2_002), 149_536_251),
    "biren": (("binary", 1), 53_455_320),
    "bpnet": (Outputs("profile", tuple("abcdefgh"), positions=1_000), 130_960),
    "cnnprom": (("binary", 1), 1_476_457),
    "cnnprom_non_tata": (("binary", 1), 64_157),
    "danq": (("binary", 919), 46_926_479),
    "danq_jaspar": (("binary", 919), 67_892_175),
    "deepbind": (("binary", 1), 2_129),
    "deeperbind": (("binary", 1), 8_646),
    "deepsea": (("binary", 919), 52_843_119),
    "deepstarr": (("real", 2), 621_714),
    "satori": (("binary", 164), 207_432),
    "spliceai_10k": (SPLICES, 696_739),
    "spliceai_2k": (SPLICES, 359_043),
    "spliceai_400nt": (SPLICES, 185_187),
    "spliceai_80nt": (SPLICES, 93_251),
    "zeng": (("binary", 1), 16_577),
}
# Published window, batch, optimiser and learning rate; None where a model's description says that it was not verified.
RECIPES: dict[str, tuple[int | None, int | None, str, float]] = {
    "basenji": (131_072, 2, "Adam", 0.002063),
    "basset": (600, None, "RMSprop", 0.002),
    "bpnet": (1_000, 128, "Adam", 0.004),
    "danq": (1_000, 100, "RMSprop", 0.001),
    "danq_jaspar": (1_000, 100, "RMSprop", 0.001),
    "deeperbind": (35, 40, "SGD", 0.003),
    "deepsea": (1_000, 16, "SGD", 1.0),
    "deepstarr": (249, 128, "Adam", 0.002),
    "satori": (None, 256, "Adam", 0.001),
    "spliceai_10k": (15_000, 12, "Adam", 0.001),
    "spliceai_2k": (7_000, 24, "Adam", 0.001),
    "spliceai_400nt": (5_400, 36, "Adam", 0.001),
    "spliceai_80nt": (5_080, 36, "Adam", 0.001),
    "zeng": (101, 100, "Adadelta", 1.0),
}
# Published windows of models whose papers search the rest for each data set, or whose recipes were not found. That of
# biren is not the published one, as its description says.
WINDOWS = {"beluga": 2_000, "cnnprom": 251, "cnnprom_non_tata": 251, "deepbind": 101}
SIMPLE = {"kmer_regression", "perceptron", "pwm_scanner"}
# What is made of bases, pairs of strands or motifs of DNA.
OF_DNA = {"danq_jaspar_small", "equivariant_cnn_small", "kmer_regression", "pwm_scanner"} | {
    name
    for name in SMALL
    if yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["architecture"]["_target_"].endswith(".LanguageModel")
}
POSITIONS = 20
BINS = 2
DATASET: dict[str, Any] = {
    "description": "A toy.",
    "genome": {"name": "toy1", "source": {"path": "toy1.fa"}},
    "split": {"name": "holdout", "_target_": "lociflow.genome.splits.by_contig", "validation": ["b"], "test": ["c"]},
}


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    """The groups of lociflow with a data set of each kind of labels and window length."""
    own = tmp_path_factory.mktemp("own")
    (own / "dataset").mkdir()
    for kind in KINDS:
        signal = kind in ("real", "profile")
        targets = {"signal": {"tracks": {"a": {"path": "a.bw"}, "b": {"path": "b.bw"}}}} if signal else {}
        for length in (200, 240, 256, 500):
            windows = {"_target_": "lociflow.genome.windows.tile_bins", "bin": POSITIONS, "length": length}
            targets = targets or {"files": {"a": {"path": "a.bed"}, "b": {"path": "b.bed"}}}
            content = {**DATASET, "windows": windows, "targets": targets, "labels": {"kind": kind}}
            (own / "dataset" / f"{kind}{length}.yaml").write_text(yaml.safe_dump(content))
    return Configuration(HOME / "config", HOME / "workflow" / "schemas", [own])


@cache
def labels_of(kind: str) -> np.ndarray:
    draws = np.random.default_rng(1)
    shape = (BINS, POSITIONS, 2) if KINDS[kind].positional else (BINS, 2)
    if KINDS[kind].dtype.kind == "f":
        return draws.poisson(2, shape).astype(np.float32)
    return draws.integers(0, 2, shape).astype(KINDS[kind].dtype)


def outputs_for(kind: str) -> Outputs:
    if kind == UNLABELLED:
        return Outputs(UNLABELLED, ())
    classes = CLASSES if kind in ("class", "position_class") else ()
    return Outputs(kind, ("a", "b"), classes, POSITIONS if KINDS[kind].positional else 0)


def make_sample(kind: str, length: int) -> Sample:
    views = {"sequence": torch.randint(0, 4, (BINS, length), dtype=torch.uint8)}
    labels = labels_of(kind) if kind in KINDS else np.zeros((BINS, 0), np.int8)
    sample = Sample(views, torch.from_numpy(labels), torch.ones(labels.shape, dtype=torch.bool), torch.arange(BINS))
    return sample._replace(views=OneHot()(sample.views))


def train_and_predict(config: dict[str, Any], kind: str) -> dict[str, np.ndarray]:
    """Train one step as the recipe says and predict with what came of it."""
    torch.manual_seed(0)
    recipe, outputs = config["training"], outputs_for(kind)
    model = build_model(config["model"], outputs)
    labels = labels_of(kind) if kind in KINDS else np.zeros((BINS, 0), np.int8)
    objective = make_objective(recipe, label_statistics(labels, np.arange(BINS), outputs))
    optimizer = instantiate(recipe["optimizer"])([one for one in model.parameters() if one.requires_grad])
    if recipe["schedule"]:
        instantiate(recipe["schedule"])(optimizer, total_steps=10)
    sample = make_sample(kind, config["model"]["input_length"])
    # The checksums stand in for copies, which large models would not leave room for.
    before = [float(one.detach().double().sum()) for one in model.parameters()]
    loss = objective.loss(model.train(), sample)
    loss.mean.backward()
    optimizer.step()
    assert bool(torch.isfinite(loss.mean))
    assert any(
        float(one.detach().double().sum()) != other for one, other in zip(model.parameters(), before, strict=True)
    )
    assert recipe["early_stopping"] is None or recipe["early_stopping"]["monitor"] in objective.monitors
    with torch.inference_mode():
        judged, told = objective.judge(model.eval(), sample)
        assert bool(torch.isfinite(judged.mean))
        assert {len(array) for array in told} == {BINS}
        if kind == UNLABELLED:
            return {}
        return column_arrays(outputs, answer_function(outputs, recipe)(model(sample.views)))


def check_predictions(found: dict[str, np.ndarray], kind: str) -> None:
    outputs = outputs_for(kind)
    counts = [f"{name}:log_counts" for name in outputs.columns] if kind == "profile" else []
    assert list(found) == [*outputs.columns, *counts]
    for name in outputs.columns:
        assert found[name].shape == ((BINS, POSITIONS) if KINDS[kind].positional else (BINS,))
        assert np.isfinite(found[name]).all()
    if outputs.classes:
        for target in outputs.targets:
            total = sum(found[name] for name in outputs.columns if name.startswith(f"{target}:"))
            np.testing.assert_allclose(total, 1, rtol=1e-4)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_config_says_what_it_must(path: Path) -> None:
    config = yaml.safe_load(path.read_text())
    assert {"name", "paper", "doi", "description", "views", "strand_specific", "training"} <= set(config)
    if LABELS[path.stem] != [UNLABELLED]:
        assert config["attribution"]["method"] in config["attribution"]["valid"]
        attends = hasattr(get_class(config["architecture"]["_target_"]), "attention_weights")
        assert config["attribution"].get("attention", False) == attends
    assert path.stem.endswith("_small") == ("Scaled:" in config["description"])


def test_every_published_model_is_counted() -> None:
    assert set(TOTALS) == set(LABELS) - set(SMALL) - SIMPLE


@pytest.mark.parametrize("name", TOTALS)
def test_a_file_has_the_published_number_of_parameters(groups: Configuration, name: str) -> None:
    asked, total = TOTALS[name]
    outputs = asked if isinstance(asked, Outputs) else Outputs(asked[0], tuple(map(str, range(asked[1]))))
    config = groups.trained(f"{outputs.kind}240", name, "default", ())["training"]
    with torch.device("cpu" if name in NEED_NUMBERS else "meta"):
        assert count_parameters(build_model(config["model"], outputs)) == total


@pytest.mark.parametrize("name", WINDOWS)
def test_a_published_file_has_the_published_window(name: str) -> None:
    assert yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["input_length"] == WINDOWS[name]


@pytest.mark.parametrize("name", RECIPES)
def test_a_published_file_has_the_published_window_and_optimiser(name: str) -> None:
    config = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    optimizer = config["training"]["optimizer"]
    found = (config["input_length"], config["training"]["batch_size"], optimizer["_target_"], optimizer["lr"])
    length, batch, target, rate = RECIPES[name]
    assert found == (length or found[0], batch or found[1], f"torch.optim.{target}", rate)


def test_every_published_file_has_its_window_or_recipe_asserted() -> None:
    assert {*RECIPES, *WINDOWS, "biren"} == {*TOTALS}


def shapes_alone(name: str, kind: str) -> bool:
    return name in LARGE and kind != LABELS[name][0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=[pytest.mark.slow] if shapes_alone(name, kind) else [])
        for name, kinds in LABELS.items()
        for kind in kinds
    ],
)
def test_a_model_trains_a_step_and_predicts(groups: Configuration, name: str, kind: str) -> None:
    dataset = "binary240" if kind == UNLABELLED else f"{kind}240"
    config = groups.trained(dataset, name, "default", ())["training"]
    if name in SHORTER:
        config = {**config, "model": {**config["model"], "input_length": SHORTER[name]}}
    found = train_and_predict(config, kind)
    if kind != UNLABELLED:
        check_predictions(found, kind)


class FirstAnswer(nn.Module):
    """The first number that a model says of a window, of its middle where it answers for each base."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        found = self.model({"sequence": one_hot})
        if isinstance(found, ProfileOutput):
            return found.counts[:, :1]
        return (found[:, POSITIONS // 2] if found.ndim == 3 else found)[:, :1]


def drawn_model(groups: Configuration, name: str) -> tuple[nn.Module, torch.Tensor]:
    """Build a model that says something else of every window, and draw windows."""
    kind = LABELS[name][0]
    config = groups.trained(f"{kind}240", name, "default", ())["training"]["model"]
    config = {**config, "input_length": SHORTER.get(name, config["input_length"])}
    torch.manual_seed(1)
    model = build_model(config, outputs_for(kind))
    for label, weight in model.named_parameters():
        # Filters that begin as rare detectors say the same of nearly every window.
        if label.endswith("bias"):
            nn.init.zeros_(weight)
    codes = torch.randint(0, 4, (16, config["input_length"]))
    windows = nn.functional.one_hot(codes, 4).float().transpose(1, 2)
    with torch.no_grad():
        for _ in range(3):
            model.train()({"sequence": windows})
    return FirstAnswer(model).eval(), windows


def explained(
    method: Callable[..., Contributions], model: nn.Module, windows: torch.Tensor, **more: Any
) -> Contributions:
    """Explain two windows against two others each."""
    references = windows[2:6].unflatten(0, (2, 2))
    found = method(model, windows[:2], 0, np.arange(2), 0, lambda *_: references, **more)
    assert float(found.change.min()) > 1e-5
    return found


def share_missing(found: Contributions) -> float:
    """Return by which share of the change of the output contributions fail to add up to it, in the worst window."""
    return float((found.gap / found.change).max())


@pytest.mark.parametrize(
    "name", sorted({*DEEP_LIFT.values(), *(name for name in SMALL if valid(name, "deep_lift_shap"))})
)
def test_contributions_of_deep_lift_add_up_where_it_is_said_to_be_valid(groups: Configuration, name: str) -> None:
    assert share_missing(explained(deep_lift_shap, *drawn_model(groups, name))) < 1e-3


@pytest.mark.parametrize(
    "name", [name for name in SMALL if not valid(name, "deep_lift_shap") and valid(name, "saliency")]
)
def test_contributions_of_deep_lift_do_not_add_up_where_it_is_said_not_to_be_valid(
    groups: Configuration, name: str
) -> None:
    assert share_missing(explained(deep_lift_shap, *drawn_model(groups, name))) > 1e-2


@pytest.mark.parametrize("name", [name for name in SMALL if valid(name, "integrated_gradients")])
def test_contributions_of_integrated_gradients_add_up_where_they_are_said_to_be_valid(
    groups: Configuration, name: str
) -> None:
    model, windows = drawn_model(groups, name)
    coarse, fine = (
        summary(explained(integrated_gradients, model, windows, steps=steps))["relative_gap"] or 0 for steps in (8, 64)
    )
    # With a gradient that is not the output's, the gap would not fall with the steps; how fast it does is a matter of
    # the kinks along the line, where another maximum wins.
    assert fine < max(0.01, min(0.5, coarse * 2 / 3))


@pytest.mark.parametrize("name", LABELS)
def test_every_valid_method_exists(groups: Configuration, name: str) -> None:
    found = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["attribution"]
    assert {found["method"], *found["valid"]} <= groups.group("interpretation", "default")["attribution"][
        "methods"
    ].keys()
    assert found["method"] in found["valid"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name, kinds in LABELS.items() for kind in kinds if shapes_alone(name, kind) or name in SHORTER],
)
def test_published_models_answer_for_their_own_windows(groups: Configuration, name: str, kind: str) -> None:
    config, outputs = groups.trained(f"{kind}240", name, "default", ())["training"], outputs_for(kind)
    with torch.device("cpu" if name in NEED_NUMBERS else "meta"), torch.inference_mode():
        model = build_model(config["model"], outputs).eval()
        sequence = torch.zeros(BINS, 4, config["model"]["input_length"])
        answers = answer_function(outputs, config["training"])(model({"sequence": sequence}))
    positions = (POSITIONS,) if KINDS[kind].positional else ()
    assert [tuple(answer.shape) for answer in answers] == [(BINS, *positions, len(outputs.columns))]
    make_objective(config["training"], label_statistics(labels_of(kind), np.arange(BINS), outputs))


@pytest.mark.parametrize("length", [200, 256, 500])
@pytest.mark.parametrize("name", SMALL)
def test_small_models_take_the_data_sets_windows(groups: Configuration, name: str, length: int) -> None:
    kind = LABELS[name][0]
    config = groups.trained(f"{'binary' if kind == UNLABELLED else kind}{length}", name, "default", ())["training"]
    assert config["model"]["input_length"] == length
    train_and_predict(config, kind)


@pytest.mark.parametrize("name", SMALL)
def test_a_window_of_another_length_is_refused(groups: Configuration, name: str) -> None:
    kind = LABELS[name][0]
    config = groups.trained(f"{'binary' if kind == UNLABELLED else kind}240", name, "default", ())["training"]
    model: nn.Module = build_model(config["model"], outputs_for(kind)).eval()
    with pytest.raises(ValueError, match=re.escape("240")):
        model(make_sample(kind, 239).views)


@pytest.mark.parametrize("name", [*SMALL, *sorted(SIMPLE)])
def test_amino_acids_are_read_or_refused(groups: Configuration, name: str) -> None:
    kind = LABELS[name][0]
    config = groups.trained(f"{'binary' if kind == UNLABELLED else kind}240", name, "default", ())["training"]
    if name in OF_DNA:
        with pytest.raises(UserError, match=r"expected the 4 bases of DNA for .*; choose another model"):
            build_model(config["model"], outputs_for(kind), len(PROTEIN.channels))
        return
    model = build_model(config["model"], outputs_for(kind), len(PROTEIN.channels)).eval()
    codes = {"sequence": torch.randint(0, 20, (BINS, 240), dtype=torch.uint8)}
    model(OneHot(PROTEIN)(codes))
    with pytest.raises(ValueError, match=r"\(batch, 20, 240\)"):
        model(make_sample(kind, 240).views)


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name, kinds in LABELS.items() for kind in KINDS if kind not in kinds and kinds != [UNLABELLED]],
)
def test_other_labels_are_refused_before_a_job_exists(groups: Configuration, name: str, kind: str) -> None:
    known = sorted(other for other, kinds in LABELS.items() if kind in kinds)
    with pytest.raises(UserError, match=f"dataset {kind}240: has {kind} labels, and model {name} is for") as refused:
        groups.trained(f"{kind}240", name, "default", ())
    assert str(refused.value).endswith(f"choose one of {', '.join(known)}" if known else "says so under labels")
