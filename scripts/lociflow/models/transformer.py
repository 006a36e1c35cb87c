"""The encoder of transformers: every token attends to every other."""

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.arguments import check_at_least


class TransformerEncoder(nn.Module):
    """Transformer encoder (Vaswani et al. 2017, arXiv:1706.03762), read in both directions as in BERT.

    Layer normalisation comes before attention and before the dense layers (Xiong et al. 2020, arXiv:2002.04745), and
    once more at the end. Positions enter by rotating queries and keys (Su et al. 2021, arXiv:2104.09864), so that no
    window length is built in.

    A layer of width w with dense layers of f units has 4 (w² + w) + 2 w f + f + w + 4 w parameters.

    Parameters
    ----------
    width
        Features of a token.
    layers
        Number of layers.
    heads
        Of attention; each takes an even share of the features.
    units
        Of the dense layer; 4 widths where it is not given.
    dropout
        Share of the features set to zero after attention and dense layers in training.

    Raises
    ------
    UserError
        The heads' shares of the width are not even numbers.
    """

    def __init__(self, width: int, layers: int, heads: int, units: int | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        check_at_least(1, heads=heads)
        if width % (2 * heads):
            raise UserError(
                f"model.architecture.encoder.width: found {width}, expected a multiple of twice the {heads} heads"
            )
        self.width = width
        self.layers = nn.ModuleList(TransformerLayer(width, heads, units or 4 * width, dropout) for _ in range(layers))
        self.normalization = nn.LayerNorm(width)

    def forward(self, features: Tensor, present: Tensor) -> Tensor:
        """Map ``(batch, tokens, width)`` to the same shape; ``present``, ``(batch, tokens)``, is False on filling."""
        # A program that is recorded must not depend on the numbers of the windows that it is recorded with.
        whole = not torch.compiler.is_exporting() and bool(present.all())
        mask = None if whole else present[:, None, None]
        for layer in self.layers:
            features = layer(features, mask)
        return self.normalization(features)


class TransformerLayer(nn.Module):
    """Attention and two dense layers, each behind layer normalisation and added to its input."""

    def __init__(self, width: int, heads: int, units: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_normalization = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.attention_dropout = nn.Dropout(dropout)
        self.dense = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, units), nn.GELU(), nn.Linear(units, width), nn.Dropout(dropout)
        )

    def forward(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """Map ``(batch, tokens, width)`` to the same shape."""
        features = features + self.attention_dropout(self.attend(self.attention_normalization(features), mask))
        return features + self.dense(features)

    def attend(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """Mix each token's features with those of the tokens in the mask, ``(batch, 1, 1, tokens)``; None: of all."""
        batch, tokens, width = features.shape
        split = self.queries_keys_values(features).view(batch, tokens, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        queries, keys = rotate(queries), rotate(keys)
        mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return self.mixed(mixed.transpose(1, 2).reshape(batch, tokens, width))


def rotate(features: Tensor) -> Tensor:
    """Turn pairs of features by angles that grow with the position, so that products depend on distances alone.

    Parameters
    ----------
    features
        ``(…, tokens, features)``, an even number of features.
    """
    tokens, half = features.shape[-2], features.shape[-1] // 2
    rates = 10_000.0 ** (-torch.arange(half, device=features.device, dtype=torch.float32) / half)
    angles = torch.arange(tokens, device=features.device, dtype=torch.float32)[:, None] * rates
    cosine, sine = angles.cos().to(features.dtype), angles.sin().to(features.dtype)
    one, other = features[..., :half], features[..., half:]
    return torch.cat((one * cosine - other * sine, one * sine + other * cosine), dim=-1)
