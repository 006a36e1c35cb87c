"""Enformer's design for windows of any size: convolutions, softmax pools, and attention by distance."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.arguments import check_heads, check_layers
from lociflow.models.attention_layers import split_heads
from lociflow.models.heads import DenseHead, central
from lociflow.models.layers import check_length, check_sequence, pooled_length

# Kinds of functions of a distance, each with and without its sign.
BASES = 6


class SoftmaxPool(nn.Module):
    """Weighted mean of each pooling window, for every channel with its own weights, which depend on all channels.

    It begins near the maximum: a channel's weights are the softmax of twice its features.

    Parameters
    ----------
    channels
        Of the features.
    pool
        Length and stride of the pooling windows; an incomplete last one is dropped.
    """

    def __init__(self, channels: int, pool: int) -> None:
        super().__init__()
        self.pool = pool
        self.scores = nn.Conv1d(channels, channels, 1, bias=False)
        with torch.no_grad():
            self.scores.weight.copy_(2 * torch.eye(channels)[:, :, None])

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, channels, length // pool)``."""
        features = features[..., : features.shape[2] // self.pool * self.pool]
        weights = self.scores(features).unflatten(2, (-1, self.pool)).softmax(dim=3)
        return (weights * features.unflatten(2, (-1, self.pool))).sum(dim=3)


class NormalizedConvolution(nn.Sequential):
    """Batch normalisation, GELU, convolution padded to the same length."""

    def __init__(self, channels: int, filters: int, kernel: int = 1) -> None:
        super().__init__()
        self.add_module("normalization", nn.BatchNorm1d(channels))
        self.add_module("activation", nn.GELU())
        self.add_module("convolution", nn.Conv1d(channels, filters, kernel, padding="same"))


class Added(nn.Module):
    """A layer whose answers are added to its input."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, features: Tensor) -> Tensor:
        """Map features to the same shape."""
        return features + self.layer(features)


def distance_features(length: int, count: int) -> Tensor:
    """Describe every distance between two positions.

    A third of the functions each are exponentials of the distance with half lives from 8 positions to the length,
    masks of the distances below 1, 3, 7 …, and gamma densities with means from a share of the length to all of it; half
    of all are multiplied by the distance's sign.

    Parameters
    ----------
    length
        Number of positions.
    count
        Number of functions, a multiple of 6.

    Returns
    -------
    torch.Tensor
        float32, shape ``(2 * length - 1, count)``, for distances from ``1 - length`` to ``length - 1``.
    """
    number = count // BASES
    signed = torch.arange(1 - length, length, dtype=torch.float64)[:, None]
    distances = signed.abs()
    half_lives = 2 ** torch.linspace(3, math.log2(max(length, 8)), number, dtype=torch.float64)
    exponentials = 0.5 ** (distances / half_lives)
    masks = (distances < 2 ** torch.arange(1, number + 1, dtype=torch.float64) - 1).double()
    means = torch.linspace(length / number, length, number, dtype=torch.float64)
    rates = means / (length / (2 * number)) ** 2
    shapes = means * rates
    logarithms = torch.xlogy(shapes - 1, distances) - rates * distances - torch.lgamma(shapes) + shapes * rates.log()
    densities = logarithms.exp() + 1e-8
    functions = torch.cat([exponentials, masks, densities / densities.max()], dim=1)
    return torch.cat([functions, signed.sign() * functions], dim=1).float()


class DistanceAttention(nn.Module):
    """Multi-head attention of which the weights depend on features and distances (Dai et al. 2019, arXiv:1901.02860).

    Parameters
    ----------
    width
        Features of a position.
    length
        Number of positions.
    heads
        Number of heads; each has an even share of the values.
    key_size
        Of each head's queries and keys.
    functions
        Number of functions of the distance, a multiple of 6.
    dropout, distance_dropout
        Share of the weights, and of the functions of the distance, set to zero in training.
    """

    distances: Tensor
    rows: Tensor

    def __init__(
        self,
        width: int,
        length: int,
        heads: int,
        key_size: int,
        functions: int,
        dropout: float = 0.05,
        distance_dropout: float = 0.01,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.queries = nn.Linear(width, heads * key_size, bias=False)
        self.keys = nn.Linear(width, heads * key_size, bias=False)
        self.values = nn.Linear(width, width, bias=False)
        self.distance_keys = nn.Linear(functions, heads * key_size, bias=False)
        self.content_bias = nn.Parameter(torch.zeros(heads, 1, key_size))
        self.distance_bias = nn.Parameter(torch.zeros(heads, 1, key_size))
        self.mixed = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.distance_dropout = nn.Dropout(distance_dropout)
        positions = torch.arange(length)
        self.register_buffer("distances", distance_features(length, functions), persistent=False)
        # For a position that looks, by row, and one that is looked at: which row of the distances.
        self.register_buffer("rows", positions[None] - positions[:, None] + length - 1, persistent=False)

    def weights(self, features: Tensor) -> Tensor:
        """Return how much each position looks at each other, ``(batch, heads, positions, positions)``."""
        queries, keys = split_heads(self.queries(features), self.heads), split_heads(self.keys(features), self.heads)
        queries = queries / math.sqrt(queries.shape[3])
        distance_keys = split_heads(self.distance_keys(self.distance_dropout(self.distances))[None], self.heads)
        by_distance = (queries + self.distance_bias) @ distance_keys.transpose(2, 3)
        rows = self.rows.expand(*by_distance.shape[:2], -1, -1)
        scores = (queries + self.content_bias) @ keys.transpose(2, 3) + by_distance.gather(3, rows)
        return scores.softmax(dim=3)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, positions, width)`` to the same shape."""
        mixed = self.dropout(self.weights(features)) @ split_heads(self.values(features), self.heads)
        return self.mixed(mixed.transpose(1, 2).flatten(2))


class EnformerLayer(nn.Module):
    """Attention and two dense layers, each behind layer normalisation and added to its input."""

    def __init__(self, width: int, attention: DistanceAttention, dropout: float) -> None:
        super().__init__()
        self.normalization = nn.LayerNorm(width)
        self.attention = attention
        self.dropout = nn.Dropout(dropout)
        self.dense = Added(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, 2 * width),
                nn.Dropout(dropout),
                nn.ReLU(),
                nn.Linear(2 * width, width),
                nn.Dropout(dropout),
            )
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, positions, width)`` to the same shape."""
        return self.dense(features + self.dropout(self.attention(self.normalization(features))))


class EnformerTrunk(nn.Module):
    """From bases to one vector: convolutions, transformer, and the mean over the bins in the middle."""

    def __init__(self, convolutions: nn.Sequential, layers: nn.ModuleList, last: nn.Sequential, read: slice) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.layers = layers
        self.last = last
        self.read = read

    def forward(self, sequence: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, 2 * width)``."""
        features = self.convolutions(sequence).transpose(1, 2)
        for layer in self.layers:
            features = layer(features)
        return self.last(features[:, self.read].transpose(1, 2)).mean(dim=2)

    def attention_weights(self, sequence: Tensor) -> Tensor:
        """Return the weights of all layers' heads, one layer's after the other's."""
        features, weights = self.convolutions(sequence).transpose(1, 2), []
        for layer in self.layers:
            assert isinstance(layer, EnformerLayer)
            weights.append(layer.attention.weights(layer.normalization(features)))
            features = layer(features)
        return torch.cat(weights, dim=1)


class Enformer(nn.Module):
    """Enformer (Avsec et al. 2021, Nat. Methods 18:1196, doi:10.1038/s41592-021-01252-x) for hand-sized windows.

    Published, for 196,608 bases, 5,313 human tracks and 896 bins of 128 bases:

    ==============  =========================================================================  ============  ===========
    layer           what                                                                       output         parameters
    ==============  =========================================================================  ============  ===========
    stem            768 filters of 15; added: normalised convolution of 1                      768 × 196,608     638,976
    pool            softmax pool of 2                                                          768 × 98,304      589,824
    6 × tower       normalised convolutions of 5 and, added, of 1, softmax pool of 2, with
                    768, 896, 1,024, 1,152, 1,280 and 1,536 filters                            1,536 × 1,536  49,649,152
    11 × attention  8 heads, keys of 64, values of 192, 192 functions of the distance          1,536 × 1,536  70,349,312
    11 × dense      3,072 units, ReLU                                                          1,536 × 1,536 103,893,504
    last            normalised convolution of 1, dropout, GELU                                 3,072 × 896     4,724,736
    output          softplus                                                                   5,313 × 896    16,326,849
    ==============  =========================================================================  ============  ===========

    That is 246,172,353 parameters, and no window of that length fits here: only a small configuration is shipped. A
    normalised convolution is batch normalisation, GELU and convolution. The layers are those of the authors' program
    (google-deepmind/deepmind-research, ``enformer.py``), and of lucidrains/enformer-pytorch.

    Different from there: one answer per window, from the mean over the bins in its middle, without softplus (the
    losses of real-valued labels have their own); an odd length loses its last position in a pool; the exact GELU
    instead of x sigmoid(1.702 x); attention's last layer begins as torch draws it instead of at zero. Other weights and
    biases are initialised as torch does, the attention's two biases at 0.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of outputs.
    filters
        Of the stem and of each block of the tower; the last is the transformer's width.
    kernels, pools
        One number for the stem and for each block of the tower.
    layers
        Of the transformer.
    heads, key_size, functions
        See :class:`DistanceAttention`.
    bins
        Pooled positions in the middle of the window of which the mean is taken, one more where the middle asks for
        it; 0 for all.
    dropout
        Share of features set to zero in training in the transformer; an eighth of it behind the last convolution.
    attention_dropout, distance_dropout
        See :class:`DistanceAttention`.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.

    Raises
    ------
    UserError
        The window is too short, or the width or the number of functions cannot be shared evenly.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (768, 768, 896, 1024, 1152, 1280, 1536),
        kernels: Sequence[int] = (15, 5, 5, 5, 5, 5, 5),
        pools: Sequence[int] = (2, 2, 2, 2, 2, 2, 2),
        layers: int = 11,
        heads: int = 8,
        key_size: int = 64,
        functions: int = 192,
        bins: int = 1,
        dropout: float = 0.4,
        attention_dropout: float = 0.05,
        distance_dropout: float = 0.01,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(filters=filters, kernels=kernels, pools=pools)
        self.input_length = input_length
        self.channels = channels
        convolutions, length = nn.Sequential(), input_length
        for number, (count, kernel, pool) in enumerate(zip(filters, kernels, pools, strict=True)):
            first = (
                NormalizedConvolution(channels, count, kernel)
                if number
                else nn.Conv1d(channels, count, kernel, padding="same")
            )
            block = nn.Sequential(first, Added(NormalizedConvolution(count, count)), SoftmaxPool(count, pool))
            convolutions.add_module(f"block{number}" if number else "stem", block)
            length, channels = pooled_length(length, pool), count
            check_length("Enformer", input_length, length)
        check_heads("Enformer", channels, heads)
        if functions < BASES or functions % BASES:
            raise UserError(f"model.architecture.functions: found {functions}, expected a multiple of {BASES}")
        stack = nn.ModuleList(
            EnformerLayer(
                channels,
                DistanceAttention(channels, length, heads, key_size, functions, attention_dropout, distance_dropout),
                dropout,
            )
            for _ in range(layers)
        )
        middle = min(bins, length) or length
        # Two positions where the window's middle lies between them, so that both strands are read alike.
        middle += (length - middle) % 2
        last = NormalizedConvolution(channels, 2 * channels)
        last.add_module("dropout", nn.Dropout(dropout / 8))
        last.add_module("last_activation", nn.GELU())
        self.trunk = EnformerTrunk(convolutions, stack, last, central(length, middle))
        self.head = DenseHead(2 * channels, 0, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to outputs, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))

    def attention_weights(self, views: Mapping[str, Tensor]) -> Tensor:
        """Return how much each pooled position looks at each other, ``(batch, layers * heads, positions, positions)``.

        All heads of the first layer come first. Rows, the third dimension, are the positions that look; they sum to 1.
        """
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.trunk.attention_weights(views["sequence"])
