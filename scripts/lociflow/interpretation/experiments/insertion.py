"""Insertion of motifs into background sequences: what a motif alone does to an output.

Global importance analysis (Koo et al. 2021, doi:10.1371/journal.pcbi.1008925): the mean change of an output where a
pattern is put into sequences that hold nothing else, over many of them, so that what each of them happens to hold
averages out. The same bases in another order are the null.
"""

from typing import NamedTuple

import torch
from tangermeme.marginalize import marginalize
from torch import Tensor, nn


class Insertion(NamedTuple):
    """Changes of the scalars on each background, ``float32``, shape ``(backgrounds, columns)``."""

    before: Tensor
    """The scalars of the backgrounds themselves."""
    change: Tensor
    """With the motif less without."""
    null: Tensor
    """With the shuffled motif less without."""


def insertion(
    model: nn.Module,
    backgrounds: Tensor,
    sites: Tensor,
    shuffled: Tensor,
    device: torch.device,
    batch_size: int = 256,
) -> Insertion:
    """Put a site in the middle of each background, with tangermeme.

    Parameters
    ----------
    model
        Maps one-hot sequence, ``(batch, 4, length)``, to scalars, ``(batch, columns)``.
    backgrounds
        One-hot, shape ``(n, 4, length)``.
    sites, shuffled
        One-hot, shape ``(n, 4, width)``: what each background gets, and its null.
    device
        Where the model runs.
    batch_size
        Sequences per pass.
    """
    before, after = marginalize(model, backgrounds, sites, batch_size=batch_size, device=device)
    _, null = marginalize(model, backgrounds, shuffled, batch_size=batch_size, device=device)
    return Insertion(before, after - before, null - before)
