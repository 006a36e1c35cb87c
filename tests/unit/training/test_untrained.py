"""A network that is not trained is a network of random weights, and not a dead one."""

from types import SimpleNamespace

import torch
from torch import nn

from lociflow.training.untrained import BATCHES, settle_normalisation


def module(network: nn.Module) -> SimpleNamespace:
    return SimpleNamespace(model=network, one_hot=lambda views: views["sequence"])


def batches(count: int, mean: float) -> list[SimpleNamespace]:
    draws = torch.Generator().manual_seed(3)
    return [SimpleNamespace(views={"sequence": mean + 2 * torch.randn(500, 1, generator=draws)}) for _ in range(count)]


def test_normalisation_is_that_of_the_batches_and_no_weight_changes() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    before = [parameter.clone() for parameter in network.parameters()]
    settle_normalisation(module(network), [*batches(BATCHES, 5.0), *batches(50, 99.0)], seed=1)  # type: ignore[arg-type]
    assert all(torch.equal(one, other) for one, other in zip(before, network.parameters(), strict=True))
    weight, bias = (parameter.item() for parameter in network[0].parameters())
    torch.testing.assert_close(network[1].running_mean, torch.tensor([5 * weight + bias]), atol=0.05, rtol=0)
    torch.testing.assert_close(network[1].running_var, torch.tensor([4 * weight**2]), atol=0, rtol=0.05)
    assert network[1].momentum == 0.1


def test_a_rectifier_that_begins_below_zero_tells_windows_apart() -> None:
    network = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU())
    with torch.no_grad():
        network[1].bias.fill_(-2.0)
        network[0].weight.mul_(0.05)
    some = batches(BATCHES, 0.0)
    assert not network.eval()(some[0].views["sequence"]).any()
    settle_normalisation(module(network), some, seed=1)  # type: ignore[arg-type]
    assert network.eval()(some[0].views["sequence"]).any()


def test_what_the_network_draws_is_that_of_the_seed_and_nobody_elses() -> None:
    found = []
    for _ in range(2):
        torch.manual_seed(5)
        network = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(1))
        torch.rand(len(found))
        state = torch.random.get_rng_state()
        settle_normalisation(module(network), batches(4, 1.0), seed=1)  # type: ignore[arg-type]
        assert torch.equal(torch.random.get_rng_state(), state)
        found.append(network[1].running_mean.clone())
    assert torch.equal(*found)
