"""The answer at the top of the page: what was asked, which model is best and how surely, and the leaderboard."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lociflow.evaluation.metrics import HEADLINES, METRICS
from lociflow.report import figures, tables
from lociflow.report.differences import undecided
from lociflow.report.results import DatasetResults, Entry, RunResults


@dataclass(frozen=True)
class LeaderboardRow:
    """One line of the leaderboard: an entry, or the mean of a label over its seeds."""

    name: str
    kind: str
    seed: str
    scores: Mapping[str, Any]
    """As a row of :func:`lociflow.report.tables.score_table`; NaN where undefined."""
    deviations: Mapping[str, float]
    """Standard deviation over seeds of each median; empty for a single training."""


def asked(results: RunResults) -> str:
    """Say in one sentence what the run was to find out."""
    models = list(dict.fromkeys(entry.label for dataset in results.datasets for entry in dataset.of_kind("model")))
    names = ", ".join(dict.fromkeys(dataset.dataset for dataset in results.datasets))
    seeds = tables.plural(len(seeds_of(results)), "seed")
    return (
        f"How well do {tables.plural(len(models), 'model')} ({', '.join(models)}; {seeds}) predict the targets "
        f"of {names} from sequence, and what have they learnt?"
    )


def seeds_of(results: RunResults) -> list[int]:
    """Return the seeds of a run's trainings."""
    return sorted({entry.seed for dataset in results.datasets for entry in dataset.entries if entry.seed is not None})


def verdict(dataset: DatasetResults, comparisons: pd.DataFrame) -> str:
    """Say in words which model is best, by how much, and whether the order is settled."""
    ranked = [
        (score, label, entries)
        for label, entries in figures.grouped(dataset.of_kind("model"))
        if (score := mean_score(entries, "median")) is not None
    ]
    if not ranked:
        return "No model has a defined score on the test set."
    metric = METRICS[dataset.headline]
    ranked.sort(key=lambda group: -group[0] if metric.larger_is_better else group[0])
    score, label, entries = ranked[0]
    bounds = tables.interval(mean_score(entries, "low"), mean_score(entries, "high"))
    how = f"mean of {len(entries)} seeds" if len(entries) > 1 else f"{figures.level(dataset)} interval {bounds}"
    sentences = [
        f"{label} has the {'highest' if metric.larger_is_better else 'lowest'} median {metric.title}, {score:.3f}"
        + (f" ({how})" if len(entries) > 1 or bounds else "")
        + against_chance(dataset, entries, score)
        + "."
    ]
    tied = undecided(comparisons, dataset, label)
    rivals = [name for _, name, _ in ranked[1:] if name in tied]
    if rivals:
        sentences.append(f"It does not differ clearly from {', '.join(rivals)}: their order is not settled.")
    baseline = dataset.best_baseline
    reference = baseline.summary(dataset.headline, "median") if baseline else None
    if baseline and reference is not None:
        relation = "above" if score >= reference else "below"
        sentences.append(f"That is {abs(score - reference):.3f} {relation} the best baseline ({baseline.label}).")
    limit = dataset.ceiling.summary(dataset.headline, "median") if dataset.ceiling else None
    if limit is not None:
        sentences.append(f"The best score that the planted truth allows is {limit:.3f}.")
    return " ".join(sentences)


def against_chance(dataset: DatasetResults, entries: list[Entry], score: float) -> str:
    """Say how far above chance a score is, by the lift that the table shows where there is one."""
    lifts = [lift for entry in entries if (lift := entry.summary("lift", "median")) is not None]
    if lifts:
        return f", a median lift of {statistics.fmean(lifts):.1f}"
    base = figures.chance(dataset, dataset.headline)
    return (
        f", {score / base:.1f} times what chance gives" if base and METRICS[dataset.headline].larger_is_better else ""
    )


def mean_score(entries: list[Entry], statistic: str) -> float | None:
    """Average a statistic of the headline metric over the seeds of a label; None where it is undefined for one."""
    values = [entry.summary(HEADLINES[entry.metrics.get("kind", "binary")], statistic) for entry in entries]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def leaderboard(dataset: DatasetResults, scores: pd.DataFrame) -> list[tuple[str, list[LeaderboardRow]]]:
    """Arrange the rows of the leaderboard in groups, models first, best first in each."""
    titles = {
        "model": "Models",
        "ensemble": "Ensembles: the mean prediction over seeds",
        "baseline": "Baselines",
        "ceiling": "Ceiling",
        "control": "Controls",
    }
    rows = scores[(scores["dataset"] == dataset.dataset) & (scores["split"] == dataset.split)].astype(object)
    sign = 1 if METRICS[dataset.headline].larger_is_better else -1
    groups = []
    for kind, title in titles.items():
        chosen = rows[rows["kind"] == kind]
        lines: list[tuple[float, list[LeaderboardRow]]] = []
        for label, seeds in chosen.groupby("label", sort=False):
            singles = [
                LeaderboardRow(str(label), kind, "" if pd.isna(row["seed"]) else str(row["seed"]), row, {})
                for row in records(seeds)
            ]
            mean = pd.to_numeric(seeds[f"{dataset.headline}_median"], errors="coerce").mean()
            head = [mean_over_seeds(str(label), kind, seeds, dataset.shown_metrics)] if len(singles) > 1 else []
            lines.append((-math.inf if pd.isna(mean) else sign * float(mean), head + singles))
        if lines:
            lines.sort(key=lambda line: -line[0])
            groups.append((title, [row for _, group in lines for row in group]))
    return groups


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a table into a mapping per row."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def mean_over_seeds(label: str, kind: str, seeds: pd.DataFrame, metrics: Sequence[str]) -> LeaderboardRow:
    """Average the scores of the seeds of one label; the intervals of single trainings are not averaged."""
    numeric = {name: pd.to_numeric(seeds[name], errors="coerce") for name in seeds.columns}
    scores: dict[str, Any] = {name: column.mean() for name, column in numeric.items()}
    for metric in metrics:
        scores |= {f"{metric}_low": None, f"{metric}_high": None}
    deviations = {f"{metric}_median": float(numeric[f"{metric}_median"].std()) for metric in metrics}
    return LeaderboardRow(label, kind, f"mean of {len(seeds)}", scores, deviations)
