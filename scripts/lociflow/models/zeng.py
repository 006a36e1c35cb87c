"""The grid of convolutional networks of Zeng et al.: layers, filters and pooling as parameters."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.arguments import check_layers
from lociflow.models.blocks import SameLengthBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import GLOBAL, check_length, check_sequence, pooled_length


class Zeng(nn.Module):
    """The networks of Zeng, Edwards, Liu & Gifford (2016, Bioinformatics 32:i121, doi:10.1093/bioinformatics/btw255).

    The paper varies layers, filters and pooling of DeepBind's network. Its best one, ``1layer_128motif``, for 101 bases
    and one target:

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    128 filters of 24, padded with zeros, ReLU           128 × 101         12,416
    pool    maximum over all positions                           128                    0
    dense   32 units, ReLU, dropout                              32                 4,128
    output  1                                                    1                     33
    ======  ===================================================  ============  ==========

    That is 16,577 parameters. The table agrees with the authors' ``example/model.py`` (gifford-lab/Keras-genomics), but
    that it has two outputs and a softmax; for two classes a logit says the same.

    The other networks of the grid are other numbers: one filter, 16 or 64 instead of 128; a local instead of the global
    pool (``pools: [11]``); more layers (``filters: [128, 32], kernels: [24, 5], pools: [11, 0]``). The paper's own
    numbers for more than one layer were not checked. Pooling windows do not overlap here.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernels
        One number per convolution.
    pools
        Length and stride of the pooling windows, one number per convolution; 0 pools over all positions, and only the
        last may; 1 is none.
    hidden
        Units of the hidden layer; 0 for none.
    dropout
        Share of the hidden units set to zero in training; the paper chooses from 0.1, 0.5 and 0.75.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.

    Raises
    ------
    UserError
        The window is too short, lists do not match, or another pool than the last is over all positions.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (128,),
        kernels: Sequence[int] = (24,),
        pools: Sequence[int] = (GLOBAL,),
        hidden: int = 32,
        dropout: float = 0.5,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(filters=filters, kernels=kernels, pools=pools)
        if GLOBAL in pools[:-1]:
            raise UserError(
                f"model.architecture.pools: found {list(pools)}, expected {GLOBAL}, a pool over all positions, in the "
                "last place alone; give the layers before it a pool of at least 1"
            )
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        length = input_length
        for number, (count, kernel, named) in enumerate(zip(filters, kernels, pools, strict=True), start=1):
            pool = length if named == GLOBAL else named
            block = SameLengthBlock(channels, count, kernel, pool)
            if number == 1:
                initialise_thresholds(block, initial_threshold)
            self.trunk.add_module(f"block{number}", block)
            length, channels = pooled_length(length, pool), count
            check_length("the network of Zeng et al.", input_length, length)
        self.head = DenseHead(channels * length, hidden, n_targets, dropout)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
