"""A trained model's predictions for windows that no data set holds.

Both strands are averaged where the predictions of test bins are, and stand side by side where bins have a strand.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.data.dataset import from_other_strand
from lociflow.data.one_hot import OneHot, reverse_complement_one_hot
from lociflow.evaluation.answers import Answers, answer_function, corrected
from lociflow.evaluation.predict import averages_strands
from lociflow.evaluation.strands import strands_apart
from lociflow.models.checkpoint import CALIBRATION, LoadedModel, load_model
from lociflow.models.device import resolve_device
from lociflow.models.outputs import Outputs
from lociflow.models.sequence_only import check_sequence_model

PROBABILITIES = ("binary", "class")


class Predictor(NamedTuple):
    """A model that predicts codes."""

    loaded: LoadedModel
    answer: Callable[[Any], Answers]
    """From raw outputs to what is averaged over strands, see :func:`answer_of`."""
    one_hot: OneHot
    device: torch.device

    @property
    def outputs(self) -> Outputs:
        """What the model was asked for."""
        return self.loaded.outputs

    @property
    def strands(self) -> Mapping[str, bool]:
        """Name of each strand that has predictions of its own, and whether it is the reverse one."""
        return strands_apart(self.loaded.provenance.get("stranded"))

    @property
    def predicted(self) -> Outputs:
        """The outputs as :func:`predict_codes` gives them: once for each of :attr:`strands`."""
        times = len(self.strands)
        return self.outputs._replace(targets=self.outputs.targets * times, classes=self.outputs.classes * times)

    @property
    def length(self) -> int:
        """Bases of its windows."""
        return int(self.loaded.config["model"]["input_length"])

    @property
    def batch_size(self) -> int:
        """Windows that are predicted together."""
        return int(self.loaded.config["training"]["evaluation_batch_size"])


def load_predictors(checkpoints: Sequence[Path], device: str) -> list[Predictor]:
    """Load the seeds of a model.

    Parameters
    ----------
    checkpoints
        One for each seed.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        A model reads more than the sequence, another alphabet than DNA, or has no outputs; or the seeds differ in
        outputs or input length.
    """
    found = [_load(path, device) for path in checkpoints]
    torch.set_num_threads(found[0].loaded.config["training"]["torch_threads"])
    for path, other in zip(checkpoints[1:], found[1:], strict=True):
        if (other.outputs, other.length) != (found[0].outputs, found[0].length):
            raise UserError(
                f"{path}: has other outputs or another input length than {checkpoints[0]}, expected seeds of one "
                "model; train them again"
            )
    return found


def _load(path: Path, device: str) -> Predictor:
    loaded = load_model(path)
    check_sequence_model(loaded)
    place = resolve_device(device)
    loaded.model.to(place).eval()
    calibration = loaded.provenance.get(CALIBRATION)
    answer = answer_of(loaded.outputs, loaded.config["training"], calibration)
    return Predictor(loaded, answer, OneHot(loaded.alphabet).to(place), place)


def answer_of(
    outputs: Outputs, training: Mapping[str, Any], calibration: Sequence[Sequence[float]] | None = None
) -> Callable[[Any], Answers]:
    """Return the function from raw outputs to predictions as effects need them.

    Of probabilities of a whole bin these are the logarithms of p and of 1 - p, ``float64``, straight from the logits,
    so that odds stay finite where p rounds to 0 or 1. All others are as :func:`lociflow.evaluation.answers` has them.
    """

    def binary(raw: Tensor) -> Answers:
        logits = corrected(raw, calibration).double()
        return nn.functional.logsigmoid(logits), nn.functional.logsigmoid(-logits)

    def classes(raw: Tensor) -> Answers:
        logits = corrected(raw, calibration).double()
        logs = [logits[:, group].log_softmax(dim=1) for group in outputs.groups]
        return torch.cat(logs, dim=1), torch.cat([_others(log) for log in logs], dim=1)

    found = {"binary": binary, "class": classes}
    return found.get(outputs.kind) or answer_function(outputs, training, calibration)


def _others(logs: Tensor) -> Tensor:
    """Return the logarithm of the summed probability of all other classes, shape ``(n, classes)``."""
    classes = logs.shape[1]
    itself = torch.eye(classes, dtype=torch.bool, device=logs.device)
    return logs[:, None, :].expand(-1, classes, -1).masked_fill(itself, -math.inf).logsumexp(dim=2)


def predict_codes(predictor: Predictor, codes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Predict some windows.

    All batches have the same size, the last one filled up with copies of its last window: the last digits of a
    prediction depend on how many windows there are beside it (a matrix product takes another path through few rows),
    but not on which these are, nor on its place among them.

    Parameters
    ----------
    predictor
        The model.
    codes
        ``uint8``, shape ``(n, length)``.

    Returns
    -------
    tuple of numpy.ndarray
        For binary labels and classes the logarithms of p and of 1 - p, ``float64``, shape ``(n, columns)``; for the
        other kinds of labels the predictions, ``float32``: values, probabilities along the bin, or profiles and log
        counts. Along the genome's plus strand; columns as :attr:`Predictor.predicted` has them.
    """
    loaded = predictor.loaded
    size = predictor.batch_size
    apart = len(predictor.strands) > 1
    columns = loaded.outputs.other_strand(loaded.provenance.get("other_strand"))
    mean = _mean_of_logarithms if loaded.outputs.kind in PROBABILITIES else _mean
    together = _side_by_side if apart else mean
    batches: list[Answers] = []
    with torch.inference_mode():
        for begin in range(0, len(codes), size):
            some = codes[begin : begin + size]
            filled = np.pad(some, ((0, size - len(some)), (0, 0)), mode="edge")
            sequence = predictor.one_hot.expand(torch.from_numpy(filled).to(predictor.device, non_blocking=True))
            answers = predictor.answer(loaded.model({"sequence": sequence}))
            if apart or averages_strands(loaded):
                others = predictor.answer(loaded.model({"sequence": reverse_complement_one_hot(sequence)}))
                answers = tuple(
                    together(one, from_other_strand(other, columns)) for one, other in zip(answers, others, strict=True)
                )
            batches.append(tuple(one[: len(some)].cpu() for one in answers))
    return tuple(torch.cat(parts).numpy() for parts in zip(*batches, strict=True))


def _side_by_side(one: Tensor, other: Tensor) -> Tensor:
    return torch.cat((one, other), dim=-1)


def _mean(one: Tensor, other: Tensor) -> Tensor:
    return (one + other) / 2


def _mean_of_logarithms(one: Tensor, other: Tensor) -> Tensor:
    """Return the logarithm of the mean of what two logarithms are of."""
    return torch.logaddexp(one, other) - math.log(2)
