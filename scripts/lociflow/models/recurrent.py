"""Recurrent networks on the bases themselves, without convolutions."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from lociflow.models.arguments import check_at_least, check_positions
from lociflow.models.heads import DenseHead, PositionHead
from lociflow.models.layers import BidirectionalLSTM, GlobalPool, check_sequence, initialise_glorot


class RecurrentNetwork(nn.Module):
    """Bidirectional recurrent layers that take one step per base (Schuster & Paliwal 1997, doi:10.1109/78.650093).

    ==========  ==================================================================  =====================
    layer       what                                                                parameters
    ==========  ==================================================================  =====================
    recurrent   u units in each direction: LSTM, on c channels                      8 u (c + u + 1)
                or GRU                                                              6 u (c + u + 1)
    more        the same on 2 u channels, for each further layer                    8 or 6 u (3 u + 1)
    pool        mean and maximum over all bases, for answers per window             0
    dense       h units, ReLU, for answers per window                               h (4 u + 1)
    output      linear, per window                                                  targets (h + 1)
                or per base                                                         targets (2 u + 1)
    ==========  ==================================================================  =====================

    The layers are those of the literature, their number and sizes this package's. Weights Glorot uniform, recurrent
    weights orthogonal, biases 0, an LSTM's forget gates' 1.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Outputs per window, or per position.
    recurrence
        A layer made from channels and units: :class:`~lociflow.models.layers.BidirectionalLSTM` or
        :class:`~lociflow.models.layers.BidirectionalGRU`.
    units
        Per direction.
    layers
        Number of recurrent layers.
    hidden
        Units of the hidden layer behind the pools; 0 for none. Answers per position have none.
    dropout
        Share of features set to zero in training after each recurrent layer.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    positions
        Labelled bases in the middle of a window, for answers per position; 0 for answers per window.

    Raises
    ------
    UserError
        There are more positions than bases, or no layers or units.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        recurrence: Callable[[int, int], nn.Module] = BidirectionalLSTM,
        units: int = 32,
        layers: int = 1,
        hidden: int = 0,
        dropout: float = 0.0,
        channels: int = 4,
        positions: int = 0,
    ) -> None:
        super().__init__()
        check_positions(input_length, positions)
        check_at_least(1, layers=layers, units=units)
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        for number in range(1, layers + 1):
            self.trunk.add_module(f"recurrent{number}", recurrence(channels if number == 1 else 2 * units, units))
            self.trunk.add_module(f"dropout{number}", nn.Dropout(dropout))
        self.head: nn.Module
        if positions:
            self.head = PositionHead(2 * units, n_targets, positions)
        else:
            self.trunk.add_module("pool", GlobalPool(["average", "max"], input_length))
            self.head = DenseHead(4 * units, hidden, n_targets)
        initialise_glorot(self.head.modules())

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to outputs.

        ``(batch, n_targets)``, or ``(batch, positions, n_targets)`` where there are positions.
        """
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
