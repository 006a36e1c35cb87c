"""What each target gains from being learnt together with the others: joint models against single-target ones.

Two things vary: the loci that a model is tested on, and the seed that it is trained with. The block bootstrap speaks of
the first, the spread between seeds of the second; neither stands for the other, so a verdict needs both: a q-value over
all targets of a model that is small enough, and the same sign in every seed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status
from lociflow.evaluation.evaluate import IntervalConfig, usual_block
from lociflow.evaluation.intervals import assign_blocks, draw_blocks, percentile_interval, why_no_interval
from lociflow.evaluation.labels import Labels, read_labels
from lociflow.evaluation.metrics import prevalence, rank, score
from lociflow.evaluation.predictions import check_split, read_predictions
from lociflow.evaluation.significance import caveat, false_discoveries, least_draws, sign_in_every_seed, two_sided
from lociflow.genome.window_table import split_digest

COLUMNS = (
    "dataset", "split", "model", "target", "training_positives", "prevalence", "single", "joint", "gain", "low", "high",
    "p", "q", "seeds", "seed_sd", "seed_lowest", "seed_highest", "verdict", "caveat",
)  # fmt: skip
GAIN, LOSS, NEITHER = "gains", "negative transfer", "no clear difference"


class Pair(NamedTuple):
    """One target, learnt with the others and alone, with the same seeds."""

    model: str
    target: str
    joint: list[Path]
    """``predictions.parquet`` of the joint model, one per seed."""
    single: list[Path]
    """Those of the models of the target alone, in the same order."""


def read_pairs(pairs: Sequence[Mapping[str, Any]]) -> list[Pair]:
    """Turn JSON objects with the fields of :class:`Pair` into pairs."""
    return [
        Pair(pair["model"], pair["target"], [Path(one) for one in pair["joint"]], [Path(one) for one in pair["single"]])
        for pair in pairs
    ]


def compare_tasks(
    dataset: str,
    split: str,
    windows: Path,
    targets: Path,
    target_table: Path,
    pairs: Sequence[Pair],
    settings: IntervalConfig,
) -> pd.DataFrame:
    """Compare joint and single-target models on the test bins of one split.

    The difference of the average precisions is taken within each bootstrap draw of blocks, between models of the same
    seed, and averaged over the seeds, so that what both models share cancels.

    Parameters
    ----------
    dataset, split
        Names.
    windows, targets, target_table
        ``windows.parquet``, ``targets.npy`` and ``targets.tsv`` of the data set, whose labels are binary.
    pairs
        What is compared.
    settings
        Of the intervals; there are more draws where those of :func:`least_draws` are more.

    Returns
    -------
    pandas.DataFrame
        Columns as :data:`COLUMNS`, a row a pair. ``single`` and ``joint`` are average precisions, means over seeds, and
        ``gain`` is joint minus single. ``low``, ``high`` and the two-sided ``p`` are those of other loci, from the
        draws; ``q`` is by Benjamini and Hochberg (1995) over the targets of a model that have a p-value. ``seed_sd``
        (of a sample; NaN for one seed), ``seed_lowest`` and ``seed_highest`` tell how the gain differs between seeds.
        ``verdict`` is that of :func:`verdict`, ``caveat`` that of :func:`caveat`.

    Raises
    ------
    UserError
        Predictions are not those of this split, or a pair has not the same number of models on both sides.
    """
    labels = read_labels(windows, targets, target_table, split)
    sides = labels.windows["split"].astype(str).to_numpy()
    test, train = np.flatnonzero(sides == "test"), np.flatnonzero(sides == "train")
    block = settings.block if settings.block is not None else usual_block(labels.windows)
    blocks = assign_blocks(labels.windows.iloc[test], block)
    count = int(blocks.max()) + 1
    tests = max(Counter(pair.model for pair in pairs).values(), default=0)
    draws = max(settings.draws, least_draws(tests))
    weights = np.column_stack([np.ones(count), draw_blocks(count, draws, settings.seed)])
    digest = split_digest(windows, split)
    rows = []
    for pair in pairs:
        if len(pair.joint) != len(pair.single):
            raise UserError(
                f"{pair.model}, {pair.target}: found {len(pair.joint)} joint and {len(pair.single)} single-target "
                "models, expected one of each for every seed"
            )
        column = labels.names.index(pair.target)
        truth = np.asarray(labels.targets[test, column])
        joint, single = (
            np.array([_precision(path, pair.target, test, truth, blocks, weights, digest) for path in paths])
            for paths in (pair.joint, pair.single)
        )
        gains = joint - single
        gain = gains.mean(axis=0)
        reason = why_no_interval(rank(truth, np.zeros(len(truth)), blocks, count))
        interval = percentile_interval(gain[1:], settings.level, reason)
        rows.append(
            {
                "dataset": dataset,
                "split": split,
                "model": pair.model,
                "target": pair.target,
                "training_positives": _positives(labels, train, column),
                "prevalence": prevalence(truth),
                "single": single[:, 0].mean(),
                "joint": joint[:, 0].mean(),
                "gain": gain[0],
                "low": interval.low,
                "high": interval.high,
                "p": two_sided(gain[1:]) if interval.low is not None else np.nan,
                "seeds": len(gains),
                "seed_sd": gains[:, 0].std(ddof=1) if len(gains) > 1 else np.nan,
                "seed_lowest": gains[:, 0].min(),
                "seed_highest": gains[:, 0].max(),
                "caveat": caveat(len(gains)),
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["q"] = table.groupby("model", sort=False)["p"].transform(lambda p: false_discoveries(p.to_numpy(float)))
    told = zip(table["q"], table["seed_lowest"], table["seed_highest"], strict=True)
    return table.assign(verdict=[verdict(*row) for row in told])


def verdict(q: float, lowest: float, highest: float) -> str:
    """Say in words what can be said of a gain.

    Parameters
    ----------
    q
        Its q-value; NaN where there is none.
    lowest, highest
        The gain in the seeds in which it is lowest and highest.

    Returns
    -------
    str
        "gains" or "negative transfer" where the q-value is small enough and every seed has that sign
        (:func:`lociflow.evaluation.significance.sign_in_every_seed`), else "no clear difference".
    """
    return {1: GAIN, -1: LOSS, 0: NEITHER}[sign_in_every_seed(q, lowest, highest)]


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write the table of :func:`compare_tasks` as tab-separated text."""
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    counts = ", ".join(f"{(table['verdict'] == name).sum()} {name}" for name in (GAIN, LOSS, NEITHER))
    few = ", ".join(sorted({told for told in table["caveat"] if told}))
    status(f"{len(table)} targets learnt together and alone: {counts}{f'; {few}' if few else ''}")


def _positives(labels: Labels, rows: np.ndarray, column: int) -> int:
    return int((np.asarray(labels.targets[rows, column]) == 1).sum())


def _precision(
    path: Path, target: str, test: np.ndarray, truth: np.ndarray, blocks: np.ndarray, weights: np.ndarray, digest: str
) -> np.ndarray:
    """Return the average precision for the weighting of each column, shape (columns,)."""
    check_split(path, digest)
    found = read_predictions(path, [target])
    rows = np.searchsorted(found["bin"].to_numpy(), test)
    return score(rank(truth, found[target].to_numpy()[rows], blocks, len(weights)), weights).auprc
