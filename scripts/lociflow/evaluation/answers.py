"""From a model's raw outputs to its predictions, for each kind of labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lociflow.instantiate import trusted_object
from lociflow.models.heads import ProfileOutput
from lociflow.models.outputs import Outputs

# Tensors of shape (batch, columns) or (batch, positions, columns).
Answers = tuple[Tensor, ...]


def answer_function(
    outputs: Outputs, training: Mapping[str, Any], calibration: Sequence[Sequence[float]] | None = None
) -> Callable[[Any], Answers]:
    """Return the function from a model's raw outputs to its predictions.

    Parameters
    ----------
    outputs
        What the model was asked for.
    training
        The configuration's ``training``: the loss of real values knows what an output means.
    calibration
        Slope and intercept of the logits in each column; None: they stay as they are.
    """

    def binary(raw: Tensor) -> Answers:
        return (corrected(raw, calibration).sigmoid(),)

    def classes(raw: Tensor) -> Answers:
        logits = corrected(raw, calibration)
        return (torch.cat([logits[..., columns].softmax(dim=-1) for columns in outputs.groups], dim=-1),)

    def real(raw: Tensor) -> Answers:
        found: Tensor = trusted_object(training["loss"]["_target_"]).prediction(raw)  # type: ignore[attr-defined]
        return (found,)

    def profile(raw: ProfileOutput) -> Answers:
        return raw.profile.softmax(dim=1), raw.counts

    found: dict[str, Callable[[Any], Answers]] = {
        "binary": binary,
        "class": classes,
        "real": real,
        "position_class": classes,
        "profile": profile,
    }
    return found[outputs.kind]


def corrected(raw: Tensor, calibration: Sequence[Sequence[float]] | None) -> Tensor:
    """Return logits with the slope and the intercept of each column, or as they are where there is no calibration."""
    if calibration is None:
        return raw
    slope, intercept = torch.tensor(calibration, dtype=torch.float32, device=raw.device)
    return raw * slope + intercept


def column_arrays(outputs: Outputs, answers: Answers) -> dict[str, np.ndarray]:
    """Name predictions as the table of predictions does.

    Parameters
    ----------
    outputs
        What the model was asked for.
    answers
        Predictions, on the CPU.

    Returns
    -------
    dict
        By ``target`` (a probability, a value, or a profile's probabilities along the bin) or ``target:class``
        (probabilities, of the bin or along it); for profiles also ``target:log_counts``, the logarithm of 1 + the sum
        of the signal.
    """
    found = {name: answers[0][..., number].numpy() for number, name in enumerate(outputs.columns)}
    for counts in answers[1:]:
        found |= {f"{name}:log_counts": counts[:, number].numpy() for number, name in enumerate(outputs.columns)}
    return found
