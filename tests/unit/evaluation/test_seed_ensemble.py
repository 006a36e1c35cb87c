import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.evaluation.predictions import (
    PredictedBatch,
    prediction_table,
    read_predictions,
    read_split_digest,
    write_batches,
    write_predictions,
)
from lociflow.evaluation.seed_ensemble import average_seeds


def test_numbers_and_profiles_are_averaged(tmp_path):
    for seed, shift in enumerate((0.0, 0.25, 0.5)):
        columns = {
            "reads": np.array([[0.1, 0.4], [0.2, 0.3]], np.float32) + np.float32(shift),
            "reads:log_counts": np.array([1.0, 2.0], np.float32) * (seed + 1),
        }
        write_batches(tmp_path / f"{seed}", [PredictedBatch(np.array([3, 7]), ["validation", "test"], columns)], "d")
    average_seeds([tmp_path / str(seed) for seed in range(3)], tmp_path / "mean")
    found = read_predictions(tmp_path / "mean")
    assert found["bin"].tolist() == [3, 7]
    assert found["split"].tolist() == ["validation", "test"]
    assert np.stack(found["reads"]) == pytest.approx(np.array([[0.35, 0.65], [0.45, 0.55]]))
    assert found["reads:log_counts"].tolist() == [2.0, 4.0]
    assert read_split_digest(tmp_path / "mean") == "d"


@pytest.mark.parametrize(("bins", "name", "digest"), [([1, 3], "a", "d"), ([1, 2], "b", "d"), ([1, 2], "a", "e")])
def test_other_bins_targets_or_splits_are_refused(tmp_path, bins, name, digest):
    scores = np.array([[0.5], [0.6]])
    write_predictions(tmp_path / "1", prediction_table(np.array([1, 2]), ["test"] * 2, scores, ["a"]), "d")
    write_predictions(tmp_path / "2", prediction_table(np.array(bins), ["test"] * 2, scores, [name]), digest)
    with pytest.raises(UserError, match=r"2: found predictions of other bins or targets"):
        average_seeds([tmp_path / "1", tmp_path / "2"], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
