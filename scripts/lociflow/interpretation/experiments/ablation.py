"""Ablation of motifs in real sequences: what an output loses where a motif's sites are replaced."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from memelite import fimo
from tangermeme.predict import predict
from torch import Tensor, nn

from lociflow.interpretation.references import dinucleotide_shuffled

# Sets these draws apart from others with the same seed.
PURPOSE = 0xAB1A


class Ablation(NamedTuple):
    """Scalars of the windows that hold the motif and their falls, ``float32``, shape ``(windows, columns)``."""

    before: Tensor
    """With the motif."""

    fall: Tensor
    """With the motif less without it, mean over shuffles."""
    null: Tensor
    """The same where as many bases elsewhere are replaced."""
    windows: np.ndarray
    """Which of the windows these are, ``int64``."""
    sites: int
    """Of the motif in these windows."""
    full: int
    """Windows with sites and without room for as many bases elsewhere; they are left out."""


def find_sites(pwms: Mapping[str, np.ndarray], windows: Tensor, p: float) -> dict[str, np.ndarray]:
    """Find the sites of motifs on both strands, with memelite's FIMO (Grant et al. 2011).

    Parameters
    ----------
    pwms
        Probabilities of A, C, G and T, shape ``(4, width)``, by name.
    windows
        One-hot, shape ``(n, 4, length)``.
    p
        The highest p-value of a site.

    Returns
    -------
    dict of str to numpy.ndarray
        By motif, ``bool``, shape ``(n, length)``: the bases of its sites.
    """
    length = windows.shape[2]
    found = {name: np.zeros((len(windows), length), bool) for name in pwms}
    if not len(windows) or not pwms:
        return found
    hits = fimo({name: pwm.astype(np.float64) for name, pwm in pwms.items()}, windows.numpy(), threshold=p)
    for name, table in zip(pwms, hits, strict=True):
        for window, start, end in zip(table["sequence_name"], table["start"], table["end"], strict=True):
            found[name][int(window), max(int(start), 0) : int(end)] = True
    return found


def ablation(
    model: nn.Module,
    windows: Tensor,
    bins: np.ndarray,
    sites: np.ndarray,
    shuffles: int,
    seed: int,
    device: torch.device,
    batch_size: int = 256,
) -> Ablation:
    """Replace the sites of a motif by what a dinucleotide shuffle of the window has in their place.

    Shuffling a site in itself would leave one of few kinds of bases as it was. The null replaces stretches of the same
    lengths at random places of the same window that touch no site.

    Parameters
    ----------
    model, device, batch_size
        As :func:`lociflow.interpretation.experiments.insertion.insertion`.
    windows
        One-hot, shape ``(n, 4, length)``, exactly one base a position.
    bins
        Bin index of each, ``int64``: with ``seed`` it decides what a window's draws are.
    sites
        As :func:`find_sites` gives them, ``bool``, shape ``(n, length)``.
    shuffles
        Per window.
    seed
        At least 0.
    """
    with_sites = np.flatnonzero(sites.any(axis=1))
    drawn = {int(window): elsewhere(sites[window], seed, int(bins[window])) for window in with_sites}
    places = {window: place for window, place in drawn.items() if place is not None}
    kept = np.array(list(places), np.int64)
    count, full = sum(len(stretches(sites[window])) for window in kept), len(drawn) - len(places)
    if not places:
        nothing = torch.empty((0, 0))
        return Ablation(nothing, nothing, nothing, kept, count, full)
    chosen = windows[torch.from_numpy(kept)]
    shuffled = dinucleotide_shuffled(chosen, bins[kept], seed, shuffles)
    before = predict(model, chosen, batch_size=batch_size, device=device)

    def fall(mask: np.ndarray) -> Tensor:
        replaced = torch.where(torch.from_numpy(mask)[:, None, None], shuffled, chosen[:, None])
        after = predict(model, replaced.flatten(0, 1), batch_size=batch_size, device=device)
        return before - after.unflatten(0, (len(kept), shuffles)).mean(dim=1)

    return Ablation(before, fall(sites[kept]), fall(np.stack(list(places.values()))), kept, count, full)


def stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the half-open intervals in which a mask, ``bool`` of shape ``(length,)``, is true, from left to right."""
    edges = np.flatnonzero(np.diff(np.pad(mask.astype(np.int8), 1)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def elsewhere(mask: np.ndarray, seed: int, index: int) -> np.ndarray | None:
    """Draw places of the same lengths that touch neither the mask nor each other, the longest first.

    Returns
    -------
    numpy.ndarray or None
        ``bool``, shape ``(length,)``; None where there is no room.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, PURPOSE], counter=[0, 0, 0, index]))
    taken, drawn = mask.copy(), np.zeros_like(mask)
    for length in sorted((end - start for start, end in stretches(mask)), reverse=True):
        # A place is free where the next `length` bases are.
        free = np.flatnonzero(np.convolve(taken, np.ones(length, int), mode="valid") == 0)
        if not len(free):
            return None
        start = int(generator.choice(free))
        taken[start : start + length] = drawn[start : start + length] = True
    return drawn
