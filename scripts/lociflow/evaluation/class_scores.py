"""Accuracy and errors of labels that are one of several classes, for any weighting of the blocks."""

import numpy as np

from lociflow.evaluation.intervals import Measured, why_too_few
from lociflow.evaluation.reliability import calibration_error, reliability


def count_calls(
    labels: np.ndarray, scores: np.ndarray, blocks: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count by class and block the bins whose class has the highest score, and all bins.

    Parameters
    ----------
    labels
        Class of each bin, -1 for missing, shape (n,).
    scores
        Of every class, shape (n, classes); of equal ones the first class is called.
    blocks
        Block of each bin, in [0, count), shape (n,).
    count
        Number of blocks.

    Returns
    -------
    tuple of numpy.ndarray
        Right calls and labelled bins, float64, shape (classes, blocks) each.
    """
    known = np.flatnonzero(labels >= 0)
    classes = scores.shape[1]
    label, block = labels[known].astype(np.int64), blocks[known]
    right = scores[known].argmax(axis=1) == label
    cell = label * count + block
    shape = (classes, count)
    calls = np.bincount(cell[right], minlength=classes * count).reshape(shape).astype(np.float64)
    return calls, np.bincount(cell, minlength=classes * count).reshape(shape).astype(np.float64)


def errors_by_class(right: np.ndarray, total: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of each class's bins that are called another class: shape (classes, draws), NaN without any."""
    found, bins = right @ weights, total @ weights
    return 1 - np.divide(found, bins, out=np.full_like(bins, np.nan), where=bins > 0)


def class_accuracy(labels: np.ndarray, scores: np.ndarray, blocks: np.ndarray, count: int) -> Measured:
    """Measure accuracy, balanced accuracy, top-2 accuracy and calibration.

    Balanced accuracy is the mean over the classes that occur of the share of right calls; top-2 accuracy the share of
    bins whose class is among the two that score highest, undefined with two classes only. The calibration error is that
    of the probability of the called class (Guo et al. 2017, ICML).

    Parameters are those of :func:`count_calls`.
    """
    right, total = count_calls(labels, scores, blocks, count)
    among, _ = count_calls(labels, _second_best(labels, scores), blocks, count)
    known = labels >= 0
    sure = np.where(known, scores.argmax(axis=1) == labels, -1)
    sums = reliability(sure, scores.max(axis=1), blocks, count)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        bins = (total @ weights).sum(axis=0)
        whole, either = (
            np.divide((calls @ weights).sum(axis=0), bins, out=np.full_like(bins, np.nan), where=bins > 0)
            for calls in (right, among)
        )
        recall = 1 - errors_by_class(right, total, weights)
        occurring = (~np.isnan(recall)).sum(axis=0)
        balanced = np.divide(np.nansum(recall, axis=0), occurring, out=np.full_like(bins, np.nan), where=occurring > 0)
        return {
            "accuracy": whole,
            "balanced_accuracy": balanced,
            "top_2": either if scores.shape[1] > 2 else np.full_like(bins, np.nan),
            "ece": calibration_error(sums, weights),
        }

    return Measured(score, why_too_few(blocks[known], count))


def _second_best(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return scores by which the right class is called where it is among the two that score highest."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :2]
    found = np.zeros_like(scores)
    rows = np.flatnonzero((best == labels[:, np.newaxis]).any(axis=1))
    found[np.arange(len(scores)), best[:, 0]] = 1
    found[rows, labels[rows].astype(np.int64)] = 2
    return found


def threshold_error(
    labels: np.ndarray, scores: np.ndarray, blocks: np.ndarray, count: int, threshold: float
) -> Measured:
    """Measure the share of wrong calls where scores above a threshold are called positive.

    Parameters
    ----------
    labels
        1, 0, or -1 for missing, shape (n,).
    scores
        Probabilities, shape (n,).
    blocks, count
        As in :func:`count_calls`.
    threshold
        Above which a bin is called positive.
    """
    known = np.flatnonzero(labels >= 0)
    wrong = (scores[known] > threshold) != (labels[known] == 1)
    mistakes = np.bincount(blocks[known][wrong], minlength=count).astype(np.float64)
    total = np.bincount(blocks[known], minlength=count).astype(np.float64)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        bins = total @ weights
        return {"error": np.divide(mistakes @ weights, bins, out=np.full_like(bins, np.nan), where=bins > 0)}

    return Measured(score, why_too_few(blocks[known], count))
