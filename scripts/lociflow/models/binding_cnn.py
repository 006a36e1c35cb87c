"""A network for factors that bind a motif: is the motif there, and what is around its best sites."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lociflow.models.arguments import check_odd
from lociflow.models.blocks import initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import check_length, check_sequence, convolved_length, pooled_length


class Surroundings(nn.Sequential):
    """What is near what: local maximum, ReLU, dropout, a convolution padded with zeros, its global maximum, ReLU.

    Parameters
    ----------
    channels
        Of the input.
    length
        Of the input.
    filters, kernel
        Of the convolution; the kernel is odd.
    pool
        Length and stride of the local maximum.
    dropout
        Share of features set to zero in training; 0 leaves the dropout out.
    """

    def __init__(self, channels: int, length: int, filters: int, kernel: int, pool: int, dropout: float) -> None:
        super().__init__()
        self.add_module("pool", nn.MaxPool1d(pool))
        self.add_module("activation", nn.ReLU())
        if dropout > 0:
            self.add_module("dropout", nn.Dropout(dropout))
        self.add_module("convolution", nn.Conv1d(channels, filters, kernel, padding=kernel // 2, bias=False))
        self.add_module("normalization", nn.BatchNorm1d(filters))
        self.add_module("global_pool", nn.MaxPool1d(pooled_length(length, pool)))
        self.add_module("global_activation", nn.ReLU())


class MotifsAndSurroundings(nn.Module):
    """The trunk of :class:`BindingCNN`."""

    def __init__(
        self,
        channels: int,
        length: int,
        detectors: int,
        kernel: int,
        surroundings: Mapping[str, int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.detectors = nn.Sequential()
        self.detectors.add_module("convolution", nn.Conv1d(channels, detectors, kernel, bias=False))
        self.detectors.add_module("normalization", nn.BatchNorm1d(detectors))
        positions = convolved_length(length, kernel)
        self.best = nn.Sequential(nn.MaxPool1d(positions), nn.ReLU())
        self.surroundings = Surroundings(detectors, positions, dropout=dropout, **surroundings)
        self.dropout = nn.Dropout(dropout)

    def forward(self, sequence: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, detectors + filters, 1)``."""
        matches = self.detectors(sequence)
        return self.dropout(torch.cat([self.best(matches), self.surroundings(matches)], dim=1))


class BindingCNN(nn.Module):
    """DeepBind's detectors and global maximum, and beside them a second layer that sees a detector's surroundings.

    Not a published network. The first path is DeepBind's (Alipanahi, Delong, Weirauch & Frey 2015, Nat. Biotechnol.
    33:831, doi:10.1038/nbt.3300): each detector's best match in the window. The second is the second convolution of
    DeepSEA (Zhou & Troyanskaya 2015, Nat. Methods 12:931, doi:10.1038/nmeth.3547) with a global maximum. Both go to the
    targets through one linear map (wide and deep, Cheng et al. 2016, arXiv:1606.07792): a target whose motif decides
    needs only the first path, which the gradient reaches through a single layer.

    For 214 bases and 7 targets, with the default numbers:

    ============  ===================================================  ==========  ==========
    layer         what                                                 output      parameters
    ============  ===================================================  ==========  ==========
    detectors     128 filters of 15, batch normalisation               128 × 200        7,936
    best          maximum over all positions, ReLU                     128 × 1              0
    surroundings  maximum of 5, ReLU, dropout                          128 × 40             0
    ..            32 filters of 9, batch normalisation                 32 × 40         36,928
    ..            maximum over all positions, ReLU                     32 × 1               0
    output        dropout, linear                                      7                1,127
    ============  ===================================================  ==========  ==========

    That is 45,991 parameters. Nothing is padded before the detectors: in a window that is ``kernel`` - 1 bases longer
    than the bin, each of their positions has its centre in the bin, so that a site at the bin's border is seen whole
    and the sites of the next bin are not.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    detectors, kernel
        Number and length of the first filters.
    filters, second_kernel, pool
        Number and length (odd) of the second filters, and the bases over which the detectors' maximum is taken before.
    dropout
        In training, share of the features before the second convolution, and before the output, that is set to zero.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.

    Raises
    ------
    UserError
        The window is too short, or ``second_kernel`` is even.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        detectors: int = 128,
        kernel: int = 15,
        filters: int = 32,
        second_kernel: int = 9,
        pool: int = 5,
        dropout: float = 0.3,
        initial_threshold: float = 2.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_length("BindingCNN", input_length, pooled_length(convolved_length(input_length, kernel), pool))
        check_odd(second_kernel=second_kernel)
        self.input_length = input_length
        self.channels = channels
        second = {"filters": filters, "kernel": second_kernel, "pool": pool}
        self.trunk = MotifsAndSurroundings(channels, input_length, detectors, kernel, second, dropout)
        initialise_thresholds(self.trunk.detectors, initial_threshold)
        self.head = DenseHead(detectors + filters, 0, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
