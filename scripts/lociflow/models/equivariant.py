"""A convolutional network that says the same of a sequence and of its reverse complement."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_bases, check_layers
from lociflow.models.blocks import initialise_thresholds
from lociflow.models.layers import check_length, check_sequence, convolved_length, pooled_length
from lociflow.models.strand_pairs import PairedBlock, PairedHead


class EquivariantCNN(nn.Module):
    """Reverse-complement parameter sharing (Shrikumar, Greenside & Kundaje 2017, bioRxiv, doi:10.1101/103663).

    Every filter has a twin with its weights read backwards and complemented, in the first layer between bases and in
    the later ones between channels; the two share the statistics of batch normalisation. The last layer sees the sum of
    both strands, so that f(x) = f(reverse complement of x) holds for all weights, in training too but for dropout. That
    is right where a label belongs to both strands, and wrong where it has a strand. Zhou et al. (2022, Proc. Mach.
    Learn. Res. 165) compare this with augmentation and with averaging, which change nothing here.

    The papers do not share one network. These layers are DeepSEA's, half its numbers in pairs, with batch
    normalisation; for 1,000 bases and 919 targets:

    ======  =====================================================  ============  ==========
    layer   what                                                   output        parameters
    ======  =====================================================  ============  ==========
    conv    160 pairs of 8, batch normalisation, pool 4, ReLU      320 × 248          5,440
    conv    240 pairs of 8, batch normalisation, pool 4, ReLU      480 × 60         614,880
    conv    480 pairs of 8, batch normalisation, ReLU              960 × 53       1,844,160
    dense   462 pairs of units, ReLU                               924           23,507,022
    sum     of both strands                                        462                    0
    output  919 sigmoids                                           919              425,497
    ======  =====================================================  ============  ==========

    That is 26,396,999 parameters: a pair has those of one filter.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernels, pools, dropouts
        One number per block of convolution, batch normalisation, pooling, ReLU and dropout; ``filters`` counts pairs, a
        pool of 1 is none.
    hidden
        Pairs of hidden units; 0 for none.
    head_dropout
        Share of the hidden units set to zero in training.
    batch_norm
        Whether each convolution is followed by batch normalisation.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`.
    channels
        4: only DNA has a reverse complement.

    Raises
    ------
    UserError
        The sequence is not DNA, or too short.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (160, 240, 480),
        kernels: Sequence[int] = (8, 8, 8),
        pools: Sequence[int] = (4, 4, 1),
        dropouts: Sequence[float] = (0.2, 0.2, 0.5),
        hidden: int = 462,
        head_dropout: float = 0.0,
        batch_norm: bool = True,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_bases("a reverse-complement equivariant network", channels)
        check_layers(filters=filters, kernels=kernels, pools=pools, dropouts=dropouts)
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        length = input_length
        for number, (count, kernel, pool, dropout) in enumerate(
            zip(filters, kernels, pools, dropouts, strict=True), start=1
        ):
            length = convolved_length(length, kernel)
            check_length("EquivariantCNN", input_length, pooled_length(length, pool))
            block = PairedBlock(channels, count, kernel, length, pool, dropout, batch_norm)
            if number == 1:
                initialise_thresholds(block, initial_threshold)
            self.trunk.add_module(f"block{number}", block)
            length, channels = pooled_length(length, pool), 2 * count
        self.head = PairedHead(channels // 2, length, hidden, n_targets, head_dropout)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, 4, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
