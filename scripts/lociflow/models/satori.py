"""SATORI: one layer of convolutions and self-attention."""

from collections.abc import Mapping

from torch import Tensor, nn

from lociflow.models.attention_layers import SelfAttention
from lociflow.models.blocks import SameLengthBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import check_length, check_sequence, pooled_length, recur


class RecurrentLayers(nn.Module):
    """A bidirectional LSTM of several layers, channels first, initialised as torch does."""

    def __init__(self, channels: int, units: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, units, layers, batch_first=True, bidirectional=True)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, 2 * units, length)``."""
        return recur(self.lstm, features)


class SatoriTrunk(nn.Module):
    """Convolution, perhaps an LSTM, self-attention, and the sum over all positions.

    Parameters
    ----------
    blocks
        From bases to features.
    attention
        Over the positions.
    features
        What the heads' answers have together.
    units
        Of the layer that mixes them.
    """

    def __init__(self, blocks: nn.Sequential, attention: SelfAttention, features: int, units: int) -> None:
        super().__init__()
        self.blocks = blocks
        self.attention = attention
        self.attention_activation = nn.ReLU()
        self.mixed = nn.Linear(features, units)
        self.activation = nn.ReLU()
        self.normalization = nn.LayerNorm(units, elementwise_affine=False)

    def forward(self, sequence: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, units)``."""
        attended = self.attention_activation(self.attention(self.positions(sequence)))
        return self.normalization(self.activation(self.mixed(attended)).sum(dim=1))

    def positions(self, sequence: Tensor) -> Tensor:
        """Return what attention is given, ``(batch, positions, features)``."""
        return self.blocks(sequence).transpose(1, 2)


class Satori(nn.Module):
    """SATORI (Ullah & Ben-Hur 2021, Nucleic Acids Res. 49:e77, doi:10.1093/nar/gkab349).

    For windows of 600 bases and 164 targets:

    ==========  ==================================================================  ============  ==========
    layer       what                                                                output        parameters
    ==========  ==================================================================  ============  ==========
    conv        200 filters of 13, padded, batch normalisation, ReLU                200 × 600         10,800
    pool        maximum of 6, dropout 0.2                                           200 × 100              0
    (LSTM)      (2 layers of 100 units in each direction, dropout 0.4)              (200 × 100)    (483,200)
    attention   8 heads of 32, dropout 0.2 on the weights, ReLU                     256 × 100        154,368
    dense       100 units at every position, ReLU                                   100 × 100         25,700
    readout     sum over the positions, normalised                                  100                    0
    output      linear                                                              164               16,564
    ==========  ==================================================================  ============  ==========

    That is 207,432 parameters, and 690,632 with the LSTM. Layers and sizes are those of the authors' program
    (fahadahaf/satori, ``src/models.py`` and both files of hyper-parameters); the window length and the 164 cell types
    are taken to be those of their human promoters, which was not verified.

    Two things differ. Their readout is normalised by mean and standard deviation of the whole batch; here each window
    is by its own 100 numbers, since a prediction may not depend on which windows share its batch. Their LSTM, which is
    not told that the batch comes first, steps from window to window; here it steps along the window.

    Weights and biases are initialised as torch does, which is also what theirs did.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernel, pool
        Of the convolution: number and length of the filters, length and stride of the pooling windows.
    lstm_units, lstm_layers
        Units per direction, and layers; 0 units for no LSTM.
    heads, head_size
        Of attention.
    units
        Of the dense layer.
    convolution_dropout, lstm_dropout, attention_dropout
        Share of features set to zero in training after convolution and LSTM, and of attention weights.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: int = 200,
        kernel: int = 13,
        pool: int = 6,
        lstm_units: int = 0,
        lstm_layers: int = 2,
        heads: int = 8,
        head_size: int = 32,
        units: int = 100,
        convolution_dropout: float = 0.2,
        lstm_dropout: float = 0.4,
        attention_dropout: float = 0.2,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_length("SATORI", input_length, pooled_length(input_length, pool))
        self.input_length = input_length
        self.channels = channels
        blocks = nn.Sequential()
        block = SameLengthBlock(channels, filters, kernel, pool, convolution_dropout, batch_norm=True)
        initialise_thresholds(block, initial_threshold)
        blocks.add_module("block1", block)
        features = filters
        if lstm_units:
            blocks.add_module("recurrent", RecurrentLayers(filters, lstm_units, lstm_layers))
            blocks.add_module("dropout", nn.Dropout(lstm_dropout))
            features = 2 * lstm_units
        attention = SelfAttention(features, heads, head_size, attention_dropout)
        self.trunk = SatoriTrunk(blocks, attention, heads * head_size, units)
        self.head = DenseHead(units, 0, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))

    def attention_weights(self, views: Mapping[str, Tensor]) -> Tensor:
        """Return how much each pooled position looks at each other, ``(batch, heads, positions, positions)``.

        Rows, the third dimension, are the positions that look; they sum to 1. Position i stands for the bases from
        ``pool * i`` on, ``pool`` of them, with half a filter more on either side.
        """
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.trunk.attention.weights(self.trunk.positions(views["sequence"]))
