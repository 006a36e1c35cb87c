"""Explained windows per second: every attribution method against the library behind it, called directly."""

import functools
import time
from collections.abc import Callable
from typing import Any

import measure
import numpy as np
import torch
from captum.attr import IntegratedGradients, Occlusion
from tangermeme.deep_lift_shap import deep_lift_shap as tangermeme_deep_lift_shap
from tangermeme.saliency import saliency as tangermeme_saliency
from tangermeme.saturation_mutagenesis import saturation_mutagenesis as tangermeme_saturation_mutagenesis
from torch import nn

from lociflow.interpretation import methods
from lociflow.interpretation.references import dinucleotide_shuffled
from lociflow.models.deepsea import DeepSEA
from lociflow.models.sequence_only import SequenceModel

WINDOWS, LENGTH = 32, 500
REFERENCES = 4
STEPS = 8
# Calls of either side, by turns, so that what else the machine does falls on both.
REPEATS = 3

Call = Callable[[], Any]


def sides(name: str) -> tuple[Call, Call, int]:
    """Return our call, the library's, and how many windows each explains."""
    torch.manual_seed(1)
    model: nn.Module = SequenceModel(
        DeepSEA(LENGTH, 6, filters=[64, 96, 128], kernels=[19, 5, 3], pools=[13, 2, 1], dropouts=[0, 0, 0], hidden=128)
    ).eval()
    codes = torch.randint(0, 4, (WINDOWS, LENGTH))
    windows = nn.functional.one_hot(codes, 4).float().transpose(1, 2).contiguous()
    bins = np.arange(WINDOWS)
    drawn = dinucleotide_shuffled(windows, bins, 1, REFERENCES)
    # Both sides are given the same references: drawing them is no part of a method.
    given: methods.References = lambda one_hot, index, seed: drawn[: len(one_hot)]  # noqa: E731
    pairs, flat = windows.repeat_interleave(REFERENCES, dim=0), drawn.flatten(0, 1)

    def gradient() -> Any:
        return tangermeme_saliency(model, windows, target=1, hypothetical=True, batch_size=64, device="cpu")

    def integrated() -> Any:
        integrate = IntegratedGradients(model)
        return [
            integrate.attribute(part, baselines=reference, target=1, n_steps=STEPS, method="gausslegendre")
            for part, reference in zip(pairs.split(128 // STEPS), flat.split(128 // STEPS), strict=True)
        ]

    def deep_lift() -> Any:
        return tangermeme_deep_lift_shap(
            model, windows, target=1, references=drawn, hypothetical=True, batch_size=128, device="cpu"
        )

    def occluded() -> Any:
        with torch.no_grad():
            return Occlusion(model).attribute(pairs, (4, 8), (4, 4), baselines=flat, target=1)

    def mutated() -> Any:
        return tangermeme_saturation_mutagenesis(
            model, windows[:2], target=1, hypothetical=True, batch_size=256, device="cpu", fast=False
        )

    def ours(method: Callable[..., Any], count: int = WINDOWS, **more: Any) -> Call:
        return functools.partial(method, model, windows[:count], 1, bins[:count], 1, **more)

    found: dict[str, tuple[Call, Call, int]] = {
        "saliency": (ours(methods.saliency), gradient, WINDOWS),
        "input_x_gradient": (ours(methods.input_x_gradient), gradient, WINDOWS),
        "integrated_gradients": (
            ours(methods.integrated_gradients, references=given, steps=STEPS), integrated, WINDOWS,
        ),
        "deep_lift_shap": (ours(methods.deep_lift_shap, references=given), deep_lift, WINDOWS),
        "occlusion": (ours(methods.occlusion, references=given), occluded, WINDOWS),
        "saturation_mutagenesis": (ours(methods.saturation_mutagenesis, 2), mutated, 2),
    }  # fmt: skip
    return found[name]


def compare(name: str) -> dict[str, Any]:
    """Take the CPU time of both sides by turns, one thread, after a call of each to warm up."""
    torch.set_num_threads(1)
    our, their, count = sides(name)
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    our(), their()
    for _ in range(REPEATS):
        for side, call in (("ours", our), ("theirs", their)):
            begin = time.process_time()
            call()
            seconds[side].append(time.process_time() - begin)
    return {"count": count, **{side: sorted(found) for side, found in seconds.items()}}


def benchmark() -> None:
    libraries = {"integrated_gradients": "captum", "occlusion": "captum"}
    for name in (
        "saliency", "input_x_gradient", "integrated_gradients", "deep_lift_shap", "occlusion", "saturation_mutagenesis",
    ):  # fmt: skip
        found, _ = measure.child(compare, name=name)
        library = libraries.get(name, "tangermeme")
        measure.row(
            "attribution",
            method=name,
            windows=found["count"],
            length=LENGTH,
            threads=1,
            windows_per_second=round(found["count"] / found["ours"][0], 2),
            seconds_all=[round(value, 4) for value in found["ours"]],
            other=f"{library}, called directly",
            other_version=measure.version(library),
            other_windows_per_second=round(found["count"] / found["theirs"][0], 2),
            other_seconds_all=[round(value, 4) for value in found["theirs"]],
            ratio=round(found["theirs"][0] / found["ours"][0], 3),
            wanted_ratio=0.9,
        )


if __name__ == "__main__":
    measure.main(benchmark, globals())
