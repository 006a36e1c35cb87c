"""A small convolutional network that pools by attention and tells what it looks at."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_layers
from lociflow.models.attention_layers import AttentionPool
from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import check_length, check_sequence, convolved_length, pooled_length


class AttentionPoolTrunk(nn.Module):
    """Convolutions and an attention pool in place of a flattening.

    Parameters
    ----------
    blocks
        From bases to features.
    pool
        Over the positions.
    """

    def __init__(self, blocks: nn.Sequential, pool: AttentionPool) -> None:
        super().__init__()
        self.blocks = blocks
        self.pool = pool

    def forward(self, sequence: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, features)``."""
        return self.pool(self.blocks(sequence)).features


class AttentionPoolNetwork(nn.Module):
    """Convolutions, attention pooling, one hidden layer.

    Attention pooling as in Yang et al. 2016 (Proc. NAACL, 1480, doi:10.18653/v1/N16-1174), there over words and
    sentences; the convolutions and all sizes are this package's. By default, for 240 bases and 6 targets:

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    64 filters of 19, batch normalisation                64 × 222           4,992
    pool    maximum of 8, ReLU                                   64 × 27                0
    conv    96 filters of 5, batch normalisation, ReLU           96 × 23           30,912
    pool    weighted means of 4 heads, by 32 hidden units        384                3,232
    dense   128 units, ReLU                                      128               49,280
    output  linear                                               6                    774
    ======  ===================================================  ============  ==========

    Weights and biases are initialised as torch does.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of outputs.
    filters, kernels, pools, dropouts
        One number per block of convolution, batch normalisation, pooling, ReLU and dropout.
    heads, units
        Of the attention pool.
    hidden
        Units of the hidden layer; 0 for none.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (64, 96),
        kernels: Sequence[int] = (19, 5),
        pools: Sequence[int] = (8, 1),
        dropouts: Sequence[float] = (0.1, 0.1),
        heads: int = 4,
        units: int = 32,
        hidden: int = 128,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(filters=filters, kernels=kernels, pools=pools, dropouts=dropouts)
        self.input_length = input_length
        self.channels = channels
        blocks, length = nn.Sequential(), input_length
        for number, (count, kernel, pool, dropout) in enumerate(
            zip(filters, kernels, pools, dropouts, strict=True), start=1
        ):
            block = ConvolutionBlock(channels, count, kernel, pool, dropout, batch_norm=True)
            if number == 1:
                initialise_thresholds(block, initial_threshold)
            blocks.add_module(f"block{number}", block)
            length, channels = pooled_length(convolved_length(length, kernel), pool), count
            check_length("AttentionPoolNetwork", input_length, length)
        self.trunk = AttentionPoolTrunk(blocks, AttentionPool(channels, units, heads))
        self.head = DenseHead(heads * channels, hidden, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to outputs, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))

    def attention_weights(self, views: Mapping[str, Tensor]) -> Tensor:
        """Return what the pool looks at, ``(batch, heads, positions)``; they sum to 1 over the positions."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.trunk.pool(self.trunk.blocks(views["sequence"])).weights
