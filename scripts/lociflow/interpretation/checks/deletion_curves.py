"""Follow a prediction while the positions that an explanation puts first are replaced: deletion and insertion curves.

Positions are replaced in the order of their contributions, the highest first, and the output is followed (Petsiuk et
al. 2018, RISE, arXiv 1806.07421; Samek et al. 2017, doi:10.1109/TNNLS.2016.2599820). What replaces a base is the base
at the same place in a dinucleotide shuffle of the window: a model has seen such sequence, and N it has not. Random
positions are replaced as often, since every replacement costs some of the output.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

# Sets these draws apart from others with the same seed.
PURPOSE = 0xDE1E


class Curves(NamedTuple):
    """The output while positions are replaced; each array ``float64``, shape ``(n, steps)``."""

    deletion: np.ndarray
    """Windows whose top positions are replaced."""
    deletion_random: np.ndarray
    """Windows of which as many random positions are replaced."""
    insertion: np.ndarray
    """References into which the windows' top positions are put."""
    insertion_random: np.ndarray
    """References into which as many random positions of the windows are put."""


def position_counts(length: int, steps: int) -> np.ndarray:
    """Return how many positions are replaced in each step, ascending from 0 to all.

    The first step replaces nothing, the second about a hundredth, and the steps up to the last are even on a
    logarithmic scale, because what a model reads is a few sites of a long window.

    Parameters
    ----------
    length
        Of a window, in bases.
    steps
        After the first, at least 2; in a short window some coincide and are one.

    Returns
    -------
    numpy.ndarray
        ``int64``, without repeats.
    """
    counts = np.ceil(np.geomspace(0.01, 1, steps) * length - 1e-9).astype(np.int64)
    return np.unique(np.concatenate([[0], counts]))


def orders(contributions: np.ndarray, bins: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rank the positions of windows by their contributions, and at random.

    Parameters
    ----------
    contributions
        Of the bases that stand there, shape ``(n, length)``.
    bins
        Bin index of each window, ``int64``, shape ``(n,)``.
    seed
        At least 0. A window's random ranks are a function of it and of the bin.

    Returns
    -------
    top, random : numpy.ndarray
        ``int64``, shape ``(n, length)``: rank of each position, 0 for the first to be replaced. Equal contributions
        are in random order: a constant explanation then does exactly as well as chance.
    """
    random = np.stack(
        [
            np.random.Generator(np.random.Philox(key=[seed, PURPOSE], counter=[0, 0, 0, int(index)])).permutation(
                contributions.shape[1]
            )
            for index in bins
        ]
    )
    first = np.lexsort((random, -contributions), axis=1)
    return np.argsort(first, axis=1), random


def follow(
    model: nn.Module,
    column: int,
    windows: torch.Tensor,
    references: torch.Tensor,
    top: np.ndarray,
    random: np.ndarray,
    counts: np.ndarray,
    batch_size: int = 256,
) -> Curves:
    """Follow an output while positions are replaced.

    Parameters
    ----------
    model
        On the device where it is to run, in evaluation mode.
    column
        Of the output.
    windows
        One-hot, ``float32``, shape ``(n, 4, length)``.
    references
        What replaces them, shape ``(n, references, 4, length)``; outputs are averaged over them.
    top, random
        As :func:`orders` returns them.
    counts
        As :func:`position_counts` returns them.
    batch_size
        Windows per pass.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    number = references.shape[1]
    found = np.empty((4, len(windows), len(counts)))
    for index, (window, against) in enumerate(zip(windows, references, strict=True)):
        curves = []
        for ranks in (top[index], random[index]):
            taken = torch.from_numpy(ranks[None] < counts[:, None])[:, None, None]
            curves += [torch.where(taken, against, window), torch.where(taken, window, against)]
        mixed = torch.stack(curves).flatten(0, 2)
        with torch.no_grad():
            outputs = torch.cat([model(batch.to(device))[:, column].cpu() for batch in mixed.split(batch_size)])
        found[:, index] = outputs.double().view(4, len(counts), number).mean(dim=2).numpy()
    deletion, insertion, deletion_random, insertion_random = found
    return Curves(deletion, deletion_random, insertion, insertion_random)


def in_shares(curves: Curves) -> Curves:
    """Express the outputs of one target so that targets can be put together.

    0 is a window's mean reference and 1 lies the target's mean absolute change from reference to window above it. Where
    no window differs from its references at all, everything is 0.
    """
    reference = curves.insertion[:, :1]
    scale = np.abs(curves.deletion[:, 0] - curves.insertion[:, 0]).mean() if len(curves.deletion) else 0.0
    return Curves(*((outputs - reference) / scale if scale > 0 else np.zeros_like(outputs) for outputs in curves))


def areas(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Return the area between each window's curves for top and for random positions, shape ``(n,)`` each.

    The mean over the steps, so over the logarithm of the number of positions. Positive where top positions matter more
    than random ones.
    """
    return (
        (curves.deletion_random - curves.deletion)[:, 1:].mean(axis=1),
        (curves.insertion - curves.insertion_random)[:, 1:].mean(axis=1),
    )
