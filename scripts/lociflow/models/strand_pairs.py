"""Layers whose channels come in pairs, one of each strand.

Channel ``i`` on a sequence is what channel ``-1 - i`` is at the mirrored position on its reverse complement: flipping
channels and positions is the reverse complement, as it is of the one-hot sequence itself (A, C, G, T). A layer is
*equivariant* where flipping its input flips its output.
"""

import torch
from torch import Tensor, nn

from lociflow.models.layers import pooled_length


def fold_strands(features: Tensor) -> Tensor:
    """Lay the second strand behind the first: ``(batch, 2 * pairs, length)`` to ``(batch, pairs, 2 * length)``."""
    first, second = features.chunk(2, dim=1)
    return torch.cat([first, second.flip(1)], dim=2)


def unfold_strands(features: Tensor) -> Tensor:
    """Undo :func:`fold_strands`."""
    first, second = features.chunk(2, dim=2)
    return torch.cat([first, second.flip(1)], dim=1)


class PairedConvolution(nn.Conv1d):
    """A convolution without padding whose every filter has a twin that reads the other strand.

    Weight and bias are those of one filter of each pair: ``(filters, channels, kernel)`` and ``(filters,)``.

    Parameters
    ----------
    channels
        Of the input, both strands' together: 4 for the one-hot sequence.
    filters
        Pairs of the output, which has twice as many channels.
    kernel
        Length of a filter.
    bias
        Whether there is one.
    """

    def __init__(self, channels: int, filters: int, kernel: int, bias: bool = True) -> None:
        super().__init__(channels, filters, kernel, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, 2 * filters, length - kernel + 1)``."""
        weight = torch.cat([self.weight, self.weight.flip(0, 1, 2)])
        bias = None if self.bias is None else torch.cat([self.bias, self.bias.flip(0)])
        return nn.functional.conv1d(input, weight, bias)


class PairedNormalization(nn.Module):
    """Batch normalisation with one mean, variance, scale and shift for both channels of a pair.

    It holds torch's layer and is none, so that torch may replace that by the one that several GPUs share.

    Parameters
    ----------
    pairs
        Half the number of channels.
    """

    def __init__(self, pairs: int) -> None:
        super().__init__()
        self.folded = nn.BatchNorm1d(pairs)

    def forward(self, input: Tensor) -> Tensor:
        """Map ``(batch, 2 * pairs, length)`` to the same shape."""
        return unfold_strands(self.folded(fold_strands(input)))


class StrandSum(nn.Module):
    """The sum of both strands, the same for a sequence and its reverse complement."""

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, 2 * pairs, length)`` to ``(batch, pairs, length)``."""
        first, second = features.chunk(2, dim=1)
        return first + second.flip(1, 2)


class PairedBlock(nn.Sequential):
    """Paired convolution, paired batch normalisation, symmetric max pooling, ReLU, dropout.

    Pooling windows from the left are not those from the right where the length is no multiple of the window. An even
    remainder is cut off, half on each side. Of an odd one, one position cannot be shared out: windows are longer by
    one then, each beginning with the last position of the one before. The number of windows is the same.

    Parameters
    ----------
    channels
        Of the input, both strands' together.
    filters
        Pairs of the output.
    kernel
        Length of a filter.
    length
        Of what the convolution gives.
    pool
        Stride of the pooling windows; 1 leaves the pooling out.
    dropout
        Share of features set to zero in training; 0 leaves the dropout out.
    batch_norm
        Whether there is batch normalisation; the convolution has no bias then.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel: int,
        length: int,
        pool: int = 1,
        dropout: float = 0.0,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        self.add_module("convolution", PairedConvolution(channels, filters, kernel, bias=not batch_norm))
        if batch_norm:
            self.add_module("normalization", PairedNormalization(filters))
        if pool > 1:
            remainder = length - pool * pooled_length(length, pool)
            # A negative padding cuts off.
            self.add_module("crop", nn.ConstantPad1d(-(remainder // 2), 0.0))
            self.add_module("pool", nn.MaxPool1d(pool + remainder % 2, stride=pool))
        self.add_module("activation", nn.ReLU())
        if dropout > 0:
            self.add_module("dropout", nn.Dropout(dropout))


class PairedHead(nn.Sequential):
    """A hidden layer in pairs with ReLU (none where ``hidden`` is 0), the sum of both strands, one logit per target.

    The hidden layer is a paired convolution as long as the features.

    Parameters
    ----------
    pairs, length
        Of the trunk's features.
    hidden
        Pairs of hidden units.
    n_targets
        Number of logits.
    dropout
        Share of the hidden units set to zero in training.
    """

    def __init__(self, pairs: int, length: int, hidden: int, n_targets: int, dropout: float = 0.0) -> None:
        super().__init__()
        if hidden > 0:
            self.add_module("hidden", PairedConvolution(2 * pairs, hidden, length))
            self.add_module("activation", nn.ReLU())
            pairs, length = hidden, 1
        if dropout > 0:
            self.add_module("dropout", nn.Dropout(dropout))
        self.add_module("strands", StrandSum())
        self.add_module("flatten", nn.Flatten())
        self.add_module("output", nn.Linear(pairs * length, n_targets))
