"""Attention layers: over positions by content, and pools that tell their weights."""

import math
from typing import NamedTuple

from torch import Tensor, nn


class Pooled(NamedTuple):
    """What an attention pool gives."""

    features: Tensor
    """Weighted means, shape ``(batch, heads * channels)``: all channels of the first head, then of the next."""
    weights: Tensor
    """Shape ``(batch, heads, positions)``; they sum to 1 over the positions."""


class AttentionPool(nn.Module):
    """Weighted means over the positions, with weights that depend on the features (Yang et al. 2016, NAACL, 1480).

    A position's weight is the softmax of v · tanh(W x + b), one v for each head. Weights are what the pool looks at,
    not what the answer depends on: features may have carried a base's information to other positions before.

    Parameters
    ----------
    channels
        Of the features.
    units
        Of the hidden layer, the number of rows of W.
    heads
        Number of weighted means.
    """

    def __init__(self, channels: int, units: int, heads: int = 1) -> None:
        super().__init__()
        self.hidden = nn.Conv1d(channels, units, 1)
        self.activation = nn.Tanh()
        # Softmax does not see a bias.
        self.scores = nn.Conv1d(units, heads, 1, bias=False)

    def forward(self, features: Tensor) -> Pooled:
        """Pool ``(batch, channels, positions)``."""
        weights = self.scores(self.activation(self.hidden(features))).softmax(dim=2)
        return Pooled((weights @ features.transpose(1, 2)).flatten(1), weights)


class SelfAttention(nn.Module):
    """Multi-head attention of every position to every other (Vaswani et al. 2017, arXiv:1706.03762).

    Unlike in ``torch.nn.MultiheadAttention`` the heads' size is free of the number of channels, and the heads' answers
    are not mixed.

    Parameters
    ----------
    channels
        Of the features.
    heads
        Number of heads.
    size
        Of each head's queries, keys and values.
    dropout
        Share of the weights set to zero in training.

    Notes
    -----
    3 heads × size × (channels + 1) parameters.
    """

    def __init__(self, channels: int, heads: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.queries = nn.Linear(channels, heads * size)
        self.keys = nn.Linear(channels, heads * size)
        self.values = nn.Linear(channels, heads * size)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, positions, channels)`` to ``(batch, positions, heads * size)``."""
        queries, keys, values = (split_heads(one(features), self.heads) for one in self._projections())
        dropout = self.dropout if self.training else 0.0
        mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout)
        return mixed.transpose(1, 2).flatten(2)

    def weights(self, features: Tensor) -> Tensor:
        """Return how much each position looks at each other, ``(batch, heads, positions, positions)``.

        Rows, the third dimension, are the positions that look; they sum to 1.
        """
        queries, keys = (split_heads(one(features), self.heads) for one in self._projections()[:2])
        return (queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[3])).softmax(dim=3)

    def _projections(self) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
        return self.queries, self.keys, self.values


def split_heads(features: Tensor, heads: int) -> Tensor:
    """Map ``(batch, positions, heads * size)`` to ``(batch, heads, positions, size)``."""
    return features.unflatten(2, (heads, -1)).transpose(1, 2)
