"""Which explanation to trust for which architecture: every architecture and method of a run against planted truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lociflow.evaluation.intervals import percentile_interval
from lociflow.interpretation.checks.verdicts import failed, read_checks
from lociflow.report.architectures import spacing_columns
from lociflow.report.read_results import read_benchmarks, read_checked

COLUMNS = (
    "model", "method", "kind", "valid", "reason", "failed_checks", "factors", "windows", "auprc", "auprc_low",
    "auprc_high", "base_rate",
    "of_base_rate", "untrained_auprc", "of_untrained", "of_untrained_low", "of_untrained_high", "decoy_ratio", "behind",
    "behind_low", "behind_high", "verdict", "motifs", "motifs_compared", "motifs_recovered", "motifs_planted",
    "motif_similarity", "false_motifs", "foreign_motifs", "filters_recovered", "false_filters", "spacing_inverted",
    "spacing_inverted_low", "spacing_distant", "spacing_distant_low", "spacing", "seconds_per_window",
)  # fmt: skip
FACTOR_COLUMNS = (
    "model", "method", "kind", "factor", "windows", "auprc", "auprc_low", "auprc_high", "base_rate", "of_base_rate",
    "untrained_auprc", "of_untrained", "decoy_ratio", "motif_recovered", "motif", "motif_q", "motif_similarity",
)  # fmt: skip
COUNTS = ("factors", "windows", "motifs_compared", "motifs_recovered", "motifs_planted", "false_motifs",
          "foreign_motifs", "filters_recovered", "false_filters")  # fmt: skip
MODEL, CONTROL, UNTRAINED = "model", "control", "untrained"
LEARNT, GIVEN = "learnt", "given"
# What is said of the methods of one architecture, on the same windows.
BEST, AS_GOOD, WORSE, UNCLEAR = "best", "not told apart from the best", "worse", "no interval"
FAILED = "failed a check"
FILTERS = "filters"

Key = tuple[str, str]
"""Model and method."""


def rank_explanations(ranked: Mapping[str, Any], level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put the explanations of a data set beside each other.

    Parameters
    ----------
    ranked
        ``explained``: each explanation with ``model`` (label), ``architecture``, ``method``, ``kind``
        (:data:`MODEL`, :data:`UNTRAINED`, or :data:`CONTROL` for another control), ``given`` (whether the model began
        with known motifs), ``truth``, ``checks``, ``metrics`` and, optionally, ``benchmark``, files; ``left_out``:
        ``model``, ``kind``, ``method`` and ``reason`` of each method that was asked for and is not valid for a model;
        ``recovery``, the file of :func:`lociflow.interpretation.motifs.recovery.score_motifs`.
    level
        Of the intervals, such as 0.95.

    Returns
    -------
    ranking : pandas.DataFrame
        A row an architecture and method, columns as :data:`COLUMNS`. Architectures with the best explanation first,
        controls last, methods of each by their AUPRC, those that are not valid at the end. ``auprc``, ``base_rate`` and
        ``decoy_ratio`` are unweighted means over factors; ``of_base_rate`` is the AUPRC over the base rate and
        ``of_untrained`` over that of an untrained model of the architecture, explained by the same method, with the
        percentiles of their bootstrap draws where both explain the same windows. ``behind`` is by how much the AUPRC
        lies below that of the architecture's best method, on the same draws; ``verdict`` is :data:`BEST`,
        :data:`WORSE` where its interval lies above 0, :data:`AS_GOOD` where not. ``failed_checks`` names the checks
        that an explanation has failed; one of a trained model that has failed any is never the best, and its verdict is
        :data:`FAILED`. ``motif_similarity`` is the mean over
        factors. Counts of motifs are missing where no motifs were looked for, or known ones were given.
        ``seconds_per_window`` is the time of the whole step over the windows that it explained.
    factors : pandas.DataFrame
        A row an architecture, method and factor, columns as :data:`FACTOR_COLUMNS`.

    Raises
    ------
    UserError
        A file is missing or of another format version.
    """
    recovery = read_checked(ranked["recovery"], "motif recovery")["sets"]
    truths = {_key(row): read_checked(row["truth"], "explanation scores") for row in ranked["explained"]}
    scored = {row["model"]: read_checked(row["metrics"], "metrics") for row in ranked["explained"]}
    controls = {
        (row["architecture"], row["method"]): truths[_key(row)]
        for row in ranked["explained"]
        if row["kind"] == UNTRAINED
    }
    rows, factors = [], []
    for row in ranked["explained"]:
        truth = truths[_key(row)]
        control = None if row["kind"] == UNTRAINED else controls.get((row["architecture"], row["method"]))
        motifs = None if row["given"] else recovery.get(f"{row['model']}/{row['method']}")
        spacing = scored[row["model"]].get("spacing")
        named = {key: row[key] for key in ("model", "method", "kind")}
        rows.append(
            {
                **named,
                "valid": True,
                "failed_checks": ", ".join(failed(read_checks(Path(row["checks"])))) or None,
                **_scores(truth, control, level),
                "motifs": GIVEN if row["given"] else None if motifs is None else LEARNT,
                **(_motif_columns(motifs) if motifs else {}),
                **(_filter_columns(recovery.get(f"{row['model']}/{FILTERS}")) if not row["given"] else {}),
                **(spacing_columns(spacing) if spacing else {}),
                "seconds_per_window": _seconds(row.get("benchmark"), truth["overall"]["windows"]),
            }
        )
        factors += [{**named, **found} for found in _factor_rows(truth, control, motifs)]
    told = [{**row, **_behind(row, rows, truths, level)} for row in rows]
    told += [{**row, "valid": False} for row in ranked["left_out"]]
    return (
        _sorted(pd.DataFrame(told, columns=list(COLUMNS))).astype(dict.fromkeys(COUNTS, "Int64")),
        pd.DataFrame(factors, columns=list(FACTOR_COLUMNS)).astype({"windows": "Int64"}),
    )


def _key(row: Mapping[str, Any]) -> Key:
    return row["model"], row["method"]


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return a part of a whole, None where either is missing or the whole is 0."""
    return None if part is None or not whole else part / whole


def _scores(truth: Mapping[str, Any], control: Mapping[str, Any] | None, level: float) -> dict[str, Any]:
    overall = truth["overall"]
    untrained = control["overall"]["auprc"] if control else None
    low, high = _interval(truth, control, level, np.divide) if control else (None, None)
    return {
        "factors": overall["factors"],
        "windows": overall["windows"],
        "auprc": overall["auprc"],
        "auprc_low": overall["low"],
        "auprc_high": overall["high"],
        "base_rate": overall["base_rate"],
        "of_base_rate": ratio(overall["auprc"], overall["base_rate"]),
        "untrained_auprc": untrained,
        "of_untrained": ratio(overall["auprc"], untrained),
        "of_untrained_low": low,
        "of_untrained_high": high,
        "decoy_ratio": overall["decoy_ratio"],
    }


def _interval(
    first: Mapping[str, Any], second: Mapping[str, Any], level: float, operation: np.ufunc
) -> tuple[float | None, float | None]:
    """Return the interval of what two explanations of the same windows give in each draw, none for other windows."""
    if first["explained"] != second["explained"] or not first["draws"] or len(first["draws"]) != len(second["draws"]):
        return None, None
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = operation(np.array(first["draws"], float), np.array(second["draws"], float))
    found = percentile_interval(np.where(np.isfinite(drawn), drawn, np.nan), level)
    return found.low, found.high


def _motif_columns(found: Mapping[str, Any]) -> dict[str, Any]:
    known = [factor["similarity"] for factor in found["factors"].values() if factor["similarity"] is not None]
    return {
        "motifs_compared": found["motifs"] - found["negative"] - found["left_out"],
        "motifs_recovered": found["recovered"],
        "motifs_planted": len(found["factors"]),
        "motif_similarity": float(np.mean(known)) if known else None,
        "false_motifs": len(found["false_motifs"]),
        "foreign_motifs": len(found["foreign"]),
    }


def _filter_columns(found: Mapping[str, Any] | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {"filters_recovered": found["recovered"], "false_filters": len(found["false_motifs"])}


def _seconds(benchmark: str | None, windows: int) -> float | None:
    measured = read_benchmarks([benchmark] if benchmark else [])["seconds"].dropna()
    return float(measured.iloc[-1]) / windows if len(measured) and windows else None


def _factor_rows(
    truth: Mapping[str, Any], control: Mapping[str, Any] | None, motifs: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    rows = []
    for factor, scores in truth["factors"].items():
        untrained = (control["factors"].get(factor) or {}).get("auprc") if control else None
        motif = (motifs["factors"].get(factor) if motifs else None) or {}
        rows.append(
            {
                "factor": factor,
                "windows": scores["windows"],
                "auprc": scores["auprc"],
                "auprc_low": scores["low"],
                "auprc_high": scores["high"],
                "base_rate": scores["base_rate"],
                "of_base_rate": ratio(scores["auprc"], scores["base_rate"]),
                "untrained_auprc": untrained,
                "of_untrained": ratio(scores["auprc"], untrained),
                "decoy_ratio": scores["decoy_ratio"],
                "motif_recovered": motif.get("recovered"),
                "motif": motif.get("motif"),
                "motif_q": motif.get("q"),
                "motif_similarity": motif.get("similarity"),
            }
        )
    return rows


def _behind(
    row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], truths: Mapping[Key, Mapping[str, Any]], level: float
) -> dict[str, Any]:
    """Say how far a method lies behind the best one of its architecture."""
    if row["auprc"] is None:
        return {}
    known = [
        other
        for other in rows
        if other["model"] == row["model"] and other["auprc"] is not None and not _distrusted(other)
    ]
    if _distrusted(row) and not known:
        return {"verdict": FAILED}
    best = max(known, key=lambda other: float(other["auprc"]))
    if row["method"] == best["method"]:
        return {"behind": 0.0, "verdict": BEST}
    low, high = _interval(truths[_key(best)], truths[_key(row)], level, np.subtract)
    return {
        "behind": best["auprc"] - row["auprc"],
        "behind_low": low,
        "behind_high": high,
        "verdict": FAILED if _distrusted(row) else UNCLEAR if low is None else WORSE if low > 0 else AS_GOOD,
    }


def _distrusted(row: Mapping[str, Any]) -> bool:
    """Tell whether an explanation is no candidate for the best one; those of controls claim nothing."""
    return bool(row["kind"] == MODEL and row["failed_checks"] is not None)


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    value = table["auprc"].astype(float).fillna(-1)
    return (
        table.assign(
            _control=table["kind"] != MODEL, _best=-value.groupby(table["model"]).transform("max"), _value=-value
        )
        .sort_values(["_control", "_best", "model", "_value", "method"], kind="stable", ignore_index=True)
        .drop(columns=["_control", "_best", "_value"])
    )


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of the table by column, with None for what is missing."""
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()} for row in table.to_dict("records")
    ]


def architectures(table: pd.DataFrame) -> list[str]:
    """Return the models of the table in its order."""
    return list(dict.fromkeys(table["model"]))


def methods(table: pd.DataFrame) -> list[str]:
    """Return the methods of the table, the one with the highest mean AUPRC over trained models first."""
    trained = table[table["kind"] == MODEL]
    means = trained.assign(auprc=trained["auprc"].astype(float)).groupby("method")["auprc"].mean()
    return sorted(dict.fromkeys(table["method"]), key=lambda method: (-means.fillna(-1).get(method, -1), method))


def answers(table: pd.DataFrame) -> Sequence[Mapping[str, Any]]:
    """Return, for each trained model, its best method and those that cannot be told from it.

    ``failed`` names the methods that have failed a check; where all have, ``method`` is None. ``of_motifs`` are the
    methods whose contributions gave most planted motifs, where the best gave fewer: to find positions and to make
    motifs of them may want different ones.
    """
    found = []
    for model in architectures(table[table["kind"] == MODEL]):
        rows = table[(table["model"] == model) & table["verdict"].notna()]
        best = rows[rows["verdict"] == BEST]
        wrong = list(rows.loc[rows["verdict"] == FAILED, "method"])
        counted = rows[(rows["verdict"] != FAILED) & rows["motifs_recovered"].notna()]
        most = counted[counted["motifs_recovered"] == counted["motifs_recovered"].max()]
        if len(best) or wrong:
            found.append(
                {
                    **(records(best)[0] if len(best) else {"model": model, "method": None, "auprc": None}),
                    "failed": wrong,
                    "of_motifs": [] if set(best["method"]) & set(most["method"]) else list(most["method"]),
                    "most_motifs": int(most["motifs_recovered"].iloc[0]) if len(most) else None,
                    "as_good": list(rows.loc[rows["verdict"] == AS_GOOD, "method"]),
                    "left_out": list(table.loc[(table["model"] == model) & ~table["valid"], "method"]),
                }
            )
    return found
