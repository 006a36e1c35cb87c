"""How much a model's outputs depend on each filter of its first layer: what changes when a filter says the same always.

A filter's activation, its output where positive, is set to its mean over windows and positions, as Kelley et al. 2016
(Basset, doi:10.1101/gr.200535.115) do: what the filter tells of a window is then lost, and what the layers behind it
are used to receive is not. A filter that resembles a motif is not therefore one that the model uses.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lociflow.evaluation.labels import one_against_rest
from lociflow.evaluation.metrics import auroc
from lociflow.interpretation.motifs.meme import Motif
from lociflow.interpretation.motifs.table import MotifRow, motif_row
from lociflow.models.outputs import Outputs
from lociflow.sequence.one_hot import one_hot

# Windows that are read at once.
BATCH = 128

Score = Callable[[np.ndarray], float | None]


class Influence(NamedTuple):
    """What changes without each filter."""

    change: np.ndarray
    """``float64``, shape ``(filters, columns)``: the mean over windows of the absolute change of each scalar."""
    score: np.ndarray
    """``float64``, shape ``(filters,)``: the score with the filter less that without it; NaN where there is none."""


def filter_influence(
    model: nn.Module, layer: nn.Module, filters: int, codes: np.ndarray, score: Score, device: torch.device
) -> Influence | None:
    """Measure the influence of every filter.

    Parameters
    ----------
    model
        Maps one-hot sequence ``(batch, 4, length)`` to scalars ``(batch, columns)``, on ``device``.
    layer
        The part of it whose output has the filters as channels, ``(batch, filters, positions)``. With twice as many
        channels, channel ``i`` and channel ``-1 - i`` are one filter on both strands.
    filters
        Their number.
    codes
        Windows, ``uint8``, shape ``(n, length)``, at least one.
    score
        Scores the scalars of these windows, ``(n, columns)``; None where it is undefined.
    device
        Where the model is.

    Returns
    -------
    Influence or None
        None where the model does not call the layer, so that nothing can be set.
    """
    means = mean_activations(model, layer, codes, device)
    if means is None:
        return None
    whole = _scalars(model, codes, device)
    full = score(whole)
    changes, scores = np.empty((filters, whole.shape[1])), np.full(filters, np.nan)
    for number in range(filters):
        channels = [number] if len(means) == filters else [number, len(means) - 1 - number]
        with _constant(layer, channels, means):
            without = _scalars(model, codes, device)
        changes[number] = np.abs(whole - without).mean(axis=0)
        left = score(without)
        if full is not None and left is not None:
            scores[number] = full - left
    return Influence(changes, scores)


def mean_activations(model: nn.Module, layer: nn.Module, codes: np.ndarray, device: torch.device) -> Tensor | None:
    """Return the mean of each channel's output where positive, 0 counting elsewhere, ``(channels,)``; None: no call."""
    sums: list[Tensor] = []
    counts: list[int] = []

    def note(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        sums.append(output.clamp(min=0).sum(dim=(0, 2), dtype=torch.float64))
        counts.append(output.shape[0] * output.shape[2])

    handle = layer.register_forward_hook(note)
    try:
        _scalars(model, codes, device)
    finally:
        handle.remove()
    return torch.stack(sums).sum(dim=0) / sum(counts) if sums else None


@contextmanager
def _constant(layer: nn.Module, channels: list[int], means: Tensor) -> Iterator[None]:
    def replace(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
        changed = output.clone()
        changed[:, channels] = means[channels].to(output.dtype)[None, :, None]
        return changed

    handle = layer.register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()


def _scalars(model: nn.Module, codes: np.ndarray, device: torch.device) -> np.ndarray:
    parts = []
    with torch.no_grad():
        for first in range(0, len(codes), BATCH):
            parts.append(model(torch.from_numpy(one_hot(codes[first : first + BATCH])).to(device)).double().cpu())
    return torch.cat(parts).numpy()


def scorer(outputs: Outputs, labels: np.ndarray) -> Score:
    """Return how scalars of some windows are scored against their labels.

    Parameters
    ----------
    outputs
        What the model was asked for.
    labels
        Of the windows, one column a target of the model.

    Returns
    -------
    callable
        For labels that are ranked the mean over columns of the AUROC, for real values that of Pearson's correlation;
        columns without it are left out, and other kinds of labels have no score.
    """
    if outputs.kind in ("binary", "class"):
        wanted = one_against_rest(labels, outputs) if outputs.kind == "class" else labels
        return lambda scalars: _mean(
            [float(auroc(wanted[:, column], scalars[:, column])) for column in range(wanted.shape[1])]
        )
    if outputs.kind == "real":
        return lambda scalars: _mean(
            [_pearson(labels[:, column], scalars[:, column]) for column in range(len(labels.T))]
        )
    return lambda scalars: None


def _pearson(labels: np.ndarray, scalars: np.ndarray) -> float:
    known = np.isfinite(labels)
    if known.sum() < 2 or labels[known].std() == 0 or scalars[known].std() == 0:
        return float("nan")
    return float(np.corrcoef(labels[known].astype(np.float64), scalars[known])[0, 1])


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None


def filter_row(name: str, motif: Motif | None, support: int) -> MotifRow:
    """Describe a filter; one without a matrix has no information and no consensus."""
    return MotifRow(name, "", "filter", support, 0.0, "") if motif is None else motif_row(motif, "", "filter")


def filter_table(rows: Sequence[MotifRow], influence: Influence | None, names: Sequence[str]) -> pd.DataFrame:
    """Return the table of all filters of a layer.

    Parameters
    ----------
    rows
        One a filter.
    influence
        Of the same filters; None where it was not measured.
    names
        Of the scalars whose change it is.

    Returns
    -------
    pandas.DataFrame
        The fields of :class:`MotifRow`; ``influence``, the mean over scalars of what follows; ``score_change``, the
        score with the filter less that without it; ``influence:NAME``, the mean absolute change of each scalar.
    """
    table = pd.DataFrame(list(rows), columns=list(MotifRow._fields))
    if influence is None:
        return table.assign(influence=np.nan, score_change=np.nan)
    columns = {f"influence:{name}": influence.change[:, number] for number, name in enumerate(names)}
    found = {"influence": influence.change.mean(axis=1), "score_change": influence.score, **columns}
    return pd.concat([table, pd.DataFrame(found)], axis=1)
