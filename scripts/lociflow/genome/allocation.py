"""Which parts of a data set go to which side of a split, so that the sides have the sizes that were asked for."""

from collections.abc import Mapping

import numpy as np

from lociflow.command import UserError
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.split_data import SPLITS, SplitData

# Parts that are placed one by one, the largest first; the many small ones beyond fill up what is missing.
PLACED = 5_000
# Parts up to which pairs of them are exchanged too.
EXCHANGED = 300
# Labels that are read at once.
BLOCK = 1 << 24


def shares(fractions: Mapping[str, float]) -> np.ndarray:
    """Return the fractions of train, validation and test, ``float64``.

    Raises
    ------
    UserError
        They are not three positive numbers that add up to 1.
    """
    named = isinstance(fractions, Mapping) and set(fractions) == set(SPLITS)
    values = [fractions[name] for name in SPLITS] if named else []
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) and value > 0 for value in values)
    if not named or not numbers or abs(sum(values) - 1) > 1e-6:
        raise UserError(
            f"split.fractions: found {dict(fractions) if isinstance(fractions, Mapping) else fractions!r}, expected "
            "positive fractions that add up to 1, such as {train: 0.8, validation: 0.1, test: 0.1}"
        )
    return np.array(values, dtype=np.float64) / sum(values)


def allocate(weights: np.ndarray, wanted: np.ndarray, seed: int) -> np.ndarray:
    """Distribute parts over sides.

    The largest parts come first, each to the side that still lacks most with it; afterwards parts are moved, and
    exchanged where they are few, as long as that brings the sides nearer to what is wanted. The result is a function of
    the arguments alone; ``seed`` decides between parts of one size.

    Parameters
    ----------
    weights
        What each part has of each quantity, not negative, shape ``(parts, quantities)``. The first one, the size,
        counts as much as all others together.
    wanted
        Fraction of each side.
    seed
        Not negative.

    Returns
    -------
    numpy.ndarray
        ``int64``: the side of each part. No side is empty where there are as many parts.
    """
    weights = np.asarray(weights, dtype=np.float64)
    total = weights.sum(axis=0)
    used = total > 0
    used[0] = True
    share = weights[:, used] / np.maximum(total[used], 1e-300)
    importance = np.full(share.shape[1], 1 / max(1, share.shape[1] - 1))
    importance[0] = 1
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(len(share))
    order = order[np.argsort(-share[order, 0], kind="stable")]
    side = np.full(len(share), -1, dtype=np.int64)
    have = np.zeros((len(wanted), share.shape[1]))
    for place, part in enumerate(order[:PLACED]):
        lacking = ((wanted[:, None] - have - share[part]) / wanted[:, None]) @ importance
        empty = np.bincount(side[side >= 0], minlength=len(wanted)) == 0
        if empty.sum() >= len(order) - place:
            lacking[~empty] = -np.inf
        side[part] = int(np.argmax(lacking))
        have[side[part]] += share[part]
    _improve(share, side, wanted, importance, order[:PLACED])
    have = np.array([share[side == number].sum(axis=0) for number in range(len(wanted))])
    rest = order[PLACED:]
    if len(rest):
        missing = np.maximum(wanted - have[:, 0], 0)
        borders = np.cumsum(missing) / max(missing.sum(), 1e-300) * share[rest, 0].sum()
        middle = np.cumsum(share[rest, 0]) - share[rest, 0] / 2
        side[rest] = np.minimum(np.searchsorted(borders, middle), len(wanted) - 1)
    return side


def _improve(
    share: np.ndarray, side: np.ndarray, wanted: np.ndarray, importance: np.ndarray, parts: np.ndarray
) -> None:
    """Move parts, or exchange two, while the sides come nearer to what is wanted."""
    sides = len(wanted)
    have = np.array([share[side == number].sum(axis=0) for number in range(sides)])
    size = np.bincount(side[side >= 0], minlength=sides)

    def distance(number: int, amount: np.ndarray) -> np.ndarray:
        # Over the sum of both, so that to have nothing is worse than to have twice too much.
        return np.asarray((amount - wanted[number]) ** 2 / (amount + wanted[number]) @ importance)

    def gain(source: int, target: int, moved: np.ndarray) -> np.ndarray:
        now = distance(source, have[source]) + distance(target, have[target])
        return now - distance(source, have[source] - moved) - distance(target, have[target] + moved)

    exchanged = len(parts) <= EXCHANGED
    improved = True
    while improved:
        improved = False
        for part in parts:
            for target in range(sides):
                source = int(side[part])
                if target == source:
                    continue
                others = parts[side[parts] == target] if exchanged else parts[:0]
                options = np.concatenate([np.zeros((1, share.shape[1])), share[others]])
                gains = gain(source, target, share[part] - options)
                if size[source] == 1:
                    gains[0] = -np.inf
                best = int(np.argmax(gains))
                if gains[best] <= 1e-12:
                    continue
                moved = share[part] - options[best]
                have[source] -= moved
                have[target] += moved
                side[part] = target
                if best:
                    side[others[best - 1]] = source
                else:
                    size[source] -= 1
                    size[target] += 1
                improved = True


def quantities(data: SplitData, part: np.ndarray, parts: int) -> np.ndarray:
    """Return what each part has: its bases, then what should stand on all sides in proportion.

    These are the positive bins of each target for binary labels, the bins of each class for classes, the bins with a
    known value for real ones; of labels for each base only the bases are balanced.

    Parameters
    ----------
    data
        The data set.
    part
        ``int64``: the part of each bin, from 0; -1 for none.
    parts
        How many there are.

    Returns
    -------
    numpy.ndarray
        ``float64``, shape ``(parts, quantities)``.
    """
    inside = part >= 0
    bases = (data.windows["end"] - data.windows["start"]).to_numpy(np.float64)
    columns: list[np.ndarray] = [np.bincount(part[inside], weights=bases[inside], minlength=parts)[:, None]]
    kind = label_kind(data.kind)
    if not kind.positional:
        classes = int(data.labels.max(initial=0)) + 1 if kind.name == "class" else 1
        counts = np.zeros((parts, classes, data.labels.shape[1]))
        step = max(1, BLOCK // max(1, data.labels.shape[1]))
        for begin in range(0, len(part), step):
            rows = begin + np.flatnonzero(inside[begin : begin + step])
            rows = rows[np.argsort(part[rows], kind="stable")]
            if not len(rows):
                continue
            present, first = np.unique(part[rows], return_index=True)
            labels = np.asarray(data.labels[rows])
            for number in range(classes):
                wanted = number if kind.name == "class" else 1
                hit = ~np.isnan(labels) if kind.name == "real" else labels == wanted
                counts[present, number] += np.add.reduceat(hit, first, axis=0, dtype=np.int64)
        columns.append(counts.reshape(parts, -1))
    return np.concatenate(columns, axis=1)
