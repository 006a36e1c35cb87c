import re

import pytest

from lociflow.command import UserError
from lociflow.evaluation.baseline import fit_baseline
from lociflow.evaluation.predictions import read_predictions

KMER = {"_target_": "lociflow.evaluation.kmer.fit_predict", "k": 3, "window_length": 50, "regularisation": [0.01]}


@pytest.mark.parametrize(
    "config",
    [
        KMER,
        {"_target_": "lociflow.evaluation.crowding.fit_predict"},
        {"_target_": "lociflow.evaluation.composition.fit_predict", "window_length": 50},
    ],
)
def test_predictions_of_each_baseline(dataset, tmp_path, config):
    for name in ("one", "two"):
        fit_baseline(dataset.folder / "store.json", **dataset.arguments, config=config, predictions=tmp_path / name)
    found = read_predictions(tmp_path / "one")
    assert list(found) == ["bin", "split", "motif", "noise"]
    assert found["bin"].tolist() == list(range(300, 900))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({**KMER, "kk": 3}, "unexpected keyword argument 'kk'"),
        ({"_target_": KMER["_target_"], "k": 3}, "missing a required argument: 'window_length'"),
        ({"_target_": "lociflow.evaluation.kmer.fit"}, "no such object"),
        ({"_target_": "os.system"}, "expected one of lociflow"),
        ({"k": 3}, "expected a JSON object with _target_"),
    ],
)
def test_a_configuration_that_does_not_fit_is_told(dataset, tmp_path, config, message):
    with pytest.raises(UserError, match=re.escape(message)):
        fit_baseline(dataset.folder / "store.json", **dataset.arguments, config=config, predictions=tmp_path / "p")
    assert not (tmp_path / "p").exists()
