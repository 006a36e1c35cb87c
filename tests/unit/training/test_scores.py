import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from lociflow.training.scores import mean_scores

TARGETS = np.array([[1, 0, 1], [0, -1, 1], [1, 0, 1], [-1, 1, 1]], dtype=np.int8)
LOGITS = np.array([[3, 1, 0], [2, 9, 0], [1, 3, 0], [5, 2, 0]], dtype=np.float32)


def scores(logits: np.ndarray, targets: np.ndarray) -> dict[str, float | None]:
    return mean_scores(zip(logits.T, targets.T, targets.T >= 0, strict=True))


def test_scores_by_hand() -> None:
    # First target: 3 > 2 > 1 is + - +: one of two pairs is in order, precision 1 and 2/3.
    # Second: 3 > 2 > 1 is - + -: one of two, precision 1/2. The third has no negative and does not count.
    found = scores(LOGITS, TARGETS)
    assert found["auroc"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert found["auprc"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)


def test_what_stands_for_an_unknown_label_changes_nothing() -> None:
    other = np.where(TARGETS < 0, 1, TARGETS)
    assert mean_scores(zip(LOGITS.T, other.T, TARGETS.T >= 0, strict=True)) == scores(LOGITS, TARGETS)


def test_nothing_to_average_is_none() -> None:
    assert scores(LOGITS[:, 2:], TARGETS[:, 2:]) == {"auroc": None, "auprc": None}
    assert scores(LOGITS[:, :0], TARGETS[:, :0]) == {"auroc": None, "auprc": None}


def test_scores_are_those_of_scikit_learn_to_the_last_bit() -> None:
    draws = np.random.default_rng(3)
    targets = draws.integers(-1, 2, (500, 7)).astype(np.int8)
    # Rounded, so that there are ties.
    logits = (draws.normal(size=(500, 7)) + targets).round(1).astype(np.float32)
    known = targets >= 0
    for name, function in (("auroc", roc_auc_score), ("auprc", average_precision_score)):
        each = [function(targets[known[:, n], n], logits[known[:, n], n]) for n in range(7)]
        assert scores(logits, targets)[name] == float(np.mean(each))
