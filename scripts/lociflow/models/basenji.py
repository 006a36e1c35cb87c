"""Basenji: a tower of convolutions and pools, then dilated convolutions that pass everything on."""

import math
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_at_least, check_layers
from lociflow.models.blocks import DilatedDenseUnit, SameLengthBlock, initialise_thresholds
from lociflow.models.heads import DenseHead, central
from lociflow.models.layers import check_length, check_sequence, initialise_glorot


class Basenji(nn.Module):
    """Basenji (Kelley et al. 2018, Genome Res. 28:739, doi:10.1101/gr.227819.117).

    Published, for 131,072 bases in 1,024 bins of 128 and 4,229 coverage tracks; each convolution is followed by batch
    normalisation (no bias), ReLU, pooling and dropout of 0.05, of 0.1 in the dilated layers:

    ========  =======================================================  ===============  ==========
    layer     what                                                     output           parameters
    ========  =======================================================  ===============  ==========
    conv      312 filters of 22                                        312 × 131,072        28,080
    conv      368 filters of 1, maximum of 2                           368 × 65,536        115,552
    conv      435 filters of 6, maximum of 4                           435 × 16,384        961,350
    conv      514 filters of 6, maximum of 4                           514 × 4,096       1,342,568
    conv      607 filters of 6, maximum of 4                           607 × 1,024       1,873,202
    conv      717 filters of 3                                         717 × 1,024       1,307,091
    6 dilated 108 filters of 3, dilation 2 to 64, put beside           1,365 × 1,024     1,920,024
    conv      1,365 filters of 1                                       1,365 × 1,024     1,865,955
    output    4,229 rates                                              4,229 × 1,024     5,776,814
    ========  =======================================================  ===============  ==========

    That is 15,190,636 parameters. The table follows ``manuscript/params.txt`` and ``basenji/layers.py`` of
    calico/basenji (later versions of the model have 11 dilated residual layers instead); the paper's text was not
    compared. Here:

    - a window is answered for the bin in its middle, where the paper answers for all 1,024 bins of a window at once;
    - only what that bin can see is computed, ± 129 bins of 128 in the published network, so that most of a window of
      131,072 bases is not read;
    - the output is the logarithm of a Poisson rate, where the paper's link turns linear above a rate of 1.

    Weights are Glorot uniform, as theirs.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of outputs.
    filters, kernels, pools
        One number per convolution of the tower; a pool of 1 is none.
    dilated_filters, dilations
        Filters of each dilated layer, and one dilation per layer; their kernel is 3.
    final_filters
        Of the last convolution, of kernel 1.
    bins
        Pooled positions in the middle of a window of which the maximum is answered from: 1 as published, 0 for all.
    dropout, dilated_dropout
        Share of features set to zero in training.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (312, 368, 435, 514, 607, 717),
        kernels: Sequence[int] = (22, 1, 6, 6, 6, 3),
        pools: Sequence[int] = (1, 2, 4, 4, 4, 1),
        dilated_filters: int = 108,
        dilations: Sequence[int] = (2, 4, 8, 16, 32, 64),
        final_filters: int = 1365,
        bins: int = 1,
        dropout: float = 0.05,
        dilated_dropout: float = 0.1,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(filters=filters, kernels=kernels, pools=pools)
        for pool in pools:
            check_at_least(1, pools=pool)
        bases = math.prod(pools)
        steps = input_length // bases
        check_length("Basenji", input_length, steps)
        bins = min(bins, steps) or steps
        # As many steps to either side of the middle: one step less is read where they would be uneven.
        steps = min(steps - (steps - bins) % 2, bins + 2 * reach(kernels, pools, dilations))
        self.input_length = input_length
        self.channels = channels
        self.read = central(input_length, steps * bases)
        self.middle = central(steps, bins)
        self.trunk = nn.Sequential()
        for number, (count, kernel, pool) in enumerate(zip(filters, kernels, pools, strict=True), start=1):
            block = SameLengthBlock(channels, count, kernel, pool, dropout, batch_norm=True)
            self.trunk.add_module(f"block{number}", block)
            channels = count
        for number, dilation in enumerate(dilations, start=1):
            self.trunk.add_module(
                f"dilated{number}", DilatedDenseUnit(channels, dilated_filters, 3, dilation, dilated_dropout)
            )
            channels += dilated_filters
        self.trunk.add_module("final", SameLengthBlock(channels, final_filters, 1, 1, dropout, batch_norm=True))
        self.pool = nn.MaxPool1d(bins)
        self.head = DenseHead(final_filters, 0, n_targets)
        initialise_glorot(self.modules())
        first = self.trunk.get_submodule("block1")
        assert isinstance(first, SameLengthBlock)
        initialise_thresholds(first, initial_threshold)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to outputs, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        features = self.trunk(views["sequence"][..., self.read])
        return self.head(self.pool(features[..., self.middle]))


def reach(kernels: Sequence[int], pools: Sequence[int], dilations: Sequence[int]) -> int:
    """Return how many pooled positions to either side, at most, an answer of Basenji depends on."""
    scale, bases = 1, 0
    for kernel, pool in zip(kernels, pools, strict=True):
        bases += kernel // 2 * scale
        scale *= pool
    return math.ceil(bases / scale) + sum(dilations)
