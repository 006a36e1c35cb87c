"""Heads: from a trunk's features to one logit per target."""

from typing import cast

import numpy as np
import torch
from torch import nn


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


def output_layer(model: nn.Module) -> nn.Linear:
    """Return a model's last layer, which every architecture keeps at ``head.output``."""
    return cast(nn.Linear, model.get_submodule("head.output"))


def set_output_bias(model: nn.Module, prevalence: np.ndarray) -> None:
    """Begin with each target's prior log odds, so that the first epochs are not spent on learning prevalences.

    Parameters
    ----------
    model
        Its last layer's bias is overwritten.
    prevalence
        Share of positives among the known labels, shape ``(targets,)``, between 0 and 1 exclusive.
    """
    with torch.no_grad():
        output_layer(model).bias.copy_(torch.from_numpy(np.log(prevalence) - np.log1p(-prevalence)))
