"""What models with an answer for every base say along example bins, beside the labels.

Coordinates are 0-based and half-open, of the forward strand.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lociflow.evaluation.labels import Labels, read_labels
from lociflow.evaluation.predictions import read_predictions
from lociflow.genome.window_table import about_windows

LARGEST_OUTPUTS = 3
LARGEST_MODELS = 4
# Test bins with the label of which an example is chosen: profiles of many bins would not fit.
CANDIDATES = 200
KINDS = ("position_class", "profile")


class AlongBin(NamedTuple):
    """One output along one bin."""

    output: str
    """Target, or ``TARGET:CLASS``."""
    contig: str
    start: int
    end: int
    reverse: bool
    """Whether the models read the other strand."""
    label: np.ndarray
    """Shape ``(positions,)``: the signal; of a class 1 where it stands, 0 where not; NaN where it is unknown."""
    predicted: Mapping[str, np.ndarray]
    """By model, same shape: the expected signal of each base, or the probability of the class."""
    candidates: int
    """Test bins with the label among which this is the median one."""


def read_along(dataset: Mapping[str, Any]) -> tuple[AlongBin, ...]:
    """Choose a test bin of each of the first outputs, and read what is drawn of it.

    It is neither the best nor the worst: of the test bins with the label (for profiles, of the quarter with the most
    signal) the one in which the first model does as well as in the median bin. For a class that is the mean
    probability where it stands, for a profile Pearson's correlation of expected and observed signal.

    Parameters
    ----------
    dataset
        Of the manifest: ``windows``, ``targets``, ``target_table``, ``split``, ``folds``, and ``entries`` with
        ``label``, ``kind``, ``predictions`` and, where they were explained, ``attributions``.

    Returns
    -------
    tuple[AlongBin, ...]
        Empty where nothing was explained, or where labels are not of bases.

    Raises
    ------
    UserError
        A file is missing or is something else.
    """
    entries = [entry for entry in dataset["entries"] if entry.get("attributions") and entry["kind"] == "model"]
    about = about_windows(Path(dataset["windows"])).get("labels") or {} if entries else {}
    if about.get("kind") not in KINDS:
        return ()
    windows, targets, target_table = (Path(dataset[key]) for key in ("windows", "targets", "target_table"))
    labels = read_labels(windows, targets, target_table, dataset["split"], dataset.get("folds") or ())
    shown = entries[:LARGEST_MODELS]
    test = np.flatnonzero((labels.windows["split"] == "test").to_numpy())
    found = []
    for target, number in _places(labels)[:LARGEST_OUTPUTS]:
        column = labels.outputs.groups[target].start + number
        output = labels.outputs.columns[column]
        candidates = candidate_bins(labels, test, target, number)
        if not len(candidates):
            continue
        first = predictions_along(Path(shown[0]["predictions"]), output, candidates, labels.outputs.kind)
        observed = observed_along(labels, candidates, target, number)
        row = median_row(agreement(first, observed, labels.outputs.kind))
        chosen = candidates[[row]]
        place = labels.windows.iloc[int(chosen[0])]
        found.append(
            AlongBin(
                output,
                str(place["contig"]),
                int(place["start"]),
                int(place["end"]),
                str(place["strand"]) == "-",
                observed[row],
                {
                    entry["label"]: predictions_along(Path(entry["predictions"]), output, chosen, labels.outputs.kind)[
                        0
                    ]
                    for entry in shown
                },
                len(candidates),
            )
        )
    return tuple(found)


def candidate_bins(labels: Labels, test: np.ndarray, target: int, number: int) -> np.ndarray:
    """Return test bins with the label, evenly chosen where there are more than :data:`CANDIDATES`, ascending."""
    if labels.outputs.kind == "position_class":
        found = test[(np.asarray(labels.targets[test, :, target]) == number).any(axis=1)]
    else:
        amount = np.asarray(labels.targets[test, :, target]).sum(axis=1)
        known = np.flatnonzero(np.isfinite(amount))
        most = known[np.argsort(-amount[known], kind="stable")][: -(-len(known) // 4)]
        found = test[np.sort(most)]
    if len(found) <= CANDIDATES:
        return found
    return found[np.arange(CANDIDATES) * len(found) // CANDIDATES]


def observed_along(labels: Labels, bins: np.ndarray, target: int, number: int) -> np.ndarray:
    """Return labels as :class:`AlongBin` has them, ``float64``, shape ``(bins, positions)``."""
    own = np.asarray(labels.targets[bins, :, target], dtype=np.float64)
    if labels.outputs.kind == "profile":
        return own
    return np.where(own < 0, np.nan, own == number)


def predictions_along(path: Path, output: str, bins: np.ndarray, kind: str) -> np.ndarray:
    """Return predictions as :class:`AlongBin` has them, ``float64``, shape ``(bins, positions)``."""
    counts = f"{output}:log_counts"
    columns = [output, counts] if kind == "profile" else [output]
    table = read_predictions(path, columns, bins).set_index("bin").loc[bins]
    found = np.stack(table[output].to_list()).astype(np.float64)
    if kind == "profile":
        # Log counts are the logarithm of 1 + the sum; no signal is less than nothing.
        found *= np.maximum(np.expm1(table[counts].to_numpy(np.float64)), 0)[:, None]
    return found


def agreement(predicted: np.ndarray, observed: np.ndarray, kind: str) -> np.ndarray:
    """Say how well each bin is predicted, see :func:`read_along`; NaN where that is undefined."""
    if kind == "position_class":
        stands = observed == 1
        return np.asarray((predicted * stands).sum(axis=1) / stands.sum(axis=1))
    left = predicted - predicted.mean(axis=1, keepdims=True)
    right = observed - observed.mean(axis=1, keepdims=True)
    size = np.sqrt((left**2).sum(axis=1) * (right**2).sum(axis=1))
    return np.divide((left * right).sum(axis=1), size, out=np.full(len(size), np.nan), where=size > 0)


def median_row(values: np.ndarray) -> int:
    """Return the row with the median of the known values, the upper one of two; 0 where none is known."""
    known = np.flatnonzero(np.isfinite(values))
    return int(known[np.argsort(values[known], kind="stable")[len(known) // 2]]) if len(known) else 0


def _places(labels: Labels) -> Sequence[tuple[int, int]]:
    outputs = labels.outputs
    if outputs.kind == "profile":
        return [(target, 0) for target in range(len(outputs.targets))]
    # The first class is the background.
    return [(target, number) for target, names in enumerate(outputs.classes) for number in range(1, len(names))]
