"""Beluga: three pairs of convolutions."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_layers
from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import check_length, check_sequence, convolved_length, pooled_length


class Beluga(nn.Module):
    """Beluga, the network of ExPecto (Zhou et al. 2018, Nat. Genet. 50:1171, doi:10.1038/s41588-018-0160-6).

    Published, for 2,000 bases and 2,002 targets:

    ======  ===================================================  ============  ===========
    layer   what                                                 output         parameters
    ======  ===================================================  ============  ===========
    conv    320 filters of 8, ReLU                               320 × 1,993        10,560
    conv    320 filters of 8, ReLU, dropout 0.2                  320 × 1,986       819,520
    pool    maximum of 4                                         320 × 496               0
    conv    480 filters of 8, ReLU                               480 × 489       1,229,280
    conv    480 filters of 8, ReLU, dropout 0.2                  480 × 482       1,843,680
    pool    maximum of 4                                         480 × 120               0
    conv    640 filters of 8, ReLU                               640 × 113       2,458,240
    conv    640 filters of 8, ReLU, dropout 0.5                  640 × 106       3,277,440
    dense   2,003 units, ReLU                                    2,003         135,885,523
    output  2,002 sigmoids                                       2,002           4,012,008
    ======  ===================================================  ============  ===========

    That is 149,536,251 parameters. The table agrees with the torch code that several projects load the authors' weights
    into (those of kipoi/models, ``DeepSEA/beluga``).

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernels, pools, dropouts
        One number per pair of convolutions; the dropout comes before the pooling, a pool of 1 is none.
    hidden
        Units of the hidden layer; 0 for none.
    batch_norm
        Whether each convolution is followed by batch normalisation; not published.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (320, 480, 640),
        kernels: Sequence[int] = (8, 8, 8),
        pools: Sequence[int] = (4, 4, 1),
        dropouts: Sequence[float] = (0.2, 0.2, 0.5),
        hidden: int = 2003,
        batch_norm: bool = False,
        initial_threshold: float = 0.0,
        channels: int = 4,
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
            first = ConvolutionBlock(channels, count, kernel, batch_norm=batch_norm)
            second = ConvolutionBlock(count, count, kernel, 1, dropout, batch_norm)
            if number == 1:
                initialise_thresholds(first, initial_threshold)
            self.trunk.add_module(f"block{2 * number - 1}", first)
            self.trunk.add_module(f"block{2 * number}", second)
            if pool > 1:
                self.trunk.add_module(f"pool{number}", nn.MaxPool1d(pool))
            length = pooled_length(convolved_length(convolved_length(length, kernel), kernel), pool)
            check_length("Beluga", input_length, length)
            channels = count
        self.head = DenseHead(channels * length, hidden, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
