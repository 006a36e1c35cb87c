"""What models with attention look at in the windows that were explained.

Attention is no explanation: other weights can give the same answer, and features carry a base's information to other
positions before attention sees them (Jain & Wallace 2019, arXiv:1902.10186). So what is looked at is set beside what
contributes, window by window, and the report says how far the two agree.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from lociflow.command import UserError, status
from lociflow.interpretation.attention import AttentionMaps, write_attention
from lociflow.interpretation.attributions import read_attributions
from lociflow.interpretation.truth import observed_contributions
from lociflow.models.checkpoint import load_model
from lociflow.models.device import resolve_device
from lociflow.sequence.one_hot import one_hot

BATCH = 64
EXAMPLES = 3  # windows per target whose whole map is kept


@runtime_checkable
class Attends(Protocol):
    """A model that tells what it looks at."""

    def attention_weights(self, views: dict[str, Tensor]) -> Tensor:
        """Return ``(batch, heads, positions)``, or ``(batch, heads, positions, positions)``, rows those that look."""


def map_attention(checkpoint: Path, attributions: Path, attention: Path, threads: int = 1, device: str = "cpu") -> None:
    """Write what a model looks at in its explained windows.

    Parameters
    ----------
    checkpoint
        Of a model that has ``attention_weights`` and reads the sequence alone.
    attributions
        As :mod:`lociflow.interpretation.attributions`: the windows, and what each base contributes.
    attention
        ``.npz`` to write: the fields of :class:`AttentionMaps`. The same input gives the same bytes.
    threads
        Of torch.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        The model does not tell what it looks at, or a file cannot be read.
    """
    torch.set_num_threads(threads)
    loaded = load_model(checkpoint)
    name = loaded.config["model"].get("name", "model")
    if not isinstance(loaded.model, Attends) or list(loaded.config["model"]["views"]) != ["sequence"]:
        raise UserError(
            f"{checkpoint}: {name} has no attention_weights of the sequence alone, expected a model that has; take "
            "attention: true out of the attribution in its file"
        )
    found = read_attributions(attributions)
    place = resolve_device(device)
    model = cast(Attends, loaded.model.eval().to(place))
    examples = first_rows(found.target, EXAMPLES)
    received, kept = [], []
    total: np.ndarray | None = None
    heads = 0
    for first, weights in _weights(model, found.codes, place):
        heads = weights.shape[1]
        maps = weights.mean(dim=1)
        if maps.ndim == 2:
            maps = maps[:, None][:, :0]
            received.append(weights.mean(dim=1).numpy())
        else:
            received.append(maps.mean(dim=1).numpy())
        part = maps.double().sum(dim=0).numpy()
        total = part if total is None else total + part
        inside = examples[(examples >= first) & (examples < first + len(maps))]
        kept.append(maps[inside - first].numpy())
    if total is None:
        raise UserError(f"{attributions}: holds no explained window, expected some; explain other targets")
    looked = np.concatenate(received).astype(np.float32)
    size = np.abs(observed_contributions(found.codes, found.hypothetical))
    contributions = by_position(size, looked.shape[1]).astype(np.float32)
    agreement = agreements(looked, contributions)
    facts = [
        {
            "target": fact["target"],
            "column": fact["column"],
            "windows": int((found.target == fact["column"]).sum()),
            "agreement": mean_known(agreement[found.target == fact["column"]]),
        }
        for fact in found.meta["targets"]
    ]
    meta = {
        "model": name,
        "length": int(found.codes.shape[1]),
        "heads": heads,
        "kind": "map" if total.shape[0] else "pool",
        "method": found.meta.get("method"),
        "targets": facts,
    }
    mean = (total / len(looked)).astype(np.float32)
    maps_kept = np.concatenate(kept).astype(np.float16)
    write_attention(
        attention,
        AttentionMaps(found.bin, found.target, looked, contributions, agreement, mean, examples, maps_kept, meta),
    )
    overall = mean_known(agreement)
    status(
        f"attention of {heads} heads over {looked.shape[1]} positions in {len(looked)} windows; rank correlation with "
        f"contributions {'undefined' if overall is None else format(overall, '.2f')}"
    )


def _weights(model: Attends, codes: np.ndarray, place: torch.device) -> Iterator[tuple[int, Tensor]]:
    for first in range(0, len(codes), BATCH):
        with torch.no_grad():
            batch = torch.from_numpy(one_hot(codes[first : first + BATCH])).to(place)
            yield first, model.attention_weights({"sequence": batch}).cpu()


def first_rows(target: np.ndarray, count: int) -> np.ndarray:
    """Return the first rows of each target, ascending."""
    rows = [np.flatnonzero(target == column)[:count] for column in np.unique(target)]
    return np.sort(np.concatenate(rows or [np.empty(0, np.int64)]))


def by_position(values: np.ndarray, positions: int) -> np.ndarray:
    """Average values of bases over equal shares of the window, one for each position of attention.

    Convolutions shift what a position stands for by up to half a filter; nothing is made of that.

    Parameters
    ----------
    values
        Shape ``(n, length)``.
    positions
        At most ``length``.

    Returns
    -------
    numpy.ndarray
        Shape ``(n, positions)``; base ``i`` belongs to position ``i * positions // length``.
    """
    starts = -(-np.arange(positions) * values.shape[1] // positions)
    sizes = np.diff([*starts, values.shape[1]])
    return np.asarray(np.add.reduceat(values, starts, axis=1) / sizes)


def agreements(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of each row of one array with that of the other, NaN where a row is constant."""
    found = np.full(len(one), np.nan, dtype=np.float32)
    for row, (left, right) in enumerate(zip(one, other, strict=True)):
        if np.ptp(left) > 0 and np.ptp(right) > 0:
            found[row] = spearmanr(left, right).statistic
    return found


def mean_known(values: np.ndarray) -> float | None:
    """Return the mean of what is known, None where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
