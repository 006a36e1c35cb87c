"""CNNProm: one layer of convolutions for promoters."""

from collections.abc import Mapping

from torch import Tensor, nn

from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import GLOBAL, check_length, check_sequence, convolved_length, pooled_length


class CNNProm(nn.Module):
    """CNNProm (Umarov & Solovyev 2017, PLoS ONE 12:e0171410, doi:10.1371/journal.pone.0171410).

    Published, for human promoters with a TATA box, 251 bases around the start of transcription:

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    200 filters of 21, ReLU                              200 × 231         17,000
    pool    maximum of 4                                         200 × 57               0
    dense   128 units, ReLU                                      128            1,459,328
    output  1                                                    1                    129
    ======  ===================================================  ============  ==========

    That is 1,476,457 parameters; for human promoters without a TATA box there are 300 filters and the maximum over all
    231 positions: 64,157. Both agree with one independent implementation (ivanpmartell/masters-thesis 5c4f2b2,
    ``CNNPROM/module.py``); the paper's own table and its supplement were not at hand. The networks for bacteria and
    plants have other numbers and were not checked.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernel
        Number and length of the convolution's filters.
    pool
        Length and stride of the pooling windows; 0 pools over all positions.
    hidden
        Units of the hidden layer; 0 for none.
    dropout
        Share of the pooled features set to zero in training; 0 as published.
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
        kernel: int = 21,
        pool: int = 4,
        hidden: int = 128,
        dropout: float = 0.0,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        positions = convolved_length(input_length, kernel)
        check_length("CNNProm", input_length, positions)
        window = positions if pool == GLOBAL else pool
        length = pooled_length(positions, window)
        check_length("CNNProm", input_length, length)
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        block = ConvolutionBlock(channels, filters, kernel, window, dropout)
        initialise_thresholds(block, initial_threshold)
        self.trunk.add_module("block1", block)
        self.head = DenseHead(filters * length, hidden, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
