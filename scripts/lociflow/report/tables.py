"""The table of scores of a run: one row a data set × model × seed, and one for each baseline, control and ceiling."""

from pathlib import Path
from typing import Any

import pandas as pd

from lociflow.command import atomic
from lociflow.evaluation.metrics import HEADLINES, KIND_METRICS, METRICS
from lociflow.report.results import DatasetResults, Entry, RunResults

ABOUT = ("dataset", "split", "label", "model", "variant", "seed", "kind")
COUNTS = ("targets", "test_bins", "prevalence")
STATISTICS = ("median", "low", "high", "mean")
NOTHING = "–"


def score_table(results: RunResults) -> pd.DataFrame:
    """Put the headline scores of every entry of a run into one table.

    Returns
    -------
    pandas.DataFrame
        Columns as :func:`score_columns`. ``targets`` counts those whose headline metric is defined; ``prevalence`` and
        ``lift_median`` (AUPRC over prevalence) are medians over targets; ``*_low`` and ``*_high`` are the bounds of the
        bootstrap interval of the median; ``*_gain`` is the median less that of the best baseline on the same bins,
        missing for the baseline itself and where a run has none. What is undefined or unknown is missing, never 0.
    """
    rows = [score_row(dataset, entry) for dataset in results.datasets for entry in dataset.scored]
    table = pd.DataFrame(rows, columns=score_columns(results))
    return table.astype(dict.fromkeys(("seed", "targets", "test_bins", "parameters"), "Int64"))


def score_columns(results: RunResults) -> list[str]:
    """Return the columns of the table of scores: those of every metric that a data set of the run has.

    ``labels``, the kind of the labels, is one of them where a data set has others than binary ones.
    """
    metrics = list(dict.fromkeys(metric for dataset in results.datasets for metric in dataset.shown_metrics))
    ranked = any(dataset.kind_metrics.ranked for dataset in results.datasets)
    mixed = any(dataset.label_kind != "binary" for dataset in results.datasets)
    return [
        *ABOUT,
        *(["labels"] if mixed else []),
        *COUNTS,
        *(f"{metric}_{statistic}" for metric in metrics for statistic in STATISTICS),
        *(["lift_median"] if ranked or not results.datasets else []),
        *(f"{metric}_gain" for metric in metrics),
        "parameters",
        "train_seconds",
    ]


def score_row(dataset: DatasetResults, entry: Entry) -> dict[str, Any]:
    """Summarise one entry as a row of :func:`score_table`."""
    row: dict[str, Any] = {
        "dataset": dataset.dataset,
        "split": dataset.split,
        "label": entry.label,
        "model": entry.model,
        "variant": entry.variant,
        "seed": entry.seed,
        "kind": entry.kind,
        "labels": dataset.label_kind,
        "targets": entry.summary(dataset.headline, "targets"),
        "test_bins": entry.metrics["bins"]["test"],
        "prevalence": entry.summary("prevalence", "median"),
        "lift_median": entry.summary("lift", "median"),
        "parameters": parameters(entry),
        "train_seconds": train_seconds(entry),
    }
    baseline = dataset.best_baseline
    for metric in dataset.shown_metrics:
        for statistic in STATISTICS:
            row[f"{metric}_{statistic}"] = entry.summary(metric, statistic)
        row[f"{metric}_gain"] = None if baseline is None else gain(entry, baseline, metric)
    return row


def gain(entry: Entry, baseline: Entry, metric: str) -> float | None:
    """Subtract the baseline's median of a metric from an entry's; None for the baseline itself."""
    value, reference = entry.summary(metric, "median"), baseline.summary(metric, "median")
    if entry is baseline or value is None or reference is None:
        return None
    return value - reference


def parameters(entry: Entry) -> int | None:
    """Return the number of trainable parameters that the training step has written into its configuration's copy."""
    value = (entry.config or {}).get("parameters")
    return None if value is None else int(value)


def train_seconds(entry: Entry) -> float | None:
    """Return how long the epochs of a training, or of those on all folds, took in all."""
    if entry.fold_seconds is not None:
        return entry.fold_seconds
    if entry.history is None or "seconds" not in entry.history:
        return None
    return float(entry.history["seconds"].sum())


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as TSV with six significant digits; an empty cell is a missing value."""
    with atomic(path) as temporary:
        temporary.write_text(as_tsv(table), encoding="utf-8")


def write_text(text: str, path: Path) -> None:
    """Write a text for people."""
    with atomic(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def as_tsv(table: pd.DataFrame) -> str:
    """Format a table as TSV with six significant digits."""
    return table.to_csv(None, sep="\t", index=False, float_format="%.6g", lineterminator="\n")


def aligned_text(table: pd.DataFrame) -> str:
    """Lay out the scores as text for a terminal, one block a split, best headline metric first in each kind.

    Parameters
    ----------
    table
        As :func:`score_table` makes it.
    """
    blocks, headlines = [], []
    several = table.groupby("dataset")["split"].nunique()
    for (dataset, split), rows in table.groupby(["dataset", "split"], sort=False):
        first = rows.iloc[0]
        kind = str(first.get("labels", "binary"))
        headline = HEADLINES[kind]
        counted = "error_median" in table and rows["error_median"].notna().any()
        metrics = [*KIND_METRICS[kind].shown, *(["error"] if counted else [])]
        ranked = KIND_METRICS[kind].ranked
        name = f"{dataset}, {split} split" if int(several.loc[str(dataset)]) > 1 else str(dataset)
        known = f", prevalence {number(first['prevalence'], 4)} (chance: AUROC 0.5, AUPRC the prevalence)"
        title = (
            f"{name}: median over {plural(first['targets'], 'target')}, {first['test_bins']:,} test bins"
            f"{known if ranked else ''}"
        )
        compared = rows[f"{headline}_gain"].notna().any()
        if compared:
            headlines.append(METRICS[headline].title)
        header = [
            "", "seed", *(part for metric in metrics for part in (METRICS[metric].title, "interval")),
            *(["lift"] if ranked else []), *(["gain"] if compared else []),
        ]  # fmt: skip
        order = rows.assign(
            rank=rows["kind"].map({"model": 0, "ensemble": 1, "baseline": 2, "ceiling": 3, "control": 4})
        )
        cells = [header]
        ascending = [True, not METRICS[headline].larger_is_better]
        ordered = order.sort_values(["rank", f"{headline}_median"], ascending=ascending, kind="stable")
        for _, row in ordered.iterrows():
            scores = [
                part
                for metric in metrics
                for part in (number(row[f"{metric}_median"]), interval(row[f"{metric}_low"], row[f"{metric}_high"]))
            ]
            cells.append(
                [
                    row["label"] if row["kind"] in ("model", row["label"]) else f"{row['label']} ({row['kind']})",
                    "" if pd.isna(row["seed"]) else str(row["seed"]),
                    *scores,
                    *([number(row["lift_median"], 1)] if ranked else []),
                    *([signed(row[f"{headline}_gain"])] if compared else []),
                ]
            )
        widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
        lines = [
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        blocks.append("\n".join([title, *lines]))
    if headlines:
        blocks.append(f"gain: median {' or '.join(dict.fromkeys(headlines))} less the best baseline's")
    return "\n\n".join(blocks)


def number(value: Any, digits: int = 3) -> str:
    """Format a score; an en dash where it is undefined."""
    return NOTHING if value is None or pd.isna(value) else f"{value:.{digits}f}".replace("-", "−")


def signed(value: Any, digits: int = 3) -> str:
    """Format a difference with its sign."""
    return NOTHING if value is None or pd.isna(value) else f"{value:+.{digits}f}".replace("-", "−")


def interval(low: Any, high: Any, digits: int = 3) -> str:
    """Format an interval as ``low to high``; empty where it is undefined."""
    return "" if low is None or pd.isna(low) or pd.isna(high) else f"{number(low, digits)} to {number(high, digits)}"


def q_value(value: float) -> str:
    """Format a q-value: two significant digits, a power of ten when small."""
    if value >= 0.001:
        return f"{value:.2g}"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa} × 10^{int(exponent)}" if value > 0 else "< 10^-300"


def plural(count: int, noun: str) -> str:
    """Format a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def count_of(value: Any) -> str:
    """Format a large count for people: 12,345 up to a million, then 1.2 M."""
    if value is None or pd.isna(value):
        return NOTHING
    return f"{value:,.0f}" if value < 1_000_000 else f"{value / 1_000_000:.1f} M"


def size(value: Any) -> str:
    """Format a number of bytes."""
    for unit, bytes_of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= bytes_of:
            return f"{value / bytes_of:.1f} {unit}"
    return f"{value} bytes"


def megabytes(value: Any) -> str:
    """Format a number of megabytes."""
    return NOTHING if value is None or pd.isna(value) else f"{value:,.0f} MB"


def seconds(value: Any) -> str:
    """Format a duration for people: seconds, then minutes, then hours."""
    if value is None or pd.isna(value):
        return NOTHING
    if value < 120:
        return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"
