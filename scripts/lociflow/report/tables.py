"""The table of scores of a run: one row a data set × model × seed, and one for each baseline, control and ceiling."""

from pathlib import Path
from typing import Any

import pandas as pd

from lociflow.command import atomic
from lociflow.report.results import DatasetResults, Entry, RunResults

SCORE_COLUMNS = (
    "dataset", "split", "label", "model", "variant", "seed", "kind", "targets", "test_bins", "prevalence",
    "auroc_median", "auroc_low", "auroc_high", "auroc_mean", "auprc_median", "auprc_low", "auprc_high", "auprc_mean",
    "lift_median", "auroc_gain", "auprc_gain", "parameters", "train_seconds",
)  # fmt: skip
NOTHING = "–"


def score_table(results: RunResults) -> pd.DataFrame:
    """Put the headline scores of every entry of a run into one table.

    Returns
    -------
    pandas.DataFrame
        ``SCORE_COLUMNS``. ``targets`` counts those whose AUROC is defined; ``prevalence`` and ``lift_median`` (AUPRC
        over prevalence) are medians over targets; ``*_low`` and ``*_high`` are the bounds of the bootstrap interval of
        the median; ``*_gain`` is the median less the k-mer baseline's median on the same bins, missing for the
        baseline itself and where a run has none. What is undefined or unknown is missing, never 0.
    """
    rows = [score_row(dataset, entry) for dataset in results.datasets for entry in dataset.entries]
    table = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    return table.astype(dict.fromkeys(("seed", "targets", "test_bins", "parameters"), "Int64"))


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
        "targets": entry.summary("auroc", "targets"),
        "test_bins": entry.metrics["bins"]["test"],
        "prevalence": entry.summary("prevalence", "median"),
        "lift_median": entry.summary("lift", "median"),
        "parameters": parameters(entry),
        "train_seconds": train_seconds(entry),
    }
    baseline = dataset.kmer_baseline
    for metric in ("auroc", "auprc"):
        for statistic in ("median", "low", "high", "mean"):
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
    """Return how long the epochs of a training took in all."""
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
    """Lay out the headline scores as text for a terminal, one block a split, best AUPRC first in each kind.

    Parameters
    ----------
    table
        As :func:`score_table` makes it.
    """
    header = ("", "seed", "AUROC", "interval", "AUPRC", "interval", "lift", "gain")
    blocks = []
    several = table.groupby("dataset")["split"].nunique()
    for (dataset, split), rows in table.groupby(["dataset", "split"], sort=False):
        first = rows.iloc[0]
        name = f"{dataset}, {split} split" if int(several.loc[str(dataset)]) > 1 else str(dataset)
        title = (
            f"{name}: median over {plural(first['targets'], 'target')}, {first['test_bins']:,} test bins, "
            f"prevalence {number(first['prevalence'], 4)} (chance: AUROC 0.5, AUPRC the prevalence)"
        )
        order = rows.assign(rank=rows["kind"].map({"model": 0, "baseline": 1, "ceiling": 2, "control": 3}))
        cells = [header]
        for _, row in order.sort_values(["rank", "auprc_median"], ascending=[True, False], kind="stable").iterrows():
            cells.append(
                (
                    row["label"] if row["kind"] in ("model", row["label"]) else f"{row['label']} ({row['kind']})",
                    "" if pd.isna(row["seed"]) else str(row["seed"]),
                    number(row["auroc_median"]),
                    interval(row["auroc_low"], row["auroc_high"]),
                    number(row["auprc_median"]),
                    interval(row["auprc_low"], row["auprc_high"]),
                    number(row["lift_median"], 1),
                    signed(row["auprc_gain"]),
                )
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
    note = "gain: median AUPRC less the k-mer baseline's"
    return "\n\n".join([*blocks, note])


def number(value: Any, digits: int = 3) -> str:
    """Format a score; an en dash where it is undefined."""
    return NOTHING if value is None or pd.isna(value) else f"{value:.{digits}f}"


def signed(value: Any, digits: int = 3) -> str:
    """Format a difference with its sign."""
    return NOTHING if value is None or pd.isna(value) else f"{value:+.{digits}f}".replace("-", "−")


def interval(low: Any, high: Any, digits: int = 3) -> str:
    """Format an interval as ``low to high``; empty where it is undefined."""
    return "" if low is None or pd.isna(low) or pd.isna(high) else f"{low:.{digits}f} to {high:.{digits}f}"


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


def seconds(value: Any) -> str:
    """Format a duration for people: seconds, then minutes, then hours."""
    if value is None or pd.isna(value):
        return NOTHING
    if value < 120:
        return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"
