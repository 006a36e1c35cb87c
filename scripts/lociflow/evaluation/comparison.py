"""Which of a run's models and baselines differ on the same test bins, and which do not.

Every pair is compared by the median over targets of the headline metric: the difference in each bootstrap draw of
blocks, which both share, averaged over the seeds of a model. What other loci would give and what other seeds would give
are two things, as in :mod:`lociflow.evaluation.task_gain`: a verdict needs a small q-value and one sign in every seed.
Where bins are independent sequences with one binary target, DeLong's test of the AUROC stands beside it.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status
from lociflow.evaluation.delong import delong
from lociflow.evaluation.intervals import percentile_interval
from lociflow.evaluation.labels import Labels, read_labels
from lociflow.evaluation.median_draws import read_draws
from lociflow.evaluation.metrics import KIND_METRICS, METRICS
from lociflow.evaluation.pair_table import BETTER, COLUMNS, NEITHER, WORSE
from lociflow.evaluation.predictions import read_predictions
from lociflow.evaluation.significance import caveat, false_discoveries, sign_in_every_seed, two_sided


class Compared(NamedTuple):
    """A model with all of its seeds, or a baseline, which has none."""

    label: str
    seeds: int
    draws: list[Path]
    """``draws.npz``, one per seed."""
    predictions: list[Path]
    """``predictions.parquet``, one per seed."""


def compare_entries(
    dataset: str,
    split: str,
    windows: Path,
    targets: Path,
    target_table: Path,
    folds: Sequence[str],
    entries: Sequence[Compared],
    level: float,
) -> pd.DataFrame:
    """Compare all pairs of entries on the test bins of one split.

    Parameters
    ----------
    dataset, split
        Names.
    windows, targets, target_table
        ``windows.parquet``, ``targets.npy`` and ``targets.tsv`` of the data set.
    folds
        Names of the splits that are scored together under the name ``split``.
    entries
        What is compared.
    level
        Of the intervals, such as 0.95.

    Returns
    -------
    pandas.DataFrame
        Columns as :data:`lociflow.evaluation.pair_table.COLUMNS`, a row a pair; ``first`` is the one with the better
        value. ``difference`` is first less second, of means over seeds; ``low``, ``high`` and the two-sided ``p`` are
        those of other loci, ``q`` is by Benjamini and Hochberg (1995) over all pairs. ``seeds`` is the number of seeds
        of the one that has more, and ``verdict`` says what ``first`` is. ``delong_p`` is of the mean predictions over
        seeds, with ``delong_q`` over all pairs; missing where DeLong's test does not apply. An entry without a value is
        in no pair.

    Raises
    ------
    UserError
        Two entries were not scored on the same bins.
    """
    labels = read_labels(windows, targets, target_table, split, folds)
    metric = KIND_METRICS[labels.outputs.kind].headline
    observed, resampled = read_headlines(entries, metric)
    sign = 1 if METRICS[metric].larger_is_better else -1
    known = [entry for entry in entries if not np.isnan(observed[entry.label]).any()]
    ordered = sorted(known, key=lambda entry: -sign * observed[entry.label].mean())
    scores = {entry.label: mean_scores(labels, entry) for entry in ordered} if independent(labels) else {}
    rows = []
    for first, second in combinations(ordered, 2):
        # A baseline stands against every seed of a model; models have the same seeds.
        gains = observed[first.label] - observed[second.label]
        drawn = resampled[first.label] - resampled[second.label]
        interval = percentile_interval(drawn, level)
        seeds = max(first.seeds, second.seeds)
        rows.append(
            {
                "first": first.label,
                "second": second.label,
                "first_value": observed[first.label].mean(),
                "second_value": observed[second.label].mean(),
                "difference": gains.mean(),
                "low": interval.low,
                "high": interval.high,
                "p": two_sided(drawn) if interval.low is not None else np.nan,
                "seeds": seeds,
                "lowest": (sign * gains).min(),
                "highest": (sign * gains).max(),
                "caveat": caveat(seeds) if seeds else "",
                **(_delong(labels, scores[first.label], scores[second.label]) if scores else {}),
            }
        )
    about = {"dataset": dataset, "split": split, "metric": metric}
    table = pd.DataFrame(rows, columns=[*COLUMNS, "lowest", "highest"]).assign(**about)
    for p, q in (("p", "q"), ("delong_p", "delong_q")):
        table[q] = false_discoveries(table[p].to_numpy(float))
    signs = [sign_in_every_seed(*row) for row in zip(table["q"], table["lowest"], table["highest"], strict=True)]
    return table.assign(verdict=[{1: BETTER, -1: WORSE, 0: NEITHER}[each] for each in signs])[list(COLUMNS)]


def read_headlines(entries: Sequence[Compared], metric: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Read the medians of one metric of every entry, by its label.

    Returns
    -------
    tuple of dict
        Those that were observed, shape (seeds,), and those of every draw, means over the seeds, shape (draws,).

    Raises
    ------
    UserError
        Two entries were not scored on the same bins and draws.
    """
    observed, resampled = {}, {}
    expected: tuple[Path, str] | None = None
    for entry in entries:
        found = [read_draws(path) for path in entry.draws]
        for path, each in zip(entry.draws, found, strict=True):
            expected = expected or (path, each.pairing)
            if each.pairing != expected[1]:
                raise UserError(
                    f"{path}: found the draws of other bins, labels or intervals than those of {expected[0]}, expected "
                    "the same; run the evaluation of both again"
                )
        observed[entry.label] = np.array([each.observed[metric] for each in found])
        resampled[entry.label] = np.mean([each.resampled[metric] for each in found], axis=0)
    return observed, resampled


def independent(labels: Labels) -> bool:
    """Tell whether DeLong's test applies: to one binary target of sequences of which none is another's neighbour."""
    windows = labels.windows
    alone = windows["contig"].is_unique and ("group" not in windows or windows["group"].isna().all())
    return labels.outputs.kind == "binary" and len(labels.names) == 1 and bool(alone)


def mean_scores(labels: Labels, entry: Compared) -> np.ndarray:
    """Return the mean over seeds of the predictions of the test bins, float64, shape (bins,)."""
    test = np.flatnonzero((labels.windows["split"].astype(str) == "test").to_numpy())
    found = [read_predictions(path, labels.names) for path in entry.predictions]
    rows = [each[labels.names[0]].to_numpy()[np.searchsorted(each["bin"].to_numpy(), test)] for each in found]
    return np.asarray(np.mean(rows, axis=0, dtype=np.float64))


def write_comparisons(path: Path, table: pd.DataFrame) -> None:
    """Write the table of :func:`compare_entries` as tab-separated text."""
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    clear = int((table["verdict"] != NEITHER).sum())
    status(f"{len(table):,} pairs of models and baselines compared: {clear:,} clearly differ")


def _delong(labels: Labels, first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    test = (labels.windows["split"].astype(str) == "test").to_numpy()
    tested = delong(np.asarray(labels.targets[test, 0]), first, second)
    return {"auroc_difference": tested.first - tested.second, "delong_p": tested.p}
