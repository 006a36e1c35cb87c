"""Networks with LSTMs and GRUs: parameters by hand, and what they can and cannot see."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.models.biren import BiRen
from lociflow.models.danq_jaspar import DanQJaspar, lay_motifs
from lociflow.models.deeperbind import DeeperBind
from lociflow.models.layers import BidirectionalGRU, BidirectionalLSTM, count_parameters
from lociflow.models.recurrent import RecurrentNetwork


def sequence(batch: int, length: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 4, (batch, length), generator=generator)
    return nn.functional.one_hot(codes, 4).float().transpose(1, 2)


PUBLISHED = [
    # 4*30*1024+1024, 2*4*(1024*512+512*512+512), 64*1024*925+925, 925*919+919
    (lambda: DanQJaspar(1000, 919), 123_904 + 6_295_552 + 60_621_725 + 850_994, 67_892_175, 4_096),
    # 5*4*11+5, 4*(5*30+30*30+30), 4*(30*20+20*20+20), 20+1; second biases 4*30+4*20
    (lambda: DeeperBind(35, 1), 225 + 4_320 + 4_080 + 21, 8_646, 200),
    # DeepSEA, 2*3*(919*100+100*100+100), 200+1; second biases 2*3*100
    (lambda: BiRen(2800, 1), 52_843_119 + 612_000 + 201, 53_455_320, 600),
]


@pytest.mark.parametrize(("model", "layers", "total", "held"), PUBLISHED, ids=["danq_jaspar", "deeperbind", "biren"])
def test_parameters_are_those_of_the_table(model: Callable[[], nn.Module], layers: int, total: int, held: int) -> None:
    built = model()
    assert layers == total
    assert count_parameters(built) == total
    assert sum(parameter.numel() for parameter in built.parameters()) == total + held


def test_gru_by_hand() -> None:
    layer = BidirectionalGRU(3, 2)
    # 2 directions, 3 gates: 3*2 + 2*2 + 2.
    assert count_parameters(layer) == 2 * 3 * (6 + 4 + 2)
    held = {name for name, one in layer.gru.named_parameters() if not one.requires_grad}
    assert held == {"bias_hh_l0", "bias_hh_l0_reverse"}
    assert not layer.gru.bias_ih_l0.any()
    recurrent = layer.gru.weight_hh_l0[2:4]
    torch.testing.assert_close(recurrent @ recurrent.T, torch.eye(2))
    with torch.no_grad():
        layer.gru.weight_ih_l0.zero_()
        layer.gru.bias_ih_l0.copy_(torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 1.0]))
        layer.gru.weight_hh_l0.zero_()
    # Update gates of a half and candidates of tanh(1): the state halves its distance to tanh(1) at every step.
    states = layer(torch.rand(1, 3, 3))[0, :2]
    expected = torch.tanh(torch.tensor(1.0)) * torch.tensor([0.5, 0.75, 0.875])
    torch.testing.assert_close(states.detach(), expected.expand(2, 3))


def test_motifs_are_laid_where_there_is_room() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv1d(4, 400, 12)
    before = convolution.weight.detach().clone()
    # A certain A, then G or T: log odds to base 2; the middle of 6 columns.
    motif = torch.zeros(4, 6)
    motif[:, 2] = torch.tensor([1.0, 1e-9, 1e-9, 1e-9]).mul(4).log2()
    motif[:, 3] = torch.tensor([1e-9, 1e-9, 0.5, 0.5]).mul(4).log2()
    lay_motifs(convolution, motif.expand(300, 4, 6))
    probabilities = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 0.5], [0.0, 0.5]]) - 0.25
    starts = set()
    for number in range(300):
        changed = (convolution.weight[number] != before[number]).any(dim=0).nonzero().flatten().tolist()
        assert changed == [changed[0], changed[0] + 1]
        torch.testing.assert_close(convolution.weight[number, :, changed], probabilities)
        starts.add(changed[0])
    assert starts == {3, 4, 5, 6, 7}
    assert torch.equal(convolution.weight[300:], before[300:])
    assert convolution.bias is not None
    biases = convolution.bias[:300].detach()
    assert -1 <= float(biases.min()) < -0.95
    assert -0.05 < float(biases.max()) <= 0


def test_motifs_come_from_the_release() -> None:
    with pytest.raises(UserError, match="at least 9999"):
        DanQJaspar(240, 1, 10_000, units=2, hidden=2, motifs=9999)
    model = DanQJaspar(240, 1, 3, units=2, hidden=2, motifs=2, batch_norm=True, initial_threshold=2.0)
    assert model.trunk.get_submodule("block1.normalization").bias.tolist() == [-2, -2, -2]


def test_deeperbind_says_what_it_knows_at_the_right_end() -> None:
    torch.manual_seed(0)
    model = DeeperBind(40, 1, 6, 5, 1, [4, 3]).eval()
    batch = sequence(1, 40).requires_grad_()
    features = model.trunk.get_submodule("block1")(batch)
    # From left to right: what comes last does not change the state before it.
    lstm = model.trunk.get_submodule("recurrent")
    changed = features.clone()
    changed[..., -1] += 1.0
    torch.testing.assert_close(lstm(changed[..., :-1]), lstm(features[..., :-1]))
    assert not torch.allclose(lstm(changed), lstm(features))
    torch.testing.assert_close(model.head(lstm(features)), model({"sequence": batch}))


def test_biren_reads_pieces_and_their_ends() -> None:
    torch.manual_seed(0)
    model = BiRen(65, 2, 20, 10, 5, 4, [6, 7], [5, 3], [4, 1], [0.0, 0.0], hidden=8).eval()
    # 20 + 4 * 10 of 65 bases: 2 are left on the left and 3 on the right.
    assert model.read == slice(2, 62)
    batch = sequence(3, 65)
    reader, network = model.trunk.get_submodule("reader"), model.trunk.get_submodule("reader.network")
    features = reader(batch[..., model.read])
    assert features.shape == (3, 5, 5)
    third = network({"sequence": batch[..., 22:42]}).sigmoid()
    torch.testing.assert_close(features[:, :, 2], third)
    recurrent = model.trunk.get_submodule("recurrent")
    states = recurrent.get_submodule("recurrent")(features)
    torch.testing.assert_close(recurrent(features)[:, :, 0], torch.cat([states[:, :4, -1], states[:, 4:, 0]], dim=1))
    with pytest.raises(UserError, match="19 bases are too short for BiRen"):
        BiRen(19, 1, 20, 10, 5, 4, [6], [5], [1], [0.0])


@pytest.mark.parametrize(("recurrence", "gates"), [(BidirectionalLSTM, 4), (BidirectionalGRU, 3)], ids=["lstm", "gru"])
def test_recurrent_networks_have_the_parameters_of_their_table(
    recurrence: Callable[[int, int], nn.Module], gates: int
) -> None:
    layers = 2 * gates * 5 * (4 + 5 + 1) + 2 * gates * 5 * (3 * 5 + 1)
    window = RecurrentNetwork(60, 3, recurrence, 5, 2, 7)
    assert count_parameters(window) == layers + 7 * (4 * 5 + 1) + 3 * (7 + 1)
    bases = RecurrentNetwork(60, 3, recurrence, 5, 2, positions=20)
    assert count_parameters(bases) == layers + 3 * (2 * 5 + 1)


@pytest.mark.parametrize("recurrence", [BidirectionalLSTM, BidirectionalGRU], ids=["lstm", "gru"])
def test_answers_per_position_are_the_middle_s_and_see_the_whole_window(
    recurrence: Callable[[int, int], nn.Module],
) -> None:
    torch.manual_seed(0)
    model = RecurrentNetwork(31, 3, recurrence, 5, 2, positions=10).eval()
    batch = sequence(2, 31).requires_grad_()
    found = model({"sequence": batch})
    assert found.shape == (2, 10, 3)
    # 21 bases are left over, the odd one on the right: 10 before the bin and 11 behind it.
    features = model.trunk(batch)
    output = model.head.get_submodule("output")
    torch.testing.assert_close(found[:, 0], output(features[:, :, 10:11])[:, :, 0])
    torch.testing.assert_close(found[:, -1], output(features[:, :, 19:20])[:, :, 0])
    found[:, 4].sum().backward()
    assert batch.grad is not None
    assert bool(batch.grad.abs().sum(dim=1).all())


def test_more_positions_than_bases_are_refused() -> None:
    with pytest.raises(UserError, match="found 9 bases, expected at least the 10 labelled bases"):
        RecurrentNetwork(9, 1, positions=10)
