"""Attribution methods, all with one interface.

Each takes a model that maps ``(batch, 4, length)`` to scalars ``(batch, columns)``, windows, and the column to explain,
and returns *hypothetical* contributions: for every base that could stand at a position, what it would contribute there.
The contributions of the bases that do stand there are these, times the one-hot windows.

One-hot sequences lie on a simplex, and what a model answers to steps that leave it is noise. All methods that use
gradients are free of it: :func:`saliency` and :func:`input_x_gradient` subtract the gradient's mean over the four bases
at each position (Majdandzic et al. 2023, doi:10.1186/s13059-023-02956-3); :func:`integrated_gradients` and
:func:`deep_lift_shap` multiply by the difference of two one-hot sequences, which has no part along that mean. Against
references without any base it has one, and these two then keep it: without it, contributions would not sum to the
change of the output.

Where an output averages positions with weights of its own (:mod:`lociflow.interpretation.scalars`), both explain it
with the weights of the window, for references and for what lies between, and ``change`` is that of the same function.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

import numpy as np
import torch
from captum.attr import IntegratedGradients, Occlusion
from tangermeme.deep_lift_shap import deep_lift_shap as tangermeme_deep_lift_shap
from tangermeme.deep_lift_shap import hypothetical_attributions
from tangermeme.saliency import saliency as tangermeme_saliency
from tangermeme.saturation_mutagenesis import saturation_mutagenesis as tangermeme_saturation_mutagenesis
from torch import nn

from lociflow.interpretation.scalars import held_weights

References = Callable[[torch.Tensor, np.ndarray, int], torch.Tensor]
"""(windows, bin indices, seed) to references of shape ``(n, references, 4, length)``."""


class Contributions(NamedTuple):
    """What a method returns, on the CPU."""

    hypothetical: torch.Tensor
    """``float32``, shape ``(n, 4, length)``, in units of the output."""
    gap: torch.Tensor
    """``float32``, shape ``(n,)``: absolute difference between the sum of contributions and the change of the output
    that they should add up to, mean over the references. 0 is perfect; NaN where a method promises no such sum."""
    change: torch.Tensor
    """``float32``, shape ``(n,)``: absolute change of the output from the references, mean over them; what ``gap`` is
    to be compared with. NaN where there are no references."""


def saliency(
    model: nn.Module, one_hot: torch.Tensor, target: int, bins: np.ndarray, seed: int, batch_size: int = 64
) -> Contributions:
    """Take the absolute gradient of the output (Simonyan et al. 2014, arXiv 1312.6034), corrected for the simplex.

    It says where the output would move and not which way: to be read position by position. What is sometimes called
    saliency with a sign, the gradient times the input, is :func:`input_x_gradient`. There is no gap.

    Parameters
    ----------
    model
        On the device where it is to run, in evaluation mode.
    one_hot
        ``float32``, shape ``(n, 4, length)``.
    target
        Column of the output.
    bins, seed
        Not looked at; every method takes them.
    batch_size
        Windows per pass.
    """
    return _without_sum(_gradient(model, one_hot, target, batch_size).abs())


def input_x_gradient(
    model: nn.Module, one_hot: torch.Tensor, target: int, bins: np.ndarray, seed: int, batch_size: int = 64
) -> Contributions:
    """Multiply the input with the gradient (Shrikumar et al. 2016, arXiv 1605.01713), corrected for the simplex.

    The corrected gradient is the hypothetical contribution. There is no gap.

    Parameters
    ----------
    model, one_hot, target, bins, seed, batch_size
        As :func:`saliency`.
    """
    return _without_sum(_gradient(model, one_hot, target, batch_size))


def integrated_gradients(
    model: nn.Module,
    one_hot: torch.Tensor,
    target: int,
    bins: np.ndarray,
    seed: int,
    references: References,
    steps: int = 16,
    batch_size: int = 128,
) -> Contributions:
    """Integrate the gradient along straight lines from references (Sundararajan et al. 2017), with captum.

    Hypothetical contributions are the integrated gradients times what each base would change against the reference. The
    gap is completeness: contributions should sum to the change of the output, and more steps bring them closer.

    Parameters
    ----------
    model, one_hot, target
        As :func:`saliency`.
    bins
        Bin index of each window, ``int64``, shape ``(n,)``.
    seed
        Of the references, at least 0.
    references
        For example :func:`lociflow.interpretation.references.zeros`.
    steps
        Points of the Gauss-Legendre rule on each line.
    batch_size
        Points per pass.
    """
    device = _device(model)
    integrate = IntegratedGradients(model, multiply_by_inputs=False)
    # captum runs all points of a window that it is given in one pass: windows are handed over accordingly.
    pairs = max(1, batch_size // steps)
    against = references(one_hot, bins, seed)
    count = against.shape[1]
    windows = one_hot.repeat_interleave(count, dim=0)
    weights = held_weights(model, one_hot, batch_size)
    of_pairs = tuple(values.repeat_interleave(count, dim=0) for values in weights)
    with differentiable(model):
        multipliers = [
            integrate.attribute(
                window.to(device),
                baselines=reference.to(device),
                target=target,
                additional_forward_args=tuple(values.to(device) for values in held) or None,
                n_steps=steps,
                method="gausslegendre",
            )
            .detach()
            .float()
            .cpu()
            for window, reference, *held in zip(
                *(values.split(pairs) for values in (windows, against.flatten(0, 1), *of_pairs)), strict=True
            )
        ]
    of_windows = _output(model, target, batch_size, one_hot, *weights).repeat_interleave(count)
    change = of_windows - _output(model, target, batch_size, against.flatten(0, 1), *of_pairs)
    return _aggregate(one_hot, against, torch.cat(multipliers), change)


def deep_lift_shap(
    model: nn.Module,
    one_hot: torch.Tensor,
    target: int,
    bins: np.ndarray,
    seed: int,
    references: References,
    batch_size: int = 128,
) -> Contributions:
    """Propagate differences from references, with tangermeme.

    DeepLIFT's rescale rule (Shrikumar et al. 2017), averaged over references as in DeepSHAP (Lundberg & Lee 2017).
    Valid for models whose non-linear operations all have a rule in tangermeme: convolutions, pooling, activations and
    normalisation written as modules, and no recurrent layers. The gap is the convergence delta; a large one says that
    an operation had no rule and was taken for linear.

    Parameters
    ----------
    model, one_hot, target
        As :func:`saliency`; exactly one base a position.
    bins, seed, references
        As :func:`integrated_gradients`.
    batch_size
        Pairs of window and reference per pass.
    """
    against = references(one_hot, bins, seed)
    weights = held_weights(model, one_hot, batch_size)
    with warnings.catch_warnings(), unpooling(), recording(model, target) as outputs:
        # tangermeme warns of large convergence deltas batch by batch; they are returned instead.
        warnings.filterwarnings("ignore", message="Convergence deltas", category=RuntimeWarning)
        multipliers = tangermeme_deep_lift_shap(
            model,
            one_hot,
            args=weights or None,
            target=target,
            references=against,
            raw_outputs=True,
            batch_size=batch_size,
            device=_device(model),
        )
    # Each of tangermeme's passes holds pairs: the windows first, then their references.
    of_windows, of_references = (torch.cat(half) for half in zip(*(output.chunk(2) for output in outputs), strict=True))
    return _aggregate(one_hot, against, multipliers.flatten(0, 1), of_windows - of_references)


def occlusion(
    model: nn.Module,
    one_hot: torch.Tensor,
    target: int,
    bins: np.ndarray,
    seed: int,
    references: References,
    window: int = 8,
    stride: int = 4,
    batch_size: int = 128,
) -> Contributions:
    """Replace stretches by those of references and see what the output loses (Zeiler & Fergus 2014), with captum.

    A position's contribution is the mean loss over the stretches that cover it and over the references. Needs no
    gradient, resolves no more than a stretch, and says nothing of bases that do not stand there: their hypothetical
    contributions are 0. There is no gap: what is lost one stretch at a time does not sum to anything.

    Parameters
    ----------
    model, one_hot, target
        As :func:`saliency`.
    bins, seed, references
        As :func:`integrated_gradients`.
    window
        Bases of a stretch.
    stride
        Bases between the starts of neighbouring stretches, at most ``window``.
    batch_size
        Windows per pass.
    """
    device = _device(model)
    occlude = Occlusion(model)
    against = references(one_hot, bins, seed)
    windows = one_hot.repeat_interleave(against.shape[1], dim=0)
    channels = one_hot.shape[1]
    with torch.no_grad():
        parts = [
            occlude.attribute(
                part.to(device),
                sliding_window_shapes=(channels, min(window, one_hot.shape[2])),
                strides=(channels, stride),
                baselines=reference.to(device),
                target=target,
                perturbations_per_eval=max(1, batch_size // len(part)),
            )
            .float()
            .cpu()
            for part, reference in zip(windows.split(batch_size), against.flatten(0, 1).split(batch_size), strict=True)
        ]
    return _without_sum(torch.cat(parts).unflatten(0, (-1, against.shape[1])).mean(dim=1) * one_hot)


def saturation_mutagenesis(
    model: nn.Module,
    one_hot: torch.Tensor,
    target: int,
    bins: np.ndarray,
    seed: int,
    batch_size: int = 256,
    fast: bool = False,
) -> Contributions:
    """Predict every single substitution, with tangermeme; exact, and as slow as three predictions a base.

    A base's hypothetical contribution is the output with it at the position, less the mean over the four bases. There
    is no gap: single substitutions do not sum to anything.

    Parameters
    ----------
    model, one_hot, target
        As :func:`saliency`; exactly one base a position.
    bins, seed
        Not looked at; every method takes them.
    batch_size
        Substitutions per pass.
    fast
        Let tangermeme compute only what a substitution can change (fastISM, Nair et al. 2022). It measures whether that
        is faster and decides by the clock, and both ways differ in the last bits: a rerun may then differ too.
    """
    return _without_sum(
        tangermeme_saturation_mutagenesis(
            model, one_hot, target=target, hypothetical=True, batch_size=batch_size, device=_device(model), fast=fast
        )
    )


def differentiable(model: nn.Module) -> AbstractContextManager[None]:
    """Return the context in which a model's gradients can be had in evaluation mode.

    cuDNN refuses to go back through a recurrent layer that is not in training mode; torch's own kernels do it.
    """
    recurrent = any(isinstance(module, nn.RNNBase) for module in model.modules())
    context: AbstractContextManager[None] = torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext()
    return context


@contextmanager
def unpooling() -> Iterator[None]:
    """Let torch undo a pooling step although deterministic algorithms are asked for.

    DeepLIFT's rule for pooling calls ``max_unpool``, which torch refuses then, because pools that overlap could write
    one position twice in any order. tangermeme adds them up, so that the order does not matter.
    """
    asked = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(asked)


@contextmanager
def recording(model: nn.Module, target: int) -> Iterator[list[torch.Tensor]]:
    """Collect what a model answers while someone else calls it, so that nothing is predicted twice.

    Yields
    ------
    list of torch.Tensor
        The column ``target`` of each pass, on the CPU, shape ``(batch,)``; filled as passes are made.
    """
    outputs: list[torch.Tensor] = []
    handle = model.register_forward_hook(
        lambda module, inputs, output: outputs.append(output[:, target].detach().cpu())
    )
    try:
        yield outputs
    finally:
        handle.remove()


def _gradient(model: nn.Module, one_hot: torch.Tensor, target: int, batch_size: int) -> torch.Tensor:
    with differentiable(model):
        return tangermeme_saliency(
            model, one_hot, target=target, batch_size=batch_size, hypothetical=True, device=_device(model)
        )


def _without_sum(hypothetical: torch.Tensor) -> Contributions:
    nothing = torch.full((len(hypothetical),), torch.nan)
    return Contributions(hypothetical.float().cpu(), nothing, nothing)


def _aggregate(
    one_hot: torch.Tensor, references: torch.Tensor, multipliers: torch.Tensor, change: torch.Tensor
) -> Contributions:
    """Average over references what was found for each pair of window and reference, pairs of a window in a row."""
    count = references.shape[1]
    windows = one_hot.repeat_interleave(count, dim=0)
    flat = references.flatten(0, 1)
    hypothetical = hypothetical_attributions((multipliers,), (windows,), (flat,))[0]
    gap = ((windows - flat) * multipliers).sum(dim=(1, 2)) - change
    return Contributions(
        hypothetical.unflatten(0, (-1, count)).mean(dim=1),
        gap.abs().unflatten(0, (-1, count)).mean(dim=1),
        change.abs().unflatten(0, (-1, count)).mean(dim=1),
    )


def _output(model: nn.Module, target: int, batch_size: int, *inputs: torch.Tensor) -> torch.Tensor:
    device = _device(model)
    batches = zip(*(values.split(batch_size) for values in inputs), strict=True)
    with torch.no_grad():
        return torch.cat([model(*(part.to(device) for part in batch))[:, target].cpu() for batch in batches])


def _device(model: nn.Module) -> torch.device:
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device
