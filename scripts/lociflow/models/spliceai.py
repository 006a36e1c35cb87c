"""SpliceAI: dilated residual convolutions with an answer per base."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.arguments import check_at_least, check_layers, check_odd
from lociflow.models.blocks import PreactivationUnit
from lociflow.models.heads import PositionHead, central
from lociflow.models.layers import check_sequence


class SpliceAIBlock(nn.Module):
    """Residual units in a row, and the convolution of kernel 1 by which they reach the output."""

    def __init__(self, filters: int, kernels: Sequence[int], dilations: Sequence[int]) -> None:
        super().__init__()
        self.units = nn.Sequential()
        for number, (kernel, dilation) in enumerate(zip(kernels, dilations, strict=True), start=1):
            self.units.add_module(f"unit{number}", PreactivationUnit(filters, filters, kernel, dilation, bias=True))
        self.skip = nn.Conv1d(filters, filters, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``(batch, filters, length)`` to features for the next block and for the output, of the same shape."""
        features = self.units(features)
        return features, self.skip(features)


class SpliceAITrunk(nn.Module):
    """From bases to features of the same length: the sum of what every block hands to the output."""

    def __init__(
        self, channels: int, filters: int, kernels: Sequence[int], dilations: Sequence[int], units_per_block: int
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels, filters, 1)
        self.skip = nn.Conv1d(filters, filters, 1)
        self.blocks: list[str] = []
        for number, start in enumerate(range(0, len(kernels), units_per_block), start=1):
            part = slice(start, start + units_per_block)
            self.blocks.append(f"block{number}")
            self.add_module(self.blocks[-1], SpliceAIBlock(filters, kernels[part], dilations[part]))

    def forward(self, sequence: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, filters, length)``."""
        features = self.convolution(sequence)
        total = self.skip(features)
        for name in self.blocks:
            features, skip = self.get_submodule(name)(features)
            total = total + skip
        return total


class SpliceAI(nn.Module):
    """SpliceAI (Jaganathan et al. 2019, Cell 176:535, doi:10.1016/j.cell.2018.12.015).

    Published, for three classes (neither, acceptor, donor) of each base, with 32 filters everywhere:

    ========  ===========================================  ========  ========  ========  ========
    layer     what                                             80nt     400nt        2k       10k
    ========  ===========================================  ========  ========  ========  ========
    conv      kernel 1                                          160       160       160       160
    skip      kernel 1                                        1,056     1,056     1,056     1,056
    4 units   kernel 11, dilation 1; skip                    91,936    91,936    91,936    91,936
    4 units   kernel 11, dilation 4; skip                              91,936    91,936    91,936
    4 units   kernel 21, dilation 10; skip                                      173,856   173,856
    4 units   kernel 41, dilation 25; skip                                                337,696
    output    kernel 1, softmax of 3                             99        99        99        99
    ========  ===========================================  ========  ========  ========  ========

    That is 93,251, 185,187, 359,043 and 696,739 parameters. A unit is batch normalisation, ReLU and dilated
    convolution, twice, added to its input; every 4 units a convolution of kernel 1 ("skip") hands the features to a sum
    from which the output is made. Layers, dilations and batch sizes agree with several copies of the authors' training
    script (``spliceai.py``, ``train_model.py``; one is amberT15/RNA_multitask 2d1aa67, ``replications/SpliceAI``); the
    paper's Figure S1 was not looked at itself.

    Convolutions are padded with zeros and what the padding can reach, half the context on either side, is cut off: an
    answer is a function of its base and the context alone, wherever it lies in a window. Bases of a window beyond the
    context are not read.

    Weights and biases are initialised as torch does, where the Keras of the paper draws Glorot uniform weights.

    Parameters
    ----------
    input_length
        Bases per window, at least ``positions`` plus the context.
    n_targets
        Logits per position.
    positions
        Labelled bases in the middle of a window.
    filters
        Of every convolution.
    kernels, dilations
        One number per residual unit; kernels are odd. The context is 2 Σ dilation (kernel - 1) bases.
    units_per_block
        Residual units between two skip connections.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.

    Raises
    ------
    UserError
        The window is shorter than positions and context, a kernel is even, or lists do not match.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        positions: int,
        filters: int = 32,
        kernels: Sequence[int] = (11, 11, 11, 11),
        dilations: Sequence[int] = (1, 1, 1, 1),
        units_per_block: int = 4,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(kernels=kernels, dilations=dilations)
        check_at_least(1, units_per_block=units_per_block)
        for kernel in kernels:
            check_odd(kernels=kernel)
        self.context = 2 * sum(dilation * (kernel - 1) for kernel, dilation in zip(kernels, dilations, strict=True))
        if input_length < positions + self.context:
            raise UserError(
                f"model.input_length: found {input_length} bases, expected at least {positions + self.context}, the "
                f"{positions} labelled bases of a bin and the {self.context} of SpliceAI's context; give it a longer "
                "window or smaller kernels and dilations"
            )
        self.input_length = input_length
        self.channels = channels
        self.read = central(input_length, positions + self.context)
        self.trunk = SpliceAITrunk(channels, filters, kernels, dilations, units_per_block)
        self.head = PositionHead(filters, n_targets, positions)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, positions, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"][..., self.read]))
