import math

import numpy as np
import pytest
import torch

from lociflow.training.losses import MaskedBinaryCrossEntropy

LOGITS = torch.tensor([[0.0, math.log(3)], [math.log(1 / 3), 100.0]])
TARGETS = torch.tensor([[1, 0], [1, -1]], dtype=torch.int8)


def loss(exponent: float = 0.0) -> MaskedBinaryCrossEntropy:
    return MaskedBinaryCrossEntropy(np.array([10, 10]), np.array([90, 10]), exponent)


def test_the_loss_by_hand() -> None:
    # Probabilities 1/2, 3/4 and 1/4; the fourth label is missing.
    expected = (-math.log(1 / 2) - math.log(1 - 3 / 4) - math.log(1 / 4)) / 3
    assert float(loss()(LOGITS, TARGETS, TARGETS >= 0)) == pytest.approx(expected)


@pytest.mark.parametrize(("exponent", "weight"), [(0.5, 3.0), (1.0, 9.0)])
def test_positives_weigh_what_negatives_outnumber_them(exponent: float, weight: float) -> None:
    # The second target is balanced: its weight is 1 whatever the exponent.
    expected = (-weight * math.log(1 / 2) - math.log(1 - 3 / 4) - weight * math.log(1 / 4)) / 3
    assert float(loss(exponent)(LOGITS, TARGETS, TARGETS >= 0)) == pytest.approx(expected)


def test_what_is_missing_has_no_gradient() -> None:
    logits = LOGITS.clone().requires_grad_()
    loss()(logits, TARGETS, TARGETS >= 0).backward()
    assert logits.grad is not None
    assert logits.grad[1, 1] == 0
    assert (logits.grad != 0).sum() == 3


def test_a_batch_without_labels_has_no_loss() -> None:
    logits = LOGITS.clone().requires_grad_()
    value = loss()(logits, TARGETS, torch.zeros(2, 2, dtype=torch.bool))
    value.backward()
    assert float(value) == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_a_target_without_positives_has_a_finite_weight() -> None:
    weight = MaskedBinaryCrossEntropy(np.array([0]), np.array([50]), 1.0).weight
    assert weight.tolist() == [50.0]
