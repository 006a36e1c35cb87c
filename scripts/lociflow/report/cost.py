"""What a run has cost: time and memory of its jobs from Snakemake's benchmark files, and the size of its models."""

from typing import NamedTuple

import pandas as pd

from lociflow.report.architectures import samples_per_second
from lociflow.report.results import DatasetResults, Entry
from lociflow.report.tables import parameters

# The steps of an entry by what they are for; a baseline is fitted and scored in one.
TRAINING = ("train", "choose_trial", "fit", "score")
PREDICTING = ("predict", "pool_folds", "evaluate")
EXPLAINING = ("attribute", "discover_motifs", "extract_filters", "score_explanations")


class EntryCost(NamedTuple):
    """What one model with its seed, or one baseline, has cost; None where it was not measured or does not apply."""

    name: str
    parameters: int | None
    epochs: int | None
    training_seconds: float | None
    """Of whole jobs, with what comes before the first epoch; of all folds together."""
    windows_per_second: float | None
    memory_mb: float | None
    """Largest resident set of a training job."""
    predicting_seconds: float | None
    explaining_seconds: float | None


def entry_costs(dataset: DatasetResults, benchmarks: pd.DataFrame) -> list[EntryCost]:
    """Gather what every entry of a data set has cost.

    Parameters
    ----------
    dataset
        With its entries.
    benchmarks
        As :func:`lociflow.report.read_results.read_benchmarks` reads them.

    Returns
    -------
    list[EntryCost]
        In the order of the entries; those of which nothing is known are left out.
    """
    found = []
    for entry in dataset.entries:
        jobs = _jobs_of(entry, dataset, benchmarks)
        training = jobs[jobs["rule"].isin(TRAINING)]
        cost = EntryCost(
            name=entry.name,
            parameters=parameters(entry),
            epochs=len(entry.history) if entry.history is not None else None,
            training_seconds=_total(training["seconds"]),
            windows_per_second=samples_per_second(entry),
            memory_mb=_largest(training["memory_mb"]),
            predicting_seconds=_total(jobs.loc[jobs["rule"].isin(PREDICTING), "seconds"]),
            explaining_seconds=_total(jobs.loc[jobs["rule"].isin(EXPLAINING), "seconds"]),
        )
        if any(value is not None for value in cost[1:]):
            found.append(cost)
    return found


def step_costs(benchmarks: pd.DataFrame) -> pd.DataFrame:
    """Sum the time of the jobs of each rule, the last part of a benchmark's path, and take their largest memory.

    Returns
    -------
    pandas.DataFrame
        ``rule``, ``jobs``, ``seconds``, ``memory_mb`` (NaN where no job was long enough to be sampled), the rule that
        took longest first.
    """
    summed = (
        _placed(benchmarks)
        .groupby("rule", sort=False)
        .agg(jobs=("step", "size"), seconds=("seconds", "sum"), memory_mb=("memory_mb", "max"))
    )
    return summed.reset_index().sort_values("seconds", ascending=False, kind="stable")


def _jobs_of(entry: Entry, dataset: DatasetResults, benchmarks: pd.DataFrame) -> pd.DataFrame:
    own = f"baselines/{entry.label}" if entry.seed is None else entry.key
    # What is trained on folds is scored under the name of all folds together.
    folders = [f"{dataset.dataset}/{split}/{own}" for split in dict.fromkeys((*dataset.folds, dataset.split))]
    jobs = _placed(benchmarks)
    return jobs[jobs["folder"].isin(folders)]


def _placed(benchmarks: pd.DataFrame) -> pd.DataFrame:
    parts = [step.rpartition("/") for step in benchmarks["step"]]
    return benchmarks.assign(folder=[part[0] for part in parts], rule=[part[2] for part in parts])


def _total(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.sum()) if len(known) else None


def _largest(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.max()) if len(known) else None
