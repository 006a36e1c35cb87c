import numpy as np
import pandas as pd
import pytest

from lociflow.evaluation.prevalence import fit_predict

WINDOWS = pd.DataFrame({"split": ["train"] * 4 + ["validation", "test"]})


def test_the_share_of_positives_without_missing_labels():
    targets = np.array([[1, -1], [0, -1], [0, -1], [-1, -1], [1, 1], [1, 1]], np.int8)
    found = fit_predict(None, WINDOWS, targets, ["a", "unknown"])
    assert found["bin"].tolist() == [4, 5]
    assert found["a"].tolist() == pytest.approx([1 / 3] * 2)
    assert found["unknown"].tolist() == [0, 0]


def test_the_mean_of_real_values():
    targets = np.array([[1], [2], [np.nan], [6], [9], [9]], np.float32)
    assert fit_predict(None, WINDOWS, targets, ["a"])["a"].tolist() == [3, 3]
