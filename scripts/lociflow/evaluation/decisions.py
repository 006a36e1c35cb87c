"""Yes or no: the threshold that validation bins choose, and F1 and MCC of test bins at it."""

import numpy as np

from lociflow.evaluation.metrics import MISSING

# What a bin is and what it is called, in this order.
CELLS = ("true positive", "false positive", "false negative", "true negative")


def choose_threshold(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the score from which on bins are best called positive: that of the highest F1.

    Of thresholds with the same F1 the highest is taken.

    Parameters
    ----------
    labels
        1, 0, or -1 for missing, shape (n,); of validation bins.
    scores
        Shape (n,).

    Returns
    -------
    float
        A score that occurs; NaN without a positive and a negative.
    """
    known = labels != MISSING
    positive, score = labels[known] == 1, scores[known]
    if not positive.any() or positive.all():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    found = np.cumsum(positive[order])[last]
    # 2 TP / (2 TP + FP + FN), in which TP + FP are the called and TP + FN the positive ones.
    f1 = 2 * found / (last + 1 + positive.sum())
    return float(score[order][last[np.argmax(f1)]])


def count_decisions(
    labels: np.ndarray, scores: np.ndarray, threshold: float, blocks: np.ndarray, count: int
) -> np.ndarray:
    """Count by block what bins are and what they are called.

    Parameters
    ----------
    labels
        1, 0, or -1 for missing, which is left out, shape (n,).
    scores
        Shape (n,).
    threshold
        A bin of this score or more is called positive.
    blocks
        Block of each bin, in [0, count), shape (n,).
    count
        Number of blocks.

    Returns
    -------
    numpy.ndarray
        float64, shape (4, blocks), in the order of :data:`CELLS`.
    """
    known = labels != MISSING
    positive, called, block = labels[known] == 1, scores[known] >= threshold, blocks[known]
    cell = np.where(called, np.where(positive, 0, 1), np.where(positive, 2, 3))
    return np.bincount(cell * count + block, minlength=4 * count).reshape(4, count).astype(np.float64)


def judge_decisions(decisions: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Compute F1 and Matthews' correlation coefficient for one or many weightings of the blocks.

    F1 is 0 where nothing is called rightly; the coefficient is 0 where all bins are called alike, as
    ``sklearn.metrics`` has both.

    Parameters
    ----------
    decisions
        From :func:`count_decisions`.
    weights
        Not negative, shape (blocks, draws).

    Returns
    -------
    dict
        ``f1`` and ``mcc``, shape (draws,) each, NaN where positives or negatives are absent.
    """
    tp, fp, fn, tn = decisions @ weights
    defined = (tp + fn > 0) & (fp + tn > 0)
    f1 = np.divide(2 * tp, 2 * tp + fp + fn, out=np.zeros_like(tp), where=2 * tp + fp + fn > 0)
    spread = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
    mcc = np.divide(tp * tn - fp * fn, spread, out=np.zeros_like(tp), where=spread > 0)
    return {"f1": np.where(defined, f1, np.nan), "mcc": np.where(defined, mcc, np.nan)}
