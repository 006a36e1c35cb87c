"""Sites of motifs that are put into sequences: drawn from a matrix, turned to the other strand, shuffled."""

import numpy as np
import torch

from lociflow.sequence.one_hot import one_hot

# Set these draws apart from others with the same seed.
SITE, ORDER = 0x517E, 0x517F

SOURCES = ("pwm", "consensus")


def draw_sites(pwm: np.ndarray, count: int, seed: int, number: int, source: str = "pwm") -> torch.Tensor:
    """Draw sites of a motif, each position by itself.

    Parameters
    ----------
    pwm
        Probabilities of A, C, G and T, shape ``(4, width)``.
    count
        Sites.
    seed, number
        Site ``i`` is a function of the two, of the motif and of ``i``; ``number`` tells motifs apart.
    source
        ``pwm``: bases are drawn with their probabilities; ``consensus``: each position has its most probable base.

    Returns
    -------
    torch.Tensor
        One-hot, ``float32``, shape ``(count, 4, width)``.
    """
    if source not in SOURCES:
        raise ValueError(f"source: found {source}, expected one of {', '.join(SOURCES)}")
    if source == "consensus":
        codes = np.tile(pwm.argmax(axis=0), (count, 1))
    else:
        draws = np.stack([_generator(seed, SITE, number, site).random(pwm.shape[1]) for site in range(count)])
        # The last base takes what rounding leaves of the sum.
        codes = (draws[:, None] >= np.cumsum(pwm, axis=0)[None, :3]).sum(axis=1)
    return torch.from_numpy(one_hot(codes.astype(np.uint8)))


def shuffled_sites(sites: torch.Tensor, seed: int, number: int) -> torch.Tensor:
    """Put the positions of each site in another order: what its bases do without the motif.

    Parameters
    ----------
    sites
        Shape ``(n, 4, width)``.
    seed, number
        As :func:`draw_sites`.
    """
    orders = [_generator(seed, ORDER, number, site).permutation(sites.shape[2]) for site in range(len(sites))]
    return torch.stack([site[:, order] for site, order in zip(sites, orders, strict=True)])


def other_strand(sites: torch.Tensor) -> torch.Tensor:
    """Turn sites, shape ``(n, 4, width)``, to the other strand."""
    return sites.flip((1, 2))


def _generator(seed: int, purpose: int, number: int, site: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, purpose], counter=[0, 0, site, number]))
