import numpy as np
import pytest
import torch
from torch import nn

from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.deepbind import DeepBind
from lociflow.models.heads import DenseHead, output_layer, set_output_bias
from lociflow.models.layers import BidirectionalLSTM, GlobalPool, convolved_length, pooled_length


@pytest.mark.parametrize(("length", "kernel", "pool"), [(20, 5, 3), (20, 5, 4), (7, 7, 1), (11, 2, 5)])
def test_lengths_are_those_of_torch(length: int, kernel: int, pool: int) -> None:
    features = ConvolutionBlock(4, 2, kernel, pool)(torch.zeros(1, 4, length))
    assert features.shape[2] == pooled_length(convolved_length(length, kernel), pool)


def test_block_by_hand() -> None:
    block = ConvolutionBlock(1, 1, 2, pool=2)
    convolution = block.get_submodule("convolution")
    assert isinstance(convolution, nn.Conv1d)
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([[[1.0, -2.0]]]))
        assert convolution.bias is not None
        convolution.bias.fill_(0.5)
    # 1-2*0, 0-2*3, 3-2*1, 1-2*0, each plus a half, then max(0, .), then pairs.
    assert block(torch.tensor([[[1.0, 0.0, 3.0, 1.0, 0.0]]])).tolist() == [[[1.5, 1.5]]]


def test_global_pool_by_hand() -> None:
    features = torch.tensor([[[1.0, 5.0, 3.0], [0.0, 0.0, 6.0]]])
    assert GlobalPool(["max", "average"], 3)(features).squeeze(2).tolist() == [[5.0, 6.0, 3.0, 2.0]]


def test_deepbind_detectors_reach_beyond_the_ends() -> None:
    model = DeepBind(5, 1, detectors=1, kernel=3, hidden=0, dropout=0.0)
    convolution = model.trunk.get_submodule("convolution")
    assert isinstance(convolution, nn.Conv1d)
    with torch.no_grad():
        # The detector of ACG: 3 at a full match; at an edge, a base that sticks out counts a quarter.
        convolution.weight.zero_()
        convolution.weight[0, [0, 1, 2], [0, 1, 2]] = 1.0
        assert convolution.bias is not None
        convolution.bias.zero_()
    pooled = {
        text: float(
            model.trunk(
                nn.functional.one_hot(torch.tensor(["ACGT".index(c) for c in text]), 4).float().T[None]
            ).detach()
        )
        for text in ("TACGT", "TTTAC", "GTTTT", "TTTTT")
    }
    assert pooled == {"TACGT": 3.0, "TTTAC": 2.25, "GTTTT": 1.5, "TTTTT": 0.5}


def test_lstm_sees_both_directions_and_has_one_trained_bias() -> None:
    layer = BidirectionalLSTM(3, 2)
    features = torch.rand(2, 3, 5)
    out = layer(features)
    assert out.shape == (2, 4, 5)
    torch.testing.assert_close(out, layer.lstm(features.transpose(1, 2))[0].transpose(1, 2))
    held = {name for name, one in layer.lstm.named_parameters() if not one.requires_grad}
    assert held == {"bias_hh_l0", "bias_hh_l0_reverse"}
    assert layer.lstm.bias_ih_l0.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert not layer.lstm.bias_hh_l0.any()
    recurrent = layer.lstm.weight_hh_l0[:2]
    torch.testing.assert_close(recurrent @ recurrent.T, torch.eye(2))


def test_output_bias_is_what_the_model_says_first() -> None:
    head = nn.Module()
    head.head = DenseHead(3, 0, 2)
    set_output_bias(head, np.array([0.0, -1.5]))
    torch.testing.assert_close(head.head(torch.zeros(1, 3, 1)), torch.tensor([[0.0, -1.5]]))


def test_profiles_have_the_bias_at_their_counts() -> None:
    model = nn.Module()
    model.head = nn.Module()
    model.head.profile, model.head.counts = nn.Conv1d(3, 1, 1), nn.Linear(3, 1)
    assert output_layer(model) is model.head.counts
    set_output_bias(model, np.array([2.5]))
    assert model.head.counts.bias.tolist() == [2.5]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_threshold_is_passed_as_rarely_as_it_says(batch_norm: bool) -> None:
    torch.manual_seed(0)
    block = ConvolutionBlock(4, 32, 19, batch_norm=batch_norm)
    initialise_thresholds(block, 2.0)
    codes = torch.randint(0, 4, (200, 100))
    # In training mode batch normalisation takes mean and variance from this batch.
    active = (block(nn.functional.one_hot(codes, 4).float().transpose(1, 2)) > 0).float().mean()
    # 0.023 of a normal distribution lies above two standard deviations.
    assert float(active) == pytest.approx(0.023, abs=0.006)


def test_no_threshold_changes_nothing() -> None:
    block = ConvolutionBlock(4, 3, 5)
    before = [one.clone() for one in block.parameters()]
    initialise_thresholds(block, 0.0)
    assert all(torch.equal(one, other) for one, other in zip(before, block.parameters(), strict=True))
