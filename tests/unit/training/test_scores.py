import numpy as np
import pytest

from lociflow.training.scores import mean_auprc, mean_auroc

TARGETS = np.array([[1, 0, 1], [0, -1, 1], [1, 0, 1], [-1, 1, 1]], dtype=np.int8)
LOGITS = np.array([[3, 1, 0], [2, 9, 0], [1, 3, 0], [5, 2, 0]], dtype=np.float32)


def test_scores_by_hand() -> None:
    # First target: 3 > 2 > 1 is + - +: one of two pairs is in order, precision 1 and 2/3.
    # Second: 3 > 2 > 1 is - + -: one of two, precision 1/2. The third has no negative and does not count.
    assert mean_auroc(LOGITS, TARGETS) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert mean_auprc(LOGITS, TARGETS) == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)


def test_nothing_to_average_is_none() -> None:
    assert mean_auroc(LOGITS[:, 2:], TARGETS[:, 2:]) is None
    assert mean_auprc(LOGITS[:, :0], TARGETS[:, :0]) is None
