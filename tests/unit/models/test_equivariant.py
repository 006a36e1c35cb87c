"""Reverse-complement parameter sharing: f(x) = f(rc(x)) to rounding, and what the layers compute."""

from collections.abc import Callable

import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from torch import nn

from lociflow.command import UserError
from lociflow.interpretation.motifs.filters import first_convolution
from lociflow.models.equivariant import EquivariantCNN
from lociflow.models.sequence_only import SequenceModel
from lociflow.models.strand_pairs import (
    PairedBlock,
    PairedConvolution,
    PairedNormalization,
    StrandSum,
    fold_strands,
    unfold_strands,
)

ROUNDING = 1e-12


def reverse_complement(features: torch.Tensor) -> torch.Tensor:
    return features.flip(1, 2)


def sequence(batch: int, length: int) -> torch.Tensor:
    codes = torch.randint(0, 4, (batch, length), generator=torch.Generator().manual_seed(length))
    return nn.functional.one_hot(codes, 4).double().transpose(1, 2)


def distance(first: torch.Tensor, second: torch.Tensor) -> float:
    return float((first - second).detach().abs().max())


@pytest.mark.parametrize("pools", [[1, 1], [2, 3], [3, 2], [4, 4], [5, 2]])
@pytest.mark.parametrize("length", range(60, 66))
def test_a_sequence_and_its_reverse_complement_have_the_same_logits(length: int, pools: list[int]) -> None:
    torch.manual_seed(length)
    model = EquivariantCNN(length, 3, [5, 6], [8, 3], pools, [0.1, 0.1], hidden=4).double()
    batch = sequence(16, length)
    model.train()({"sequence": batch})
    logits = model.eval()({"sequence": batch})
    # The first assertion says nothing of a network that is constant.
    assert distance(logits, model({"sequence": reverse_complement(batch)})) < ROUNDING
    assert distance(logits, model({"sequence": batch.flip(2)})) > 1e-3


def test_training_keeps_the_equality() -> None:
    torch.manual_seed(0)
    model = EquivariantCNN(61, 3, [5, 6], [8, 3], [4, 3], [0.2, 0.2], hidden=4, head_dropout=0.2).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    batch = sequence(32, 61)
    for _ in range(5):
        loss = nn.functional.binary_cross_entropy_with_logits(model({"sequence": batch}), torch.ones(32, 3).double())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    other = sequence(16, 61)
    assert distance(model({"sequence": other}), model({"sequence": reverse_complement(other)})) < ROUNDING


def test_training_sees_no_strand() -> None:
    # With batch statistics, and in the gradients: augmentation would change nothing.
    def gradients(batch: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        model = EquivariantCNN(61, 3, [5, 6], [8, 3], [4, 3], [0.0, 0.0], hidden=4).double().train()
        model({"sequence": batch}).pow(2).sum().backward()
        return nn.utils.parameters_to_vector([one.grad for one in model.parameters() if one.grad is not None])

    batch = sequence(16, 61)
    mixed = torch.cat([batch[:7], reverse_complement(batch[7:])])
    torch.testing.assert_close(gradients(batch), gradients(mixed), rtol=1e-9, atol=1e-12)


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: PairedConvolution(6, 4, 5),
    "even_convolution": lambda: PairedConvolution(6, 4, 4, bias=False),
    "normalization": lambda: PairedNormalization(3),
    "block": lambda: PairedBlock(6, 4, 5, 21 - 5 + 1, pool=4),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [True, False])
def test_layers_are_equivariant(name: str, training: bool) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name]().double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    features = torch.randn(8, 6, 21).double()
    layer.train(training)
    straight = layer(features)
    assert distance(layer(reverse_complement(features)), reverse_complement(straight)) < ROUNDING
    assert distance(layer(features.flip(2)), straight) > 1e-3


def test_twin_filters_read_the_other_strand() -> None:
    convolution = PairedConvolution(4, 1, 2, bias=False)
    with torch.no_grad():
        # AC; its twin is GT.
        convolution.weight.copy_(torch.tensor([[[1.0, 0], [0, 1], [0, 0], [0, 0]]]))
    given = nn.functional.one_hot(torch.tensor([[0, 1, 2, 3]]), 4).float().transpose(1, 2)  # ACGT
    assert convolution(given).tolist() == [[[2.0, 0.0, 0.0], [0.0, 0.0, 2.0]]]


def test_paired_channels_share_their_statistics() -> None:
    layer = PairedNormalization(1)
    # Over both strands the mean is 3, the variance 5.
    given = torch.tensor([[[0.0, 2.0], [4.0, 6.0]]])
    torch.testing.assert_close(layer(given), (given - 3) / (5 + layer.folded.eps) ** 0.5)
    assert layer.folded.num_features == 1


def test_several_gpus_share_the_statistics_of_pairs_too() -> None:
    layer = PairedNormalization(2).eval()
    assert layer.folded.running_mean is not None
    layer.folded.running_mean.copy_(torch.tensor([1.0, 2.0]))
    given = torch.randn(3, 4, 5)
    expected = layer(given)
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(layer)
    assert isinstance(converted.get_submodule("folded"), nn.SyncBatchNorm)
    torch.testing.assert_close(converted(given), expected)


def test_folding_is_undone() -> None:
    features = torch.arange(24.0).view(1, 4, 6)
    assert fold_strands(features).shape == (1, 2, 12)
    # The twin of the first channel is the last.
    assert fold_strands(features)[0, 0].tolist() == [*range(6), *range(18, 24)]
    assert torch.equal(unfold_strands(fold_strands(features)), features)


def test_strand_sum() -> None:
    features = torch.tensor([[[1.0, 2.0], [10.0, 20.0]]])
    assert StrandSum()(features).tolist() == [[[21.0, 12.0]]]


@pytest.mark.parametrize(
    ("length", "pool", "windows"),
    [
        (8, 4, [[0, 1, 2, 3], [4, 5, 6, 7]]),
        (9, 4, [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8]]),
        (10, 4, [[1, 2, 3, 4], [5, 6, 7, 8]]),
        (11, 4, [[1, 2, 3, 4, 5], [5, 6, 7, 8, 9]]),
        (7, 3, [[0, 1, 2, 3], [3, 4, 5, 6]]),
        (8, 3, [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_pooling_windows_lie_symmetrically(length: int, pool: int, windows: list[list[int]]) -> None:
    block = PairedBlock(4, 1, 1, length, pool, batch_norm=False)
    pooling = nn.Sequential(block.get_submodule("crop"), block.get_submodule("pool"))
    # A single 1 at each position in turn shows which windows it lies in.
    reached = pooling(torch.eye(length)[:, None, :])[:, 0]
    assert [torch.nonzero(column).flatten().tolist() for column in reached.T] == windows


def test_parameters_are_those_of_one_strand() -> None:
    model = EquivariantCNN(60, 3, [5, 6], [8, 3], [4, 2], [0.0, 0.0], hidden=4)
    # 60 - 7 = 53, / 4 = 13, - 2 = 11, / 2 = 5
    expected = 5 * 4 * 8 + 2 * 5 + 6 * 10 * 3 + 2 * 6 + (4 * 12 * 5 + 4) + (4 * 3 + 3)
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


def test_parameters_are_those_of_the_table() -> None:
    model = EquivariantCNN(1000, 919)
    # A filter of the first layer reads 4 channels, one of a later layer both strands of each pair. 1,000 - 7 = 993,
    # / 4 = 248, - 7 = 241, / 4 = 60, - 7 = 53
    layers = [160 * 4 * 8 + 320, 240 * 320 * 8 + 480, 480 * 480 * 8 + 960, 462 * 960 * 53 + 462, 919 * 462 + 919]
    assert layers == [5_440, 614_880, 1_844_160, 23_507_022, 425_497]
    assert sum(parameter.numel() for parameter in model.parameters()) == sum(layers) == 26_396_999


def test_filters_are_read_with_their_normalisation() -> None:
    model = EquivariantCNN(60, 3, [5, 6], [8, 3], [4, 2], [0.0, 0.0], hidden=4, initial_threshold=2.0).eval()
    folded = first_convolution(model)
    assert folded is not None
    assert folded.bias is not None
    assert folded.weight.shape == (5, 4, 8)
    batch = sequence(2, 60).float()
    block = model.trunk.get_submodule("block1")
    expected = block.get_submodule("normalization")(block.get_submodule("convolution")(batch))[:, :5]
    torch.testing.assert_close(nn.functional.conv1d(batch, folded.weight, folded.bias), expected)


@pytest.mark.parametrize("length", [60, 62])
def test_attributions_by_deep_lift_add_up(length: int) -> None:
    # Behind filters of 8, windows of 4 leave a remainder of 1 of 53 positions and of 3 of 55: they overlap.
    torch.manual_seed(0)
    model = SequenceModel(EquivariantCNN(length, 1, [5, 6], [8, 3], [4, 2], [0.0, 0.0], hidden=4)).double().eval()
    explained, reference = sequence(6, length).chunk(2)
    multipliers = deep_lift_shap(model, explained, references=reference[:, None], device="cpu", raw_outputs=True)[:, 0]
    difference = (model(explained) - model(reference))[:, 0].detach()
    assert difference.abs().min() > 1e-3
    torch.testing.assert_close((multipliers * (explained - reference)).sum((1, 2)), difference)


def test_only_dna_has_a_reverse_complement() -> None:
    with pytest.raises(UserError, match="20 letters, expected the 4 bases of DNA"):
        EquivariantCNN(60, 3, channels=20)


def test_a_window_too_short_is_refused() -> None:
    with pytest.raises(UserError, match=r"model.input_length: 9 bases are too short"):
        EquivariantCNN(9, 3)
