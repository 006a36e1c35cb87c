"""Sequences that maximise an output: what a model would like to see most.

Gradient ascent as in Simonyan et al. 2014 (arXiv:1312.6034) and Lanchantin et al. 2017 (DeepMotif, arXiv:1608.03644):
the score less a penalty on the squared norm of what is changed. What is changed are logits of the bases; the model sees
the most probable base of each position, and the gradient goes through as if it saw the probabilities (straight-through
estimator; Linder & Seelig 2021, doi:10.1186/s12859-021-04437-5), so that the score is that of a sequence and not of a
blend of sequences.

Sequences from several random starts are aligned without a motif: the stretch of the best one that contributes most is
laid along all others, on both strands, where the contributions agree most.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lociflow.interpretation.methods import differentiable, input_x_gradient

# Sets these draws apart from others with the same seed.
PURPOSE = 0x3A81


class Maximised(NamedTuple):
    """What was found from each start, best first."""

    codes: np.ndarray
    """``uint8``, shape ``(starts, length)``."""
    scores: np.ndarray
    """``float64``, shape ``(starts,)``: the scalar of each."""
    begun: np.ndarray
    """``float64``, shape ``(starts,)``: the scalar of the random sequence that each began as."""


def maximise(
    model: nn.Module,
    column: int,
    length: int,
    starts: int,
    steps: int,
    learning_rate: float,
    penalty: float,
    seed: int,
    device: torch.device,
) -> Maximised | None:
    """Search sequences with the highest scalar.

    Parameters
    ----------
    model
        Maps one-hot sequence, ``(batch, 4, length)``, to scalars, ``(batch, columns)``; on ``device``, in evaluation
        mode.
    column
        Of the scalar.
    length
        Of the sequences, in bases.
    starts
        Random sequences, searched side by side; each is a function of ``seed``, ``column`` and its number.
    steps, learning_rate
        Of Adam on the logits.
    penalty
        Of the mean square of the logits.
    seed
        At least 0.
    device
        Where the model runs.

    Returns
    -------
    Maximised or None
        The best sequence of each search; None where no gradient reaches the sequence, as with a model that looks its
        k-mers up.
    """
    begin = np.stack(
        [
            np.random.Generator(np.random.Philox(key=[seed, PURPOSE], counter=[0, 0, start, column])).standard_normal(
                (4, length), dtype=np.float32
            )
            for start in range(starts)
        ]
    )
    logits = torch.from_numpy(begin).to(device).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=learning_rate)
    best = torch.full((starts,), -torch.inf, device=device)
    codes = torch.zeros((starts, length), dtype=torch.long, device=device)
    begun: Tensor | None = None
    with differentiable(model):
        for step in range(steps + 1):
            probability = logits.softmax(dim=1)
            chosen = logits.detach().argmax(dim=1)
            one_hot = functional.one_hot(chosen, 4).transpose(1, 2).to(probability.dtype)
            score = model(one_hot + probability - probability.detach())[:, column]
            now = score.detach()
            begun = now.clone() if begun is None else begun
            better = now > best
            best, codes = torch.where(better, now, best), torch.where(better[:, None], chosen, codes)
            if step == steps:
                break
            if not score.requires_grad:
                return None
            (rise,) = torch.autograd.grad(score.sum(), logits, allow_unused=True)
            if rise is None or (step == 0 and not bool(rise.any())):
                return None
            logits.grad = 2 * penalty * logits.detach() / length - rise
            optimizer.step()
    order = torch.argsort(-best, stable=True).cpu()
    assert begun is not None
    return Maximised(
        codes.cpu()[order].numpy().astype(np.uint8),
        best.cpu()[order].double().numpy(),
        begun.cpu()[order].double().numpy(),
    )


def aligned_pwm(
    model: nn.Module, found: Maximised, column: int, width: int, seed: int
) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Lay maximising sequences on each other and count their bases.

    Parameters
    ----------
    model, column
        As :func:`maximise`.
    found
        Sequences, best first.
    width
        Of the stretch that is aligned, in bases, at most the length.
    seed
        Of the method of contributions.

    Returns
    -------
    pwm : numpy.ndarray
        ``float64``, shape ``(4, width)``: share of each base among the sequences.
    places : list
        For each sequence the first base of its stretch on the strand on which it is read, and this strand.
    """
    one_hot = functional.one_hot(torch.from_numpy(found.codes.astype(np.int64)), 4).transpose(1, 2).float()
    given = input_x_gradient(model, one_hot, column, np.arange(len(one_hot)), seed).hypothetical * one_hot
    both = {"+": (one_hot, given), "-": (one_hot.flip((1, 2)), given.flip((1, 2)))}
    sums = given[0].sum(dim=0).unfold(0, width, 1).sum(dim=1)
    start = int(sums.argmax())
    pattern = given[:1, :, start : start + width]
    agreement = {strand: functional.conv1d(values, pattern)[:, 0] for strand, (_, values) in both.items()}
    counts = torch.zeros((4, width), dtype=torch.float64)
    places = []
    for row in range(len(one_hot)):
        strand = "+" if row == 0 or agreement["+"][row].max() >= agreement["-"][row].max() else "-"
        first = start if row == 0 else int(agreement[strand][row].argmax())
        counts += both[strand][0][row, :, first : first + width].double()
        places.append((first, strand))
    return (counts / len(one_hot)).numpy(), places
