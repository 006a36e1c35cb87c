"""Evaluation of every kind of labels, from the files of a small data set to the metrics."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, balanced_accuracy_score, r2_score, roc_auc_score

from lociflow.command import UserError
from lociflow.evaluation.baseline import fit_baseline
from lociflow.evaluation.evaluate import evaluate
from lociflow.evaluation.labels import read_labels
from lociflow.evaluation.metrics import HEADLINES, KIND_METRICS, METRICS
from lociflow.evaluation.predictions import PredictedBatch, read_predictions, write_batches
from lociflow.genome.window_table import SPLIT, digest_windows, split_digest, write_windows
from lociflow.sequence.genome_store import write_store

BINS = 60
SIDES = ("train", "validation", "test")
CONFIG = {"block": 100, "draws": 40, "level": 0.9, "seed": 1}
CLASSES = ["EI", "IE", "N"]


def write(
    folder: Path, kind: str, targets: np.ndarray, names: list[str], classes: list[list[str]] | None = None
) -> Path:
    """Write a data set of 60 bins of 100 bases, 20 a side; return its windows."""
    bins = pd.DataFrame(
        {
            "contig": pd.Categorical(["a"] * BINS),
            "start": np.arange(BINS) * 100,
            "end": np.arange(1, BINS + 1) * 100,
            "strand": pd.Categorical(["+"] * BINS),
            "group": pd.Categorical([None] * BINS, []),
            "shuffled": False,
            f"{SPLIT}holdout": pd.Categorical(np.repeat(SIDES, 20), list(SIDES)),
        }
    )
    about = {
        "split_digests": {"holdout": digest_windows(bins, "holdout")},
        "labels": {"kind": kind, "classes": classes, "reverse": None, "stranded": True},
    }
    write_windows(folder / "windows.parquet", bins, about)
    np.save(folder / "targets.npy", targets)
    (folder / "targets.tsv").write_text("target\n" + "\n".join(names) + "\n")
    return folder / "windows.parquet"


def score(folder: Path, columns: dict[str, np.ndarray], **config) -> dict:
    """Write predictions of the validation and test bins, evaluate them and return the metrics."""
    predictions = folder / "predictions.parquet"
    digest = split_digest(folder / "windows.parquet", "holdout")
    splits = np.repeat(["validation", "test"], 20)
    write_batches(predictions, [PredictedBatch(np.arange(20, 60), splits, columns)], digest)
    evaluate(
        folder / "windows.parquet", folder / "targets.npy", folder / "targets.tsv", predictions, "holdout",
        {**CONFIG, **config}, folder / "metrics.json", folder / "curves.npz", folder / "draws.npz",
    )  # fmt: skip
    return json.loads((folder / "metrics.json").read_text())


def test_errors_of_classes_by_hand(tmp_path):
    truth = np.full(BINS, -1, np.int16)
    # Of the test bins 5 are EI, 4 IE, 10 N and one has no label.
    truth[40:] = [0] * 5 + [1] * 4 + [2] * 10 + [-1]
    called = np.array([0, 0, 0, 1, 2] + [1, 1, 1, 0] + [2] * 9 + [0] + [1])
    probabilities = np.full((40, 3), 0.2, np.float32)
    probabilities[np.arange(20) + 20, called] = 0.6
    write(tmp_path, "class", truth[:, None], ["junction"], [CLASSES])
    found = score(tmp_path, {f"junction:{name}": probabilities[:, n] for n, name in enumerate(CLASSES)})
    rows = {row["target"]: row for row in found["targets"]}
    assert found["kind"] == "class"
    assert [rows[f"junction:{name}"]["class_error"]["value"] for name in CLASSES] == pytest.approx(
        [2 / 5, 1 / 4, 1 / 10]
    )
    assert [rows[f"junction:{name}"]["positives"] for name in CLASSES] == [5, 4, 10]
    assert rows["junction:EI"]["bins"] == 19
    whole = found["whole_targets"][0]
    assert whole["accuracy"]["value"] == pytest.approx(15 / 19)
    known = truth[40:59]
    assert whole["balanced_accuracy"]["value"] == pytest.approx(balanced_accuracy_score(known, called[:19]))
    # Every call has the probability 0.6: one group, of which 15 of 19 are right.
    assert whole["ece"]["value"] == pytest.approx(15 / 19 - 0.6)
    # Of equal scores the first class comes next, so that EI is among the two of every bin that is called IE or N.
    among = (called[:19] == known) | (known == 0) | ((called[:19] == 0) & (known == 1))
    assert whole["top_2"]["value"] == pytest.approx(among.mean())
    for number, name in enumerate(CLASSES):
        row, positive, scores = rows[f"junction:{name}"], known == number, probabilities[20:39, number]
        assert row["auroc"]["value"] == pytest.approx(roc_auc_score(positive, scores))
        assert row["auprc"]["value"] == pytest.approx(average_precision_score(positive, scores))
    summary = found["summary"]
    assert summary["accuracy"]["median"] == summary["accuracy"]["mean"] == pytest.approx(15 / 19)
    assert summary["accuracy"]["low"] < 15 / 19 < summary["accuracy"]["high"]
    assert summary["class_error"]["median"] == pytest.approx(1 / 4)
    # Validation has no labels at all.
    assert found["validation"]["accuracy"]["median"] is None
    # The interval of an error is that of the draws of whole blocks, here of single bins.
    draws = np.array([np.random.Generator(np.random.Philox(key=np.array([1, d], np.uint64))).integers(20, size=20)
                      for d in range(40)])  # fmt: skip
    wrong = (called != truth[40:])[draws]
    n = (truth[40:] == 2)[draws]
    errors = np.array([w[m].mean() for w, m in zip(wrong, n, strict=True)])
    row = rows["junction:N"]["class_error"]
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(errors, [0.05, 0.95])))
    with np.load(tmp_path / "curves.npz", allow_pickle=False) as curves:
        assert curves["targets"].tolist() == [f"junction:{name}" for name in CLASSES]


def test_real_values(tmp_path):
    generator = np.random.default_rng(1)
    labels = generator.normal(size=(BINS, 2)).astype(np.float32)
    labels[45, 0] = np.nan
    labels[40:, 1] = 3.0
    scores = (np.round(labels * 2) + generator.normal(size=(BINS, 2))).astype(np.float32)[20:]
    scores[np.isnan(scores)] = 0
    write(tmp_path, "real", labels, ["signal", "flat"])
    found = score(tmp_path, {"signal": scores[:, 0], "flat": scores[:, 1]})
    y, x = np.delete(labels[40:, 0], 5), np.delete(scores[20:, 0], 5)
    row = found["targets"][0]
    assert row["bins"] == 19
    assert row["pearson"]["value"] == pytest.approx(pearsonr(y, x).statistic)
    assert row["spearman"]["value"] == pytest.approx(spearmanr(y, x).statistic)
    assert row["r2"]["value"] == pytest.approx(r2_score(y, x))
    assert row["mse"]["value"] == pytest.approx(np.mean((y - x) ** 2))
    assert row["pearson"]["low"] < row["pearson"]["value"] < row["pearson"]["high"]
    flat = found["targets"][1]
    assert flat["pearson"]["value"] is flat["spearman"]["value"] is flat["r2"]["value"] is None
    assert flat["mse"]["value"] == pytest.approx(np.mean((scores[20:, 1] - 3.0) ** 2, dtype=float), rel=1e-6)
    assert (found["summary"]["pearson"]["targets"], found["summary"]["pearson"]["undefined"]) == (1, 1)
    assert "prevalence" not in found["summary"]
    with np.load(tmp_path / "curves.npz", allow_pickle=False) as curves:
        assert curves["precision"].shape == (0, 200)


def test_classes_of_bases(tmp_path):
    generator = np.random.default_rng(2)
    labels = generator.choice(np.array([0, 0, 0, 1, 2, -1], np.int8), (BINS, 10, 1))
    names = ["none", "donor", "acceptor"]
    scores = generator.random((40, 10, 3)).astype(np.float32)
    write(tmp_path, "position_class", labels, ["splice"], [names])
    found = score(tmp_path, {f"splice:{name}": scores[..., n] for n, name in enumerate(names)})
    assert [row["target"] for row in found["targets"]] == ["splice:donor", "splice:acceptor"]
    truth = labels[40:, :, 0].ravel()
    for number, row in enumerate(found["targets"], start=1):
        known = truth >= 0
        positive, values = (truth == number)[known], scores[20:, :, number].ravel()[known]
        assert (row["bins"], row["positives"]) == (known.sum(), positive.sum())
        assert row["auroc"]["value"] == pytest.approx(roc_auc_score(positive, values))
        assert row["auprc"]["value"] == pytest.approx(average_precision_score(positive, values))
        best = np.argsort(-values)[: positive.sum()]
        assert row["top_k"]["value"] == pytest.approx(positive[best].mean())
        assert row["top_k"]["low"] < row["top_k"]["high"]
    assert found["interval"]["blocks"] == 20


def test_profiles(tmp_path):
    generator = np.random.default_rng(3)
    labels = generator.poisson(3.0, (BINS, 8, 1)).astype(np.float32)
    labels[50] = 0
    labels[:20] = [[1], [2], [3], [4], [4], [3], [2], [1]]
    labels[51, 2:, 0] = np.nan
    profile = generator.dirichlet(np.ones(8), 40).astype(np.float32)
    heights = generator.normal(size=40).astype(np.float32)
    write(tmp_path, "profile", labels, ["reads"])
    found = score(tmp_path, {"reads": profile, "reads:log_counts": heights})["targets"][0]
    rows = [*range(40, 50), *range(52, 60)]

    def mean(of):
        pairs = [(labels[row, :, 0], of[row]) for row in rows] + [(labels[51, :2, 0], of[51][:2])]
        return np.mean([jensenshannon(*pair, base=2) ** 2 for pair in pairs])

    assert found["jsd"]["value"] == pytest.approx(mean(np.concatenate([np.zeros((20, 8)), profile])), abs=1e-6)
    assert found["jsd_uniform"]["value"] == pytest.approx(mean(np.ones((60, 8))), abs=1e-6)
    assert found["jsd_average"]["value"] == pytest.approx(mean(np.tile([1, 2, 3, 4, 4, 3, 2, 1], (60, 1))), abs=1e-6)
    kernel = np.exp(-0.5 * (np.arange(-40, 41) / 7) ** 2)
    smoothed = [np.convolve(np.nan_to_num(each), kernel / kernel.sum())[40:48] for each in labels[..., 0]]
    assert found["jsd_smoothed"]["value"] == pytest.approx(mean(np.array(smoothed)), abs=1e-6)
    totals = np.log1p(np.nansum(labels[40:, :, 0], axis=1))
    assert found["count_pearson"]["value"] == pytest.approx(pearsonr(totals, heights[20:]).statistic, abs=1e-6)
    assert found["jsd"]["low"] < found["jsd"]["value"] < found["jsd"]["high"]


def test_the_share_of_wrong_calls_is_counted_where_a_threshold_is_given(tmp_path):
    labels = np.zeros((BINS, 1), np.int8)
    labels[40:50] = 1
    labels[59] = -1
    scores = np.full(40, 0.5, np.float32)
    scores[20:27] = 0.6
    scores[30:33] = 0.9
    write(tmp_path, "binary", labels, ["promoter"])
    assert "error" not in score(tmp_path, {"promoter": scores})["targets"][0]
    found = score(tmp_path, {"promoter": scores}, threshold=0.5)
    # Three positives at the threshold are not called, three negatives are.
    assert found["targets"][0]["error"]["value"] == found["summary"]["error"]["mean"] == pytest.approx(6 / 19)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a:x": np.zeros((40, 3)), "a:y": np.zeros((40, 3))}, "found a:x of shape (40, 3), expected (40, 2)"),
        ({"a:x": np.zeros((40, 2)), "a:z": np.zeros((40, 2))}, "column 2 of them a:z, expected the data set's 2"),
        ({"a:x": np.zeros((40, 2)), "a:y": np.full((40, 2), np.nan)}, "bin 20: found nan for a:y, and 79 more"),
    ],
)
def test_predictions_of_bases_of_something_else_are_refused(tmp_path, columns, message):
    write(tmp_path, "position_class", np.zeros((BINS, 2, 1), np.int8), ["a"], [["x", "y"]])
    with pytest.raises(UserError, match=re.escape(message)):
        score(tmp_path, columns)


def test_the_table_of_metrics_is_whole():
    assert HEADLINES == {
        "binary": "auprc", "class": "accuracy", "position_class": "auprc", "real": "pearson", "profile": "jsd",
    }  # fmt: skip
    for kind, found in KIND_METRICS.items():
        assert found.headline in found.shown, kind
        assert {*found.columns, *found.targets, *found.shown} <= set(METRICS)
    smaller = {name for name, metric in METRICS.items() if not metric.larger_is_better}
    assert smaller == {
        "error", "class_error", "ece", "mse", "jsd", "jsd_uniform", "jsd_average", "jsd_smoothed",
    }  # fmt: skip


def test_baselines_refuse_labels_that_they_have_no_probabilities_for(tmp_path):
    write(tmp_path, "class", np.zeros((BINS, 1), np.int16), ["a"], [["x", "y"]])
    files = [tmp_path / name for name in ("windows.parquet", "targets.npy", "targets.tsv")]
    assert read_labels(*files, "holdout").outputs.columns == ("a:x", "a:y")
    (tmp_path / "genome.fa").write_text(">a\n" + "ACGT" * 1500 + "\n")
    write_store([tmp_path / "genome.fa"], tmp_path / "codes.npy", tmp_path / "store.json", "toy")
    config = {"_target_": "lociflow.evaluation.composition.fit_predict", "window_length": 50}
    message = "composition.fit_predict: found class labels, expected binary ones; leave it out"
    with pytest.raises(UserError, match=re.escape(message)):
        fit_baseline(tmp_path / "store.json", *files, "holdout", config, tmp_path / "predictions.parquet")
    kmer = {"_target_": "lociflow.evaluation.kmer.fit_predict", "k": 2, "window_length": 50, "regularisation": [1.0]}
    kmer["labels"] = ["binary", "class"]
    fit_baseline(tmp_path / "store.json", *files, "holdout", kmer, tmp_path / "predictions.parquet")
    found = read_predictions(tmp_path / "predictions.parquet")
    assert list(found) == ["bin", "split", "a:x", "a:y"]
    np.testing.assert_allclose(found["a:x"] + found["a:y"], 1, atol=1e-6)
    write(tmp_path, "real", np.zeros((BINS, 1), np.float32), ["a"])
    with pytest.raises(UserError, match="found real labels, expected binary or class ones"):
        fit_baseline(tmp_path / "store.json", *files, "holdout", kmer, tmp_path / "predictions.parquet")
