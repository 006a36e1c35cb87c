import copy

import torch
from torch import nn

from lociflow.interpretation.checks.weight_randomisation import layers_from_output, randomised

WINDOW = torch.eye(4)[torch.tensor([[0, 1, 2, 3, 0, 2]])].transpose(1, 2)


class Backwards(nn.Module):
    """Layers that are declared in another order than they are called in."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.norm, self.first = nn.Linear(18, 2), nn.BatchNorm1d(3), nn.Conv1d(4, 3, 3, padding=1)
        self.unused = nn.Linear(2, 2)

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.last(torch.relu(self.norm(self.first(sequence))).flatten(1))
        return found


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(6, 4))
        self.attention, self.last = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 2)

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        embedded = sequence.transpose(1, 2) + self.place
        found: torch.Tensor = self.last(self.attention(embedded, embedded, embedded)[0].mean(dim=1))
        return found


def test_layers_are_listed_from_the_output_as_they_are_called() -> None:
    model = Backwards().eval()
    layers = dict(layers_from_output(model, WINDOW))
    assert list(layers)[:3] == ["last", "norm", "first"]
    assert [len(tensors) for tensors in layers.values()] == [2, 4, 2, 2]
    assert layers["norm"][2] is model.norm.running_mean


def test_weights_of_a_module_that_is_not_called_belong_to_the_one_around_it() -> None:
    layers = layers_from_output(Attending().eval(), WINDOW)
    # Of the attention: weight and bias of the way in, then of the projection out.
    assert [(name, len(tensors)) for name, tensors in layers] == [("last", 2), ("attention", 4), ("", 1)]


def test_every_weight_is_in_a_layer_once() -> None:
    for model in (Backwards(), Attending()):
        found = [id(tensor) for _, tensors in layers_from_output(model.eval(), WINDOW) for tensor in tensors]
        assert len(found) == len(set(found))
        assert {id(parameter) for parameter in model.parameters()} <= set(found)


def test_stages_cascade_and_keep_the_values_of_each_tensor() -> None:
    torch.manual_seed(1)
    model = Backwards().eval()
    before = copy.deepcopy(model.state_dict())
    changed = []
    for stage in randomised(model, WINDOW, stages=9, seed=1):
        state = stage.model.state_dict()
        changed.append({name.partition(".")[0] for name in state if not torch.equal(state[name], before[name])})
        for name, tensor in state.items():
            torch.testing.assert_close(tensor.flatten().sort().values, before[name].flatten().sort().values)
    # The batch normalisation's means are all 0 and its factors all 1 before training: no order of them differs.
    assert changed == [{"last"}, {"last"}, {"last", "first"}, {"last", "first", "unused"}]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_more_layers_than_stages_are_randomised_together() -> None:
    found = [stage.layers for stage in randomised(Backwards().eval(), WINDOW, stages=2, seed=1)]
    # What no prediction passes through belongs to the model itself.
    assert found == [["last", "norm"], ["first", ""]]


def test_a_second_time_gives_the_same_weights_and_another_seed_others() -> None:
    model = Backwards().eval()

    def weights(seed: int) -> torch.Tensor:
        *_, last = randomised(model, WINDOW, stages=1, seed=seed)
        return last.model.get_parameter("first.weight")

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_a_model_without_weights_has_no_stage() -> None:
    assert list(randomised(nn.Flatten(), WINDOW, stages=3, seed=1)) == []
