"""Models whose effects are known by hand, as steps that score variants see them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lociflow.data.one_hot import OneHot
from lociflow.effects.predictions import Predictor, answer_of
from lociflow.models.checkpoint import LoadedModel
from lociflow.models.heads import ProfileOutput
from lociflow.models.outputs import Outputs

REAL = Outputs("real", ("expression",))


class Of(nn.Module):
    """Any function of one-hot sequence, ``(batch, 4, length)``, as a model."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, views: dict[str, Tensor]) -> Any:
        return self.function(views["sequence"])


def predictor(
    function: Callable[[Tensor], Any],
    length: int,
    outputs: Outputs,
    strands: bool = False,
    calibration: Any = None,
    batch: int = 3,
    other_strand: list[int] | None = None,
    stranded: bool = False,
) -> Predictor:
    """Return a function of the sequence as a trained model.

    Its predictions average both ``strands``; the bins of a ``stranded`` data set have one.
    """
    config = {
        "model": {
            "name": "toy",
            "input_length": length,
            "views": ["sequence"],
            "strand_specific": False,
        },
        "training": {
            "evaluation_batch_size": batch,
            "reverse_complement": {"averaging": strands},
            "torch_threads": 1,
            "loss": {"_target_": "lociflow.training.value_losses.MeanSquaredError"},
        },
    }
    provenance = {"other_strand": other_strand, "stranded": stranded}
    loaded = LoadedModel(Of(function), config, outputs, provenance)
    answer = answer_of(outputs, config["training"], calibration)
    return Predictor(loaded, answer, OneHot(), torch.device("cpu"))


def linear(weights: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the sum of weights, ``(4, length)``, over the bases of a window, as one column."""
    return lambda sequence: (sequence * weights).sum(dim=(1, 2))[:, None]


def profile(logits: Callable[[Tensor], Tensor]) -> Callable[[Tensor], ProfileOutput]:
    """Return a profile of one column whose log counts are the number of G."""
    return lambda sequence: ProfileOutput(logits(sequence), sequence[:, 2].sum(dim=1)[:, None])


def write_vcf(path: Path, records: list[str], header: str = "") -> Path:
    """Write a VCF of the columns CHROM, POS, REF and ALT, separated by spaces."""
    lines = ["##fileformat=VCFv4.2", *header.splitlines(), "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    for record in records:
        contig, position, reference, alternative = record.split()
        lines.append("\t".join((contig, position, ".", reference, alternative, ".", ".", ".")))
    path.write_text("\n".join(lines) + "\n")
    return path
