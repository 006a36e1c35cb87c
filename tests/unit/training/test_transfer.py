"""What a training may begin from, and what it takes over, on models of a few numbers."""

import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.models.checkpoint import build_model, save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import DNA, PROTEIN
from lociflow.training.transfer import (
    Transfer,
    freeze,
    read_transfer,
    set_training_mode,
    start_from,
    with_inherited,
)

LENGTH = 30
MODEL = {
    "name": "toy", "input_length": LENGTH, "views": ["sequence"], "strand_specific": False,
    "architecture": {
        "_target_": "lociflow.models.deepsea.DeepSEA", "filters": [3], "kernels": [5], "pools": [2], "dropouts": [0.5],
        "hidden": 2, "batch_norm": True,
    },
}  # fmt: skip


def named(*contigs):
    """Contigs as a checkpoint tells them: name by digest."""
    return {f"digest of {name}": name for name in contigs}


ONE, TWO = Outputs("binary", ("a",)), Outputs("binary", ("a", "b"))
STORE, CONTIGS = "digest of the store", {"train": named("c1", "c2"), "validation": named("c3")}


def fresh(outputs=TWO, seed=1, **architecture):
    torch.manual_seed(seed)
    return build_model({**MODEL, "architecture": {**MODEL["architecture"], **architecture}}, outputs)


@pytest.fixture
def origin(tmp_path):
    def write(outputs=ONE, **provenance):
        path = tmp_path / "origin.ckpt"
        config = {"model": MODEL, "training": {}, "dataset": {"name": "other"}, "seed": 1}
        known = {"store_sha256": STORE, "contigs": CONTIGS, **provenance}
        save_checkpoint(path, fresh(outputs, seed=2).state_dict(), config, outputs, known)
        return path

    return write


def begin(model, path, transfer=None, alphabet=DNA, digest=STORE, test=("c4",), split=None):
    return start_from(model, path, transfer or Transfer(), alphabet, digest, named(*test), split)


def test_the_trunk_is_taken_over_and_the_head_stays_fresh(origin):
    model, untouched, donor = fresh(), fresh(), fresh(ONE, seed=2)
    begin(model, origin())
    assert torch.equal(model.trunk.block1.convolution.weight, donor.trunk.block1.convolution.weight)
    assert not torch.equal(model.trunk.block1.convolution.weight, untouched.trunk.block1.convolution.weight)
    assert torch.equal(model.head.output.weight, untouched.head.output.weight)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_frozen_trunk_is_not_trained_and_its_normalisation_stands_still(origin):
    model = fresh()
    begin(model, origin(), Transfer(freeze=["trunk"]))
    assert not any(parameter.requires_grad for parameter in model.trunk.parameters())
    assert all(parameter.requires_grad for parameter in model.head.parameters())
    set_training_mode(model, ["trunk"])
    assert model.training
    assert model.head.training
    assert not any(module.training for module in model.trunk.modules())
    before = model.trunk.block1.normalization.running_mean.clone()
    model({"sequence": torch.rand(8, 4, LENGTH)})
    assert torch.equal(model.trunk.block1.normalization.running_mean, before)


def test_freezing_one_block_counts_its_numbers():
    # 3 filters of 5 × 4 and the scale and shift of 3 channels.
    assert freeze(fresh(), ["trunk.block1"]) == 3 * 5 * 4 + 2 * 3


def test_with_nothing_skipped_the_head_is_taken_over_too(origin):
    model = fresh(ONE)
    begin(model, origin(), Transfer(skip=[]))
    assert torch.equal(model.head.output.weight, fresh(ONE, seed=2).head.output.weight)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"filters": [4]}, r"trunk\.block1\.convolution\.weight has the shape \(3, 4, 5\), expected \(4, 4, 5\)"),
        (
            {"batch_norm": False},
            r"its parts are not those of the present model \(it lacks trunk\.block1\.convolution\.bi",
        ),
    ],
)
def test_another_architecture_is_refused(origin, changes, told):
    with pytest.raises(UserError, match=told):
        begin(fresh(**changes), origin())


def test_a_head_of_another_size_is_refused_unless_skipped(origin):
    with pytest.raises(UserError, match=r"head\.output\.weight has the shape \(1, 2\), expected \(2, 2\)"):
        begin(fresh(TWO), origin(), Transfer(skip=[]))


def test_another_alphabet_is_refused(origin):
    with pytest.raises(UserError, match="reads dna, expected protein as the data set has it"):
        begin(fresh(), origin(), alphabet=PROTEIN)


def test_an_origin_that_was_fitted_or_chosen_on_the_test_contigs_is_refused(origin):
    for contig in ("c2", "c3"):
        with pytest.raises(UserError, match=f"was fitted on {contig}, which the present split tests on"):
            begin(fresh(), origin(), test=["c4", contig])
    with pytest.raises(UserError, match="was fitted on c2, which"):
        begin(fresh(), origin(), test=["c2"], digest="the same contig among others")
    begin(fresh(), origin(contigs={"train": 2000, "validation": 100}), test=["c2"])


def test_without_labels_the_overlap_may_be_allowed(origin):
    path = origin(ONE._replace(kind="none"))
    with pytest.raises(UserError, match=r"or set training\.transfer\.unlabelled_overlap"):
        begin(fresh(), path, test=["c2"])
    begin(fresh(), path, Transfer(unlabelled_overlap=True), test=["c2"])
    with pytest.raises(UserError, match="was fitted on c2"):
        begin(fresh(), origin(), Transfer(unlabelled_overlap=True), test=["c2"])


def test_the_same_split_keeps_its_sides_apart_whatever_the_contigs(origin):
    path = origin(split_digest="same")
    begin(fresh(), path, test=["c2"], split="same")
    with pytest.raises(UserError, match="was fitted on c2"):
        begin(fresh(), path, test=["c2"], split="other")
    many = origin(contigs={"train": 2000, "validation": 100}, split_digest="same")
    begin(fresh(), many, split="same")
    with pytest.raises(UserError, match="was fitted on another split of these sequences"):
        begin(fresh(), many, split="other")


def test_what_an_origins_origin_has_read_is_not_forgotten(origin):
    first = begin(fresh(), origin(split_digest="one"))
    own = {"train": named("c5"), "validation": named("c6")}
    contigs = with_inherited(own, first, STORE, "two")
    assert contigs == {**own, "inherited": named("c1", "c2", "c3")}
    second = origin(contigs=contigs, split_digest="two")
    begin(fresh(), second, test=["c5"], split="two")
    with pytest.raises(UserError, match="was fitted on c2"):
        begin(fresh(), second, test=["c2"], split="two")
    third = with_inherited(own, begin(fresh(), second, split="two"), STORE, "two")
    assert third == contigs


def test_what_needs_no_memory_is_not_inherited(origin):
    own = {"train": named("c5"), "validation": named("c6")}
    first = begin(fresh(), origin(split_digest="one"))
    assert with_inherited(own, first, STORE, "one") == own
    assert with_inherited(own, None, STORE, "two") == own
    unlabelled = begin(fresh(), origin(ONE._replace(kind="none")), Transfer(unlabelled_overlap=True))
    assert with_inherited(own, unlabelled, STORE, "two") == own
    many = begin(fresh(), origin(contigs={"train": 2000, "validation": named("c3")}))
    assert with_inherited(own, many, STORE, "two") == {**own, "inherited": 2000}


def test_what_an_origin_without_labels_was_given_by_labels_is_not_forgotten(origin):
    none, allowed = ONE._replace(kind="none"), Transfer(unlabelled_overlap=True)
    pretrained = origin(none, contigs={"train": named("c4"), "inherited": named("c1")})
    with pytest.raises(UserError, match="was fitted on c1, which"):
        begin(fresh(), pretrained, allowed, test=["c1"])
    own = {"train": named("c5"), "validation": named("c6")}
    found = with_inherited(own, begin(fresh(), pretrained, allowed), STORE, "two")
    assert found == {**own, "inherited": named("c1")}


@pytest.mark.parametrize("key", ["skip", "freeze"])
def test_a_part_that_does_not_exist_is_refused(origin, key):
    with pytest.raises(
        UserError, match=rf"training\.transfer\.{key}: the model has no part trunc, expected one of trunk"
    ):
        begin(fresh(), origin(), Transfer(**{key: ["trunc"]}))


def test_settings_leave_out_what_names_the_origin():
    settings = {"model": "net", "dataset": None, "split": "holdout", "seed": 1, "freeze": ["trunk"], "skip": None}
    assert read_transfer(settings) == Transfer(freeze=["trunk"])
    assert isinstance(fresh(), nn.Module)
