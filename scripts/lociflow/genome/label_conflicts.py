"""Bins that have the same sequence and different labels."""

from collections.abc import Iterator

import numpy as np

from lociflow.genome.label_kinds import known, label_kind
from lociflow.genome.split_data import SplitData

# Labels that are compared at once.
BLOCK = 1 << 24


def conflicts(
    data: SplitData, rows: np.ndarray, sequence: np.ndarray, turned: np.ndarray, tolerance: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find bins of which another one has the same sequence and another label.

    Missing labels contradict nothing. Where bins have strands, or labels a value for each base, only sequences that are
    read the same way are compared. Profiles are not: no two places have the same counts.

    Parameters
    ----------
    data
        The data set.
    rows
        Bins to compare, rising.
    sequence
        ``int64``, a value a bin of the data set: bins of the same sequence have the same number.
    turned
        ``bool``, a value a bin: which of the two strands of that sequence its forward strand is.
    tolerance
        Standard deviations of a target by which real values may differ; other kinds must be equal.

    Returns
    -------
    tuple
        ``int64`` rows that conflict, rising; for each, a row that it contradicts; and ``bool`` whether that one has the
        sequence on the other strand.
    """
    kind = label_kind(data.kind)
    nothing = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool)
    if kind.name == "profile" or not len(rows):
        return nothing
    strand = data.windows["strand"].astype(str).to_numpy()[rows]
    key = sequence[rows] * 4
    if kind.positional:
        key = key + turned[rows] + 2 * (strand == "-")
    elif (strand != ".").any():
        key = key + (turned[rows] ^ (strand == "-"))
    _, inverse, size = np.unique(key, return_inverse=True, return_counts=True)
    chosen = rows[size[inverse] > 1]
    group = inverse[size[inverse] > 1]
    order = np.lexsort((chosen, group))
    chosen, group = chosen[order], group[order]
    if not len(chosen):
        return nothing
    allowed = tolerance * _deviation(data.labels, rows) if kind.name == "real" else np.zeros(1)
    found = np.full(len(chosen), -1, dtype=np.int64)
    for part in _blocks(group, int(np.prod(data.labels.shape[1:]))):
        found[part] = _contradicted(data, chosen[part], group[part], allowed)
    hit = found >= 0
    row, of_row = chosen[hit], found[hit]
    order = np.argsort(row)
    row, of_row = row[order], of_row[order]
    return row, of_row, turned[row] != turned[of_row]


def _contradicted(data: SplitData, rows: np.ndarray, group: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return for each row one of its group with another label, or -1; the rows of a group stand together."""
    labels = np.asarray(data.labels[rows]).reshape(len(rows), -1)
    told = known(labels, label_kind(data.kind))
    begin = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(begin, len(group)))
    values = labels.astype(np.float64)
    found = np.full(len(rows), -1, dtype=np.int64)
    # Whoever differs from anybody differs from the largest or from the smallest.
    for extreme, far in ((np.maximum, -np.inf), (np.minimum, np.inf)):
        filled = np.where(told, values, far)
        most = np.repeat(extreme.reduceat(filled, begin, axis=0), size, axis=0)
        differs = told & np.isfinite(most) & (np.abs(np.where(told, values - most, 0)) > allowed)
        for place in np.flatnonzero(differs.any(axis=1) & (found < 0)):
            target = int(differs[place].argmax())
            member = slice(begin[np.searchsorted(begin, place, side="right") - 1], None)
            found[place] = rows[member][int((filled[member, target] == most[place, target]).argmax())]
    return found


def _blocks(group: np.ndarray, width: int) -> Iterator[slice]:
    """Yield runs of whole groups of about :data:`BLOCK` labels."""
    step = max(1, BLOCK // max(1, width))
    begin = 0
    while begin < len(group):
        end = min(begin + step, len(group))
        end = int(np.searchsorted(group, group[end - 1], side="right"))
        yield slice(begin, end)
        begin = end


def _deviation(labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each target's known values."""
    width = labels.shape[1]
    count, total, squares = np.zeros(width), np.zeros(width), np.zeros(width)
    step = max(1, BLOCK // max(1, width))
    # The first known values stand in for the mean, so that large ones lose no digits.
    origin = np.nan_to_num(np.asarray(labels[rows[:1]], dtype=np.float64)[0])
    for begin in range(0, len(rows), step):
        values = np.asarray(labels[rows[begin : begin + step]], dtype=np.float64) - origin
        told = ~np.isnan(values)
        count += told.sum(axis=0)
        total += np.where(told, values, 0).sum(axis=0)
        squares += np.where(told, values**2, 0).sum(axis=0)
    count = np.maximum(count, 1)
    return np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0))
