"""What models with attention look at in the windows that were explained.

Attention is no explanation: other weights can give the same answer, and features carry a base's information to other
positions before attention sees them (Jain & Wallace 2019, arXiv:1902.10186). So what is looked at is set beside what
contributes and beside a track where one is named, window by window, and the report says how far they agree.
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
from lociflow.interpretation.attributions import observed_contributions, read_attributions
from lociflow.interpretation.window_track import open_window_track
from lociflow.models.checkpoint import load_model
from lociflow.models.device import resolve_device
from lociflow.sequence.one_hot import one_hot

BATCH = 64
EXAMPLES = 3  # windows per target whose whole map is kept
FEWEST = 3  # positions of which ranks say anything


@runtime_checkable
class Attends(Protocol):
    """A model that tells what it looks at."""

    def attention_weights(self, views: dict[str, Tensor]) -> Tensor:
        """Return ``(batch, heads, positions)``, or ``(batch, heads, positions, positions)``, rows those that look."""


def map_attention(
    checkpoint: Path,
    attributions: Path,
    attention: Path,
    track: Path | None = None,
    threads: int = 1,
    device: str = "cpu",
) -> None:
    """Write what a model looks at in its explained windows.

    Parameters
    ----------
    checkpoint
        Of a model that has ``attention_weights`` and reads the sequence alone.
    attributions
        As :mod:`lociflow.interpretation.attributions`: the windows, and what each base contributes.
    attention
        ``.npz`` to write: the fields of :class:`AttentionMaps`. The same input gives the same bytes.
    track
        What attention is held against, as :mod:`lociflow.interpretation.window_track` writes it.
    threads
        Of torch.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        The model does not tell what it looks at, a file cannot be read, or the track is of other windows.
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
    known, along = None, np.empty((len(looked), 0), dtype=np.float32)
    if track is not None:
        known = open_window_track(track)
        if not np.array_equal(known.bin, found.bin):
            raise UserError(f"{track}: is of other windows than {attributions}; run snakemake again to rebuild it")
        along = by_position(known.values, looked.shape[1]).astype(np.float32)
    correlations = {
        "agreement": agreements(looked, contributions),
        "track_agreement": agreements(looked, along),
        "track_contributions": agreements(contributions, along),
    }
    facts = [
        {
            "target": fact["target"],
            "column": fact["column"],
            "windows": int(rows.sum()),
            **{name: mean_known(values[rows]) for name, values in correlations.items()},
        }
        for fact in found.meta["targets"]
        for rows in [found.target == fact["column"]]
    ]
    meta = {
        "model": name,
        "length": int(found.codes.shape[1]),
        "heads": heads,
        "kind": "map" if total.shape[0] else "pool",
        "method": found.meta.get("method"),
        "track": known.name if known else None,
        "targets": facts,
    }
    mean = (total / len(looked)).astype(np.float32)
    maps_kept = np.concatenate(kept).astype(np.float16)
    write_attention(
        attention,
        AttentionMaps(
            found.bin, found.target, looked, contributions, correlations["agreement"], mean, examples, maps_kept, along,
            correlations["track_agreement"], correlations["track_contributions"], meta,
        ),
    )  # fmt: skip
    told = {"contributions": "agreement", **({known.name: "track_agreement"} if known else {})}
    means = {name: mean_known(correlations[key]) for name, key in told.items()}
    status(
        f"attention of {heads} heads over {looked.shape[1]} positions in {len(looked)} windows; rank correlation with "
        + " and with ".join(
            f"{name} {'undefined' if value is None else format(value, '.2f')}" for name, value in means.items()
        )
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
        Shape ``(n, length)``, NaN where unknown.
    positions
        At most ``length``.

    Returns
    -------
    numpy.ndarray
        Shape ``(n, positions)``; base ``i`` belongs to position ``i * positions // length``. NaN where no base of a
        position is known.
    """
    starts = -(-np.arange(positions) * values.shape[1] // positions)
    is_known = np.isfinite(values)
    sizes = np.add.reduceat(is_known.astype(np.int64), starts, axis=1)
    total = np.add.reduceat(np.where(is_known, values, 0), starts, axis=1)
    return np.where(sizes > 0, total / np.maximum(sizes, 1), np.nan)


def agreements(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of each row of one array with that of the other, over what is known of both.

    NaN where a row is constant, where less than three positions are known, and where the other array has none.
    """
    found = np.full(len(one), np.nan, dtype=np.float32)
    for row, (left, right) in enumerate(zip(one, other, strict=True) if other.shape[1] else ()):
        both = np.isfinite(left) & np.isfinite(right)
        if both.sum() >= FEWEST and np.ptp(left[both]) > 0 and np.ptp(right[both]) > 0:
            found[row] = spearmanr(left[both], right[both]).statistic
    return found


def mean_known(values: np.ndarray) -> float | None:
    """Return the mean of what is known, None where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
