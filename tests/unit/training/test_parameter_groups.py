import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.training.parameter_groups import parameter_groups, scaled


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential()
        self.trunk.add_module("first", nn.Conv1d(4, 2, 3))
        self.trunk.add_module("norm", nn.BatchNorm1d(2))
        self.trunk.add_module("last", nn.Conv1d(2, 2, 1))
        self.head = nn.Sequential()
        self.head.add_module("output", nn.Linear(2, 1))


def found(model, **settings):
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(parameter)]: (group["scale"], group.get("weight_decay"))
        for group in parameter_groups(model, **settings)
        for parameter in group["params"]
    }


def test_biases_and_normalisations_do_not_decay():
    groups = found(Net())
    decaying = {name for name, (_, decay) in groups.items() if decay is None}
    assert decaying == {"trunk.first.weight", "trunk.last.weight", "head.output.weight"}
    assert {decay for name, (_, decay) in groups.items() if name not in decaying} == {0.0}
    assert len(groups) == len(list(Net().parameters()))


def test_everything_decays_in_one_group_where_that_is_asked_for():
    (group,) = parameter_groups(Net(), decay_all=True)
    assert set(group) == {"params", "scale"}
    assert len(group["params"]) == len(list(Net().parameters()))


def test_layers_further_from_the_head_learn_more_slowly():
    groups = found(Net(), layer_decay=0.5)
    assert groups["head.output.weight"][0] == 1
    assert groups["trunk.last.weight"][0] == 0.5
    assert groups["trunk.norm.weight"][0] == 0.25
    assert groups["trunk.first.bias"][0] == 0.125


def test_every_layer_of_an_encoder_counts():
    model = nn.Module()
    encoder = nn.Module()
    encoder.layers = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
    encoder.normalization = nn.LayerNorm(1)
    model.trunk = nn.Sequential()
    model.trunk.add_module("stem", nn.Sequential(nn.Conv1d(1, 1, 1), nn.ReLU(), nn.Dropout()))
    model.trunk.add_module("encoder", encoder)
    model.trunk.add_module("dropout", nn.Dropout())
    model.head = nn.Linear(1, 1)
    rates = {
        id(parameter): group["scale"]
        for group in parameter_groups(model, decay_all=True, layer_decay=0.5)
        for parameter in group["params"]
    }
    found = {name: rates[id(parameter)] for name, parameter in model.named_parameters() if name.endswith("weight")}
    assert found == {
        "trunk.stem.0.weight": 0.0625,
        "trunk.encoder.layers.0.weight": 0.125,
        "trunk.encoder.layers.1.weight": 0.25,
        "trunk.encoder.normalization.weight": 0.5,
        "head.weight": 1.0,
    }


def test_the_innermost_multiplier_holds():
    groups = found(Net(), multipliers={"trunk": 0.1, "trunk.last": 2.0})
    assert groups["trunk.first.weight"][0] == 0.1
    assert groups["trunk.last.weight"][0] == 2.0
    assert groups["head.output.bias"][0] == 1


def test_frozen_parameters_are_left_out():
    net = Net()
    net.trunk.requires_grad_(False)
    assert set(found(net)) == {"head.output.weight", "head.output.bias"}


def test_an_optimizer_takes_the_scaled_groups_and_steps_by_them():
    net = Net()
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    optimizer = torch.optim.SGD(scaled(parameter_groups(net, layer_decay=0.5), 0.1), lr=0.1)
    sum(parameter.sum() for parameter in net.parameters()).backward()
    optimizer.step()
    steps = {
        name: float((before[name] - parameter.detach()).abs().mean()) for name, parameter in net.named_parameters()
    }
    assert steps["head.output.weight"] == pytest.approx(0.1)
    assert steps["trunk.first.weight"] == pytest.approx(0.0125)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"multipliers": {"trunc": 1.0}}, "the model has no part trunc, expected one of trunk, trunk.first"),
        ({"multipliers": {"trunk": 0}}, r"learning_rate_multipliers.trunk: found 0, expected a number above 0"),
        ({"layer_decay": -1.0}, r"training.layer_decay: found -1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, told):
    with pytest.raises(UserError, match=told):
        parameter_groups(Net(), **settings)
