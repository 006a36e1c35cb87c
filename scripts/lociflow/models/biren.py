"""BiRen: DeepSEA on pieces of a window, and a bidirectional GRU over the pieces."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lociflow.models.arguments import check_at_least
from lociflow.models.deepsea import DeepSEA
from lociflow.models.heads import DenseHead, central
from lociflow.models.layers import BidirectionalGRU, check_length, check_sequence


class PieceReader(nn.Module):
    """DeepSEA on overlapping pieces of a window: the same network on each.

    Parameters
    ----------
    network
        With one logit per feature; its ``input_length`` is a piece's length.
    step
        Bases from one piece to the next.
    """

    def __init__(self, network: DeepSEA, step: int) -> None:
        super().__init__()
        self.network = network
        self.step = step
        self.activation = nn.Sigmoid()

    def forward(self, sequence: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, features, pieces)``."""
        pieces = sequence.unfold(2, self.network.input_length, self.step).transpose(1, 2)
        features = self.activation(self.network({"sequence": pieces.flatten(0, 1)}))
        return features.view(sequence.shape[0], -1, features.shape[1]).transpose(1, 2)


class LastStates(nn.Module):
    """A bidirectional GRU of which only the last state of each direction is kept."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.recurrent = BidirectionalGRU(channels, units)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, 2 * units, 1)``."""
        states = self.recurrent(features)
        return torch.cat([states[:, : self.units, -1:], states[:, self.units :, :1]], dim=1)


class BiRen(nn.Module):
    """BiRen (Yang et al. 2017, Bioinformatics 33:1930, doi:10.1093/bioinformatics/btx105).

    For windows of n steps of 200 bases and 400 bases more on either side:

    ========  ==========================================================  ==========  ==========
    layer     what                                                        output      parameters
    ========  ==========================================================  ==========  ==========
    pieces    of 1,000 bases around each step                             n × 1,000            0
    features  DeepSEA: 919 sigmoids for each piece                        n × 919     52,843,119
    GRU       100 units in each direction, last states                    200            612,000
    output    sigmoid                                                     1                  201
    ========  ==========================================================  ==========  ==========

    Pieces, steps, features, GRU and output are those of the authors' programs (wenjiegroup/BiRen, ``BiRen.py``,
    ``RNNDataFormat.py``, ``DeepSEA.lua``). Not found there: the number of units, which only the file of weights has
    (100 is this package's number), and how it was trained. Different from there: the piece's mean conservation
    (phastCons), its 920th feature, is left out; DeepSEA is trained with the rest instead of being fixed at its public
    weights; windows have one length instead of up to 40 steps.

    Parameters
    ----------
    input_length
        Bases per window; what is over a whole number of steps is left unread, half on either side.
    n_targets
        Number of logits.
    piece, step
        Length of a piece, and bases from one to the next.
    features
        Numbers that are read from a piece.
    units
        GRU units per direction.
    filters, kernels, pools, dropouts, hidden, batch_norm, initial_threshold
        Of the network that reads a piece; see :class:`~lociflow.models.deepsea.DeepSEA`.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        piece: int = 1000,
        step: int = 200,
        features: int = 919,
        units: int = 100,
        filters: Sequence[int] = (320, 480, 960),
        kernels: Sequence[int] = (8, 8, 8),
        pools: Sequence[int] = (4, 4, 1),
        dropouts: Sequence[float] = (0.2, 0.2, 0.5),
        hidden: int = 925,
        batch_norm: bool = False,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_at_least(1, piece=piece, step=step)
        check_length("BiRen", input_length, input_length - piece + 1)
        self.input_length = input_length
        self.channels = channels
        self.read = central(input_length, (input_length - piece) // step * step + piece)
        network = DeepSEA(
            piece, features, filters, kernels, pools, dropouts, hidden, batch_norm, initial_threshold, channels
        )
        self.trunk = nn.Sequential()
        self.trunk.add_module("reader", PieceReader(network, step))
        self.trunk.add_module("recurrent", LastStates(features, units))
        self.head = DenseHead(2 * units, 0, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"][..., self.read]))
