"""Pairs of motifs over distances and orientations: what two motifs do together beyond what each does alone.

The interaction is the scalar with both motifs, less that with each alone in the same place, plus that with none (Avsec
et al. 2021, doi:10.1038/s41588-021-00782-6, measure the same in synthetic sequences as a ratio of signals). It is 0
where effects add up.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from tangermeme.marginalize import marginalize
from tangermeme.space import space
from torch import Tensor, nn

from lociflow.interpretation.experiments.sites import other_strand

ORIENTATIONS = ("++", "+-", "-+", "--")
"""Strands of the first motif, which stands to the left, and of the second; the mirror images of the two on the other
strand are what the second motif to the left of the first would be."""


class Interaction(NamedTuple):
    """Of one pair."""

    values: Tensor
    """``float32``, shape ``(backgrounds, orientations, gaps, columns)``."""
    scale: float
    """The largest scalar, in absolute value, that went into them."""


def fitting_gaps(gaps: Sequence[int], width: int, length: int) -> list[int]:
    """Return the gaps at which two motifs of ``width`` bases together fit into sequences of ``length`` bases."""
    return [gap for gap in gaps if width + gap <= length]


def interaction(
    model: nn.Module,
    backgrounds: Tensor,
    first: Tensor,
    second: Tensor,
    gaps: Sequence[int],
    device: torch.device,
    batch_size: int = 256,
) -> Interaction:
    """Measure the interaction of two motifs at every gap in every orientation, with tangermeme.

    The first motif stays in its place, such that the pair with the widest gap is in the middle.

    Parameters
    ----------
    model, backgrounds, device, batch_size
        As :func:`lociflow.interpretation.experiments.insertion.insertion`.
    first, second
        Sites, one-hot, shapes ``(n, 4, width)``: what each background gets.
    gaps
        Bases between the two motifs, at least one gap; all fit, see :func:`fitting_gaps`.
    """
    width = first.shape[2]
    start = (backgrounds.shape[2] - width - second.shape[2] - max(gaps)) // 2
    how: dict[str, Any] = {"batch_size": batch_size, "device": device}
    sites = {"+": (first, second), "-": (other_strand(first), other_strand(second))}
    alone_first: dict[str, Tensor] = {}
    alone_second: dict[str, Tensor] = {}
    for strand, (left, right) in sites.items():
        none, alone_first[strand] = marginalize(model, backgrounds, left, start=start, **how)
        moved = [marginalize(model, backgrounds, right, start=start + width + gap, **how).y_after for gap in gaps]
        alone_second[strand] = torch.stack(moved, dim=1)
    found, scale = [], float(none.abs().max())
    for strands in ORIENTATIONS:
        left, right = sites[strands[0]][0], sites[strands[1]][1]
        _, both = space(model, backgrounds, [left, right], [[gap] for gap in gaps], start=start, **how)
        found.append(both - alone_first[strands[0]][:, None] - alone_second[strands[1]] + none[:, None])
        scale = max(scale, float(both.abs().max()))
    return Interaction(torch.stack(found, dim=1), scale)
