"""A residual network whose depth is a parameter."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_layers, check_odd
from lociflow.models.blocks import PreactivationUnit, SameLengthBlock, initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import GlobalPool, check_length, check_sequence, pooled_length


class ResNet(nn.Module):
    """Pre-activation residual network (He, Zhang, Ren & Sun 2016, ECCV, doi:10.1007/978-3-319-46493-0_38).

    The design is theirs: a first convolution, stages of residual units of which the first of every stage but the first
    halves the length, batch normalisation and ReLU, a mean over all positions, one linear layer. Their networks are for
    images; kernels, widths and the pool behind the first convolution are this package's, and no published table of
    layers is followed. For 240 bases and 6 targets:

    ========  =================================================================  ========  ==========
    layer     what                                                               output    parameters
    ========  =================================================================  ========  ==========
    stem      64 filters of 19, batch normalisation, maximum of 4, ReLU          64 × 60        4,992
    stage 1   2 units of twice 64 filters of 3                                   64 × 60       49,664
    stage 2   the same, 96 filters, first convolution of stride 2                96 × 30      108,224
    stage 3   the same, 128 filters, first convolution of stride 2               128 × 15     197,568
    last      batch normalisation, ReLU, mean over the positions                 128              256
    output    linear                                                             6                774
    ========  =================================================================  ========  ==========

    That is 361,478 parameters.

    With n units a stage the depth is 2 + 2 n × stages, the convolutions of the units, the stem and the output.

    Weights and biases are initialised as torch does.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters
        One number per stage.
    units
        Residual units of each stage.
    kernel
        Length of the filters of the units; odd.
    stem_kernel, stem_pool
        Length of the filters of the first layer, and of its pooling windows.
    pooling
        Over all positions, before the output: "average", "max" or both.
    dropout
        Share of features set to zero in training, inside each unit.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.

    Raises
    ------
    UserError
        The window is too short, there are no stages, or ``kernel`` is even.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (64, 96, 128),
        units: int = 2,
        kernel: int = 3,
        stem_kernel: int = 19,
        stem_pool: int = 4,
        pooling: Sequence[str] = ("average",),
        dropout: float = 0.0,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(filters=filters)
        check_odd(kernel=kernel)
        length = pooled_length(input_length, stem_pool)
        check_length("ResNet", input_length, length)
        self.input_length = input_length
        self.channels = channels
        self.depth = 2 + 2 * units * len(filters)
        self.trunk = nn.Sequential()
        stem = SameLengthBlock(channels, filters[0], stem_kernel, stem_pool, batch_norm=True)
        initialise_thresholds(stem, initial_threshold)
        self.trunk.add_module("stem", stem)
        width = filters[0]
        for number, count in enumerate(filters, start=1):
            stage = nn.Sequential()
            for unit in range(1, units + 1):
                stride = 2 if number > 1 and unit == 1 else 1
                length = -(-length // stride)
                stage.add_module(f"unit{unit}", PreactivationUnit(width, count, kernel, stride=stride, dropout=dropout))
                width = count
            self.trunk.add_module(f"stage{number}", stage)
        self.trunk.add_module("normalization", nn.BatchNorm1d(width))
        self.trunk.add_module("activation", nn.ReLU())
        self.pool = GlobalPool(pooling, length)
        self.head = DenseHead(width * len(pooling), 0, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.pool(self.trunk(views["sequence"])))
