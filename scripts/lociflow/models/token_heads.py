"""Heads of language models: from the features of tokens to words, to one answer per window, or to one per base."""

import torch
from torch import Tensor, nn

from lociflow.models.arguments import check_positions
from lociflow.models.tokens import Tokens


class WordHead(nn.Module):
    """Which word a token is: dense layer, GELU, layer normalisation, one logit per word, as in BERT.

    Unlike BERT's, the last layer does not share its weights with the embedding, so that a head can be exchanged.

    Parameters
    ----------
    width
        Features of a token.
    words
        Size of the vocabulary.
    """

    def __init__(self, width: int, words: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.activation = nn.GELU()
        self.normalization = nn.LayerNorm(width)
        self.output = nn.Linear(width, words)

    def forward(self, features: Tensor, tokens: Tokens) -> Tensor:
        """Map features, ``(…, width)``, to logits, ``(…, words)``, whatever the tokens are."""
        return self.output(self.normalization(self.activation(self.hidden(features))))


class PooledHead(nn.Module):
    """Mean and maximum over the tokens, one hidden layer with ReLU (none where ``hidden`` is 0), one output per target.

    Tokens that know nothing of their bases are left out, so that padding and gaps of a genome do not dilute a window.

    Parameters
    ----------
    width
        Features of a token.
    n_targets
        Number of outputs.
    hidden
        Units of the hidden layer.
    dropout
        Share of the pooled features set to zero in training.
    """

    def __init__(self, width: int, n_targets: int, hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Sequential(nn.Linear(2 * width, hidden), nn.ReLU()) if hidden else nn.Identity()
        self.output = nn.Linear(hidden or 2 * width, n_targets)

    def forward(self, features: Tensor, tokens: Tokens) -> Tensor:
        """Map ``(batch, tokens, width)`` to ``(batch, n_targets)``."""
        highest = features.masked_fill(~pooled(tokens)[:, :, None], -torch.inf).amax(dim=1)
        both = torch.cat((mean_of_tokens(features, tokens), highest), dim=1)
        return self.output(self.hidden(self.dropout(both)))


class TokenPositionHead(nn.Module):
    """One answer per base in the middle of the window: a token answers for each of its bases, by their place in it.

    A base that several tokens cover has the mean of their answers.

    Parameters
    ----------
    width
        Features of a token.
    n_targets
        Number of outputs per base.
    places
        Bases of a token with an answer of their own; those behind have that of the last.
    input_length
        Bases of a window.
    positions
        Bases that are answered for; an odd remainder leaves the extra base on the right.
    dropout
        Share of the features set to zero in training.

    Raises
    ------
    UserError
        There are more positions than bases.
    """

    def __init__(
        self, width: int, n_targets: int, input_length: int, positions: int, places: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        check_positions(input_length, positions)
        self.places = places
        self.input_length = input_length
        self.positions = positions
        self.first = (input_length - positions) // 2
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, places * n_targets)

    def forward(self, features: Tensor, tokens: Tokens) -> Tensor:
        """Map ``(batch, tokens, width)`` to ``(batch, positions, n_targets)``."""
        answers = self.output(self.dropout(features)).unflatten(2, (self.places, -1))
        return spread_over_bases(answers, tokens, self.first, self.first + self.positions)


def make_head(
    width: int, words: int, n_targets: int, input_length: int, positions: int, places: int, hidden: int, dropout: float
) -> WordHead | PooledHead | TokenPositionHead:
    """Return the head for what a model is asked: words without targets, otherwise targets per window or per base."""
    if not n_targets:
        return WordHead(width, words)
    if positions:
        return TokenPositionHead(width, n_targets, input_length, positions, places, dropout)
    return PooledHead(width, n_targets, hidden, dropout)


def mean_of_tokens(features: Tensor, tokens: Tokens) -> Tensor:
    """Average features, ``(batch, tokens, width)``, over the tokens that :func:`pooled` names: ``(batch, width)``."""
    weights = pooled(tokens)[:, :, None].to(features.dtype)
    return (features * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def pooled(tokens: Tokens) -> Tensor:
    """Tell which tokens speak for their window: those that know something, and where none does all that are there.

    Returns
    -------
    torch.Tensor
        ``bool``, shape ``(batch, tokens)``.
    """
    # Not torch.where: ONNX runtimes have none for tensors of bool.
    some = tokens.informed.any(dim=1, keepdim=True)
    return (some & tokens.informed) | (~some & tokens.present)


def spread_over_bases(answers: Tensor, tokens: Tokens, first: int, last: int) -> Tensor:
    """Give each base the mean of what the tokens that cover it say of its place in them; zeros where none does.

    Parameters
    ----------
    answers
        ``(batch, tokens, places, width)``; bases of a token behind its last place have that of the last.
    tokens
        Where they lie.
    first, last
        Bases of the window, half-open.

    Returns
    -------
    torch.Tensor
        ``(batch, last - first, width)``.
    """
    bases = torch.arange(first, last, device=answers.device)[:, None]
    offsets = bases - tokens.starts[:, None]
    covered = (offsets >= 0) & (bases < tokens.ends[:, None])
    share = covered.to(answers.dtype) / covered.sum(dim=2, keepdim=True).clamp(min=1)
    found = torch.zeros(answers.shape[0], last - first, answers.shape[3], dtype=answers.dtype, device=answers.device)
    for place in range(answers.shape[2]):
        here = offsets == place if place < answers.shape[2] - 1 else offsets >= place
        found = found + (share * here) @ answers[:, :, place]
    return found
