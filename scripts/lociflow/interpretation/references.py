"""What a window is compared with when it is explained: its reference sequences."""

import numpy as np
import torch
from tangermeme.ersatz import dinucleotide_shuffle

# Sets these draws apart from others with the same seed.
PURPOSE = 0x5EFE


def zeros(one_hot: torch.Tensor, bins: np.ndarray, seed: int) -> torch.Tensor:
    """Return one reference a window without any base.

    Parameters
    ----------
    one_hot
        ``float32``, shape ``(n, 4, length)``.
    bins, seed
        Not looked at; every kind of reference takes them.

    Returns
    -------
    torch.Tensor
        Zeros, shape ``(n, 1, 4, length)``.
    """
    return torch.zeros_like(one_hot)[:, None]


def dinucleotide_shuffled(one_hot: torch.Tensor, bins: np.ndarray, seed: int, shuffles: int) -> torch.Tensor:
    """Return shuffles of each window that keep its dinucleotide counts.

    The seed of a window's shuffles is a function of ``seed`` and its bin index alone: neither the batch that it falls
    in nor the other windows change them.

    Parameters
    ----------
    one_hot
        ``float32``, shape ``(n, 4, length)``, exactly one base a position.
    bins
        Bin index of each window, ``int64``, shape ``(n,)``.
    seed
        At least 0.
    shuffles
        References per window.

    Returns
    -------
    torch.Tensor
        Shape ``(n, shuffles, 4, length)``, like ``one_hot``.
    """
    states = [
        int(np.random.Generator(np.random.Philox(key=[seed, PURPOSE], counter=[0, 0, 0, int(index)])).integers(2**31))
        for index in bins
    ]
    return dinucleotide_shuffle(one_hot, n=shuffles, random_state=states)
