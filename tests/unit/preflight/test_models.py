"""A model that its training would refuse is told of before any data are made."""

from pathlib import Path
from typing import Any

import pytest
import torch
from groups import DATASET, MODEL, RUN, SCHEMAS, TRAINING, changed, write
from torch import Tensor, nn

from lociflow.config import Configuration
from lociflow.preflight import models
from lociflow.preflight.finding import ERROR, OK, WARN, Finding
from lociflow.preflight.models import check_models
from lociflow.trainings import all_trainings

# Windows of the toy have 30 bases.
NET = {
    "_target_": "lociflow.models.deepsea.DeepSEA",
    "filters": [3],
    "kernels": [5],
    "pools": [2],
    "dropouts": [0.5],
    "hidden": 2,
}


@pytest.fixture
def home(home: Path) -> Path:
    losses = {"binary": {"_target_": "lociflow.training.losses.MaskedBinaryCrossEntropy"}}
    write(home, "training", "default", {**TRAINING, "losses": losses})
    write(home, "model", "net", changed(MODEL, architecture=NET))
    return home


def found(home: Path, conda: bool = False, **run: Any) -> list[Finding]:
    groups, whole = Configuration(home, SCHEMAS), {**RUN, "interpretation": None, **run}
    return check_models(whole, groups, list(all_trainings(whole, groups)), conda)


def errors(home: Path, **run: Any) -> list[tuple[str, str]]:
    """Return model and sentence of every finding, which must be errors, the folder left out."""
    told = found(home, **run)
    assert {finding.verdict for finding in told} == {ERROR}
    return [(finding.what, finding.told.replace(f"{home.resolve()}/", "")) for finding in told]


def test_a_good_run_has_no_fault_and_each_architecture_is_tried_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []
    build = models.build_model
    monkeypatch.setattr(models, "build_model", lambda *given: built.append(given) or build(*given))
    run = {
        "models": ["net", "net+long", "net+tuned"],
        "variants": {**RUN["variants"], "tuned": ["+training.transfer={model: net+long}"]},
        "learning_curve": {"models": ["net"], "shares": [0.5, 1]},
        "search": {"rate": {"model": "net", "grid": {"training.optimizer.lr": [0.1, 1]}}},
    }
    told = "architectures: 1 in 6 trainings, a window passed through each; transfers compared: 1"
    assert found(home, **run) == [Finding("models", OK, told)]
    # One is tried, and two are compared for the transfer.
    assert len(built) == 3


def test_a_window_that_is_too_short_for_the_kernels(home: Path) -> None:
    write(home, "model", "net", changed(MODEL, architecture={**NET, "kernels": [31]}))
    told = (
        "model/net.yaml, on dataset toy: model.input_length: 30 bases are too short for DeepSEA with these kernels and "
        "pools; give it a longer window or smaller kernels and pools"
    )
    assert errors(home) == [("model net", told)]


def test_a_mistyped_argument(home: Path) -> None:
    write(home, "model", "net", changed(MODEL, architecture={**NET, "filtres": [3]}))
    ((what, told),) = errors(home)
    assert what == "model net"
    assert told.startswith(
        "model/net.yaml, on dataset toy: _target_ lociflow.models.deepsea.DeepSEA: got an unexpected keyword argument "
        "'filtres'; its arguments are input_length, n_targets, filters"
    )


def test_an_architecture_that_does_not_exist(home: Path) -> None:
    write(home, "model", "net", changed(MODEL, architecture={**NET, "_target_": "lociflow.models.deepse.DeepSEA"}))
    for conda in (False, True):
        (finding,) = found(home, conda)
        assert finding.verdict == ERROR
        assert "_target_ lociflow.models.deepse.DeepSEA: no such object" in finding.told


def test_every_wrong_model_is_told_with_what_the_run_changes_of_it(home: Path) -> None:
    run = {
        "models": ["net", "net+wide", "net+odd", "net+wide+long"],
        "variants": {
            "long": ["training.max_epochs=50"],
            "wide": ["model.architecture.kernels=[31]"],
            "odd": ["model.architecture.hidden=many"],
        },
    }
    (wide, wide_told), (odd, odd_told) = errors(home, **run)
    assert (wide, odd) == ("model net+wide", "model net+odd")
    assert wide_told.startswith(
        "model/net.yaml with model.architecture.kernels=[31], on dataset toy (likewise net+wide+long on toy): "
        "model.input_length: 30 bases are too short"
    )
    assert odd_told == (
        "model/net.yaml with model.architecture.hidden=many, on dataset toy: _target_ lociflow.models.deepsea.DeepSEA: "
        "its arguments do not fit it ('>' not supported between instances of 'str' and 'int')"
    )


def test_what_a_search_tries_is_told_and_not_the_model_that_it_searches(home: Path) -> None:
    """The model's own kernel does not fit; the search is for one that does."""
    write(home, "model", "searched", changed(MODEL, architecture={**NET, "kernels": [99]}))
    run = {"search": {"kernel": {"model": "searched", "grid": {"model.architecture.kernels": [[5], [31]]}}}}
    ((what, told),) = errors(home, **run)
    assert what == "model searched+kernels-31"
    assert told.startswith(
        "model/searched.yaml with model.architecture.kernels=[31], on dataset toy: model.input_length: 30 bases"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            ["model.architecture.filters=[4]"],
            "trunk.block1.convolution.weight has the shape (3, 4, 5), expected (4, 4, 5); give both the same "
            "hyper-parameters and window length, or name it in training.transfer.skip",
        ),
        (
            ["model.architecture.kernels=[7]"],
            "trunk.block1.convolution.weight has the shape (3, 4, 5), expected (3, 4, 7); give both the same "
            "hyper-parameters and window length, or name it in training.transfer.skip",
        ),
        (
            ["+model.architecture.batch_norm=true"],
            "its parts are not those of the present model (it lacks trunk.block1.normalization.bi",
        ),
    ],
)
def test_a_transfer_from_another_trunk(home: Path, changes: list[str], told: str) -> None:
    transfer = "+training.transfer={model: net}"
    run = {"models": ["net+tuned"], "variants": {"tuned": [*changes, transfer]}}
    ((what, said),) = errors(home, **run)
    assert what == "model net+tuned"
    where = f"model/net.yaml with {', '.join([*changes, transfer])}, on dataset toy: "
    assert said.startswith(f"{where}training.transfer: net on toy: {told}")


def test_parts_of_a_transfer_that_the_model_does_not_have(home: Path) -> None:
    variants = {
        "skipping": ["+training.transfer={model: net, skip: [tail]}"],
        "freezing": ["+training.transfer={model: net, freeze: [trunk.block2]}"],
    }
    (_, freezing), (_, skipping) = errors(home, models=["net+skipping", "net+freezing"], variants=variants)
    assert "training.transfer.skip: the model has no part tail, expected one of trunk, trunk.block1, head" in skipping
    assert "training.transfer.freeze: the model has no part trunk.block2, expected one of trunk" in freezing


def test_a_transfer_to_a_longer_window_is_taken_and_one_to_other_letters_is_not(home: Path) -> None:
    sequences = {
        "genome": None,
        "sequences": {"table": [{"url": "https://a.org/a.csv"}], "sequence": "seq", "alphabet": "rna"},
        "targets": {"columns": ["x"]},
        "labels": {},
        "windows": {"_target_": "lociflow.genome.whole_sequences.whole_sequences", "length": 30},
    }
    write(home, "dataset", "rna", changed(DATASET, **sequences))
    write(home, "dataset", "longer", changed(DATASET, windows__length=50))
    transfer = {"tuned": ["+training.transfer={model: net, dataset: toy}"]}
    (longer,) = found(home, datasets=["longer"], models=["net+tuned"], variants=transfer)
    assert longer.verdict == OK
    ((_, told),) = errors(home, datasets=["rna"], models=["net+tuned"], variants=transfer)
    assert told.endswith(
        "training.transfer: net on toy: reads dna, expected rna as the data set has it; begin from a model of the same "
        "alphabet"
    )


def test_a_transfer_between_models_that_are_wrong_themselves_is_not_compared(home: Path) -> None:
    write(home, "model", "net", changed(MODEL, architecture={**NET, "kernels": [31]}))
    variants = {"tuned": ["model.architecture.kernels=[5]", "+training.transfer={model: net}"]}
    assert [what for what, _ in errors(home, models=["net+tuned"], variants=variants)] == ["model net"]


def test_a_model_that_is_for_other_labels(home: Path) -> None:
    write(home, "dataset", "toy", changed(DATASET, labels__kind="position_class"))
    ((what, told),) = errors(home)
    assert what == "model net"
    assert "dataset toy: has position_class labels, and model net is for binary or class or real ones" in told


@pytest.mark.parametrize(
    ("views", "told"),
    [
        (["sequenc"], "model.views: found 'sequenc', expected sequence, mask, control; correct the model's file"),
        (["sequence", "control"], "model.views: found control, which this data set does not have; give it"),
    ],
)
def test_inputs_that_are_not_there(home: Path, views: list[str], told: str) -> None:
    write(home, "model", "net", changed(MODEL, views=views, architecture=NET))
    ((_, said),) = errors(home)
    assert told in said


def test_a_recipe_that_does_not_suit_the_labels(home: Path) -> None:
    place = "lociflow.data.augmentation"
    mutation = f"{{_target_: {place}.Mutation}}"
    evoaug = f"+training.augmentation={{_target_: {place}.Augmentation, clean_epochs: 90, changes: [{mutation}]}}"
    variants = {
        "stated": ["++training.correct_prior=true", "++training.prevalence={A: 0.1, C: 0.2}"],
        "alone": ["++training.prevalence=0.1"],
        "changed": [evoaug],
    }
    told = [
        told.partition("on dataset toy: ")[2]
        for _, told in errors(home, models=[f"net+{name}" for name in variants], variants=variants)
    ]
    assert told[0] == "training.prevalence: found 'C', expected names out of A, B"
    assert told[1].startswith("training.prevalence: found 0.1, expected null where training.correct_prior is false")
    assert told[2].startswith("training.augmentation.clean_epochs: found 90 of ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "training.optimizer={_target_: torch.optim.SGD, learning_rate: 0.1}",
            "its arguments are params, lr, momentum",
        ),
        ("+training.learning_rate_multipliers={trnk: 0.1}", "learning_rate_multipliers: the model has no part trnk"),
        ("+training.loss={target_weights: {Nope: 2}}", "Nope is no target"),
        ("training.schedule={_target_: torch.optim.lr_scheduler.OneCycleLR, _partial_: true}", "max_lr"),
        ("+training.transfer={model: net, freeze: [trunk, head]}", "leaves nothing of the model to train"),
    ],
)
def test_what_a_recipe_names_is_built_before_the_first_job(home: Path, change: str, told: str) -> None:
    ((what, said),) = errors(home, models=["net+tuned"], variants={"tuned": [change]})
    assert what == "model net+tuned"
    assert told in said


def test_moved_windows_stay_within_what_a_split_keeps_apart(home: Path) -> None:
    run = {"models": ["net+moved"], "variants": {"moved": ["++training.jitter=5"]}}
    assert found(home, **run)[0].verdict == OK
    split = {"name": "near", "_target_": "lociflow.genome.splits.homology_aware"}
    write(home, "dataset", "toy", changed(DATASET, split=split))
    ((_, said),) = errors(home, **run)
    assert "keeps windows of 30 bases apart, and a model reads 30, moved by up to 5 to either side" in said
    assert "set windows.length to 40, or split by contigs" in said
    write(home, "dataset", "toy", changed(DATASET, split=split, windows__length=40))
    write(home, "model", "net", changed(MODEL, architecture=NET, input_length=30))
    assert found(home, **run)[0].verdict == OK


def test_no_prevalence_is_stated_for_negatives_that_are_no_sample_of_the_genome(home: Path) -> None:
    variants = {"stated": ["++training.correct_prior=true", "++training.prevalence=0.1"]}
    run = {"models": ["net+stated"], "variants": variants}
    assert found(home, **run)[0].verdict == OK
    windows = {"_target_": "lociflow.genome.windows.peak_centred_bins", "bin": 10, "length": 30}
    for negatives, told in (
        ([], "the peaks of other targets"),
        ([{"_target_": "lociflow.genome.negatives.matched", "ratio": 1, "seed": 1}], "matched"),
    ):
        write(home, "dataset", "toy", changed(DATASET, windows={**windows, "negatives": negatives}))
        ((_, said),) = errors(home, **run)
        assert f"training.prevalence: found negatives that are {told}, expected" in said


def test_a_model_that_cannot_tell_strands_apart(home: Path) -> None:
    equivariant = {
        "_target_": "lociflow.models.equivariant.EquivariantCNN",
        "filters": [4],
        "kernels": [5],
        "pools": [2],
        "dropouts": [0.1],
        "hidden": 4,
    }
    write(home, "model", "both", changed(MODEL, architecture=equivariant))
    write(home, "dataset", "toy", changed(DATASET, windows__stranded=True))
    assert found(home)[0].verdict == OK
    ((what, told),) = errors(home, models=["both"])
    assert what == "model both"
    assert "says the same of a sequence and of its reverse complement" in told


def test_a_model_of_both_strands_on_the_two_strands_of_a_track(home: Path) -> None:
    scanner = {"_target_": "lociflow.models.kmer_logistic.KmerLogistic", "k": 3}
    losses = {"real": {"_target_": "lociflow.training.value_losses.MeanSquaredError"}}
    write(home, "training", "default", {**TRAINING, "losses": losses})
    write(home, "model", "both", changed(MODEL, labels=["real"], architecture=scanner))
    address = {"url": "https://a.org/a.bw"}
    pair = {"plus": address, "minus": address}
    unpaired = {"variants": {"one": ["+training.targets=[A]"]}, "models": ["both+one"]}
    lone = {"variants": {"lone": ["+training.targets=[B.plus]"]}, "models": ["both+lone"]}
    for tracks, run, verdict in (
        ({"A": address}, {"models": ["both"]}, OK),
        ({"A": address, "B": pair}, unpaired, OK),
        ({"A": address, "B": pair}, {"models": ["both"]}, ERROR),
    ):
        write(home, "dataset", "toy", changed(DATASET, targets={"signal": {"tracks": tracks}}, labels={}))
        (finding,) = found(home, **run)
        assert finding.verdict == verdict, finding
    (one_strand,) = found(home, **lone)
    assert "training.targets: found B.plus without B.minus, its other strand, expected both" in one_strand.told
    assert finding.told.endswith(
        "tells strands apart, as targets of this data set are the two strands of a track; choose another model"
    )


def test_heads_whose_width_only_the_data_tell_are_not_compared(home: Path) -> None:
    named = {"url": "https://a.org/a.bed"}
    write(home, "dataset", "unknown", changed(DATASET, targets={"named": named}))
    write(home, "dataset", "three", changed(DATASET, targets={"named": named, "names": ["x", "y", "z"]}))
    tuned = "+training.transfer={model: net, dataset: unknown, skip: []}"
    run = {"models": ["net+tuned"], "variants": {"tuned": [tuned]}}
    assert found(home, datasets=["three"], **run)[0].verdict == OK


def test_a_head_is_not_taken_over_by_other_targets(home: Path) -> None:
    named = {"url": "https://a.org/a.bed"}
    write(home, "dataset", "others", changed(DATASET, targets={"named": named, "names": ["X", "Y"]}))
    run = {
        "models": ["net+tuned"],
        "variants": {"tuned": ["+training.transfer={model: net, dataset: others, skip: []}"]},
    }
    ((what, told),) = errors(home, **run)
    assert what == "model net+tuned"
    assert "net on others: its head answers for binary labels of X, Y, expected binary labels of A, B" in told


def test_an_objective_without_labels_is_asked_too(home: Path) -> None:
    training = {"objective": {"_target_": "lociflow.training.reconstruction.Denoising"}}
    write(home, "model", "blind", changed(MODEL, labels=["none"], architecture=NET, training=training))
    ((what, told),) = errors(home, models=["blind"])
    assert what == "model blind"
    assert "training.objective: Denoising found DeepSEA, expected lociflow.models.autoencoder.Autoencoder" in told


class Own(nn.Module):
    """An architecture of a user's own, with a mistake in its forward."""

    def __init__(self, mistake: str) -> None:
        super().__init__()
        self.mistake = mistake
        self.layer = nn.Linear(7, 2)

    def forward(self, views: dict[str, Tensor]) -> Tensor:
        if self.mistake == "library":
            raise ModuleNotFoundError("No module named 'nowhere'", name="nowhere")
        if self.mistake == "memory":
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        if self.mistake == "inside":
            return self.layer(views["sequence"])
        return torch.zeros(2, 1)


@pytest.mark.parametrize(
    ("mistake", "conda", "verdict", "told"),
    [
        (
            "inside",
            False,
            ERROR,
            "model.architecture: a window does not pass through it (RuntimeError: mat1 and mat2 shapes cannot be "
            "multiplied (8x30 and 7x2)); correct its arguments, or model.input_length",
        ),
        (
            "outputs",
            False,
            ERROR,
            "model.architecture: lociflow.Own gives Tensor of shape (2, 1) for 2 windows, expected a tensor of shape "
            "(2, 2); correct its forward",
        ),
        ("memory", False, WARN, "not tried, this machine's memory does not suffice for it"),
        ("library", False, ERROR, "(ModuleNotFoundError: No module named 'nowhere')"),
        ("library", True, WARN, "not tried, there is no module nowhere here; its step has an environment of its own"),
    ],
)
def test_an_architecture_of_ones_own(
    home: Path, monkeypatch: pytest.MonkeyPatch, mistake: str, conda: bool, verdict: str, told: str
) -> None:
    write(home, "model", "net", changed(MODEL, architecture={"_target_": "lociflow.Own"}))
    monkeypatch.setattr(models, "build_model", lambda *_: Own(mistake))
    (finding,) = found(home, conda)
    assert finding.verdict == verdict
    assert told in finding.told


def test_trying_models_leaves_the_generator_where_it_was(home: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found(home)
    assert torch.equal(torch.rand(3), expected)
