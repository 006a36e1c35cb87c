"""How a model's output builds up along a window: its score as a function of how much of the window it has read.

Recurrent networks have been read in this way at every step (Lanchantin et al. 2017, Deep Motif Dashboard,
arXiv:1608.03644, "temporal output scores"). Here it is asked of any model from outside: the bases that are not yet read
are those of dinucleotide shuffles of the window, which have its composition and none of its sites, and the score is the
mean over shuffles. A step up tells where the evidence lies; where it only comes with the second of two sites, the model
needs both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lociflow.command import atomic, status
from lociflow.interpretation.attributions import contrasts_of, read_attributions
from lociflow.interpretation.references import dinucleotide_shuffled
from lociflow.interpretation.scalars import scalar_model
from lociflow.interpretation.settings import read_settings
from lociflow.models.checkpoint import load_model
from lociflow.models.device import resolve_device
from lociflow.sequence.one_hot import one_hot

BATCH = 128
FORWARD, BACKWARD = "forward", "backward"


class PrefixConfig(NamedTuple):
    """What ``config/interpretation/*.yaml`` says under ``prefixes``."""

    windows: int = 1
    """Per explained target: those with the highest scores."""
    steps: int = 40
    """Lengths at which the score is taken, at most, beside nothing and all."""
    shuffles: int = 4
    """Of the part that is not read."""
    seed: int = 1
    """Of the shuffles."""
    threads: int = 1
    """Of torch."""


class PrefixRow(NamedTuple):
    """One point of a curve."""

    target: str
    bin: int
    direction: str
    """``forward``: read from the window's first base; ``backward``: from its last."""
    read: int
    """Bases read so far."""
    score: float
    """Mean over shuffles of the scalar."""
    deviation: float
    """Standard deviation over shuffles."""


def score_prefixes(
    checkpoint: Path, attributions: Path, config: Mapping[str, Any], table: Path, device: str = "cpu"
) -> None:
    """Write how the scores of some explained windows build up along them.

    Parameters
    ----------
    checkpoint
        Of the model.
    attributions
        As :mod:`lociflow.interpretation.attributions`: the windows to choose from.
    config
        As :class:`PrefixConfig`.
    table
        Table to write (TSV): a :class:`PrefixRow` a point.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        The configuration has an unknown key, a file cannot be read, or the model has no scalars.
    """
    settings = read_settings(PrefixConfig, "prefixes", config)
    torch.set_num_threads(settings.threads)
    found = read_attributions(attributions)
    model, _ = scalar_model(load_model(checkpoint), contrasts_of(found))
    place = resolve_device(device)
    model = model.to(place)
    rows: list[PrefixRow] = []
    for fact in found.meta["targets"]:
        here = np.flatnonzero(found.target == fact["column"])
        scores = scalars(model, torch.from_numpy(one_hot(found.codes[here])), fact["column"], place)
        for row in here[np.argsort(-scores, kind="stable")[: settings.windows]]:
            window = torch.from_numpy(one_hot(found.codes[row : row + 1]))
            shuffled = dinucleotide_shuffled(window, found.bin[row : row + 1], settings.seed, settings.shuffles)[0]
            reads = lengths(window.shape[2], settings.steps)
            for direction in (FORWARD, BACKWARD):
                mixed = mixtures(window[0], shuffled, reads, direction)
                values = scalars(model, mixed.flatten(0, 1), fact["column"], place).reshape(len(reads), -1)
                rows.extend(
                    PrefixRow(fact["target"], int(found.bin[row]), direction, int(read), float(mean), float(deviation))
                    for read, mean, deviation in zip(reads, values.mean(axis=1), values.std(axis=1), strict=True)
                )
    with atomic(table) as temporary:
        pd.DataFrame(rows, columns=list(PrefixRow._fields)).to_csv(
            temporary, sep="\t", index=False, float_format="%.5f"
        )
    windows = len({(row.target, row.bin) for row in rows})
    status(f"scores along {windows} windows, with {settings.shuffles} shuffles of what is not read")


def lengths(length: int, steps: int) -> np.ndarray:
    """Return how many bases are read at each point, ``int64``, ascending: 0, ``steps`` even steps, and ``length``."""
    return np.unique(np.linspace(0, length, min(steps, length) + 1).round().astype(np.int64))


def mixtures(window: Tensor, shuffled: Tensor, reads: np.ndarray, direction: str) -> Tensor:
    """Return a window of which a part is read and the rest is that of shuffles.

    Parameters
    ----------
    window
        One-hot, shape ``(4, length)``.
    shuffled
        Shape ``(shuffles, 4, length)``.
    reads
        Bases read, shape ``(points,)``.
    direction
        :data:`FORWARD` or :data:`BACKWARD`.

    Returns
    -------
    torch.Tensor
        Shape ``(points, shuffles, 4, length)``.
    """
    position = torch.arange(window.shape[1])
    if direction == BACKWARD:
        position = position.flip(0)
    known = position[None] < torch.from_numpy(reads)[:, None]
    return torch.where(known[:, None, None], window[None, None], shuffled[None])


def scalars(model: nn.Module, sequence: Tensor, column: int, place: torch.device) -> np.ndarray:
    """Return one scalar of each window, ``float64``, shape ``(n,)``."""
    with torch.no_grad():
        parts = [model(part.to(place))[:, column].double().cpu().numpy() for part in sequence.split(BATCH)]
    return np.concatenate(parts) if parts else np.empty(0)
