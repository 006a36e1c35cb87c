import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.byte_pairs import BytePairs
from lociflow.models.hyena import HyenaEncoder, ImplicitFilters, long_convolution
from lociflow.models.language_model import LanguageModel
from lociflow.models.layers import count_parameters
from lociflow.models.token_heads import PooledHead, TokenPositionHead, mean_of_tokens, spread_over_bases
from lociflow.models.tokens import KMers, Nucleotides, Tokeniser, Tokens
from lociflow.models.transformer import TransformerEncoder, rotate

CONFIGS = Path(__file__).parents[3] / "config" / "model"
PAIRS = {
    "transformer_nucleotides_small": "masked_nucleotides_small",
    "transformer_kmers_small": "masked_kmers_small",
    "transformer_byte_pairs_small": "masked_byte_pairs_small",
    "hyena_small": "masked_hyena_small",
}
ENCODERS = {
    "transformer": lambda: TransformerEncoder(8, 2, 2, units=12),
    "hyena": lambda: HyenaEncoder(8, 2, units=12, filter_units=5, bands=3),
}
TOKENISERS = {
    "nucleotides": Nucleotides,
    "kmers": lambda: KMers(3),
    "overlapping": lambda: KMers(3, overlapping=True),
    "byte_pairs": lambda: BytePairs(10),
}


def sequence(batch: int, length: int, seed: int = 0) -> Tensor:
    codes = torch.randint(0, 4, (batch, length), generator=torch.Generator().manual_seed(seed))
    return nn.functional.one_hot(codes, 4).float().transpose(1, 2)


def tokens_at(*spans: tuple[int, int], present: int, informed: Sequence[int] | None = None) -> Tokens:
    """One row of tokens, of which the first ``present`` are there and those of some numbers, or all, say something."""
    there = (torch.arange(len(spans)) < present)[None]
    starts, ends = torch.tensor(spans).T
    told = there if informed is None else torch.isin(torch.arange(len(spans)), torch.tensor(informed))[None]
    return Tokens(torch.zeros(1, len(spans), dtype=torch.int64), there, there, told, starts[None], ends[None])


@pytest.mark.parametrize(("tokeniser", "encoder"), list(itertools.product(TOKENISERS, ENCODERS)))
def test_one_trunk_for_words_windows_and_positions(tokeniser: str, encoder: str) -> None:
    torch.manual_seed(0)
    words = LanguageModel(20, 0, TOKENISERS[tokeniser](), ENCODERS[encoder](), stem_kernel=3)
    windows = LanguageModel(20, 3, TOKENISERS[tokeniser](), ENCODERS[encoder](), stem_kernel=3, hidden=4)
    positions = LanguageModel(20, 3, TOKENISERS[tokeniser](), ENCODERS[encoder](), stem_kernel=3, positions=7)
    views = {"sequence": sequence(2, 20)}
    count = words.tokenise(views).ids.shape[1]
    assert words(views).shape == (2, count, words.trunk.tokens.words)
    assert windows(views).shape == (2, 3)
    assert positions(views).shape == (2, 7, 3)
    trunk = words.trunk.state_dict()
    for other in (windows, positions):
        other.trunk.load_state_dict(trunk)
        torch.testing.assert_close(other.encode(views), words.encode(views))
    assert words.encode(views).shape == (2, 8)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_weight_of_masked_training_gets_a_gradient(encoder: str) -> None:
    torch.manual_seed(0)
    model = LanguageModel(20, 0, KMers(2), ENCODERS[encoder](), stem_kernel=3)
    views = {"sequence": sequence(32, 20)}
    tokens = model.tokenise(views)
    ids = tokens.ids.clone()
    ids[:, 2] = model.trunk.tokens.mask
    model.guess_words(tokens, ids, tokens.present).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("encoder", ENCODERS)
def test_nucleotides_can_be_attributed(encoder: str) -> None:
    torch.manual_seed(0)
    model = LanguageModel(20, 1, Nucleotides(), ENCODERS[encoder]()).eval()
    one_hot = sequence(2, 20).requires_grad_()
    model({"sequence": one_hot}).sum().backward()
    assert one_hot.grad is not None
    assert (one_hot.grad.abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_filling_up_changes_nothing(encoder: str) -> None:
    torch.manual_seed(0)
    trunk = LanguageModel(20, 0, BytePairs(10), ENCODERS[encoder](), stem_kernel=3).trunk.eval()
    ids, present = torch.tensor([[0, 1, 2, 3]]), torch.ones(1, 4, dtype=torch.bool)
    filled = nn.functional.pad(ids, (0, 3), value=10), nn.functional.pad(present, (0, 3))
    torch.testing.assert_close(trunk.encode(*filled)[:, :4], trunk.encode(ids, present))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_both_sides_are_seen(encoder: str) -> None:
    torch.manual_seed(0)
    trunk = LanguageModel(9, 0, Nucleotides(), ENCODERS[encoder]()).trunk.eval()
    ids, present = torch.zeros(1, 9, dtype=torch.int64), torch.ones(1, 9, dtype=torch.bool)
    before = trunk.encode(ids, present)
    for changed, seen in ((0, 8), (8, 0)):
        other = ids.clone()
        other[0, changed] = 3
        assert (trunk.encode(other, present)[0, seen] - before[0, seen]).abs().max() > 1e-6


def test_what_is_shown_to_the_encoder_decides_and_not_the_sequence() -> None:
    torch.manual_seed(0)
    model = LanguageModel(6, 0, Nucleotides(), ENCODERS["transformer"]()).eval()
    one, other = (model.tokenise({"sequence": sequence(1, 6, seed)}) for seed in (1, 2))
    places = torch.ones(1, 6, dtype=torch.bool)
    torch.testing.assert_close(model.guess_words(one, one.ids, places), model.guess_words(other, one.ids, places))


def test_parameters_of_the_transformer() -> None:
    model = LanguageModel(60, 0, Nucleotides(), TransformerEncoder(16, 2, 2, units=24), stem_kernel=5)
    layer = 4 * (16 * 16 + 16) + 2 * 16 * 24 + 24 + 16 + 4 * 16
    head = 16 * 16 + 3 * 16 + 16 * 4 + 4
    assert count_parameters(model) == 6 * 16 + 5 * 16 * 16 + 16 + 2 * layer + 2 * 16 + head


def test_parameters_of_hyena() -> None:
    encoder = HyenaEncoder(16, 2, units=24, short_kernel=3, filter_units=7, bands=4)
    operator = 3 * 16 * 16 + 3 * 16 + 3 * 16 * 3 + 3 * 16 + 16 + 16 * 16 + 16
    filters = 9 * 7 + 7 + 7 * 7 + 7 + 2 * 7 * 16 + 2 * 7
    layer = operator + filters + 16 * 24 + 24 + 24 * 16 + 16 + 4 * 16
    assert count_parameters(encoder) == 2 * layer + 2 * 16
    model = LanguageModel(60, 5, KMers(2), encoder, hidden=6)
    assert count_parameters(model) == 22 * 16 + 2 * layer + 2 * 16 + 2 * 16 * 6 + 6 + 6 * 5 + 5


def test_rotated_products_depend_on_distances() -> None:
    one, other = torch.randn(6), torch.randn(6)
    queries, keys = rotate(one.expand(9, 6)), rotate(other.expand(9, 6))
    products = queries @ keys.T
    torch.testing.assert_close(products[0, :7], products[2, 2:])
    assert (products[0, 0] - products[0, 4]).abs() > 1e-4
    torch.testing.assert_close(queries[0], one)


def test_long_convolution_is_the_sum_over_both_sides() -> None:
    torch.manual_seed(0)
    values, filters = torch.randn(2, 3, 7), torch.randn(2, 3, 7)
    expected = torch.zeros(2, 3, 7)
    for place, source in itertools.product(range(7), range(7)):
        if source <= place:
            expected[..., place] += filters[0, :, place - source] * values[..., source]
        if source >= place:
            expected[..., place] += filters[1, :, source - place] * values[..., source]
    torch.testing.assert_close(long_convolution(values, filters), expected)


def test_filters_fade() -> None:
    torch.manual_seed(0)
    made = ImplicitFilters(4, 6, 3, reach=64)
    assert made(20).shape == (2, 4, 20)
    torch.testing.assert_close(made(20), made(30)[..., :20])
    # The first channel's window is a hundredth after 8 tokens, the last one's after 64.
    windows = torch.exp(-torch.tensor([8.0, 64.0]) * made.rates[[0, -1]])
    assert windows.tolist() == pytest.approx([0.01, 0.01])
    assert made.rates[1] / made.rates[0] == pytest.approx(math.pow(8 / 64, 1 / 3))


def test_bases_get_the_mean_of_their_tokens() -> None:
    answers = torch.tensor([[[1.0], [3.0], [100.0]]])[:, :, None]
    spread = spread_over_bases(answers, tokens_at((0, 2), (1, 3), (3, 3), present=2), 0, 4)
    assert spread[0, :, 0].tolist() == [1.0, 2.0, 3.0, 0.0]


def test_each_base_of_a_token_has_its_own_answer() -> None:
    # Two tokens of three bases, of which two places are told apart.
    answers = torch.tensor([[[[1.0], [2.0]], [[10.0], [20.0]]]])
    spread = spread_over_bases(answers, tokens_at((0, 3), (3, 6), present=2), 1, 6)
    assert spread[0, :, 0].tolist() == [2.0, 2.0, 10.0, 20.0, 20.0]


def test_positions_lie_in_the_middle() -> None:
    head = TokenPositionHead(1, 1, input_length=5, positions=2)
    nn.init.ones_(head.output.weight)
    nn.init.zeros_(head.output.bias)
    features = torch.arange(5.0)[None, :, None]
    found = head(features, tokens_at(*((base, base + 1) for base in range(5)), present=5))
    assert found[0, :, 0].tolist() == [1.0, 2.0]
    with pytest.raises(UserError, match="found 5 bases, expected at least the 6 labelled bases"):
        TokenPositionHead(1, 1, input_length=5, positions=6)


def test_pooling_leaves_out_what_is_filled_up() -> None:
    features, tokens = torch.tensor([[[1.0], [-5.0], [9.0]]]), tokens_at((0, 1), (1, 2), (2, 2), present=2)
    assert mean_of_tokens(features, tokens).tolist() == [[-2.0]]
    head = PooledHead(1, 2)
    with torch.no_grad():
        head.output.weight.copy_(torch.eye(2))
        head.output.bias.zero_()
    assert head(features, tokens).tolist() == [[-2.0, 1.0]]


@pytest.mark.parametrize(
    ("informed", "mean", "highest"), [([0, 1], 2.0, 3.0), ([1], 3.0, 3.0), ([], 4.0, 8.0)], ids=["two", "one", "none"]
)
def test_pooling_leaves_out_unknown_tokens(informed: list[int], mean: float, highest: float) -> None:
    # 1 and 3 are known, 8 is unknown, 20 fills up; of a window in which nothing is known the unknown ones count.
    features = torch.tensor([[[1.0], [3.0], [8.0], [20.0]]])
    tokens = tokens_at((0, 1), (1, 2), (2, 3), (3, 3), present=3, informed=informed)
    assert mean_of_tokens(features, tokens).tolist() == [[mean]]
    head = PooledHead(1, 2)
    with torch.no_grad():
        head.output.weight.copy_(torch.eye(2))
        head.output.bias.zero_()
    assert head(features, tokens).tolist() == [[mean, highest]]


@pytest.mark.parametrize("tokeniser", TOKENISERS)
def test_a_window_is_encoded_as_its_known_tokens(tokeniser: str) -> None:
    class Same(nn.Module):
        width = 8

        def forward(self, features: Tensor, present: Tensor) -> Tensor:
            return features

    torch.manual_seed(0)
    half, whole = (LanguageModel(length, 1, TOKENISERS[tokeniser](), Same()).eval() for length in (6, 12))
    whole.load_state_dict(half.state_dict())
    bases = sequence(2, 6)
    padded = nn.functional.pad(bases, (0, 6))
    torch.testing.assert_close(whole.encode({"sequence": padded}), half.encode({"sequence": bases}))
    torch.testing.assert_close(whole({"sequence": padded}), half({"sequence": bases}))
    nothing = whole.encode({"sequence": torch.zeros(1, 4, 12)})
    torch.testing.assert_close(nothing, whole.trunk.embedding.weight[[whole.trunk.tokens.unknown]])


def test_partly_known_bases_are_averaged_along() -> None:
    purine = torch.zeros(1, 4, 3)
    purine[0, 0, 0], purine[0, [0, 2], 1] = 1.0, 0.5
    tokens = Nucleotides()(purine)
    assert tokens.known.tolist() == [[True, False, False]]
    assert tokens.informed.tolist() == [[True, True, False]]


@pytest.mark.parametrize("tokeniser", [KMers(4, overlapping=True)])
def test_a_window_without_tokens_is_refused(tokeniser: Tokeniser) -> None:
    with pytest.raises(UserError, match=r"model.input_length: found 3, expected at least the 4 bases"):
        LanguageModel(3, 1, tokeniser, ENCODERS["transformer"]())


def test_a_width_that_heads_cannot_share_is_refused() -> None:
    with pytest.raises(UserError, match="found 10, expected a multiple of twice the 2 heads"):
        TransformerEncoder(10, 1, 2)


def test_only_byte_pairs_look_at_sequences() -> None:
    def sequences():  # type: ignore[no-untyped-def]
        seen.append(True)
        yield "ATATATAT"

    seen: list[bool] = []
    LanguageModel(20, 0, Nucleotides(), ENCODERS["transformer"]()).learn_vocabulary(sequences())
    assert not seen
    model = LanguageModel(20, 0, BytePairs(6), ENCODERS["transformer"]())
    model.learn_vocabulary(sequences())
    assert model.trunk.tokens.vocabulary() == ("A", "C", "G", "T", "AT", "ATAT")
    assert "trunk.tokens.merges" in model.state_dict()


@pytest.mark.parametrize(("tuned", "pretrained"), PAIRS.items())
def test_what_is_fine_tuned_has_the_trunk_of_what_is_pretrained(tuned: str, pretrained: str) -> None:
    def trunk(name: str) -> dict[str, Any]:
        architecture: Any = OmegaConf.to_container(OmegaConf.load(CONFIGS / f"{name}.yaml").architecture)
        architecture["encoder"].pop("dropout")
        return {key: value for key, value in architecture.items() if key not in ("hidden", "dropout")}

    assert trunk(tuned) == trunk(pretrained)
