"""Layers that torch lacks, the arithmetic of lengths, and initialisations."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.arguments import check_at_least

# As a length of pooling windows: all positions.
GLOBAL = 0
POOLS: Mapping[str, type[nn.Module]] = {"max": nn.MaxPool1d, "average": nn.AvgPool1d}


def convolved_length(length: int, kernel: int) -> int:
    """Return the length after a convolution of stride 1 without padding."""
    check_at_least(1, kernel=kernel)
    return length - kernel + 1


def pooled_length(length: int, pool: int) -> int:
    """Return the length after pooling by disjoint windows; an incomplete last window is dropped."""
    check_at_least(1, pool=pool)
    return length // pool


def check_length(model: str, input_length: int, remaining: int) -> None:
    """Refuse an input that the model's convolutions and pools leave nothing of.

    Raises
    ------
    UserError
        ``remaining``, the length before the head, is below 1.
    """
    if remaining < 1:
        raise UserError(
            f"model.input_length: {input_length} bases are too short for {model} with these kernels and pools; "
            "give it a longer window or smaller kernels and pools"
        )


def check_sequence(sequence: Tensor, input_length: int, channels: int = 4) -> None:
    """Refuse a batch whose shape is not ``(batch, channels, input_length)``.

    Raises
    ------
    ValueError
        It has another shape.
    """
    if sequence.ndim != 3 or sequence.shape[1:] != (channels, input_length):
        raise ValueError(f"sequence of shape {tuple(sequence.shape)}: expected (batch, {channels}, {input_length})")


class GlobalPool(nn.Module):
    """One number, or two, per channel: its maximum, its average or both, in the given order.

    The pools are modules with a fixed length, not functions, because attribution by DeepLIFT hooks modules.

    Parameters
    ----------
    pooling
        "max", "average" or both.
    length
        Of the features.

    Raises
    ------
    UserError
        There is no such pool, or none is named.
    """

    def __init__(self, pooling: Sequence[str], length: int) -> None:
        super().__init__()
        if not pooling or set(pooling) - set(POOLS):
            raise UserError(f"model.architecture.pooling: found {pooling}, expected a list of {', '.join(POOLS)}")
        self.pools = nn.ModuleList(POOLS[name](length) for name in pooling)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, channels * pools, 1)``."""
        return torch.cat([pool(features) for pool in self.pools], dim=1)


def recur(layer: nn.LSTM | nn.GRU, features: Tensor) -> Tensor:
    """Run a recurrent layer with ``batch_first`` on channels-first features, ``(batch, channels, length)``.

    On a CPU in full precision whatever else is mixed: there bfloat16 is refused by torch on some processors and sizes.
    """
    with torch.autocast("cpu", enabled=False):
        return layer(features.transpose(1, 2).to(next(layer.parameters()).dtype))[0].transpose(1, 2)


class BidirectionalLSTM(nn.Module):
    """An LSTM read in both directions, channels first.

    As in Keras, each gate has one bias: torch's second bias vector is held at zero and is not trained. Two trained ones
    would double the biases' learning rate, and the count of trained parameters would not be the published one.

    Parameters
    ----------
    channels
        Of the input.
    units
        Per direction.
    """

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, units, batch_first=True, bidirectional=True)
        initialise_lstm_as_keras(self.lstm)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, 2 * units, length)``."""
        return recur(self.lstm, features)


def initialise_lstm_as_keras(lstm: nn.LSTM) -> None:
    """Input weights Glorot uniform over the four gates, recurrent weights orthogonal, forget-gate bias 1, others 0."""
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight_ih"):
            for gate in parameter.data.chunk(4):
                nn.init.xavier_uniform_(gate)
        elif name.startswith("weight_hh"):
            for gate in parameter.data.chunk(4):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                # The order of torch's gates is input, forget, cell, output.
                parameter.data.chunk(4)[1].fill_(1.0)
            else:
                parameter.requires_grad_(False)


class BidirectionalGRU(nn.Module):
    """A gated recurrent unit (Cho et al. 2014, arXiv:1406.1078) read in both directions, channels first.

    Each gate has one bias, as in Lasagne: torch's second bias vector is held at zero and is not trained. Input weights
    begin Glorot uniform over the three gates, recurrent weights orthogonal, biases 0.

    Parameters
    ----------
    channels
        Of the input.
    units
        Per direction.
    """

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.gru = nn.GRU(channels, units, batch_first=True, bidirectional=True)
        for name, parameter in self.gru.named_parameters():
            if name.startswith("bias"):
                nn.init.zeros_(parameter)
                parameter.requires_grad_(name.startswith("bias_ih"))
                continue
            for gate in parameter.data.chunk(3):
                (nn.init.xavier_uniform_ if name.startswith("weight_ih") else nn.init.orthogonal_)(gate)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, 2 * units, length)``."""
        return recur(self.gru, features)


def initialise_glorot(modules: Iterator[nn.Module]) -> None:
    """Draw the weights of convolutions and linear layers from Glorot's uniform distribution; biases are 0."""
    for module in modules:
        if isinstance(module, nn.Conv1d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def count_parameters(model: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
