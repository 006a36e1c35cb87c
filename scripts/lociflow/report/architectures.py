"""The architectures of a run on a simulated genome in one table: scores, motifs, spacing rule, size, speed."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lociflow.evaluation.spacing import DISTANT, INVERTED
from lociflow.report.motif_matrix import planted_matrix
from lociflow.report.results import DatasetResults, Entry, RunResults
from lociflow.report.tables import parameters, train_seconds

SCANNER = "grammar_scan"
CEILING = "ceiling"
COLUMNS = (
    "dataset", "split", "model", "seed", "kind", "parameters", "samples_per_second", "auroc", "auprc", "auprc_low",
    "auprc_high", "of_scanner", "of_ceiling", "motifs", "motifs_found", "motifs_planted", "spacing_inverted",
    "spacing_inverted_low", "spacing_distant", "spacing_distant_low", "spacing",
)  # fmt: skip
LEARNT, PARTLY, NOT_LEARNT = "learnt", "in part", "not shown"
# Of the motifs of a model whose filters begin as known ones, which does not find what it was given.
GIVEN = "given"


def architecture_table(results: RunResults) -> pd.DataFrame:
    """Put what the entries of every simulated data set of a run have learnt beside what they cost.

    Parameters
    ----------
    results
        Of the run.

    Returns
    -------
    pandas.DataFrame
        Columns as :data:`COLUMNS`, the best AUPRC first within each data set. ``auroc`` and ``auprc`` are medians over
        factors on the test bins, ``of_scanner`` and ``of_ceiling`` the AUPRC over that of the scanner that knows motifs
        and grammar and over the ceiling; ``motifs`` are "learnt" or "given"; ``motifs_found`` counts the planted
        factors to whose family a motif of the model is matched (q < 0.05), missing where it was not explained or was
        given motifs. ``spacing`` is "learnt" where the intervals of both ``spacing_inverted`` and ``spacing_distant``
        (AUROC of pairs against decoys) lie above 0.5, "in part" where one does, "not shown" where none does.
        ``samples_per_second`` are training windows over the time of the epochs, validation included.
    """
    rows = [
        row
        for dataset in results.datasets
        if dataset.planted is not None
        for row in sorted(_rows(dataset), key=lambda row: -(row["auprc"] or 0.0))
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    counts = ("seed", "parameters", "motifs_found", "motifs_planted")
    return table.astype(dict.fromkeys(counts, "Int64"))


def _rows(dataset: DatasetResults) -> list[dict[str, Any]]:
    references = {
        entry.label: entry.summary("auprc", "median") for entry in dataset.entries if entry.label in (SCANNER, CEILING)
    }
    planted = planted_matrix(dataset)
    rows = []
    for entry in dataset.entries:
        score = entry.summary("auprc", "median")
        rows.append(
            {
                "dataset": dataset.dataset,
                "split": dataset.split,
                "model": entry.label,
                "seed": entry.seed,
                "kind": entry.kind,
                "parameters": parameters(entry),
                "samples_per_second": samples_per_second(entry),
                "auroc": entry.summary("auroc", "median"),
                "auprc": score,
                "auprc_low": entry.summary("auprc", "low"),
                "auprc_high": entry.summary("auprc", "high"),
                "of_scanner": _share(score, references.get(SCANNER)),
                "of_ceiling": _share(score, references.get(CEILING)),
                "motifs": GIVEN if entry.given_motifs else LEARNT if entry.interpreted else None,
                "motifs_found": sum(entry.key in row.found for row in planted)
                if entry.interpreted and not entry.given_motifs
                else None,
                "motifs_planted": len(planted),
                **(spacing_columns(entry.spacing) if entry.spacing else {}),
            }
        )
    return rows


def samples_per_second(entry: Entry) -> float | None:
    """Return how many training windows an entry went through in a second of its epochs, None where none was trained."""
    windows, seconds = (entry.config or {}).get("epoch_windows"), train_seconds(entry)
    if not windows or not seconds or entry.history is None:
        return None
    return float(int(windows) * len(entry.history) / seconds)


def _share(value: float | None, whole: float | None) -> float | None:
    return value / whole if value is not None and whole else None


def spacing_columns(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry has learnt of the spacing rule, ``spacing`` of its metrics, as columns of the table."""
    clear = sum(found[decoy]["low"] is not None and found[decoy]["low"] > 0.5 for decoy in (INVERTED, DISTANT))
    return {
        "spacing_inverted": found[INVERTED]["auroc"],
        "spacing_inverted_low": found[INVERTED]["low"],
        "spacing_distant": found[DISTANT]["auroc"],
        "spacing_distant_low": found[DISTANT]["low"],
        "spacing": (NOT_LEARNT, PARTLY, LEARNT)[clear],
    }


def for_people(table: pd.DataFrame) -> str:
    """Lay out the table in aligned columns."""
    shown = pd.DataFrame(
        {
            "model": table["model"],
            "parameters": [_number(value, "{:,.0f}") for value in table["parameters"]],
            "samples/s": [_number(value, "{:,.0f}") for value in table["samples_per_second"]],
            "AUROC": [_number(value, "{:.3f}") for value in table["auroc"]],
            "AUPRC (95 % interval)": [
                _number(row.auprc, "{:.3f}")
                + _number(row.auprc_low, " ({:.3f}-", "")
                + _number(row.auprc_high, "{:.3f})", "")
                for row in table.itertuples()
            ],
            "of scanner": [_number(value, "{:.2f}") for value in table["of_scanner"]],
            "of ceiling": [_number(value, "{:.2f}") for value in table["of_ceiling"]],
            "motifs": [
                GIVEN if row.motifs == GIVEN else _number(row.motifs_found, f"{{:.0f}} of {row.motifs_planted}")
                for row in table.itertuples()
            ],
            "inverted": [_number(value, "{:.2f}") for value in table["spacing_inverted"]],
            "distant": [_number(value, "{:.2f}") for value in table["spacing_distant"]],
            "spacing rule": table["spacing"].astype(object).fillna("–"),
        }
    )
    return shown.to_string(index=False) + "\n"


def _number(value: Any, pattern: str, missing: str = "–") -> str:
    return missing if value is None or pd.isna(value) else pattern.format(value)
