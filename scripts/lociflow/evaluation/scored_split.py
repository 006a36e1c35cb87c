"""The predictions and labels of one side of a split, and what can be measured of them, a column at a time."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from lociflow.evaluation.class_scores import class_accuracy, count_calls, errors_by_class, threshold_error
from lociflow.evaluation.decisions import choose_threshold, count_decisions, judge_decisions
from lociflow.evaluation.intervals import Measured, ranked
from lociflow.evaluation.labels import Labels
from lociflow.evaluation.metrics import KIND_METRICS, Ranking, rank, recall_at_fdr, top_k
from lociflow.evaluation.profile_scores import average_profile, profile_scores
from lociflow.evaluation.real_scores import real_scores
from lociflow.evaluation.reliability import Reliability, calibration_error, reliability
from lociflow.models.outputs import Outputs

LOG_COUNTS = "log_counts"
# In percent, by the metric.
FALSE_DISCOVERY_RATES = {"recall_fdr5": 5, "recall_fdr10": 10, "recall_fdr25": 25}


class Split:
    """The predictions and labels of one side of a split, a column at a time.

    A column is a target or, with classes, one class of a target against the others. With labels per base a bin has as
    many rows as bases, and the first class of a target, the background, is no column.

    Parameters
    ----------
    labels
        Of the data set.
    predictions
        As :func:`lociflow.evaluation.predictions.read_predictions` gives them.
    bins
        Indices of the side's bins, ascending.
    threshold
        Of binary labels: above which score a bin is called positive, for the share of wrong calls; None for none.
    chosen
        Of binary labels: for each column the score from which on a bin is called positive, for F1 and MCC; None for
        those that the side's own bins choose.
    average
        Of profiles: what :meth:`average_profiles` returns, where it is known already.
    """

    def __init__(
        self,
        labels: Labels,
        predictions: pd.DataFrame,
        bins: np.ndarray,
        threshold: float | None = None,
        chosen: Sequence[float] | None = None,
        average: np.ndarray | None = None,
    ) -> None:
        self.bins = bins
        self.outputs = labels.outputs
        self.kind = labels.outputs.kind
        self.threshold = threshold
        self._labels = np.asarray(labels.targets[bins])
        self._all_labels = labels.targets
        self._training = np.flatnonzero((labels.windows["split"] == "train").to_numpy())
        self._predictions = predictions
        self._rows = np.searchsorted(predictions["bin"].to_numpy(), bins)
        first = 1 if self.kind == "position_class" else 0
        classes = [range(first, len(names)) for names in self.outputs.classes]
        self.places = [
            (target, number)
            for target in range(len(self.outputs.targets))
            for number in (classes[target] if classes else [-1])
        ]
        self._columns = [self.outputs.groups[target].start + max(number, 0) for target, number in self.places]
        self.rows_of_bin = self.outputs.positions if self.kind == "position_class" else 1
        self.names = [self.outputs.columns[column] for column in self._columns]
        self._average = average
        self.chosen = list(chosen) if chosen is not None else self._choose()

    def label(self, column: int) -> np.ndarray:
        """Return the labels of one column: int8 of shape (rows,), or the kind's own type where it is not ranked."""
        target, number = self.places[column]
        found = self._labels[..., target]
        if number < 0:
            return found
        return np.where(found < 0, -1, found == number).astype(np.int8).ravel()

    def score(self, column: int) -> np.ndarray:
        """Return the predictions of one column, float32, shape (rows,); of a profile (bins, positions)."""
        found = values(self._predictions[self.outputs.columns[self._columns[column]]])[self._rows]
        return found if self.kind == "profile" else found.ravel()

    def log_counts(self, column: int) -> np.ndarray:
        """Return the predicted log counts of a profile, float32, shape (bins,)."""
        return values(self._predictions[f"{self.names[column]}:{LOG_COUNTS}"])[self._rows]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Return the names of the metrics of a column."""
        found = KIND_METRICS[self.kind].columns
        return found if self.threshold is None or self.kind != "binary" else (*found, "error")

    def measured(self, blocks: np.ndarray, count: int) -> Iterator[Measured]:
        """Yield what can be measured of each column.

        Parameters
        ----------
        blocks
            Block of each bin, in [0, count), shape (bins,).
        count
            Number of blocks.
        """
        return MEASURED[self.kind](self, np.repeat(blocks, self.rows_of_bin), count)

    def measured_targets(self, blocks: np.ndarray, count: int) -> Iterator[Measured]:
        """Yield what is measured of each target of which a bin has one class, over all of its classes."""
        for target in range(len(self.outputs.targets)):
            yield class_accuracy(self.class_labels(target), self.class_scores(target), blocks, count)

    def digest(self) -> str:
        """Return the SHA-256 of the side's labels."""
        return hashlib.sha256(np.ascontiguousarray(self._labels).tobytes()).hexdigest()

    def class_labels(self, target: int) -> np.ndarray:
        """Return the index of the class of each bin, -1 for missing, shape (bins,)."""
        return np.asarray(self._labels[:, target])

    def class_scores(self, target: int) -> np.ndarray:
        """Return the predictions of all classes of a target, float32, shape (bins, classes)."""
        names = self.outputs.columns[self.outputs.groups[target]]
        return np.stack([values(self._predictions[name])[self._rows] for name in names], axis=1)

    def _choose(self) -> list[float]:
        if self.kind != "binary":
            return []
        return [choose_threshold(self.label(column), self.score(column)) for column in range(len(self.names))]

    def average_profiles(self) -> np.ndarray:
        """Return the mean counts of the training bins, float64, shape (positions, targets)."""
        if self._average is None:
            self._average = average_profile(self._all_labels, self._training)
        return self._average


def measure_binary(split: Split, blocks: np.ndarray, count: int) -> Iterator[Measured]:
    """Measure areas, recalls, decisions and calibration of each target and, with a threshold, the share of wrong calls.

    The decisions are those of the split's chosen thresholds.
    """
    for column, chosen in enumerate(split.chosen):
        labels, scores = split.label(column), split.score(column)
        ranking = rank(labels, scores, blocks, count)
        found = _also(ranked(ranking), partial(_recalls, ranking))
        found = _also(
            found, partial(_decided, count_decisions(labels, scores, chosen, blocks, count), np.isnan(chosen))
        )
        found = _also(found, partial(_calibration, reliability(labels, scores, blocks, count)))
        if split.threshold is not None:
            found = _also(found, threshold_error(labels, scores, blocks, count, split.threshold).score)
        yield found


def measure_classes(split: Split, blocks: np.ndarray, count: int) -> Iterator[Measured]:
    """Measure AUROC, AUPRC and error of each class."""
    calls: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for column, (target, number) in enumerate(split.places):
        if target not in calls:
            calls = {target: count_calls(split.class_labels(target), split.class_scores(target), blocks, count)}
        found = ranked(rank(split.label(column), split.score(column), blocks, count))
        yield _also(found, partial(_class_error, *(counts[[number]] for counts in calls[target])))


def measure_positions(split: Split, blocks: np.ndarray, count: int) -> Iterator[Measured]:
    """Measure AUROC, AUPRC and top-k accuracy of each class but the background, over all bases."""
    for column in range(len(split.names)):
        ranking = rank(split.label(column), split.score(column), blocks, count)
        yield _also(ranked(ranking), partial(_top_k, ranking))


def measure_real(split: Split, blocks: np.ndarray, count: int) -> Iterator[Measured]:
    """Measure correlations and errors of each target."""
    for column in range(len(split.names)):
        yield real_scores(split.label(column), split.score(column), blocks, count)


def measure_profiles(split: Split, blocks: np.ndarray, count: int) -> Iterator[Measured]:
    """Measure the divergence of the profiles, and the correlation of the log counts, of each target."""
    average = split.average_profiles()
    for column in range(len(split.names)):
        heights = split.log_counts(column)
        yield profile_scores(split.label(column), split.score(column), heights, average[:, column], blocks, count)


MEASURED: Mapping[str, Callable[[Split, np.ndarray, int], Iterator[Measured]]] = {
    "binary": measure_binary,
    "class": measure_classes,
    "position_class": measure_positions,
    "real": measure_real,
    "profile": measure_profiles,
}


def _also(found: Measured, more: Callable[[np.ndarray], Mapping[str, np.ndarray]]) -> Measured:
    return Measured(lambda weights: {**found.score(weights), **more(weights)}, found.reason)


def _class_error(right: np.ndarray, total: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    return {"class_error": errors_by_class(right, total, weights)[0]}


def _top_k(ranking: Ranking, weights: np.ndarray) -> dict[str, np.ndarray]:
    return {"top_k": top_k(ranking, weights)}


def _recalls(ranking: Ranking, weights: np.ndarray) -> dict[str, np.ndarray]:
    rates = [percent / 100 for percent in FALSE_DISCOVERY_RATES.values()]
    return dict(zip(FALSE_DISCOVERY_RATES, recall_at_fdr(ranking, weights, rates), strict=True))


def _decided(decisions: np.ndarray, unchosen: bool, weights: np.ndarray) -> dict[str, np.ndarray]:
    found = judge_decisions(decisions, weights)
    return {name: np.full_like(values, np.nan) for name, values in found.items()} if unchosen else found


def _calibration(sums: Reliability | None, weights: np.ndarray) -> dict[str, np.ndarray]:
    return {"ece": calibration_error(sums, weights)}


def predicted_columns(outputs: Outputs) -> dict[str, bool]:
    """Return the names of the columns of predictions, in order, and whether each has a number for every base."""
    positional = dict.fromkeys(outputs.columns, bool(outputs.positions))
    heights = outputs.columns if outputs.kind == "profile" else ()
    return {**positional, **{f"{name}:{LOG_COUNTS}": False for name in heights}}


def values(column: pd.Series) -> np.ndarray:
    """Return a column of predictions as an array: shape (bins,), or (bins, positions) where a bin has a list."""
    found = column.to_numpy()
    if found.dtype != object:
        return found
    return np.stack(found.tolist()) if len(found) else np.empty((0, 0), np.float32)
