"""Heads: from a trunk's features to one logit per target."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn


class DenseHead(nn.Sequential):
    """Flatten, one hidden layer with ReLU (none where ``hidden`` is 0), dropout, one logit per target.

    Parameters
    ----------
    features
        Number of the trunk's features after flattening.
    hidden
        Units of the hidden layer.
    n_targets
        Number of logits.
    dropout
        Share of the hidden units set to zero in training.
    """

    def __init__(self, features: int, hidden: int, n_targets: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.add_module("flatten", nn.Flatten())
        if hidden > 0:
            self.add_module("hidden", nn.Linear(features, hidden))
            self.add_module("activation", nn.ReLU())
            features = hidden
        if dropout > 0:
            self.add_module("dropout", nn.Dropout(dropout))
        self.add_module("output", nn.Linear(features, n_targets))


class StackedHead(nn.Sequential):
    """Flatten, hidden layers of linear map, batch normalisation, ReLU and dropout, one number per target.

    Parameters
    ----------
    features
        Number of the trunk's features after flattening.
    hidden
        Units of each hidden layer; empty for none.
    n_targets
        Number of outputs.
    dropout
        Share of the units of each hidden layer set to zero in training.
    batch_norm
        Whether hidden layers have batch normalisation; their linear maps have no bias then.
    """

    def __init__(
        self, features: int, hidden: Sequence[int], n_targets: int, dropout: float = 0.0, batch_norm: bool = False
    ) -> None:
        super().__init__()
        features = add_hidden_layers(self, features, hidden, dropout, batch_norm)
        self.add_module("output", nn.Linear(features, n_targets))


def add_hidden_layers(
    layers: nn.Sequential, features: int, hidden: Sequence[int], dropout: float, batch_norm: bool = False
) -> int:
    """Add a flattening and hidden layers, as in :class:`StackedHead`, and return the number of their features."""
    layers.add_module("flatten", nn.Flatten())
    for number, units in enumerate(hidden, start=1):
        layers.add_module(f"hidden{number}", nn.Linear(features, units, bias=not batch_norm))
        if batch_norm:
            layers.add_module(f"normalization{number}", nn.BatchNorm1d(units))
        layers.add_module(f"activation{number}", nn.ReLU())
        if dropout > 0:
            layers.add_module(f"dropout{number}", nn.Dropout(dropout))
        features = units
    return features


class ProfileOutput(NamedTuple):
    """What a profile model gives for each bin and target."""

    profile: Tensor
    """Logits along the bin, shape ``(batch, positions, targets)``: their softmax over the positions is the profile."""
    counts: Tensor
    """Logarithm of 1 + the sum of the signal over the bin, shape ``(batch, targets)``."""


def output_layer(model: nn.Module) -> nn.Linear | nn.Conv1d:
    """Return a model's last layer: ``head.output`` in every architecture, ``head.counts`` in those of profiles."""
    head = model.get_submodule("head")
    return cast(nn.Linear | nn.Conv1d, getattr(head, "output", None) or head.get_submodule("counts"))


def output_name(model: nn.Module) -> str:
    """Return the name of :func:`output_layer` among a model's sub-modules."""
    last = output_layer(model)
    return next(name for name, module in model.named_modules() if module is last)


def set_output_bias(model: nn.Module, outputs: np.ndarray) -> None:
    """Begin with what is known without any sequence, so that the first epochs are not spent on learning it.

    Parameters
    ----------
    model
        Its last layer's bias is overwritten.
    outputs
        What the layer says at first, such as each target's log odds, shape ``(columns,)``.
    """
    bias = output_layer(model).bias
    if bias is None:
        return
    with torch.no_grad():
        bias.copy_(torch.from_numpy(outputs))


def central(length: int, part: int) -> slice:
    """Return the ``part`` positions in the middle of ``length``; an odd one that is left over stays on the right."""
    if part > length:
        raise ValueError(f"found {part} positions in the middle of {length}, expected at most as many")
    start = (length - part) // 2
    return slice(start, start + part)


class PositionHead(nn.Module):
    """One number per target for each of the positions in the middle, each from that position's features alone.

    Parameters
    ----------
    channels
        Of the features.
    n_targets
        Numbers per position.
    positions
        In the middle of the features.
    """

    def __init__(self, channels: int, n_targets: int, positions: int) -> None:
        super().__init__()
        self.positions = positions
        self.output = nn.Conv1d(channels, n_targets, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to logits, ``(batch, positions, n_targets)``."""
        middle = features[..., central(features.shape[-1], self.positions)]
        return self.output(middle).transpose(1, 2)
