"""The variational autoencoder: codes are drawn from a distribution that stays close to a normal one."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.code_trunk import CodeTrunk, Decoder
from lociflow.models.layers import check_sequence


class CodeDistribution(NamedTuple):
    """Independent normal distributions of a window's code, each of shape ``(batch, code)``."""

    mean: Tensor
    log_variance: Tensor


class VariationalHead(Decoder):
    """The way back to sequence, and the variance of the code.

    Parameters
    ----------
    trunk, filters, kernels, pools, channels
        See :class:`~lociflow.models.code_trunk.Decoder`.
    """

    def __init__(
        self,
        trunk: CodeTrunk,
        filters: Sequence[int],
        kernels: Sequence[int],
        pools: Sequence[int],
        channels: int = 4,
    ) -> None:
        super().__init__(trunk, filters, kernels, pools, channels)
        self.log_variance = nn.Linear(trunk.size, trunk.code.out_features)


class VariationalAutoencoder(nn.Module):
    """A variational autoencoder of sequence (Kingma & Welling 2014, arXiv:1312.6114).

    Its trunk is that of :class:`~lociflow.models.autoencoder.Autoencoder`, whose code is the distribution's mean, so
    that a classifier on the code takes the weights of either. The variance's layer, z numbers from n features, has
    n z + z parameters more than that table.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        0: it is trained without targets.
    filters, kernels, pools, code, dropout, batch_norm, initial_threshold, channels
        See :class:`~lociflow.models.code_trunk.CodeTrunk`.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int = 0,
        filters: Sequence[int] = (64, 64),
        kernels: Sequence[int] = (11, 5),
        pools: Sequence[int] = (4, 4),
        code: int = 64,
        dropout: float = 0.0,
        batch_norm: bool = True,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        if n_targets:
            raise UserError(
                f"model.labels: VariationalAutoencoder was asked for {n_targets} outputs, expected labels: [none]; put "
                "labels on its code with lociflow.models.autoencoder.Autoencoder"
            )
        self.input_length = input_length
        self.channels = channels
        self.trunk = CodeTrunk(
            input_length, filters, kernels, pools, code, dropout, batch_norm, initial_threshold, channels
        )
        self.head = VariationalHead(self.trunk, filters, kernels, pools, channels)

    def distribution(self, sequence: Tensor) -> CodeDistribution:
        """Map one-hot windows, ``(batch, channels, input_length)``, to the distributions of their codes."""
        check_sequence(sequence, self.input_length, self.channels)
        features = self.trunk.features(sequence)
        return CodeDistribution(self.trunk.code(features), self.head.log_variance(features))

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to the bases' logits at the mean code, same shape."""
        return self.head(self.encode(views))

    def encode(self, views: Mapping[str, Tensor]) -> Tensor:
        """Return the means of the windows' codes, ``(batch, code)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.trunk(views["sequence"])


def draw_code(distribution: CodeDistribution, noise: Tensor) -> Tensor:
    """Turn standard normal noise, ``(batch, code)``, into a draw of the code."""
    return distribution.mean + torch.exp(distribution.log_variance / 2) * noise


def divergence(distribution: CodeDistribution) -> Tensor:
    """Return the Kullback-Leibler divergence of each window's code from a standard normal, in nats: ``(batch,)``."""
    mean, log_variance = distribution
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)
