"""Models of several views seen as functions of the sequence alone."""

from torch import Tensor, nn


class SequenceModel(nn.Module):
    """A model whose forward takes the sequence itself, as attribution libraries call it.

    Parameters
    ----------
    model
        Takes the one view ``sequence``.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, sequence: Tensor) -> Tensor:
        """Map one-hot sequence, ``(batch, channels, length)``, to logits, ``(batch, targets)``."""
        return self.model({"sequence": sequence})
