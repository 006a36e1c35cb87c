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
    check_answers,
    freeze,
    has_fresh_output,
    read_transfer,
    readings,
    set_training_mode,
    start_from,
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


def begin(model, path, transfer=None, alphabet=DNA, digest=STORE, test=("c4",), split=None, outputs=TWO):
    return start_from(model, path, transfer or Transfer(), alphabet, digest, named(*test), outputs, split)


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
    begin(model, origin(), Transfer(skip=[]), outputs=ONE)
    assert torch.equal(model.head.output.weight, fresh(ONE, seed=2).head.output.weight)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (Outputs("binary", ("b",)), "expected binary labels of b"),
        (Outputs("real", ("a",)), "expected real labels of a"),
    ],
)
def test_a_head_for_other_labels_is_refused_unless_its_last_layer_is_fresh(origin, outputs, expected):
    path = origin()
    with pytest.raises(UserError, match=f"its head answers for binary labels of a, {expected}; name head in training"):
        begin(fresh(outputs), path, Transfer(skip=[]), outputs=outputs)
    for skip in (["head"], ["head.output"]):
        model = fresh(outputs)
        begin(model, path, Transfer(skip=skip), outputs=outputs)
        assert has_fresh_output(model, skip)
        assert torch.equal(model.head.output.weight, fresh(outputs).head.output.weight)
    assert not has_fresh_output(fresh(outputs), ["head.hidden"])


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


def reading(labelled=True, store=STORE, split=None, **contigs):
    return {"labelled": labelled, "store_sha256": store, "split_digest": split, "contigs": contigs}


def test_a_training_remembers_what_all_before_it_have_read(origin):
    earlier = reading(train=named("c7"))
    loaded = begin(fresh(), origin(split_digest="one", inherited=[earlier]))
    assert readings(loaded) == [{**reading(split="one"), "contigs": CONTIGS}, earlier]
    assert readings(None) == []


@pytest.mark.parametrize(
    ("earlier", "test", "transfer", "told"),
    [
        (reading(train=named("c7")), "c7", Transfer(), "was fitted on c7"),
        # The genome of another file, with the same contig.
        (reading(train=named("c7"), store="other"), "c7", Transfer(), "was fitted on c7"),
        # Labels before a pretraining that may overlap.
        (reading(train=named("c7")), "c7", Transfer(unlabelled_overlap=True), "was fitted on c7"),
        # A pretraining before labels, which a later split would have to allow again.
        (reading(False, train=named("c7")), "c7", Transfer(), r"or set training\.transfer\.unlabelled_overlap"),
        (reading(False, train=named("c7")), "c7", Transfer(unlabelled_overlap=True), None),
        # Its own contigs are those of the same split; what was read before is not.
        (reading(train=named("c7")), "c2", Transfer(), None),
        (reading(train=named("c7")), "c8", Transfer(), None),
        (reading(split="present", train=named("c7")), "c7", Transfer(), None),
        (reading(train=2000), "c8", Transfer(), "was fitted on another split of these sequences"),
        (reading(train=2000, store="other", validation=named("c7")), "c7", Transfer(), "was fitted on c7"),
        (reading(train=2000, store="other"), "c8", Transfer(), None),
    ],
)
def test_what_origins_of_an_origin_have_read_is_not_tested(origin, earlier, test, transfer, told):
    path = origin(split_digest="present", inherited=[earlier])
    if told is None:
        begin(fresh(), path, transfer, test=[test], split="present")
        return
    with pytest.raises(UserError, match=told):
        begin(fresh(), path, transfer, test=[test], split="present")


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


def test_a_last_layer_of_another_name_and_an_origin_without_labels_are_told_apart():
    # Which layer of a user's own network answers, nobody knows.
    check_answers(nn.Sequential(nn.Linear(2, 2)), ["0"], ONE, TWO, "here")
    with pytest.raises(UserError, match="here: its head answers for no labels, expected binary labels of a, b; name h"):
        check_answers(fresh(), [], Outputs("none", ()), TWO, "here")
