"""Epochs of some of the bins, through a training."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import planted
import pytest
from planted import Planted

from lociflow.data.balancing import Balance, SomeNegatives
from lociflow.data.draws import permuted_rows
from lociflow.models.checkpoint import load_model
from lociflow.training.losses import MaskedBinaryCrossEntropy

BALANCE = {"_target_": "lociflow.data.balancing.SomeNegatives", "ratio": 1.0}
TRAIN = np.arange(planted.BINS["chrA"])
VALIDATION = np.arange(planted.BINS["chrA"], planted.BINS["chrA"] + planted.BINS["chrB"])


@pytest.fixture
def balances(monkeypatch: pytest.MonkeyPatch) -> list[Balance]:
    """Those that trainings make."""
    made: list[Balance] = []
    call = SomeNegatives.__call__

    def watch(self: SomeNegatives, *arguments: object, **more: object) -> Balance:
        made.append(call(self, *arguments, **more))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(SomeNegatives, "__call__", watch)
    return made


def first_bias(folder: Path) -> list[float]:
    bias: list[float] = load_model(folder / "model.ckpt").model.get_submodule("head.output").bias.tolist()
    return bias


def test_permuted_labels_are_balanced_as_they_are_permuted(
    fit: Callable[..., Path], data: Planted, balances: list[Balance]
) -> None:
    fit("permuted", max_epochs=0, targets=["first"], balance=BALANCE, label_permutation=True)
    labels = np.load(data.targets)[:, 0]
    rows = permuted_rows(1, len(labels), (TRAIN, VALIDATION))
    positives, negatives = (part.bins for part in balances[0].parts)
    assert (labels[rows[positives]] == 1).all()
    assert (labels[rows[negatives]] == 0).all()
    assert not (labels[positives] == 1).all()


@pytest.mark.parametrize("permuted", [False, True])
def test_outputs_begin_at_what_an_epoch_holds_where_no_offset_is_exact(
    fit: Callable[..., Path], data: Planted, balances: list[Balance], permuted: bool
) -> None:
    found = first_bias(fit("balanced", max_epochs=0, balance=BALANCE, label_permutation=permuted))
    (balance,) = balances
    assert np.isnan(balance.offsets).all()
    labels = np.load(data.targets)
    rows = permuted_rows(1, len(labels), (TRAIN, VALIDATION)) if permuted else np.arange(len(labels))
    # Every bin that is positive for any target, and as many of the others, of which some labels are unknown.
    positive, other = (labels[rows[part.bins]] for part in balance.parts)
    share = balance.parts[1].drawn / len(other)
    counts = [
        ((positive[:, n] == 1).sum(), round((positive[:, n] == 0).sum() + share * (other[:, n] == 0).sum()))
        for n in (0, 1)
    ]
    assert found == pytest.approx([math.log(one + 0.5) - math.log(zero + 0.5) for one, zero in counts], abs=1e-5)
    # A quarter of all bins is positive for a target, of these more.
    assert min(found) > math.log(0.25 / 0.75) + 0.15


def test_loss_weights_count_what_is_drawn(fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[float]] = []
    call = MaskedBinaryCrossEntropy.__init__

    def watch(self: MaskedBinaryCrossEntropy, *arguments: object, **more: object) -> None:
        call(self, *arguments, **more)  # type: ignore[arg-type]
        made.append(self.weight.tolist())

    monkeypatch.setattr(MaskedBinaryCrossEntropy, "__init__", watch)
    loss = {**planted.CONFIG["training"]["loss"], "imbalance_exponent": 1.0}
    folder = fit("even", max_epochs=0, targets=["first"], balance=BALANCE, loss=loss, correct_prior=True)
    # As many negatives as positives are drawn: nothing is left to be weighed, and the correction is exact.
    assert made == [[1.0]]
    assert load_model(folder / "model.ckpt").provenance["calibration"][0] == [1.0]
    fit("twice", max_epochs=0, targets=["first"], balance={**BALANCE, "ratio": 2.0}, loss=loss)
    assert made[1] == [2.0]
    fit("all", max_epochs=0, targets=["first"], loss=loss)
    assert made[2][0] == pytest.approx(3, abs=0.5)
