"""Whether a model has learnt the spacing rule of a simulated genome, or only which motifs belong together.

The paired factor of a simulation is bound where its motif stands within a gap and an orientation from its partner's.
Decoys hold the same two motifs against the rule, or its own motif alone. A model that knows motifs and not the rule
gives all of them the same; one that knows the rule ranks the pairs above each kind of decoy. Labels are not looked at:
they are noisy, and the truth of a simulated genome is known.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lociflow.evaluation.intervals import percentile_interval, why_no_interval
from lociflow.evaluation.metrics import rank, score

PAIR, INVERTED, DISTANT, LONE = "pair", "inverted", "distant", "lone"
DECOYS = (INVERTED, DISTANT, LONE)


def spacing_scores(
    bins: pd.DataFrame,
    scores: np.ndarray,
    sites: pd.DataFrame,
    pair: Mapping[str, Any],
    blocks: np.ndarray,
    multiplicities: np.ndarray,
    level: float,
) -> dict[str, Any]:
    """Score how well predictions tell bins with a pair from those with a decoy.

    Parameters
    ----------
    bins
        ``contig``, ``start``, ``end``; disjoint on each contig.
    scores
        Predictions of the paired factor, shape (bins,).
    sites
        As :func:`lociflow.genome.simulation.read_sites` gives them.
    pair
        ``simulation.pair`` of the data set: ``factor``, ``partner``, ``orientation``.
    blocks
        The block of each bin, integer, shape (bins,).
    multiplicities
        How often each bootstrap draw takes each block, shape (blocks, draws).
    level
        Coverage of the intervals.

    Returns
    -------
    dict
        ``factor``, ``partner`` and, for each of :data:`DECOYS`, the probability that a bin with a pair scores above one
        with the decoy (``auroc``), the ends of its interval and the numbers of ``pairs`` and ``decoys``.
    """
    kinds = kinds_of_bins(bins, sites, pair)
    count = len(multiplicities)
    weights = np.column_stack([np.ones(count), multiplicities])
    result: dict[str, Any] = {"factor": pair["factor"], "partner": pair["partner"]}
    for decoy in DECOYS:
        labels = np.select([kinds == PAIR, kinds == decoy], [1, 0], default=-1).astype(np.int8)
        ranking = rank(labels, scores, blocks, count)
        drawn = score(ranking, weights).auroc
        interval = percentile_interval(drawn[1:], level, why_no_interval(ranking))
        result[decoy] = {
            "auroc": None if np.isnan(drawn[0]) else float(drawn[0]),
            **interval._asdict(),
            "pairs": int((labels == 1).sum()),
            "decoys": int((labels == 0).sum()),
        }
    return result


def kinds_of_bins(bins: pd.DataFrame, sites: pd.DataFrame, pair: Mapping[str, Any]) -> np.ndarray:
    """Tell what each bin holds of the paired factor.

    Parameters
    ----------
    bins
        ``contig``, ``start``, ``end``; disjoint on each contig.
    sites
        As :func:`lociflow.genome.simulation.read_sites` gives them.
    pair
        ``factor``, ``partner`` and ``orientation``.

    Returns
    -------
    numpy.ndarray
        Objects, shape (bins,): :data:`PAIR`, one of :data:`DECOYS`, or "" for a bin that holds the middle of no motif
        of the factor, or of several.
    """
    own = sites[sites["factor"] == pair["factor"]]
    partner = sites[sites["factor"] == pair["partner"]].set_index("element")
    beside = own["element"].map(partner["strand"])
    same = beside == own["strand"]
    kind = np.select(
        [own["bound"] == 1, beside.isna(), same if pair["orientation"] == "same" else ~same],
        [PAIR, LONE, DISTANT],
        default=INVERTED,
    )
    found = np.full(len(bins), "", dtype=object)
    middle = (own["start"] + own["end"]).to_numpy() // 2
    contigs, start, end = bins["contig"].astype(str).to_numpy(), bins["start"].to_numpy(), bins["end"].to_numpy()
    for contig in np.unique(contigs):
        here = np.flatnonzero(contigs == contig)
        here = here[np.argsort(start[here], kind="stable")]
        there = np.flatnonzero((own["contig"] == contig).to_numpy())
        slot = np.searchsorted(start[here], middle[there], side="right") - 1
        inside = (slot >= 0) & (middle[there] < end[here[slot]])
        slot, there = slot[inside], there[inside]
        single = np.bincount(slot, minlength=len(here))[slot] == 1
        found[here[slot[single]]] = kind[there[single]]
    return found
