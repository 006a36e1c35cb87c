import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.evaluation.crowding import fit_predict


def test_score_is_the_share_of_the_other_targets():
    windows = pd.DataFrame({"split": ["train", "validation", "test", "test"]})
    targets = np.array([[1, 1, 1], [1, 0, 1], [0, 1, -1], [0, 0, 0]], np.int8)
    found = fit_predict(None, windows, targets, ["x", "y", "z"])
    assert found["bin"].tolist() == [1, 2, 3]
    assert found["x"].tolist() == [0.5, 0.5, 0]
    assert found["y"].tolist() == [1, 0, 0]
    assert found["z"].tolist() == [0.5, 0.5, 0]


def test_one_target_is_refused():
    with pytest.raises(UserError, match="at least two"):
        fit_predict(None, pd.DataFrame({"split": ["test"]}), np.ones((1, 1), np.int8), ["x"])
