"""DeepSEA: three layers of convolutions."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_layers
from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import check_length, check_sequence, convolved_length, pooled_length
from lociflow.models.maximum_norm import limit_weight_norm


class DeepSEA(nn.Module):
    """DeepSEA (Zhou & Troyanskaya 2015, Nat. Methods 12:931, doi:10.1038/nmeth.3547).

    Published, for 1,000 bases and 919 targets:

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    320 filters of 8, ReLU                               320 × 993         10,560
    pool    maximum of 4, dropout 0.2                            320 × 248              0
    conv    480 filters of 8, ReLU                               480 × 241      1,229,280
    pool    maximum of 4, dropout 0.2                            480 × 60               0
    conv    960 filters of 8, ReLU, dropout 0.5                  960 × 53       3,687,360
    dense   925 units, ReLU                                      925           47,064,925
    output  919 sigmoids                                         919              850,994
    ======  ===================================================  ============  ==========

    That is 52,843,119 parameters; the table agrees with the authors' network as Kipoi converted it (kipoi/models,
    ``DeepSEA/model_architecture.py``). That conversion has a threshold which gives 1e-6 instead of 0 below zero, here a
    plain ReLU. The L1 penalty of 1e-8 on the last hidden layer's activations is not applied.

    Weights and biases are initialised as torch does, which is also what the Lua torch of the paper did: uniform within
    ±1 / √fan-in.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernels, pools, dropouts
        One number per block of convolution, ReLU, pooling and dropout; a pool of 1 is none.
    hidden
        Units of the hidden layer; 0 for none.
    batch_norm
        Whether each convolution is followed by batch normalisation; not published.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    weight_norm
        Largest norm of the weights that lead into a filter or unit; None for no limit, 0.9 as published.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (320, 480, 960),
        kernels: Sequence[int] = (8, 8, 8),
        pools: Sequence[int] = (4, 4, 1),
        dropouts: Sequence[float] = (0.2, 0.2, 0.5),
        hidden: int = 925,
        batch_norm: bool = False,
        initial_threshold: float = 0.0,
        channels: int = 4,
        weight_norm: float | None = None,
    ) -> None:
        super().__init__()
        check_layers(filters=filters, kernels=kernels, pools=pools, dropouts=dropouts)
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        length = input_length
        for number, (count, kernel, pool, dropout) in enumerate(
            zip(filters, kernels, pools, dropouts, strict=True), start=1
        ):
            block = ConvolutionBlock(channels, count, kernel, pool, dropout, batch_norm)
            if number == 1:
                initialise_thresholds(block, initial_threshold)
            self.trunk.add_module(f"block{number}", block)
            length, channels = pooled_length(convolved_length(length, kernel), pool), count
            check_length("DeepSEA", input_length, length)
        self.head = DenseHead(channels * length, hidden, n_targets)
        if weight_norm is not None:
            limit_weight_norm(self.modules(), weight_norm)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
