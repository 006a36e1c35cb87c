"""The step that scores predictions. Explanations also choose their windows by test labels; no fit reads them."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status, write_json
from lociflow.evaluation.curves import curve, grid
from lociflow.evaluation.intervals import (
    MIN_BLOCKS,
    Draws,
    Interval,
    assign_blocks,
    bootstrap,
    draw_blocks,
    percentile_interval,
    summary_interval,
)
from lociflow.evaluation.labels import Labels, read_labels
from lociflow.evaluation.metrics import MISSING, Ranking, lift, prevalence, rank
from lociflow.evaluation.predictions import KEYS, SCORED, check_split, read_predictions
from lociflow.formats import stamp
from lociflow.genome.window_table import split_digest

METRICS = ("auroc", "auprc")

# Blocks within which labels hang together: 20 kb in genomes as dense as yeast's, 1 Mb in those as large as ours.
SHORT_BLOCK, LONG_BLOCK = 20_000, 1_000_000
LARGE_GENOME = 100_000_000


class IntervalConfig(NamedTuple):
    """How intervals are made; the keys of ``--config``."""

    block: int | None = None
    """Length of a block in bases; None for that of :func:`usual_block`."""
    draws: int = 1000
    """Bootstrap draws."""
    level: float = 0.95
    """Coverage."""
    seed: int = 0
    """Of the draws."""


def interval_config(config: Mapping[str, Any]) -> IntervalConfig:
    """Check what ``--config`` says.

    Raises
    ------
    UserError
        A key is unknown, or a value is out of range.
    """
    unknown = sorted(set(config) - set(IntervalConfig._fields))
    if unknown:
        raise UserError(f"evaluation: found the key {unknown[0]!r}, expected {', '.join(IntervalConfig._fields)}")
    checked = IntervalConfig(**config)
    for key, lowest in (("block", 1), ("draws", 1), ("seed", 0)):
        value = getattr(checked, key)
        if key == "block" and value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
            raise UserError(f"evaluation.{key}: found {value!r}, expected a whole number of at least {lowest}")
    if not isinstance(checked.level, float) or not 0 < checked.level < 1:
        raise UserError(f"evaluation.level: found {checked.level!r}, expected a number between 0 and 1, such as 0.95")
    return checked


def usual_block(windows: pd.DataFrame) -> int:
    """Return the length of a block for a genome of which only the windows are known.

    20,000 bases where the windows span less than 100 Mb in all, the ends of the contigs' last ones added up, and
    1,000,000 otherwise.
    """
    span = int(windows.groupby("contig", observed=True)["end"].max().sum())
    return SHORT_BLOCK if span < LARGE_GENOME else LONG_BLOCK


def evaluate(
    windows: Path,
    targets: Path,
    target_table: Path,
    predictions: Path,
    split: str,
    config: Mapping[str, Any],
    metrics: Path,
    curves: Path,
) -> None:
    """Score predictions on the test bins, with intervals, and on the validation bins for reference.

    Parameters
    ----------
    windows, targets, target_table
        ``windows.parquet``, ``targets.npy``, ``targets.tsv`` of the data set.
    predictions
        Of every validation and test bin.
    split
        Name of the split.
    config
        ``block`` (bases; null for :func:`usual_block`), ``draws``, ``level``, ``seed``: see :class:`IntervalConfig`.
    metrics
        JSON to write; ``summary`` and ``targets`` are those of the test bins, ``validation`` is a summary without
        intervals. What is undefined is null, and ``undefined`` counts such targets.
    curves
        ``.npz`` to write (read it with ``allow_pickle=False``), of the test bins: ``targets`` (names),
        ``false_positive_rate`` and ``recall`` (float64, shape (points,), the common grids), ``true_positive_rate`` and
        ``precision`` (float32, shape (targets, points), NaN for a target without positives or without negatives).

    Raises
    ------
    UserError
        The predictions are not those of the data set's bins and targets, or one is no finite number.
    """
    settings = interval_config(config)
    labels = read_labels(windows, targets, target_table, split)
    block = settings.block if settings.block is not None else usual_block(labels.windows)
    found = read_predictions(predictions)
    check_split(predictions, split_digest(windows, split))
    check_predictions(found, labels, predictions)
    part = labels.windows["split"].astype(str).to_numpy()
    test, validation = (Split(labels, found, np.flatnonzero(part == name)) for name in ("test", "validation"))
    if not len(test.bins):
        raise UserError(f"{windows}: has no bin in the split test, expected some; name a contig in split.test")

    blocks = assign_blocks(labels.windows.iloc[test.bins], block)
    count = int(blocks.max()) + 1
    multiplicities = draw_blocks(count, settings.draws, settings.seed)
    drawn = bootstrap(test.rankings(blocks, count), multiplicities)
    no_block = np.zeros(len(validation.bins), np.int64)
    reference = bootstrap(validation.rankings(no_block, 1), np.ones((1, 0))).observed
    result = {
        **stamp("metrics"),
        "bins": {"test": len(test.bins), "validation": len(validation.bins)},
        "interval": {
            "method": "block bootstrap, percentiles",
            **settings._replace(block=block)._asdict(),
            "blocks": count,
            "reason": f"{count} blocks, at least {MIN_BLOCKS} are needed" if count < MIN_BLOCKS else None,
        },
        "targets": target_scores(test, drawn, settings.level),
        "summary": summary_with_intervals(test, drawn, settings.level, count),
        "validation": summary(validation, reference),
        "split": split,
        "digests": {
            "predictions": digest(found),
            "labels": test.digest(),
            "split": split_digest(windows, split),
        },
    }
    with atomic(curves) as temporary:
        np.savez_compressed(temporary, **trace(test))
    write_json(metrics, result)
    headline = result["summary"]
    status(
        f"{len(test.bins):,} test bins, {len(labels.names)} targets: "
        + ", ".join(f"median {metric.upper()} {_told(headline[metric])}" for metric in METRICS)
    )


class Split:
    """The predictions and labels of one split, a target at a time.

    Parameters
    ----------
    labels
        Of the data set.
    predictions
        As :func:`lociflow.evaluation.predictions.read_predictions` gives them.
    bins
        Indices of the split's bins, ascending.
    """

    def __init__(self, labels: Labels, predictions: pd.DataFrame, bins: np.ndarray) -> None:
        self.bins = bins
        self.names = labels.names
        self._labels = np.asarray(labels.targets[bins])
        self._predictions = predictions
        self._rows = np.searchsorted(predictions["bin"].to_numpy(), bins)

    def label(self, target: int) -> np.ndarray:
        """Return the labels of one target, int8, shape (bins,)."""
        return self._labels[:, target]

    def score(self, target: int) -> np.ndarray:
        """Return the predictions of one target, float32, shape (bins,)."""
        return self._predictions[self.names[target]].to_numpy()[self._rows]

    def rankings(self, blocks: np.ndarray, count: int) -> Iterator[Ranking]:
        """Yield the ranking of each target."""
        for target in range(len(self.names)):
            yield rank(self.label(target), self.score(target), blocks, count)

    def digest(self) -> str:
        """Return the SHA-256 of the split's labels."""
        return hashlib.sha256(np.ascontiguousarray(self._labels).tobytes()).hexdigest()


def check_predictions(predictions: pd.DataFrame, labels: Labels, path: Path) -> None:
    """Refuse predictions of other bins or targets than the data set's, and those that are no finite numbers.

    Raises
    ------
    UserError
        See above.
    """
    again = "run the step that makes the predictions again"
    columns = [name for name in predictions.columns if name not in KEYS]
    if columns != labels.names:
        place = next(
            (i for i, (one, other) in enumerate(zip(columns, labels.names, strict=False)) if one != other),
            min(len(columns), len(labels.names)),
        )
        one, other = (names[place] if place < len(names) else "none" for names in (columns, labels.names))
        raise UserError(
            f"{path}: found {len(columns)} targets, column {place + 1} of them {one}, expected the data set's "
            f"{len(labels.names)}, there {other}; {again}"
        )
    split = labels.windows["split"].astype(str).to_numpy()
    expected = np.flatnonzero(np.isin(split, SCORED))
    bins = predictions["bin"].to_numpy()
    if not np.array_equal(bins, expected):
        missing, strange = np.setdiff1d(expected, bins), np.setdiff1d(bins, expected)
        raise UserError(
            f"{path}: found {len(bins)} bins, of which {len(strange)} are not validation or test bins of the data set "
            f"and {len(missing)} of the {len(expected)} expected ones are missing, or they are not in order; {again}"
        )
    differ = np.flatnonzero(predictions["split"].astype(str).to_numpy() != split[expected])
    if len(differ):
        row = int(differ[0])
        raise UserError(
            f"{path}, bin {bins[row]}: found split {predictions['split'].iloc[row]}, expected {split[bins[row]]}; "
            f"{again}"
        )
    for name in columns:
        bad = np.flatnonzero(~np.isfinite(predictions[name].to_numpy()))
        if len(bad):
            raise UserError(
                f"{path}, bin {bins[bad[0]]}: found {predictions[name].iloc[bad[0]]} for {name}, and {len(bad) - 1} "
                "more such predictions of it, expected finite numbers; look whether the training diverged"
            )


def target_scores(split: Split, drawn: Draws, level: float) -> list[dict[str, Any]]:
    """Return the scores of every target with their intervals."""
    rows = []
    for target, name in enumerate(split.names):
        labels = split.label(target)
        row: dict[str, Any] = {
            "target": name,
            "bins": int((labels != MISSING).sum()),
            "positives": int((labels == 1).sum()),
            "prevalence": _number(prevalence(labels)),
            "lift": _number(lift(float(drawn.observed["auprc"][target]), prevalence(labels))),
        }
        for metric in METRICS:
            value = _number(drawn.observed[metric][target])
            reason = drawn.reasons[target] if value is not None else "no positives or no negatives"
            found = percentile_interval(drawn.resampled[metric][target], level, reason)
            row[metric] = {"value": value, **found._asdict()}
        rows.append(row)
    return rows


def summary(split: Split, observed: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return how each metric is distributed over targets; the spread is that between targets.

    Parameters
    ----------
    split
        Whose labels give the prevalence.
    observed
        Metric name to values, shape (targets,), NaN where undefined.
    """
    prevalences = np.array([prevalence(split.label(target)) for target in range(len(split.names))])
    lifts = [lift(a, p) for a, p in zip(observed["auprc"].tolist(), prevalences.tolist(), strict=True)]
    values = {**observed, "prevalence": prevalences, "lift": np.array(lifts)}
    return {metric: spread(found) for metric, found in values.items()}


def summary_with_intervals(split: Split, drawn: Draws, level: float, blocks: int) -> dict[str, Any]:
    """Return the summary in which each area has the interval of its median and of its mean.

    ``low`` and ``high`` are the ends of the median's interval, ``mean_low`` and ``mean_high`` those of the mean's.
    """
    result = summary(split, drawn.observed)
    for metric in METRICS:
        median, mean = (
            summary_interval(drawn.resampled[metric], statistic, level, blocks) for statistic in (np.median, np.mean)
        )
        if not result[metric]["targets"]:
            median = mean = Interval(None, None, "undefined for every target")
        result[metric] |= {**median._asdict(), "mean_low": mean.low, "mean_high": mean.high}
    return result


def spread(values: np.ndarray) -> dict[str, Any]:
    """Return median, mean, sd (of a sample) and quartiles of the defined values, and how many are and are not."""
    defined = values[~np.isnan(values)]
    counts = {"targets": len(defined), "undefined": len(values) - len(defined)}
    if not len(defined):
        return {"median": None, "mean": None, "sd": None, "q25": None, "q75": None, **counts}
    q25, median, q75 = (float(value) for value in np.quantile(defined, [0.25, 0.5, 0.75]))
    sd = float(np.std(defined, ddof=1)) if len(defined) > 1 else None
    return {"median": median, "mean": float(np.mean(defined)), "sd": sd, "q25": q25, "q75": q75, **counts}


def trace(split: Split) -> dict[str, Any]:
    """Return the arrays of the file of curves."""
    traced = [curve(split.label(target), split.score(target)) for target in range(len(split.names))]
    return {
        "targets": np.array(split.names, dtype=np.str_),
        "false_positive_rate": grid(),
        "true_positive_rate": np.array([one.true_positive_rate for one in traced]),
        "recall": grid(),
        "precision": np.array([one.precision for one in traced]),
    }


def digest(predictions: pd.DataFrame) -> str:
    """Return the SHA-256 of the numbers of a table of predictions."""
    found = hashlib.sha256(predictions["bin"].to_numpy().tobytes())
    for name in predictions.columns:
        if name not in KEYS:
            found.update(str(name).encode() + predictions[name].to_numpy().tobytes())
    return found.hexdigest()


def _number(value: float) -> float | None:
    """Return a number that JSON has: null for NaN."""
    return None if np.isnan(value) else float(value)


def _told(found: Mapping[str, Any]) -> str:
    """Say a median with its interval in a status line."""
    if found["median"] is None:
        return "undefined"
    bounds = "" if found["low"] is None else f" ({found['low']:.3f} to {found['high']:.3f})"
    return f"{found['median']:.3f}{bounds}"
