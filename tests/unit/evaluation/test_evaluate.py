import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score, matthews_corrcoef, roc_auc_score

from lociflow.command import UserError
from lociflow.evaluation.evaluate import evaluate, usual_block
from lociflow.evaluation.predictions import prediction_table, read_predictions, write_predictions
from lociflow.evaluation.score_rows import spread

CONFIG = {"block": 500, "draws": 50, "level": 0.9, "seed": 1}


@pytest.fixture
def predicted(dataset):
    """Write predictions that are labels with noise."""
    generator = np.random.default_rng(0)
    bins = np.arange(300, 900)
    scores = (np.abs(dataset.targets[300:]) * 0.3 + generator.random((600, 2))) / 2
    splits = ["validation"] * 300 + ["test"] * 300
    write_predictions(
        dataset.folder / "predictions.parquet", prediction_table(bins, splits, scores, dataset.names), dataset.digest
    )
    return dataset


def run(dataset, name="one", config=CONFIG):
    metrics, curves = dataset.folder / f"{name}.json", dataset.folder / f"{name}.npz"
    predictions = dataset.folder / "predictions.parquet"
    draws = dataset.folder / f"{name}.draws.npz"
    evaluate(**dataset.arguments, predictions=predictions, config=config, metrics=metrics, curves=curves, draws=draws)
    return metrics, curves, draws


def test_scores_are_those_of_the_test_bins(predicted, read_metrics):
    found = read_metrics(run(predicted)[0])
    table = read_predictions(predicted.folder / "predictions.parquet")
    assert (found["format"], found["version"]) == ("metrics", 2)
    assert found["bins"] == {"test": 300, "validation": 300}
    assert found["interval"]["blocks"] == 30
    assert {key: found["interval"][key] for key in CONFIG} == CONFIG
    for target, name in enumerate(predicted.names):
        labels, scores = predicted.targets[600:, target], table[name].to_numpy()[300:]
        known = labels >= 0
        row = found["targets"][target]
        assert (row["target"], row["bins"], row["positives"]) == (name, known.sum(), (labels == 1).sum())
        assert row["auroc"]["value"] == pytest.approx(roc_auc_score(labels[known], scores[known]), abs=1e-9)
        assert row["auprc"]["value"] == pytest.approx(average_precision_score(labels[known], scores[known]), abs=1e-9)
        assert row["lift"] == pytest.approx(row["auprc"]["value"] * row["bins"] / row["positives"])
        for metric in ("auroc", "auprc"):
            assert row[metric]["low"] < row[metric]["value"] < row[metric]["high"]
    values = [row["auprc"]["value"] for row in found["targets"]]
    whole = found["summary"]["auprc"]
    assert whole["median"] == pytest.approx(np.median(values))
    assert whole["sd"] == pytest.approx(np.std(values, ddof=1))
    assert whole["low"] < whole["median"] < whole["high"]
    assert whole["mean_low"] < whole["mean"] < whole["mean_high"]
    assert (whole["targets"], whole["undefined"]) == (2, 0)
    assert found["summary"]["prevalence"]["mean"] == pytest.approx(
        np.mean([row["prevalence"] for row in found["targets"]])
    )


def test_decisions_are_at_the_thresholds_of_the_validation_bins(predicted, read_metrics):
    found = read_metrics(run(predicted)[0])
    table = read_predictions(predicted.folder / "predictions.parquet")
    for target, name in enumerate(predicted.names):
        scores = table[name].to_numpy()
        labels = predicted.targets[300:, target]
        known = labels[:300] >= 0
        best = max(scores[:300][known], key=lambda cut, y=labels, s=scores, k=known: (
            f1_score(y[:300][k], s[:300][k] >= cut), cut))  # fmt: skip
        assert found["thresholds"][name] == pytest.approx(float(best))
        known = labels[300:] >= 0
        called = scores[300:][known] >= best
        row = found["targets"][target]
        assert row["f1"]["value"] == pytest.approx(f1_score(labels[300:][known], called), abs=1e-9)
        assert row["mcc"]["value"] == pytest.approx(matthews_corrcoef(labels[300:][known], called), abs=1e-9)


def test_the_reliability_of_each_target_lies_with_the_curves(predicted, read_metrics):
    metrics, curves, _ = run(predicted)
    rows = read_metrics(metrics)["targets"]
    with np.load(curves, allow_pickle=False) as found:
        for row, (bins, mean, share) in zip(rows, found["reliability"], strict=True):
            assert bins.sum() == row["bins"]
            assert (bins * share).sum() == pytest.approx(row["positives"])
            assert (bins * np.abs(mean - share)).sum() / row["bins"] == pytest.approx(row["ece"]["value"], abs=1e-9)


def test_validation_is_summarised_without_intervals(predicted, read_metrics):
    found = read_metrics(run(predicted)[0])["validation"]
    table = read_predictions(predicted.folder / "predictions.parquet")
    labels = predicted.targets[300:600]
    expected = [
        roc_auc_score(labels[labels[:, t] >= 0, t], table[name].to_numpy()[:300][labels[:, t] >= 0])
        for t, name in enumerate(predicted.names)
    ]
    assert found["auroc"]["mean"] == pytest.approx(np.mean(expected), abs=1e-9)
    assert "low" not in found["auroc"]


def test_same_bytes_each_time(predicted):
    one, two = run(predicted, "one"), run(predicted, "two")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_curves_are_read_without_pickle(predicted):
    with np.load(run(predicted)[1], allow_pickle=False) as found:
        assert found["targets"].tolist() == predicted.names
        assert found["true_positive_rate"].shape == found["precision"].shape == (2, 200)
        assert found["false_positive_rate"][[0, -1]].tolist() == found["recall"][[0, -1]].tolist() == [0, 1]


def test_undefined_scores_are_null_and_counted(predicted, read_metrics):
    predicted.targets[600:, 1] = 0
    np.save(predicted.arguments["targets"], predicted.targets)
    found = read_metrics(run(predicted)[0])
    reason = "no positives or no negatives"
    assert found["targets"][1]["auroc"] == {"value": None, "low": None, "high": None, "reason": reason}
    assert found["targets"][1]["lift"] is None
    assert (found["summary"]["auroc"]["targets"], found["summary"]["auroc"]["undefined"]) == (1, 1)
    assert found["summary"]["auroc"]["median"] == found["targets"][0]["auroc"]["value"]


def test_few_blocks_give_no_interval_and_say_so(predicted, read_metrics):
    found = read_metrics(run(predicted, config={**CONFIG, "block": 5000})[0])
    assert found["interval"]["reason"] == "3 blocks, at least 10 are needed"
    assert found["summary"]["auroc"]["low"] is None
    assert found["targets"][0]["auroc"]["high"] is None
    assert found["targets"][0]["auroc"]["value"] is not None


@pytest.mark.parametrize("config", [{"draws": 5}, {"block": None, "draws": 5}])
def test_without_a_block_its_length_is_that_for_the_size_of_the_genome(predicted, read_metrics, config):
    assert read_metrics(run(predicted, config=config)[0])["interval"]["block"] == 20_000


@pytest.mark.parametrize(("end", "block"), [(59_999_999, 20_000), (60_000_000, 1_000_000)])
def test_the_size_of_the_genome_is_that_of_its_contigs_added_up(end, block):
    ends = {"contig": pd.Categorical(["a", "b", "b"], list("abc")), "end": [40_000_000, end, 7]}
    assert usual_block(pd.DataFrame(ends)) == block


def rewrite(dataset, change):
    path = dataset.folder / "predictions.parquet"
    write_predictions(path, change(read_predictions(path)), dataset.digest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.iloc[1:], "found 599 bins, of which 0 are not validation or test bins"),
        (lambda table: table.assign(bin=table["bin"] - 1), "of which 1 are not validation or test bins"),
        (lambda table: table.iloc[::-1], "or they are not in order"),
        (lambda table: table.assign(split="test"), "bin 300: found split test, expected validation"),
        (
            lambda table: table.drop(columns="noise"),
            "found 1 targets, column 2 of them none, expected",
        ),
        (lambda table: table.rename(columns={"motif": "other"}), "column 1 of them other"),
        (lambda table: table.assign(noise=np.nan), "found nan for noise, and 599 more"),
        (lambda table: table.assign(noise=np.inf), "found inf for noise"),
    ],
)
def test_predictions_of_something_else_are_refused(predicted, change, message):
    rewrite(predicted, change)
    with pytest.raises(UserError, match=re.escape(message)):
        run(predicted)
    assert not (predicted.folder / "one.json").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"block": 1000, "blocks": 3}, "found the key 'blocks'"),
        ({"block": 0}, "evaluation.block: found 0"),
        ({"block": 1000, "draws": 1.5}, "evaluation.draws: found 1.5"),
        ({"block": 1000, "level": 95}, "evaluation.level: found 95"),
    ],
)
def test_a_wrong_configuration_is_told(predicted, config, message):
    with pytest.raises(UserError, match=re.escape(message)):
        run(predicted, config=config)


def test_spread_of_one_value_has_no_sd():
    assert spread(np.array([0.5, np.nan])) == {
        "median": 0.5,
        "mean": 0.5,
        "sd": None,
        "q25": 0.5,
        "q75": 0.5,
        "targets": 1,
        "undefined": 1,
    }
