"""DeepBind: one layer of motif detectors and a global pool."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.blocks import initialise_thresholds
from lociflow.models.heads import DenseHead
from lociflow.models.layers import GlobalPool, check_length, check_sequence, convolved_length


class DeepBind(nn.Module):
    """DeepBind (Alipanahi, Delong, Weirauch & Frey 2015, Nat. Biotechnol. 33:831, doi:10.1038/nbt.3300).

    Published, for one experiment and sequences of 14 to 101 bases:

    ==========  ===============================================================  ==========
    layer       what                                                             parameters
    ==========  ===============================================================  ==========
    pad         kernel - 1 letters N (0.25 in every channel) at both ends                 0
    conv        16 motif detectors of 24 bases                                        1,552
    rectify     ReLU above each detector's threshold (minus the bias)                     0
    pool        maximum over all positions (DNA); maximum and average (RNA)               0
    hidden      32 units, ReLU, dropout; or none                                        544
    output      1                                                                        33
    ==========  ===============================================================  ==========

    That is 2,129 parameters (2,641 with maximum and average). Here:

    - the output has one logit per target, where the paper trains one network per experiment;
    - both strands are seen by augmentation and by averaging at prediction, where the paper takes the better scoring
      strand of each sequence ("max strand stage", its Supplementary Figure 1);
    - an N inside a window is zero in every channel, as everywhere in this package; only the padding is 0.25. The value
      of the padding and the calibrated ranges of the hyper-parameters (detectors' initial scale, learning rate 0.0005
      to 0.05, dropout) are from its Supplementary Notes and were not checked against its code.

    Weights and biases are initialised as torch does: uniform within ±1 / √fan-in; the paper searches the scale.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    detectors, kernel
        Number and length of the motif detectors.
    pooling
        "max", "average" or both.
    hidden
        Units of the hidden layer; 0 for none.
    dropout
        In training, share of the features before the output that is set to zero.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        detectors: int = 16,
        kernel: int = 24,
        pooling: Sequence[str] = ("max",),
        hidden: int = 32,
        dropout: float = 0.5,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        length = convolved_length(input_length + 2 * (kernel - 1), kernel)
        check_length("DeepBind", input_length, min(length, input_length))
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        self.trunk.add_module("pad", nn.ConstantPad1d(kernel - 1, 1 / channels))
        self.trunk.add_module("convolution", nn.Conv1d(channels, detectors, kernel))
        self.trunk.add_module("activation", nn.ReLU())
        self.trunk.add_module("pool", GlobalPool(pooling, length))
        initialise_thresholds(self.trunk, initial_threshold)
        self.head = DenseHead(detectors * len(pooling), hidden, n_targets, dropout)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
