from typing import Any

import pytest
from torch import nn

from lociflow.command import UserError
from lociflow.training.optimizers import make_optimizer, make_schedule

ADAM = {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.1, "weight_decay": 0.01}
CYCLE = {"_target_": "torch.optim.lr_scheduler.OneCycleLR", "_partial_": True, "max_lr": 1.0}


def model() -> nn.Module:
    found = nn.Module()
    found.trunk = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    found.head = nn.Linear(2, 1)
    return found


def rates(**recipe: Any) -> list[tuple[int, float, float]]:
    """Numbers, learning rate and weight decay of each group."""
    optimizer = make_optimizer({"optimizer": ADAM, **recipe}, model())
    return sorted(
        (sum(one.numel() for one in group["params"]), round(group["lr"], 6), group["weight_decay"])
        for group in optimizer.param_groups
    )


def test_biases_do_not_decay_unless_they_are_to() -> None:
    assert rates() == [(5, 0.1, 0.0), (10, 0.1, 0.01)]
    assert rates(decay_all=True) == [(15, 0.1, 0.01)]


def test_a_decay_that_an_optimiser_has_by_itself_leaves_biases_alone_too() -> None:
    adam = {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.1}
    assert rates(optimizer=adam) == [(5, 0.1, 0.0), (10, 0.1, 0.01)]
    assert rates(optimizer={**adam, "weight_decay": 0.0}) == [(15, 0.1, 0.0)]
    assert rates(optimizer={**adam, "_target_": "torch.optim.Adam"}) == [(15, 0.1, 0.0)]


def test_layers_have_their_own_learning_rates() -> None:
    found = rates(decay_all=True, learning_rate_multipliers={"trunk": 0.5}, layer_decay=0.1)
    assert found == [(3, 0.1, 0.01), (6, 0.0005, 0.01), (6, 0.005, 0.01)]


def test_a_cycle_keeps_the_ratio_of_the_learning_rates() -> None:
    recipe = {"optimizer": ADAM, "learning_rate_multipliers": {"trunk": 0.5}, "decay_all": True}
    optimizer = make_optimizer(recipe, model())
    schedule = make_schedule(CYCLE, optimizer, 10)
    for _ in range(4):
        optimizer.step()
        schedule.step()
        trunk, head = (group["lr"] for group in optimizer.param_groups)
        assert trunk == pytest.approx(head / 2)
    plain = make_optimizer({"optimizer": ADAM, "decay_all": True}, model())
    assert make_schedule(CYCLE, plain, 10).get_last_lr() == [pytest.approx(1 / 25)]


def test_what_cannot_be_trained_is_refused() -> None:
    frozen = model()
    for parameter in frozen.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(UserError, match="leaves nothing of the model to train"):
        make_optimizer({"optimizer": ADAM}, frozen)
    with pytest.raises(UserError, match=r"optimizer.lr: found nothing"):
        make_optimizer({"optimizer": {"_target_": "torch.optim.Adam", "_partial_": True}, "layer_decay": 0.5}, model())
