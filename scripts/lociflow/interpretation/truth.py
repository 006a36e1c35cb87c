"""Score attributions against the truth of a simulated genome: whether they light up where motifs are bound.

A position's contribution is the hypothetical contribution of the base that stands there, or 0 where that is negative:
a bound site raises the prediction, so a base that lowers it is no evidence for one. Its label is 1 where the position
lies in a bound site of the target, the whole length of the matrix; for a factor that is bound in pairs only, the
partner's motif of each of its pairs belongs to the site. All other positions are 0, other factors' sites among them.
Positions that the model saw as N are left out.

Attributed windows are positive ones, and some are so by a spurious peak or by a site whose motif lies beyond the
window: even a perfect explanation has contributions where no site is. A matrix has uninformative positions: it also
lacks some. An AUPRC is read against its base rate and against that of an untrained model, not against 1.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lociflow.command import UserError, status, write_json
from lociflow.data.targets import read_target_names
from lociflow.evaluation.evaluate import interval_config
from lociflow.evaluation.metrics import auprc, auroc
from lociflow.formats import stamp
from lociflow.genome.simulation import read_sites
from lociflow.genome.window_table import read_windows
from lociflow.interpretation.attributions import observed_contributions, read_attributions
from lociflow.interpretation.truth_intervals import (
    DrawnScores,
    draw_scores,
    draw_windows,
    factor_interval,
    mean_interval,
)

KIND = "explanation scores"

BACKGROUND, BOUND, DECOY, OTHER = range(4)


def sites_of(sites: pd.DataFrame, factor: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what a prediction for a factor should be explained by, and its decoys.

    Parameters
    ----------
    sites
        Planted motifs, as :func:`lociflow.genome.simulation.read_sites` gives them.
    factor
        Name of a target.

    Returns
    -------
    bound : pandas.DataFrame
        Rows of the factor's bound sites; for a factor all of whose sites are in pairs, with their partners.
    decoys : pandas.DataFrame
        Rows of motifs that were planted like the factor's and are not bound.
    """
    own = sites["factor"] == factor
    bound = own & (sites["bound"] == 1)
    if bound.any() and (sites.loc[bound, "kind"] == "pair").all():
        # Where the partner is bound by itself too, its own predictions do not need the other motif of the pair.
        bound |= (sites["kind"] == "pair") & sites["element"].isin(sites.loc[bound, "element"])
    return sites[bound], sites[own & (sites["kind"] == "decoy")]


def mark_positions(
    windows: pd.DataFrame, length: int, sites: pd.DataFrame, bound: pd.DataFrame, decoys: pd.DataFrame
) -> np.ndarray:
    """Tell what stands at each position of windows.

    Parameters
    ----------
    windows
        ``contig``, ``start`` and ``end`` of the bins that the windows are centred on; ``strand``: a window of a bin on
        the ``-`` strand is read from there.
    length
        Of the windows, in bases; the first is ``(start + end) // 2 - length // 2``.
    sites, bound, decoys
        All planted motifs, and what :func:`sites_of` returns for a target.

    Returns
    -------
    numpy.ndarray
        ``uint8``, shape (windows, length): :data:`BACKGROUND`, :data:`BOUND`, :data:`DECOY` or :data:`OTHER`, a planted
        motif that is neither.
    """
    marks = np.full((len(windows), length), BACKGROUND, dtype=np.uint8)
    contigs = windows["contig"].astype(str).to_numpy()
    first = ((windows["start"] + windows["end"]) // 2 - length // 2).to_numpy()
    for value, table in ((OTHER, sites), (DECOY, decoys), (BOUND, bound)):
        for contig, rows in table.groupby("contig"):
            here = np.flatnonzero(contigs == contig)
            # Motifs do not overlap, so that both their starts and their ends rise.
            starts, ends = np.sort(rows["start"].to_numpy()), np.sort(rows["end"].to_numpy())
            positions = first[here, None] + np.arange(length)
            inside = np.searchsorted(starts, positions, side="right") > np.searchsorted(ends, positions, side="right")
            marks[here] = np.where(inside, value, marks[here])
    reverse = (windows["strand"].astype(str) == "-").to_numpy()
    marks[reverse] = marks[reverse, ::-1]
    return marks


def score_target(contributions: np.ndarray, marks: np.ndarray, known: np.ndarray) -> dict[str, Any]:
    """Score the contributions to one target.

    Parameters
    ----------
    contributions
        As :func:`observed_contributions` gives them, shape (windows, length).
    marks
        As :func:`mark_positions` gives them, same shape.
    known
        ``bool``, same shape: positions that are scored.

    Returns
    -------
    dict
        ``windows``, ``windows_with_site``, ``positions``, ``base_rate``, ``auprc``, ``auroc``; the means of the
        positive contributions at ``bound``, ``decoy`` and ``background`` positions; ``decoy_ratio`` and
        ``background_ratio``, those means over the one at bound positions. None: undefined.
    """
    evidence = np.maximum(contributions, 0)
    labels = (marks == BOUND)[known].astype(np.int8)
    means = {
        name: _number(evidence[known & (marks == value)].mean()) if (known & (marks == value)).any() else None
        for name, value in (("bound", BOUND), ("decoy", DECOY), ("background", BACKGROUND))
    }
    return {
        "windows": len(marks),
        "windows_with_site": int(((marks == BOUND) & known).any(axis=1).sum()),
        "positions": int(known.sum()),
        "base_rate": _number(labels.mean()) if len(labels) else None,
        "auprc": _number(auprc(labels, evidence[known])),
        "auroc": _number(auroc(labels, evidence[known])),
        "mean": means,
        "decoy_ratio": _ratio(means["decoy"], means["bound"]),
        "background_ratio": _ratio(means["background"], means["bound"]),
    }


def overall(factors: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Summarise over factors: sums of windows and positions, unweighted means of the scores that are defined.

    Contributions to different targets are not on one scale and are never pooled.
    """
    summary: dict[str, Any] = {
        name: sum(scores[name] for scores in factors.values()) for name in ("windows", "windows_with_site", "positions")
    }
    for name in ("base_rate", "auprc", "auroc", "decoy_ratio", "background_ratio"):
        values = [scores[name] for scores in factors.values() if scores[name] is not None]
        summary[name] = float(np.mean(values)) if values else None
    return {"factors": len(factors), **summary}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def score_explanations(
    attributions: Path, windows: Path, target_table: Path, sites: Path, config: Mapping[str, Any], scores: Path
) -> None:
    """Score a file of attributions against the planted sites.

    Parameters
    ----------
    attributions
        As :func:`lociflow.interpretation.attributions.read_attributions` reads them.
    windows, target_table, sites
        The data set's bins, its targets and its planted motifs.
    config
        Of the intervals, see :func:`lociflow.evaluation.evaluate.interval_config`: ``draws``, ``level`` and ``seed``
        of a bootstrap over the explained windows.
    scores
        JSON to write: ``method``; ``factors`` with an entry of :func:`score_target` for each attributed target of that
        name; ``overall`` with :func:`overall`; both with the ends of the interval of ``auprc``, ``low`` and ``high``,
        or the ``reason`` why there is none; ``draws``, the mean AUPRC over factors in every draw; ``explained``, a
        digest of which windows were explained for which targets; and ``not_planted``, the attributed targets that no
        motif was planted for.

    Raises
    ------
    UserError
        A file cannot be read, the attributions are of other windows or targets, or ``config`` is wrong.
    """
    settings = interval_config(config)
    found = read_attributions(attributions)
    bins, planted = read_windows(windows), read_sites(sites)
    # Columns are those of the model, which may have been asked for some of the data set's targets.
    names = {fact["column"]: fact["target"] for fact in found.meta["targets"]}
    known_names = {*read_target_names(target_table), *(found.meta.get("contrasts") or ())}
    if len(found.bin) and found.bin.max() >= len(bins):
        raise UserError(
            f"{attributions}: holds bin {found.bin.max()}, expected less than {len(bins)} as in {windows}; run "
            "snakemake again to rebuild it"
        )
    if other := sorted({*names.values()} - known_names):
        raise UserError(
            f"{attributions}: explains {other[0]}, expected targets of {target_table}; run snakemake again to rebuild "
            "it"
        )
    contributions = observed_contributions(found.codes, found.hypothetical)
    factors: dict[str, dict[str, Any]] = {}
    drawn: list[DrawnScores] = []
    not_planted = []
    block, weights = draw_windows(found.bin, settings.draws, settings.seed)
    for column in np.unique(found.target):
        name = names[int(column)]
        bound, decoys = sites_of(planted, name)
        if bound.empty:
            not_planted.append(name)
            continue
        rows = np.flatnonzero(found.target == column)
        explained = bins.iloc[found.bin[rows]]
        marks = mark_positions(explained, found.codes.shape[1], planted, bound, decoys)
        known = found.codes[rows] < 4
        evidence = np.maximum(contributions[rows], 0)[known]
        own = np.broadcast_to(block[rows, None], known.shape)[known]
        drawn.append(draw_scores(evidence, (marks == BOUND)[known], own, weights))
        factors[name] = {
            **score_target(contributions[rows], marks, known),
            **factor_interval(drawn[-1], settings.level)._asdict(),
        }
    interval = dict(mean_interval(drawn, settings, len(weights)))
    draws = interval.pop("draws")
    summary = {**overall(factors), **interval}
    write_json(
        scores,
        {
            **stamp(KIND),
            "method": found.meta.get("method"),
            "factors": factors,
            "overall": summary,
            "draws": draws,
            "explained": hashlib.sha256(np.stack([found.bin, found.target]).tobytes()).hexdigest(),
            "not_planted": not_planted,
        },
    )
    shown = {name: "undefined" if summary[name] is None else f"{summary[name]:.3f}" for name in ("auprc", "base_rate")}
    status(
        f"planted positions of {len(factors)} factors: mean AUPRC {shown['auprc']} at base rate {shown['base_rate']}"
        + (f"; no planted motif: {', '.join(not_planted)}" if not_planted else "")
    )
