"""Beluga, Basset, the grid of Zeng et al., CNNProm and DeepSTARR: published sizes, and what is their own."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.models.basset import Basset
from lociflow.models.beluga import Beluga
from lociflow.models.blocks import SameLengthBlock
from lociflow.models.cnnprom import CNNProm
from lociflow.models.deepstarr import DeepSTARR
from lociflow.models.heads import StackedHead
from lociflow.models.layers import count_parameters
from lociflow.models.maximum_norm import limit_weight_norm
from lociflow.models.zeng import Zeng

# The docstrings' tables, layer by layer; convolutions are filters * channels * kernel + biases, and of batch
# normalisation there are a scale and a shift for each filter or unit instead of the bias.
BELUGA = [
    320 * 4 * 8 + 320,
    320 * 320 * 8 + 320,
    480 * 320 * 8 + 480,
    480 * 480 * 8 + 480,
    640 * 480 * 8 + 640,
    640 * 640 * 8 + 640,
    # 2000 - 14 = 1986, / 4 = 496, - 14 = 482, / 4 = 120, - 14 = 106
    640 * 106 * 2003 + 2003,
    2003 * 2002 + 2002,
]
BASSET = [
    300 * 4 * 19 + 2 * 300,
    200 * 300 * 11 + 2 * 200,
    200 * 200 * 7 + 2 * 200,
    # 600 - 18 = 582, / 3 = 194, - 10 = 184, / 4 = 46, - 6 = 40, / 4 = 10
    200 * 10 * 1000 + 2 * 1000,
    1000 * 1000 + 2 * 1000,
    1000 * 164 + 164,
]
ZENG = [128 * 4 * 24 + 128, 128 * 32 + 32, 32 + 1]
# 251 - 20 = 231, / 4 = 57
CNNPROM = [200 * 4 * 21 + 200, 200 * 57 * 128 + 128, 128 + 1]
CNNPROM_NON_TATA = [300 * 4 * 21 + 300, 300 * 128 + 128, 128 + 1]
DEEPSTARR = [
    256 * 4 * 7 + 2 * 256,
    60 * 256 * 3 + 2 * 60,
    60 * 60 * 5 + 2 * 60,
    120 * 60 * 3 + 2 * 120,
    # 249 / 2 = 124, 62, 31, 15
    120 * 15 * 256 + 2 * 256,
    256 * 256 + 2 * 256,
    256 * 2 + 2,
]
PUBLISHED: dict[str, tuple[Callable[[], nn.Module], list[int], int]] = {
    "beluga": (lambda: Beluga(2000, 2002), BELUGA, 149_536_251),
    # Biases in front of batch normalisation are left out.
    "basset": (lambda: Basset(600, 164), BASSET, 4_135_064 - (300 + 200 + 200 + 1000 + 1000)),
    "zeng": (lambda: Zeng(101, 1), ZENG, 16_577),
    "cnnprom": (lambda: CNNProm(251, 1), CNNPROM, 1_476_457),
    "cnnprom_non_tata": (lambda: CNNProm(251, 1, filters=300, pool=0), CNNPROM_NON_TATA, 64_157),
    "deepstarr": (lambda: DeepSTARR(249, 2), DEEPSTARR, 622_722 - (256 + 60 + 60 + 120 + 256 + 256)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_of_the_published_table(name: str) -> None:
    build, layers, total = PUBLISHED[name]
    with torch.device("meta"):
        model = build()
    found = [
        sum(parameter.numel() for parameter in module.parameters(recurse=False))
        for module in model.modules()
        if list(module.parameters(recurse=False))
    ]
    if len(found) > len(layers):
        # A layer's batch normalisation is a module of its own.
        pairs = [sum(pair) for pair in zip(found[:-1:2], found[1::2], strict=True)]
        found = [*pairs, found[-1]]
    assert found == layers
    assert count_parameters(model) == sum(layers) == total


@pytest.mark.parametrize("architecture", [Beluga, Basset, Zeng, CNNProm, DeepSTARR])
def test_proteins_have_twenty_channels(architecture: Callable[..., nn.Module]) -> None:
    with torch.device("meta"):
        bases, residues = architecture(400, 2), architecture(400, 2, channels=20)
    first = next(module for module in bases.modules() if isinstance(module, nn.Conv1d))
    assert count_parameters(residues) - count_parameters(bases) == 16 * first.kernel_size[0] * first.out_channels
    with pytest.raises(ValueError, match=r"expected \(batch, 20, 400\)"):
        residues({"sequence": torch.rand(1, 4, 400, device="meta")})


@pytest.mark.parametrize(
    ("architecture", "longest"),
    # One base more is enough: Basset's is 19 - 1 + 3 * (11 - 1 + 4 * (7 - 1 + 4)) = 168, and so on.
    [(Basset, 167), (DeepSTARR, 15), (CNNProm, 23), (Beluga, 14 + 4 * (14 + 4 * 15) - 1)],
)
def test_a_window_too_short_is_refused(architecture: Callable[..., nn.Module], longest: int) -> None:
    with torch.device("meta"):
        architecture(longest + 1, 1)
        with pytest.raises(UserError, match=rf"model.input_length: {longest} bases are too short"):
            architecture(longest, 1)


def test_zeng_pools_globally_or_locally() -> None:
    # 30 bases kept by padding; windows of 11 make 2 of them.
    assert Zeng(30, 1, [6], [24], [0], hidden=5).head.get_submodule("hidden").in_features == 6
    assert Zeng(30, 1, [6], [24], [11], hidden=5).head.get_submodule("hidden").in_features == 6 * 2
    assert Zeng(30, 1, [6, 7], [24, 3], [11, 1], hidden=5).head.get_submodule("hidden").in_features == 7 * 2


@pytest.mark.parametrize(("kernel", "expected"), [(3, [0, 1, 2, 3]), (4, [0, 1, 2, 3]), (5, [0, 0, 1, 2])])
def test_same_length_blocks_pad_the_right_of_even_kernels_more(kernel: int, expected: list[float]) -> None:
    block = SameLengthBlock(1, 1, kernel)
    convolution = block.get_submodule("convolution")
    assert isinstance(convolution, nn.Conv1d)
    assert convolution.bias is not None
    with torch.no_grad():
        # The filter's first letter alone: what stands under it is (kernel - 1) // 2 to the left.
        convolution.weight.zero_()[0, 0, 0] = 1
        convolution.bias.zero_()
    assert block(torch.tensor([[[1.0, 2, 3, 4]]])).flatten().tolist() == expected


def test_stacked_head_without_hidden_layers_is_linear() -> None:
    assert [name for name, _ in StackedHead(6, [], 2).named_children()] == ["flatten", "output"]
    names = [name for name, _ in StackedHead(6, [4], 2, 0.1, batch_norm=True).named_children()]
    assert names == ["flatten", "hidden1", "normalization1", "activation1", "dropout1", "output"]


def test_weights_are_limited_in_training_only() -> None:
    layer = nn.Linear(2, 3)
    given = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, -8.0]])
    limit_weight_norm([layer], 2.0)
    with torch.no_grad():
        layer.weight.copy_(given)
        layer.bias.fill_(9.0)
    layer.eval()(torch.zeros(1, 2))
    assert torch.equal(layer.weight, given)
    layer.train()(torch.zeros(1, 2))
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[1.2, 1.6], [0.3, 0.4], [0.0, -2.0]]))
    assert layer.bias.tolist() == [9.0, 9.0, 9.0]


def test_the_norm_of_a_filter_is_over_channels_and_positions() -> None:
    layer = nn.Conv1d(2, 1, 2, bias=False)
    limit_weight_norm([layer], 1.0)
    with torch.no_grad():
        layer.weight.fill_(2.0)
    layer(torch.zeros(1, 2, 2))
    torch.testing.assert_close(layer.weight.detach(), torch.full((1, 2, 2), 0.5))


def test_basset_trains_under_its_limit() -> None:
    torch.manual_seed(0)
    model = Basset(60, 1, [6, 7], [8, 3], [4, 2], hidden=[5], weight_norm=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    views = {"sequence": torch.rand(8, 4, 60)}
    for _ in range(3):
        optimizer.zero_grad()
        model(views).pow(2).sum().backward()
        optimizer.step()
    model(views)
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.Linear):
            assert module.weight.flatten(1).norm(dim=1).max() <= 0.1 + 1e-6
    free = Basset(60, 1, [6, 7], [8, 3], [4, 2], hidden=[5], weight_norm=None)
    free(views)
    assert free.head.get_submodule("output").weight.norm() > 0.1
