"""Scores on the validation split that training watches; the test split is scored elsewhere, once."""

from collections.abc import Iterable, Sequence

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score


def mean_scores(columns: Iterable[Sequence[np.ndarray]]) -> dict[str, float | None]:
    """Average scores over the targets for which they are defined, with one target in memory at a time.

    Parameters
    ----------
    columns
        For each target its logits, its labels (1 or 0; where unknown any number) and ``bool`` whether a label is
        known: each of shape ``(bins,)``.

    Returns
    -------
    dict
        ``auroc``: mean area under the receiver operating characteristic; ``auprc``: mean area under the
        precision-recall curve, as average precision. None where no target has both a positive and a negative.
    """
    scores: dict[str, list[float]] = {"auroc": [], "auprc": []}
    for logits, labels, known in columns:
        labels, logits = labels[known], logits[known]
        if 0 < int((labels > 0).sum()) < len(labels):
            scores["auroc"].append(float(roc_auc_score(labels, logits)))
            scores["auprc"].append(float(average_precision_score(labels, logits)))
    return {name: float(np.mean(values)) if values else None for name, values in scores.items()}
