"""Networks with attention: parameters by hand, and weights that are those the network uses."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.models.attention import AttentionPoolNetwork
from lociflow.models.attention_layers import AttentionPool, SelfAttention
from lociflow.models.enformer import DistanceAttention, Enformer, SoftmaxPool, distance_features
from lociflow.models.layers import count_parameters
from lociflow.models.satori import Satori


def sequence(batch: int, length: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 4, (batch, length), generator=generator)
    return nn.functional.one_hot(codes, 4).float().transpose(1, 2)


def test_satori_has_the_parameters_of_its_table() -> None:
    convolution = 200 * 4 * 13 + 2 * 200
    lstm = 2 * 4 * (200 * 100 + 100 * 100 + 2 * 100) * 2
    attention = 3 * 8 * 32 * (200 + 1)
    dense, output = 256 * 100 + 100, 100 * 164 + 164
    assert (convolution, lstm, attention, dense, output) == (10_800, 483_200, 154_368, 25_700, 16_564)
    with torch.device("meta"):
        assert count_parameters(Satori(600, 164)) == convolution + attention + dense + output == 207_432
        assert count_parameters(Satori(600, 164, lstm_units=100)) == 207_432 + lstm


def test_enformer_has_the_parameters_of_the_published_table() -> None:
    stem = (4 * 15 * 768 + 768) + (2 * 768 + 768 * 768 + 768)
    filters = [768, 768, 896, 1024, 1152, 1280, 1536]
    tower = sum(
        (2 * before + before * 5 * after + after) + (2 * after + after * after + after) + after * after
        for before, after in pairwise(filters)
    )
    attention = 2 * 1536 + 2 * 1536 * 8 * 64 + 1536 * 8 * 192 + 192 * 8 * 64 + 2 * 8 * 64 + 8 * 192 * 1536 + 1536
    dense = 2 * 1536 + 1536 * 3072 + 3072 + 3072 * 1536 + 1536
    last, output = 2 * 1536 + 1536 * 3072 + 3072, 3072 * 5313 + 5313
    assert (stem, tower, 11 * attention, 11 * dense) == (638_976, 49_649_152, 70_349_312, 103_893_504)
    with torch.device("meta"):
        model = Enformer(196_608, 5313)
    total = stem + 768 * 768 + tower + 11 * attention + 11 * dense + last + output
    assert count_parameters(model) == total == 246_172_353
    # 1,536 bins of 128 bases.
    # Of 1,536 positions the middle lies between two.
    assert model.trunk.read == slice(767, 769)


def test_attention_pool_network_has_the_parameters_of_its_table() -> None:
    parts = (64 * 4 * 19 + 2 * 64, 96 * 64 * 5 + 2 * 96, 96 * 32 + 32 + 32 * 4, 4 * 96 * 128 + 128, 128 * 6 + 6)
    assert parts == (4_992, 30_912, 3_232, 49_280, 774)
    assert count_parameters(AttentionPoolNetwork(240, 6)) == sum(parts)


def test_attention_pool_by_hand() -> None:
    pool = AttentionPool(1, 1, 2)
    with torch.no_grad():
        pool.hidden.weight.fill_(1.0)
        assert pool.hidden.bias is not None
        pool.hidden.bias.zero_()
        pool.scores.weight.copy_(torch.tensor([2.0, 0.0])[:, None, None])
    found = pool(torch.tensor([[[0.0, 1.0]]]))
    # The second head does not discriminate; the first has odds of exp(2 tanh 1) for the second position.
    odds = math.exp(2 * math.tanh(1))
    weights = torch.tensor([[[1 / (1 + odds), odds / (1 + odds)], [0.5, 0.5]]])
    torch.testing.assert_close(found.weights.detach(), weights)
    torch.testing.assert_close(found.features.detach(), torch.tensor([[odds / (1 + odds), 0.5]]))


def test_attention_pool_keeps_the_heads_apart() -> None:
    torch.manual_seed(0)
    features = torch.rand(2, 5, 7)
    found = AttentionPool(5, 4, 3)(features)
    expected = [(features * found.weights[:, head, None]).sum(dim=2) for head in range(3)]
    torch.testing.assert_close(found.features, torch.cat(expected, dim=1))


def test_self_attention_is_what_torch_computes() -> None:
    torch.manual_seed(0)
    attention = SelfAttention(6, 2, 3)
    other = nn.MultiheadAttention(6, 2, batch_first=True)
    with torch.no_grad():
        parts = (attention.queries, attention.keys, attention.values)
        other.in_proj_weight.copy_(torch.cat([one.weight for one in parts]))
        other.in_proj_bias.copy_(torch.cat([one.bias for one in parts]))
        other.out_proj.weight.copy_(torch.eye(6))
        other.out_proj.bias.zero_()
    features = torch.rand(2, 5, 6)
    answers, weights = other(features, features, features, average_attn_weights=False)
    torch.testing.assert_close(attention(features), answers)
    torch.testing.assert_close(attention.weights(features), weights)


def test_satori_has_no_sense_of_order_without_its_lstm() -> None:
    torch.manual_seed(0)
    # Filters of one base and no pool: a permutation of the bases permutes the positions.
    model, batch = Satori(20, 2, 6, 1, 1, heads=2, head_size=4, units=7).eval(), sequence(2, 20)
    order = torch.randperm(20)
    torch.testing.assert_close(model({"sequence": batch[..., order]}), model({"sequence": batch}))
    ordered = Satori(20, 2, 6, 1, 1, 3, heads=2, head_size=4, units=7).eval()
    assert not torch.allclose(ordered({"sequence": batch[..., order]}), ordered({"sequence": batch}), atol=1e-4)


def test_softmax_pool_by_hand() -> None:
    pool = SoftmaxPool(2, 2)
    features = torch.tensor([[[0.0, 1.0, 5.0], [3.0, 3.0, 5.0]]])
    # Weights of odds exp(2) for the larger number of a pair; the fifth column has no partner.
    expected = torch.tensor([[[math.exp(2) / (1 + math.exp(2))], [3.0]]])
    torch.testing.assert_close(pool(features).detach(), expected)
    with torch.no_grad():
        pool.scores.weight.zero_()
    torch.testing.assert_close(pool(features).detach(), torch.tensor([[[0.5], [3.0]]]))


def test_functions_of_the_distance_by_hand() -> None:
    found = distance_features(16, 12)
    assert found.shape == (31, 12)
    # Half lives of 8 and 16 positions; masks of the distances below 1 and 3.
    torch.testing.assert_close(found[15 + 8, :2], torch.tensor([0.5, 2**-0.5]))
    assert found[15:20, 2].tolist() == [1, 0, 0, 0, 0]
    assert found[15:20, 3].tolist() == [1, 1, 1, 0, 0]
    # Gamma densities of mean 8 and 16 and standard deviation 4 have their modes at 6 and 15.
    assert found[15:, 4:6].argmax(dim=0).tolist() == [6, 15]
    assert float(found[:, 4:6].max()) == 1
    # The same for both signs, and multiplied by the sign.
    torch.testing.assert_close(found[:, :6], found.flip(0)[:, :6])
    torch.testing.assert_close(found[16:, 6:], found[16:, :6])
    torch.testing.assert_close(found[:15, 6:], -found[:15, :6])
    assert not found[15, 6:].any()


def test_attention_by_distance_looks_where_the_distance_says() -> None:
    torch.manual_seed(0)
    attention = DistanceAttention(4, 9, 1, 2, 12).eval()
    with torch.no_grad():
        for one in (attention.queries, attention.keys, attention.distance_keys):
            one.weight.zero_()
        # Signed masks: + 1 and - 1 for the distances of 1 and 2 to the right and to the left, beyond both 0.
        attention.distance_keys.weight[0, 6 + 3] = 50.0
        attention.distance_bias[0, 0, 0] = 1.0
    weights = attention.weights(torch.rand(1, 9, 4))[0, 0]
    for position in range(7):
        expected = torch.zeros(9)
        expected[position + 1 : position + 3] = 0.5
        torch.testing.assert_close(weights[position], expected)


def test_enformer_answers_for_the_middle() -> None:
    torch.manual_seed(0)
    model = Enformer(40, 2, [8, 12], [7, 3], [4, 2], 1, 3, 4, 6, bins=1, dropout=0.0).eval()
    assert model.trunk.read == slice(2, 3)
    batch = sequence(3, 40)
    features = model.trunk.convolutions(batch).transpose(1, 2)
    assert features.shape == (3, 5, 12)
    middle = model.trunk.last(model.trunk.layers[0](features).transpose(1, 2))[:, :, 2]
    torch.testing.assert_close(model.trunk(batch), middle)


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: AttentionPoolNetwork(60, 3, [6, 7], [9, 3], [4, 1], [0.1, 0.0], 2, 5, 8), (5, 2, 11)),
        (lambda: Satori(60, 3, 6, 9, 5, 4, heads=2, head_size=4, units=7), (5, 2, 12, 12)),
        (lambda: Enformer(60, 3, [8, 12], [7, 3], [4, 2], 2, 3, 4, 12), (5, 6, 7, 7)),
    ],
    ids=["attention_pooling", "satori", "enformer"],
)
def test_models_tell_their_weights(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    model = build().eval()
    weights = model.attention_weights({"sequence": sequence(5, 60)})  # type: ignore[operator]
    assert weights.shape == shape
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(shape[:-1]))
    with pytest.raises(ValueError, match=r"expected \(batch, 4, 60\)"):
        model.attention_weights({"sequence": sequence(5, 59)})  # type: ignore[operator]


def test_what_does_not_divide_is_refused() -> None:
    with pytest.raises(UserError, match="found 12 features for 5 heads"):
        Enformer(60, 3, [8, 12], [7, 3], [4, 2], 2, 5, 4, 12)
    with pytest.raises(UserError, match="functions: found 8, expected a multiple of 6"):
        Enformer(60, 3, [8, 12], [7, 3], [4, 2], 2, 3, 4, 8)
    with pytest.raises(UserError, match="7 bases are too short for Enformer"):
        Enformer(7, 3, [8, 12], [7, 3], [4, 2], 2, 3, 4, 12)
    with pytest.raises(UserError, match="4 bases are too short for SATORI"):
        Satori(4, 3)
