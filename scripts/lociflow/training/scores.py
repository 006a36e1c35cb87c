"""Scores on the validation split that training watches; the test split is scored elsewhere, once."""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score


def mean_over_targets(
    score: Callable[[np.ndarray, np.ndarray], float], logits: np.ndarray, targets: np.ndarray
) -> float | None:
    """Average a score over the targets for which it is defined.

    Parameters
    ----------
    score
        From (labels, predictions) of one target to a number.
    logits
        ``(bins, targets)``.
    targets
        ``(bins, targets)``: 1, 0, or -1 where missing.

    Returns
    -------
    float or None
        None where no target has both a positive and a negative.
    """
    values = []
    for column, labels in zip(logits.T, targets.T, strict=True):
        known = labels >= 0
        positives = int((labels > 0).sum())
        if 0 < positives < known.sum():
            values.append(float(score(labels[known], column[known])))
    return float(np.mean(values)) if values else None


def mean_auroc(logits: np.ndarray, targets: np.ndarray) -> float | None:
    """Return the mean area under the receiver operating characteristic."""
    return mean_over_targets(roc_auc_score, logits, targets)


def mean_auprc(logits: np.ndarray, targets: np.ndarray) -> float | None:
    """Return the mean area under the precision-recall curve, as average precision."""
    return mean_over_targets(average_precision_score, logits, targets)
