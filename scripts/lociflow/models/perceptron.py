"""A multilayer perceptron: what a network gets without convolutions."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.heads import DenseHead, add_hidden_layers
from lociflow.models.layers import check_sequence


class Perceptron(nn.Module):
    """Hidden layers on the flattened one-hot sequence.

    ======  ====================================================  =======  ===============
    layer   what                                                  output   parameters
    ======  ====================================================  =======  ===============
    dense   h units, ReLU, on L positions of c channels           h          h (c L + 1)
    more    k units, ReLU, on h, for each further layer           k            k (h + 1)
    output  linear                                                targets    targets (k + 1)
    ======  ====================================================  =======  ===============

    Trained by back-propagation (Rumelhart, Hinton & Williams 1986, Nature 323:533, doi:10.1038/323533a0). It knows each
    base by its position alone, so that a motif at another place is another motif: a control for what convolutions add,
    and fit only for windows that are aligned to something.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    hidden
        Units of each hidden layer with ReLU.
    dropout
        Share of the units of each hidden layer set to zero in training.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.1,
        channels: int = 4,
    ) -> None:
        super().__init__()
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        features = add_hidden_layers(self.trunk, channels * input_length, hidden, dropout)
        self.head = DenseHead(features, 0, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
