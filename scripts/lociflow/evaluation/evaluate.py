"""The step that scores predictions. Explanations also choose their windows by test labels; no fit reads them."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status, write_json
from lociflow.evaluation.curves import curve, grid
from lociflow.evaluation.intervals import MIN_BLOCKS, assign_blocks, bootstrap, draw_blocks
from lociflow.evaluation.labels import Labels, read_labels
from lociflow.evaluation.median_draws import pairing, write_draws
from lociflow.evaluation.metrics import KIND_METRICS, METRICS
from lociflow.evaluation.predictions import KEYS, SCORED, check_split, read_predictions
from lociflow.evaluation.reliability import GROUPS, reliability, reliability_curve
from lociflow.evaluation.score_rows import column_rows, number, summarise, summary_with_intervals, target_rows
from lociflow.evaluation.scored_split import Split, predicted_columns, values
from lociflow.evaluation.spacing import spacing_scores
from lociflow.evaluation.strata import strata_of
from lociflow.evaluation.strata_scores import score_strata
from lociflow.formats import stamp
from lociflow.genome.property_table import read_properties
from lociflow.genome.similarity_table import read_similarity
from lociflow.genome.simulation import read_sites

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
    threshold: float | None = None
    """Of binary labels: the probability above which a bin is called positive, for the share of wrong calls; None: that
    share is not counted."""


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
    if checked.threshold is not None and (
        isinstance(checked.threshold, bool) or not isinstance(checked.threshold, int | float)
    ):
        raise UserError(f"evaluation.threshold: found {checked.threshold!r}, expected a number such as 0.5, or null")
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
    draws: Path,
    folds: Sequence[str] = (),
    properties: Path | None = None,
    similarity: Path | None = None,
    sites: Path | None = None,
    pair: Mapping[str, Any] | None = None,
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
        ``block`` (bases; null for :func:`usual_block`), ``draws``, ``level``, ``seed``, ``threshold``: see
        :class:`IntervalConfig`.
    metrics
        JSON to write; ``kind`` is that of the labels, :data:`lociflow.evaluation.metrics.KIND_METRICS` says which
        metrics it has. ``summary`` and ``targets`` (a row a target or, with classes, a class) are those of the test
        bins, ``whole_targets`` those of each target over all of its classes, ``validation`` is a summary without
        intervals, whose F1 and MCC are those of thresholds that its bins have chosen themselves; ``thresholds`` are
        these, by target. What is undefined is null, and ``undefined`` counts such targets.
    curves
        ``.npz`` to write (read it with ``allow_pickle=False``), of the test bins: ``targets`` (names),
        ``false_positive_rate`` and ``recall`` (float64, shape (points,), the common grids), ``true_positive_rate`` and
        ``precision`` (float32, shape (targets, points), NaN for a target without positives or without negatives),
        ``reliability`` (float64, shape (targets, 3, groups): see
        :func:`lociflow.evaluation.reliability.reliability_curve`); no target where labels are not ranked.
    draws
        ``.npz`` to write, see :func:`lociflow.evaluation.median_draws.write_draws`: the medians over targets in every
        bootstrap draw, by which models of the same bins are compared.
    folds
        Names of the splits that are pooled under the name ``split``; the predictions are then those of
        :func:`lociflow.evaluation.pooled_folds.pool_folds`, of test bins only.
    properties
        ``properties.parquet`` of the data set, and
    similarity
        ``similarity.parquet`` of its audit, by which the bins are put into strata
        (:func:`lociflow.evaluation.strata.strata_of`); ``strata`` of the metrics has their scores as
        :func:`lociflow.evaluation.strata_scores.score_strata` gives them.
    sites
        The planted motifs of a simulated genome, and
    pair
        its ``simulation.pair``; ``spacing`` of the metrics then says how well predictions of the paired factor tell
        pairs from decoys (:func:`lociflow.evaluation.spacing.spacing_scores`).

    Raises
    ------
    UserError
        The predictions are not those of the data set's bins and targets, or one is no finite number.
    """
    settings = interval_config(config)
    labels = read_labels(windows, targets, target_table, split, folds)
    kind = KIND_METRICS[labels.outputs.kind]
    block = settings.block if settings.block is not None else usual_block(labels.windows)
    found = read_predictions(predictions)
    check_split(predictions, labels.digest)
    check_predictions(found, labels, predictions)
    part = labels.windows["split"].astype(str).to_numpy()
    validation = Split(labels, found, np.flatnonzero(part == "validation"), settings.threshold)
    test = Split(labels, found, np.flatnonzero(part == "test"), settings.threshold, validation.chosen)
    if not len(test.bins):
        raise UserError(f"{windows}: has no bin in the split test, expected some; name a contig in split.test")

    blocks = assign_blocks(labels.windows.iloc[test.bins], block)
    count = int(blocks.max()) + 1
    multiplicities = draw_blocks(count, settings.draws, settings.seed)
    drawn = bootstrap(test.measured(blocks, count), multiplicities, test.metrics)
    no_block, no_draw = np.zeros(len(validation.bins), np.int64), np.ones((1, 0))
    reference = [bootstrap(validation.measured(no_block, 1), no_draw, validation.metrics).observed]
    both = [drawn]
    if kind.targets:
        both.append(bootstrap(test.measured_targets(blocks, count), multiplicities, kind.targets))
        reference.append(bootstrap(validation.measured_targets(no_block, 1), no_draw, kind.targets).observed)
    ways = strata_of(
        labels.windows.iloc[test.bins],
        read_properties(properties, len(labels.windows)) if properties else None,
        read_similarity(similarity, folds or [split]) if similarity else None,
    )
    strata = score_strata(labels, found, test, ways, blocks, multiplicities, settings.level)
    spacing = None
    if sites is not None and pair is not None and pair["factor"] in found:
        scores = found[pair["factor"]].to_numpy()[np.searchsorted(found["bin"].to_numpy(), test.bins)]
        spacing = spacing_scores(
            labels.windows.iloc[test.bins], scores, read_sites(sites), pair, blocks, multiplicities, settings.level
        )
    result = {
        **stamp("metrics"),
        "bins": {"test": len(test.bins), "validation": len(validation.bins)},
        "interval": {
            "method": "block bootstrap, percentiles",
            **{key: value for key, value in settings._replace(block=block)._asdict().items() if key != "threshold"},
            "blocks": count,
            "reason": f"{count} blocks, at least {MIN_BLOCKS} are needed" if count < MIN_BLOCKS else None,
        },
        "kind": labels.outputs.kind,
        "targets": column_rows(test, drawn, settings.level),
        **({"whole_targets": target_rows(test, both[1], settings.level)} if kind.targets else {}),
        **({"thresholds": dict(zip(test.names, map(number, test.chosen), strict=True))} if test.chosen else {}),
        "summary": summary_with_intervals(test, both, settings.level, count),
        "validation": summarise(validation, *reference),
        "strata": strata,
        **({"spacing": spacing} if spacing else {}),
        "split": split,
        "digests": {
            "predictions": digest(found),
            "labels": test.digest(),
            "split": labels.digest,
        },
    }
    with atomic(curves) as temporary:
        np.savez_compressed(temporary, **trace(test))
    write_draws(draws, both, kind.shown, pairing(test.digest(), labels.digest, settings._replace(block=block)))
    write_json(metrics, result)
    headline = result["summary"]
    status(
        f"{len(test.bins):,} test bins, {len(labels.names)} targets: "
        + ", ".join(f"median {METRICS[metric].title} {_told(headline[metric])}" for metric in kind.shown)
    )


def check_predictions(predictions: pd.DataFrame, labels: Labels, path: Path) -> None:
    """Refuse predictions of other bins or targets than the data set's, and those that are no finite numbers.

    Raises
    ------
    UserError
        See above.
    """
    again = "run the step that makes the predictions again"
    columns = [name for name in predictions.columns if name not in KEYS]
    positional = predicted_columns(labels.outputs)
    wanted = list(positional)
    if columns != wanted:
        place = next(
            (i for i, (one, other) in enumerate(zip(columns, wanted, strict=False)) if one != other),
            min(len(columns), len(wanted)),
        )
        one, other = (names[place] if place < len(names) else "none" for names in (columns, wanted))
        raise UserError(
            f"{path}: found {len(columns)} targets, column {place + 1} of them {one}, expected the data set's "
            f"{len(wanted)}, there {other}; {again}"
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
        found = values(predictions[name])
        shape = (len(bins), labels.outputs.positions) if positional[name] else (len(bins),)
        if len(bins) and found.shape != shape:
            raise UserError(f"{path}: found {name} of shape {found.shape}, expected {shape}; {again}")
        bad = np.argwhere(~np.isfinite(found))
        if len(bad):
            raise UserError(
                f"{path}, bin {bins[bad[0][0]]}: found {found[tuple(bad[0])]} for {name}, and {len(bad) - 1} "
                "more such predictions of it, expected finite numbers; look whether the training diverged"
            )


def trace(split: Split) -> dict[str, Any]:
    """Return the arrays of the file of curves; of labels that are not ranked there is no target in it."""
    names = split.names if KIND_METRICS[split.kind].ranked else []
    traced = [curve(split.label(column), split.score(column)) for column in range(len(names))]
    nothing = np.empty((0, len(grid())), np.float32)
    return {
        "targets": np.array(names, dtype=np.str_),
        "false_positive_rate": grid(),
        "true_positive_rate": np.array([one.true_positive_rate for one in traced]) if traced else nothing,
        "recall": grid(),
        "precision": np.array([one.precision for one in traced]) if traced else nothing,
        "reliability": np.array([_reliability(split, column) for column in range(len(names))])
        if traced
        else np.empty((0, 3, GROUPS)),
    }


def _reliability(split: Split, column: int) -> np.ndarray:
    labels, scores = split.label(column), split.score(column)
    return reliability_curve(reliability(labels, scores, np.zeros(len(labels), np.int64), 1))


def digest(predictions: pd.DataFrame) -> str:
    """Return the SHA-256 of the numbers of a table of predictions."""
    found = hashlib.sha256(predictions["bin"].to_numpy().tobytes())
    for name in predictions.columns:
        if name not in KEYS:
            found.update(str(name).encode() + np.ascontiguousarray(values(predictions[name])).tobytes())
    return found.hexdigest()


def _told(found: Mapping[str, Any]) -> str:
    """Say a median with its interval in a status line."""
    if found["median"] is None:
        return "undefined"
    bounds = "" if found["low"] is None else f" ({found['low']:.3f} to {found['high']:.3f})"
    return f"{found['median']:.3f}{bounds}"
