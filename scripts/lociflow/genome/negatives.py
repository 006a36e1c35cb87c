"""Background bins, drawn where no peak is."""

from bisect import bisect_left, insort

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.intervals import subtract
from lociflow.genome.regions import categorical
from lociflow.genome.windows import bin_table, check_whole, in_order, n_bases
from lociflow.sequence.store import SequenceStore

# A genome so full that this many draws in a row hit taken or N-rich places has no room left.
MOST_MISSES = 10_000


def background(
    store: SequenceStore,
    bins: pd.DataFrame,
    avoid: pd.DataFrame,
    max_n: float = 0.0,
    *,
    ratio: float = 1.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Draw bins uniformly from all places where a bin touches nothing of ``avoid``.

    Every start that is allowed is equally likely, so a contig gets its share by the length that is free on it. Bins
    drawn do not overlap each other. Draw number ``i`` is a function of ``(seed, i)`` alone (Philox, a counter-based
    generator); draws on an earlier bin or on too many N are passed over.

    Parameters
    ----------
    store
        The genome.
    bins
        The bins of the peaks, all of one length: that many times ``ratio`` are drawn, of that length.
    avoid
        ``contig`` (categorical in the store's order), ``start``, ``end``: peaks, their bins and the blacklist.
    max_n
        Largest fraction of N in a bin.
    ratio
        Background bins per bin of a peak.
    seed
        Not negative.

    Returns
    -------
    pandas.DataFrame
        ``contig``, ``start``, ``end``, ``strand``, sorted by (contig, start).

    Raises
    ------
    UserError
        ``ratio`` is not positive, ``seed`` negative, or the genome has no room for so many bins.
    """
    check_whole("windows.negatives.seed", seed, least=0)
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not ratio > 0:
        raise UserError(f"windows.negatives.ratio: found {ratio!r}, expected a positive number")
    wanted = round(ratio * len(bins))
    if wanted == 0:
        return bins.iloc[:0]
    length = int(bins["end"].iloc[0] - bins["start"].iloc[0])
    contig, first, last = _free_starts(store, avoid, length)
    before = np.concatenate([[0], np.cumsum(last - first)])
    generator = np.random.Generator(np.random.Philox(key=seed))
    taken: dict[int, list[int]] = {}
    accepted: list[tuple[int, int]] = []
    misses = 0
    while len(accepted) < wanted and before[-1] > 0 and misses < MOST_MISSES:
        # The size of a batch changes nothing: draws follow one another in the order of their number.
        place = (generator.random(max(1024, wanted - len(accepted))) * before[-1]).astype(np.int64)
        interval = np.searchsorted(before, place, side="right") - 1
        draws = bin_table(store, contig[interval], first[interval] + place - before[interval], length)
        poor = n_bases(store, draws) <= max_n * length
        for index, start, usable in zip(contig[interval], draws["start"], poor, strict=True):
            if usable and _is_free(taken.setdefault(int(index), []), start, length):
                insort(taken[int(index)], start)
                accepted.append((int(index), start))
                misses = 0
            else:
                misses += 1
            if len(accepted) == wanted or misses == MOST_MISSES:
                break
    if len(accepted) < wanted:
        raise UserError(
            f"windows.negatives: found room for {len(accepted)} background bins of {length} bases outside peaks, "
            f"blacklist and N, expected {wanted} ({ratio} for each of {len(bins)} bins at peaks); lower "
            "windows.negatives.ratio or windows.bin"
        )
    drawn = np.array(accepted, dtype=np.int64)
    return in_order(bin_table(store, drawn[:, 0], drawn[:, 1], length))


def _free_starts(store: SequenceStore, avoid: pd.DataFrame, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return contig index, first start and one past the last start of every run of allowed starts."""
    everywhere = pd.DataFrame(
        {
            "contig": categorical(np.arange(len(store.names)), store.names),
            "start": np.zeros(len(store.names), np.int64),
            "end": np.maximum(store.lengths - length + 1, 0),
        }
    )
    # A bin touches a region exactly when it starts in the region or up to length - 1 bases before it.
    reach = avoid.assign(start=(avoid["start"] - (length - 1)).clip(lower=0))
    free = subtract(everywhere[everywhere["end"] > 0], reach[reach["end"] > reach["start"]])
    return free["contig"].cat.codes.to_numpy().astype(np.int64), free["start"].to_numpy(), free["end"].to_numpy()


def _is_free(taken: list[int], start: int, length: int) -> bool:
    after = bisect_left(taken, start)
    return (after == len(taken) or taken[after] >= start + length) and (
        after == 0 or taken[after - 1] <= start - length
    )
