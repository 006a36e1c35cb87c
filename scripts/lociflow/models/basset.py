"""Basset: three convolutions with batch normalisation and two hidden layers."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_layers
from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.heads import StackedHead
from lociflow.models.layers import check_length, check_sequence, convolved_length, pooled_length
from lociflow.models.maximum_norm import limit_weight_norm


class Basset(nn.Module):
    """Basset (Kelley, Snoek & Rinn 2016, Genome Res. 26:990, doi:10.1101/gr.200535.115).

    Published, for 600 bases and 164 targets:

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    300 filters of 19, batch normalisation, ReLU         300 × 582         23,400
    pool    maximum of 3                                         300 × 194              0
    conv    200 filters of 11, batch normalisation, ReLU         200 × 184        660,400
    pool    maximum of 4                                         200 × 46               0
    conv    200 filters of 7, batch normalisation, ReLU          200 × 40         280,400
    pool    maximum of 4                                         200 × 10               0
    dense   1,000 units, batch norm., ReLU, dropout 0.3          1,000          2,002,000
    dense   1,000 units, batch norm., ReLU, dropout 0.3          1,000          1,002,000
    output  164 sigmoids                                         164              164,164
    ======  ===================================================  ============  ==========

    That is 4,132,364 parameters. The authors' network has 2,700 more: biases in front of batch normalisation, which
    takes them off again; they are left out here. The table was checked against the authors' ``src/convnet.lua`` in an
    early copy (yukatherin/Basset 023cdb2); later states pad the convolutions. As there, the weights that lead into a
    filter or unit are scaled down where their norm exceeds a limit.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernels, pools
        One number per block of convolution, batch normalisation, ReLU and pooling; a pool of 1 is none.
    convolution_dropout
        Share of the features set to zero in training after each convolution; 0 as published.
    hidden
        Units of each hidden layer.
    dropout
        Share of the hidden units set to zero in training.
    weight_norm
        The largest norm of a filter's or unit's weights; None for no limit.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (300, 200, 200),
        kernels: Sequence[int] = (19, 11, 7),
        pools: Sequence[int] = (3, 4, 4),
        convolution_dropout: float = 0.0,
        hidden: Sequence[int] = (1000, 1000),
        dropout: float = 0.3,
        weight_norm: float | None = 7.0,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(filters=filters, kernels=kernels, pools=pools)
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        length = input_length
        for number, (count, kernel, pool) in enumerate(zip(filters, kernels, pools, strict=True), start=1):
            block = ConvolutionBlock(channels, count, kernel, pool, convolution_dropout, batch_norm=True)
            if number == 1:
                initialise_thresholds(block, initial_threshold)
            self.trunk.add_module(f"block{number}", block)
            length, channels = pooled_length(convolved_length(length, kernel), pool), count
            check_length("Basset", input_length, length)
        self.head = StackedHead(channels * length, hidden, n_targets, dropout, batch_norm=True)
        if weight_norm is not None:
            limit_weight_norm(self.modules(), weight_norm)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
