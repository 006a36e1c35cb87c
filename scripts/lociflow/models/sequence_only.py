"""Models of several views seen as functions of the sequence alone."""

from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.checkpoint import LoadedModel
from lociflow.models.outputs import UNLABELLED


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


def other_than_sequence(loaded: LoadedModel) -> str | None:
    """Say why a model's outputs are no function of a sequence of DNA and of nothing else; None: they are."""
    views = list(loaded.config["model"]["views"])
    if loaded.outputs.kind == UNLABELLED:
        return "was trained without labels, expected a model with outputs"
    if loaded.alphabet.complement is None:
        return f"reads {loaded.alphabet.name}, expected a model of DNA"
    return None if views == ["sequence"] else f"reads {', '.join(views)}, expected a model of the sequence alone"


def check_sequence_model(loaded: LoadedModel) -> None:
    """Check that a model's outputs are a function of a sequence of DNA and of nothing else.

    Raises
    ------
    UserError
        The model reads more than the sequence, another alphabet than DNA, or has no outputs.
    """
    if reason := other_than_sequence(loaded):
        raise UserError(f"{loaded.config['model'].get('name', 'model')}: {reason}; choose another")
