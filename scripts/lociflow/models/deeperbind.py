"""DeeperBind: one layer of motif detectors and stacked LSTMs."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_layers
from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import (
    check_length,
    check_sequence,
    convolved_length,
    initialise_glorot,
    initialise_lstm_as_keras,
    pooled_length,
    recur,
)


class StackedLSTM(nn.Module):
    """LSTMs one on the other, from left to right, each with dropout; what the last one says at the last step.

    Each gate has one bias: torch's second bias vector is held at zero and is not trained.

    Parameters
    ----------
    channels
        Of the input.
    units
        Of each LSTM.
    dropout
        Share of each LSTM's answers set to zero in training.
    """

    def __init__(self, channels: int, units: Sequence[int], dropout: float) -> None:
        super().__init__()
        inputs = [channels, *units[:-1]]
        self.lstms = nn.ModuleList(
            nn.LSTM(before, size, batch_first=True) for before, size in zip(inputs, units, strict=True)
        )
        self.dropouts = nn.ModuleList(nn.Dropout(dropout) for _ in units)
        for lstm in self.lstms:
            assert isinstance(lstm, nn.LSTM)
            initialise_lstm_as_keras(lstm)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, units, 1)``."""
        for lstm, dropout in zip(self.lstms, self.dropouts, strict=True):
            assert isinstance(lstm, nn.LSTM)
            features = dropout(recur(lstm, features))
        return features[..., -1:]


class DeeperBind(nn.Module):
    """DeeperBind (Hassanzadeh & Wang 2016, IEEE BIBM, 178, doi:10.1109/BIBM.2016.7822515).

    For one protein-binding microarray and probes of 35 bases:

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    5 filters of 11, ReLU                                5 × 25               225
    LSTM    30 units, left to right, dropout 0.2                 30 × 25            4,320
    LSTM    20 units, left to right, dropout 0.2                 20 (last step)     4,080
    output  linear                                               1                     21
    ======  ===================================================  ============  ==========

    That is 8,646 parameters. The table is what the authors' program does with its model ``CNN_LSTM`` and otherwise by
    default (hassanzadeh/DeeperBind, ``model.lua``, ``run.lua``), with no pooling and one bias per gate; it was not
    compared with the paper's own numbers, which chooses some settings for each protein.

    Initialised as :class:`~lociflow.models.danq.DanQ`: weights Glorot uniform, recurrent weights orthogonal, biases 0,
    forget gates' 1.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of outputs.
    filters, kernel
        Number and length of the convolution's filters.
    pool
        Length and stride of the pooling windows; 1 for none, as published.
    units
        Of each LSTM.
    dropout
        Share of features set to zero in training after each LSTM.
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
        filters: int = 5,
        kernel: int = 11,
        pool: int = 1,
        units: Sequence[int] = (30, 20),
        dropout: float = 0.2,
        batch_norm: bool = False,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(units=units)
        check_length("DeeperBind", input_length, pooled_length(convolved_length(input_length, kernel), pool))
        self.input_length = input_length
        self.channels = channels
        block = ConvolutionBlock(channels, filters, kernel, pool, batch_norm=batch_norm)
        self.trunk = nn.Sequential()
        self.trunk.add_module("block1", block)
        self.trunk.add_module("recurrent", StackedLSTM(filters, units, dropout))
        self.head = DenseHead(units[-1], 0, n_targets)
        initialise_glorot(self.modules())
        initialise_thresholds(block, initial_threshold)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to outputs, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
