import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from lociflow.evaluation.evaluate import evaluate
from lociflow.evaluation.predictions import prediction_table, write_predictions
from lociflow.evaluation.strata import between, carrying, strata_of


def test_the_ways_by_hand():
    windows = pd.DataFrame({"contig": ["a", "a", "b", "b"], "start": 0, "end": 10}, index=[2, 3, 5, 7])
    properties = pd.DataFrame({"gc": np.linspace(0, 0.7, 8), "gene_distance": [0, 0, 10, 20, 0, 30, 0, -1]})
    similarity = pd.DataFrame({"row": [3, 5, 2], "identity": [0.9, 0.0, 0.9], "coverage": [0.6, 0.0, 0.2]})
    found = {way.by: way for way in strata_of(windows, properties, similarity)}
    assert found["chromosome"].levels == ("a", "b")
    assert found["chromosome"].level.tolist() == [0, 0, 1, 1]
    assert found["GC content"].levels == ("20.0 %", "30.0 %", "50.0 %", "70.0 %")
    assert found["GC content"].level.tolist() == [0, 1, 2, 3]
    # One bin has no gene on its contig.
    assert found["distance from the nearest gene start"].levels == ("10 bp", "20 bp", "30 bp")
    assert found["distance from the nearest gene start"].level.tolist() == [0, 1, 2, -1]
    assert found["likeness to the training set"].level.tolist() == [1, 2, 0, -1]


def test_quintiles_of_many_values():
    gc = np.random.default_rng(0).permutation(100) / 100
    windows = pd.DataFrame({"contig": "a", "start": 0, "end": np.arange(100)})
    (found,) = strata_of(windows, pd.DataFrame({"gc": gc, "gene_distance": -1}), None)
    assert found.levels == ("0.0–19.0 %", "20.0–39.0 %", "40.0–59.0 %", "60.0–79.0 %", "80.0–99.0 %")
    assert found.level.tolist() == [int(value * 5 + 1e-9) for value in gc]


def test_one_stratum_alone_is_none():
    windows = pd.DataFrame({"contig": ["a"] * 4, "start": 0, "end": 10})
    properties = pd.DataFrame({"gc": [0.5] * 4, "gene_distance": [-1] * 4})
    assert list(strata_of(windows, properties, None)) == []


def test_sequences_are_no_chromosomes():
    windows = pd.DataFrame({"contig": [f"s{number}" for number in range(11)], "start": 0, "end": 10})
    assert list(strata_of(windows, None, None)) == []


def row(by, level, bins, auroc, without):
    return {"by": by, "level": level, "bins": bins, "auroc": {"value": auroc}, "without": without}


def test_a_stratum_that_carries_the_score():
    rows = [row("GC content", "low", 10, 0.55, 0.9), row("GC content", "high", 10, 0.95, 0.6)]
    # Of the 0.4 above chance 0.1 is left without the second stratum.
    assert [found["level"] for found in carrying(rows, 0.9, 0.8, "binary")] == ["high"]
    assert carrying(rows, 0.65, 0.6, "binary") == []
    assert carrying(rows, None, None, "binary") == []
    # Not above chance for certain.
    assert carrying(rows, 0.9, 0.49, "binary") == []
    rows[1]["without"] = None
    assert [found["level"] for found in carrying(rows, 0.9, 0.8, "binary")] == ["high"]


def test_a_score_between_the_strata():
    rows = [row("GC content", "low", 10, 0.55, 0.9), row("GC content", "high", 30, 0.65, 0.8)]
    # Within: 0.625 on average, 0.125 above chance.
    assert between(rows, 0.8, 0.7, "binary") == ["GC content"]
    assert between(rows, 0.7, 0.6, "binary") == []


def test_scores_of_the_strata_in_the_file_of_metrics(dataset, read_metrics):
    generator = np.random.default_rng(0)
    scores = (np.abs(dataset.targets[300:]) * 0.6 + generator.random((600, 2))) / 2
    predictions = dataset.folder / "strata.parquet"
    splits = ["validation"] * 300 + ["test"] * 300
    write_predictions(predictions, prediction_table(np.arange(300, 900), splits, scores, dataset.names), dataset.digest)
    gc = np.tile([0.3, 0.5], 450)
    properties = dataset.folder / "properties.parquet"
    pq.write_table(pa.table({"gc": gc.astype(np.float32), "gene_distance": np.full(900, -1)}), properties)
    files = {name: dataset.folder / f"strata.{name}" for name in ("metrics", "curves", "draws")}
    evaluate(
        **dataset.arguments, predictions=predictions, config={"block": 500, "draws": 50, "level": 0.9, "seed": 1},
        **files, properties=properties,
    )  # fmt: skip
    found = json.loads(files["metrics"].read_text())["strata"]
    assert [(each["by"], each["bins"]) for each in found] == [("GC content", 150)] * 2
    scores = scores[300:].astype(np.float32)
    for first, each in enumerate(found):
        truth = dataset.targets[600:][first::2]
        values = [roc_auc_score(truth[truth[:, t] >= 0, t], scores[first::2][truth[:, t] >= 0, t]) for t in range(2)]
        assert each["auroc"]["value"] == pytest.approx(np.median(values), abs=1e-9)
        assert each["auroc"]["low"] < each["auroc"]["value"] < each["auroc"]["high"]
        # What is left without one half is the other half.
        assert found[1 - first]["without"] == pytest.approx(each["auroc"]["value"], abs=1e-9)
