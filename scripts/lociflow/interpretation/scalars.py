"""What explanations and effects are of: a model of any kind of labels as scalars, one column each.

======================  ================================================================================================
labels                  columns
======================  ================================================================================================
``binary``              ``TARGET``: the logit
``class``               ``TARGET:CLASS``: the class's logit less the mean logit of the target's other classes
``real``                ``TARGET``: the model's output
``position_class``      ``TARGET:CLASS`` of every class but the background: the same margin, averaged over the bin's
                        positions with weights in proportion to the class's probability there
``profile``             ``TARGET:counts``: the log counts; ``TARGET:profile``: the profile's logits less their mean,
                        averaged with the profile's own probabilities as weights (Avsec et al. 2021, BPNet, Methods)
``contrasts``           ``NAME``: one column less another
======================  ================================================================================================

Weights are taken as constants: no gradient goes through them. A method that compares a window with references holds
the window's own (:func:`held_weights`): what it explains is then one function of the sequence, to whose change
contributions can add up.
"""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.data.one_hot import reverse_complement_one_hot
from lociflow.evaluation.predict import averages_strands
from lociflow.interpretation.scalar_names import check_contrasts, scalar_names
from lociflow.models.checkpoint import LoadedModel
from lociflow.models.heads import ProfileOutput
from lociflow.models.outputs import Outputs
from lociflow.models.sequence_only import SequenceModel, check_sequence_model

# Kinds of labels whose scalars are averages over positions.
WEIGHTED = ("position_class", "profile")


class Scalars(nn.Module):
    """A model as scalars of the sequence.

    Parameters
    ----------
    model
        Maps one-hot sequence ``(batch, 4, length)`` to the raw outputs of its kind of labels.
    outputs
        What the model was asked for.
    contrasts
        Name of each contrast to the two columns of which it is the difference, the second taken from the first.
    """

    def __init__(self, model: nn.Module, outputs: Outputs, contrasts: Mapping[str, tuple[str, str]]) -> None:
        super().__init__()
        self.model = model
        self.outputs = outputs
        plain = scalar_names(outputs)
        check_contrasts(contrasts, plain)
        self.names = (*plain, *contrasts)
        self._pairs = [(plain.index(plus), plain.index(minus)) for plus, minus in contrasts.values()]

    def forward(self, sequence: Tensor, weights: Tensor | None = None) -> Tensor:
        """Map one-hot sequence, ``(batch, 4, length)``, to scalars, ``(batch, columns)``.

        Positions have ``weights``, as :meth:`position_weights` returns them; None: the sequence's own.
        """
        raw = self.model(sequence)
        plain = self._plain(raw, self._weights(raw) if weights is None else weights)
        more = [(plain[:, plus] - plain[:, minus])[:, None] for plus, minus in self._pairs]
        return torch.cat([plain, *more], dim=1) if more else plain

    def position_weights(self, sequence: Tensor) -> Tensor | None:
        """Return the weights of the positions of each output, ``(batch, positions, outputs)``; None: it has none."""
        return self._weights(self.model(sequence)) if self.outputs.kind in WEIGHTED else None

    def _weights(self, raw: Tensor | ProfileOutput) -> Tensor | None:
        if self.outputs.kind == "profile":
            return cast(ProfileOutput, raw).profile.softmax(dim=1).detach()
        if self.outputs.kind == "position_class":
            parts = [cast(Tensor, raw)[..., group].softmax(dim=-1).detach() for group in self.outputs.groups]
            return torch.cat([part / part.sum(dim=1, keepdim=True) for part in parts], dim=-1)
        return None

    def _plain(self, raw: Tensor | ProfileOutput, weights: Tensor | None) -> Tensor:
        if self.outputs.kind == "profile":
            profile, counts = cast(ProfileOutput, raw)
            shape = ((profile - profile.mean(dim=1, keepdim=True)) * cast(Tensor, weights)).sum(dim=1)
            return torch.stack([counts, shape], dim=2).flatten(1)
        found = cast(Tensor, raw)
        if self.outputs.kind == "class":
            return torch.cat([margins(found[:, group]) for group in self.outputs.groups], dim=1)
        if self.outputs.kind == "position_class":
            along = torch.cat([margins(found[..., group]) for group in self.outputs.groups], dim=-1)
            along = along * cast(Tensor, weights)
            # The first class of each target is the background.
            return torch.cat([along.sum(dim=1)[:, group][:, 1:] for group in self.outputs.groups], dim=1)
        return found


class StrandAverage(nn.Module):
    """The mean of a model's scalars on both strands of a window.

    Parameters
    ----------
    model
        Maps one-hot sequence, channels A, C, G, T, to scalars.
    order
        The order of the columns on the other strand; None: the same.
    """

    def __init__(self, model: nn.Module, order: list[int] | None = None) -> None:
        super().__init__()
        self.model = model
        self.order = order

    def forward(self, sequence: Tensor, weights: Tensor | None = None) -> Tensor:
        """Map ``(batch, 4, length)`` to ``(batch, columns)``; weights as :meth:`position_weights` returns them."""
        held: list[tuple[Tensor, ...]] = [(), ()] if weights is None else [(weights[:, 0],), (weights[:, 1],)]
        other = self.model(reverse_complement_one_hot(sequence), *held[1])
        return (self.model(sequence, *held[0]) + (other if self.order is None else other[:, self.order])) / 2

    def position_weights(self, sequence: Tensor) -> Tensor | None:
        """Return those of the model for both strands, ``(batch, 2, positions, outputs)``; None: it has none."""
        found = [_position_weights(self.model, strand) for strand in (sequence, reverse_complement_one_hot(sequence))]
        return None if found[0] is None or found[1] is None else torch.stack([found[0], found[1]], dim=1)


def scalar_model(
    loaded: LoadedModel, contrasts: Mapping[str, tuple[str, str]] | None = None
) -> tuple[nn.Module, tuple[str, ...]]:
    """Return a trained model as scalars of the sequence, and the names of the columns.

    Where predictions average both strands, scalars do.

    Parameters
    ----------
    loaded
        The model.
    contrasts
        As :class:`Scalars`.

    Returns
    -------
    torch.nn.Module
        Maps one-hot sequence, ``(batch, 4, length)``, to ``(batch, columns)``; in evaluation mode, on the CPU.
    tuple of str
        Names of the columns.

    Raises
    ------
    UserError
        The model reads more than the sequence, another alphabet than DNA, or has no outputs; a contrast is of columns
        that do not exist.
    """
    check_sequence_model(loaded)
    scalars = Scalars(SequenceModel(loaded.model), loaded.outputs, contrasts or {})
    if not averages_strands(loaded):
        return scalars.eval(), scalars.names
    return StrandAverage(scalars, _other_strand(loaded, scalars, contrasts or {})).eval(), scalars.names


def held_weights(model: nn.Module, windows: Tensor, batch_size: int) -> tuple[Tensor, ...]:
    """Return what a model is called with beside sequences that are to have the weights of these windows.

    Parameters
    ----------
    model
        Maps ``(batch, 4, length)`` to scalars.
    windows
        One-hot, ``float32``, shape ``(n, 4, length)``.
    batch_size
        Windows per pass.

    Returns
    -------
    tuple of torch.Tensor
        Empty for a model whose scalars have no weights; else one tensor with a row a window, on the CPU.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    with torch.no_grad():
        parts = [_position_weights(model, part.to(device)) for part in windows.split(batch_size)]
    known = [part.cpu() for part in parts if part is not None]
    return (torch.cat(known),) if known else ()


def _position_weights(model: nn.Module, sequence: Tensor) -> Tensor | None:
    return model.position_weights(sequence) if isinstance(model, Scalars | StrandAverage) else None


def margins(logits: Tensor) -> Tensor:
    """Return each class's logit less the mean of the others', shape ``(…, classes)``; at least two classes."""
    others = logits.shape[-1] - 1
    return logits - (logits.sum(dim=-1, keepdim=True) - logits) / others


def _other_strand(loaded: LoadedModel, scalars: Scalars, contrasts: Mapping[str, tuple[str, str]]) -> list[int] | None:
    targets = loaded.provenance.get("other_strand")
    if targets is None:
        return None
    names = scalar_names(loaded.outputs)
    swapped = dict(zip(loaded.outputs.targets, (loaded.outputs.targets[other] for other in targets), strict=True))

    def other(column: str) -> str:
        target = next(target for target in swapped if column == target or column.startswith(f"{target}:"))
        return swapped[target] + column[len(target) :]

    order = [names.index(other(name)) for name in names]
    for name, (plus, minus) in contrasts.items():
        pair = (other(plus), other(minus))
        same = [place for place, columns in enumerate(contrasts.values()) if tuple(columns) == pair]
        if not same:
            raise UserError(
                f"contrasts.{name}: on the other strand it is {pair[0]} less {pair[1]}, expected a contrast of these "
                "too, or columns that are the same on both strands"
            )
        order.append(len(names) + same[0])
    return order
