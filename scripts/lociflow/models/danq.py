"""DanQ: one layer of convolutions and a bidirectional LSTM."""

from collections.abc import Mapping

from torch import Tensor, nn

from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import (
    BidirectionalLSTM,
    check_length,
    check_sequence,
    convolved_length,
    initialise_glorot,
    pooled_length,
)


class DanQ(nn.Module):
    """DanQ (Quang & Xie 2016, Nucleic Acids Res. 44:e107, doi:10.1093/nar/gkw226).

    Published, for 1,000 bases and 919 targets:

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    320 filters of 26, ReLU                              320 × 975         33,600
    pool    maximum of 13, dropout 0.2                           320 × 75               0
    LSTM    320 units in each direction, dropout 0.5             640 × 75       1,640,960
    dense   925 units, ReLU                                      925           44,400,925
    output  919 sigmoids                                         919              850,994
    ======  ===================================================  ============  ==========

    That is 46,926,479 trained parameters, checked against the authors' ``DanQ_train.py`` (uci-cbcl/DanQ). torch's LSTM
    carries a second bias vector per direction, 2,560 numbers more (46,929,039 in all), which is held at zero here. The
    gates of the Keras of the paper use a piecewise linear sigmoid ("hard sigmoid"), torch's the sigmoid itself.

    Initialised as Keras does since version 2: weights Glorot uniform, where the paper's Keras drew those of the
    convolution from ±0.05 (the limit is 0.027 here); recurrent weights orthogonal, biases 0, forget gates' 1.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernel
        Number and length of the convolution's filters.
    pool
        Length and stride of the pooling windows: the LSTM takes one step per window.
    units
        LSTM units per direction.
    hidden
        Units of the hidden layer; 0 for none.
    convolution_dropout, lstm_dropout
        Share of features set to zero in training after the pooling and after the LSTM.
    batch_norm
        Whether the convolution is followed by batch normalisation; not published.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: int = 320,
        kernel: int = 26,
        pool: int = 13,
        units: int = 320,
        hidden: int = 925,
        convolution_dropout: float = 0.2,
        lstm_dropout: float = 0.5,
        batch_norm: bool = False,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        steps = pooled_length(convolved_length(input_length, kernel), pool)
        check_length("DanQ", input_length, steps)
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        block = ConvolutionBlock(channels, filters, kernel, pool, convolution_dropout, batch_norm)
        self.trunk.add_module("block1", block)
        self.trunk.add_module("recurrent", BidirectionalLSTM(filters, units))
        self.trunk.add_module("dropout", nn.Dropout(lstm_dropout))
        # Flattened by step and then by unit in Keras, by unit and then by step here: the same network.
        self.head = DenseHead(2 * units * steps, hidden, n_targets)
        initialise_glorot(self.modules())
        initialise_thresholds(block, initial_threshold)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
