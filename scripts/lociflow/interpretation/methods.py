"""Attribution methods, all with one interface.

Each takes a model that maps ``(batch, 4, length)`` to logits ``(batch, targets)``, windows, and the target to explain,
and returns *hypothetical* contributions: for every base that could stand at a position, what it would contribute there.
The contributions of the bases that do stand there are these, times the one-hot windows.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

import numpy as np
import torch
from captum.attr import IntegratedGradients
from tangermeme.deep_lift_shap import deep_lift_shap as tangermeme_deep_lift_shap
from tangermeme.deep_lift_shap import hypothetical_attributions
from tangermeme.saturation_mutagenesis import saturation_mutagenesis as tangermeme_saturation_mutagenesis
from torch import nn

References = Callable[[torch.Tensor, np.ndarray, int], torch.Tensor]
"""(windows, bin indices, seed) to references of shape ``(n, references, 4, length)``."""


class Contributions(NamedTuple):
    """What a method returns, on the CPU."""

    hypothetical: torch.Tensor
    """``float32``, shape ``(n, 4, length)``, in logits."""
    gap: torch.Tensor
    """``float32``, shape ``(n,)``: absolute difference between the sum of contributions and the change of the output
    that they should add up to, mean over the references. 0 is perfect; NaN where a method promises no such sum."""
    change: torch.Tensor
    """``float32``, shape ``(n,)``: absolute change of the output from the references, mean over them; what ``gap`` is
    to be compared with. NaN where there are no references."""


def input_x_gradient(
    model: nn.Module, one_hot: torch.Tensor, target: int, bins: np.ndarray, seed: int, batch_size: int = 64
) -> Contributions:
    """Multiply the input with the gradient, corrected for the simplex.

    The gradient's mean over the four bases is subtracted at each position: one-hot sequences lie on a simplex, and the
    part of the gradient that leaves it is noise (Majdandzic et al. 2023, doi:10.1186/s13059-023-02956-3). The corrected
    gradient is the hypothetical contribution.

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
    parts = []
    for batch in one_hot.split(batch_size):
        moved = batch.to(_device(model)).requires_grad_()
        with differentiable(model):
            gradient = torch.autograd.grad(model(moved)[:, target].sum(), moved)[0]
        parts.append((gradient - gradient.mean(dim=1, keepdim=True)).cpu())
    nothing = torch.full((len(one_hot),), torch.nan)
    return Contributions(torch.cat(parts), nothing, nothing)


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
        As :func:`input_x_gradient`.
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
    windows = one_hot.repeat_interleave(against.shape[1], dim=0)
    with differentiable(model):
        multipliers = [
            integrate.attribute(
                window.to(device), baselines=reference.to(device), target=target, n_steps=steps, method="gausslegendre"
            )
            .detach()
            .float()
            .cpu()
            for window, reference in zip(windows.split(pairs), against.flatten(0, 1).split(pairs), strict=True)
        ]
    return _aggregate(model, one_hot, against, torch.cat(multipliers), target, batch_size)


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
        As :func:`input_x_gradient`; exactly one base a position.
    bins, seed, references
        As :func:`integrated_gradients`.
    batch_size
        Pairs of window and reference per pass.
    """
    against = references(one_hot, bins, seed)
    with warnings.catch_warnings(), unpooling():
        # tangermeme warns of large convergence deltas batch by batch; they are returned instead.
        warnings.filterwarnings("ignore", message="Convergence deltas", category=RuntimeWarning)
        multipliers = tangermeme_deep_lift_shap(
            model,
            one_hot,
            target=target,
            references=against,
            raw_outputs=True,
            batch_size=batch_size,
            device=_device(model),
        )
    return _aggregate(model, one_hot, against, multipliers.flatten(0, 1), target, batch_size)


def saturation_mutagenesis(
    model: nn.Module, one_hot: torch.Tensor, target: int, bins: np.ndarray, seed: int, batch_size: int = 256
) -> Contributions:
    """Predict every single substitution, with tangermeme; exact, and as slow as three predictions a base.

    A base's hypothetical contribution is the output with it at the position, less the mean over the four bases. There
    is no gap: single substitutions do not sum to anything.

    Parameters
    ----------
    model, one_hot, target
        As :func:`input_x_gradient`; exactly one base a position.
    bins, seed
        Not looked at; every method takes them.
    batch_size
        Substitutions per pass.
    """
    hypothetical = tangermeme_saturation_mutagenesis(
        model, one_hot, target=target, hypothetical=True, batch_size=batch_size, device=_device(model)
    )
    nothing = torch.full((len(one_hot),), torch.nan)
    return Contributions(hypothetical.float().cpu(), nothing, nothing)


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


def _aggregate(
    model: nn.Module,
    one_hot: torch.Tensor,
    references: torch.Tensor,
    multipliers: torch.Tensor,
    target: int,
    batch_size: int,
) -> Contributions:
    count = references.shape[1]
    windows = one_hot.repeat_interleave(count, dim=0)
    flat = references.flatten(0, 1)
    hypothetical = hypothetical_attributions((multipliers,), (windows,), (flat,))[0]
    expected = _output(model, one_hot, target, batch_size).repeat_interleave(count) - _output(
        model, flat, target, batch_size
    )
    gap = ((windows - flat) * multipliers).sum(dim=(1, 2)) - expected
    return Contributions(
        hypothetical.unflatten(0, (-1, count)).mean(dim=1),
        gap.abs().unflatten(0, (-1, count)).mean(dim=1),
        expected.abs().unflatten(0, (-1, count)).mean(dim=1),
    )


def _output(model: nn.Module, windows: torch.Tensor, target: int, batch_size: int) -> torch.Tensor:
    device = _device(model)
    with torch.no_grad():
        return torch.cat([model(batch.to(device))[:, target].cpu() for batch in windows.split(batch_size)])


def _device(model: nn.Module) -> torch.device:
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device
