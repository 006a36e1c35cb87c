"""The table and the figure of a learning curve from metrics typed by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.evaluation.learning_curve import read_points, tabulate, write_table
from lociflow.formats import stamp
from lociflow.report.experiment_figures import draw_learning_curve


def write_point(folder, model, share, seed, score, metric="auprc", **more):
    folder.mkdir(parents=True)
    summary = {metric: {"median": score, "mean": score - 0.1, "mean_low": score - 0.2, "mean_high": score}}
    metrics = {**stamp("metrics"), "summary": summary, **more}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    counts = {"training_labels": 2000, "training_positives": 40, "fewest_training_positives": 3}
    if metric != "auprc":
        counts = {"training_labels": 1000, "training_positives": None, "fewest_training_positives": None}
    (folder / "config.json").write_text(json.dumps({"training_bins": int(1000 * share), **counts}))
    return {
        "dataset": "toy", "split": "holdout", "model": model, "share": share, "seed": seed,
        "metrics": str(folder / "metrics.json"), "config": str(folder / "config.json"),
    }  # fmt: skip


def test_a_row_a_training_in_the_order_of_the_shares(tmp_path):
    points = [
        write_point(tmp_path / "a", "net", 1, 1, 0.8),
        write_point(tmp_path / "b", "net", 0.01, 2, 0.3),
        write_point(tmp_path / "c", "net", 0.01, 1, 0.4),
    ]
    table = tabulate(read_points(points))
    assert table[["share", "seed", "median"]].to_numpy().tolist() == [[0.01, 1, 0.4], [0.01, 2, 0.3], [1, 1, 0.8]]
    assert table["training_bins"].tolist() == [10, 10, 1000]
    assert table["mean"].tolist() == pytest.approx([0.3, 0.2, 0.7])
    assert set(table["metric"]) == {"auprc"}
    write_table(tmp_path / "curve.tsv", table)
    assert len((tmp_path / "curve.tsv").read_text().splitlines()) == 4
    draw_learning_curve(table, tmp_path / "curve.svg")
    svg = (tmp_path / "curve.svg").read_text()
    assert svg.startswith("<svg xmlns=")
    for text in ("1 %", "100 %", "share of the training labels", "AUPRC, mean over targets, test bins", "net"):
        assert text in svg


def test_seeds_have_a_mean_and_a_spread_beside_the_interval_of_each(tmp_path):
    points = [
        write_point(tmp_path / f"{share}{seed}", "net", share, seed, score)
        for share, scores in ((0.1, (0.5, 0.7, 0.6)), (1, (0.9,)))
        for seed, score in enumerate(scores, start=1)
    ]
    table = tabulate(read_points(points))
    assert table["seeds"].tolist() == [3, 3, 3, 1]
    # Of 0.4, 0.6 and 0.5: the mean 0.5, the standard deviation of a sample 0.1.
    assert table["seeds_mean"].tolist() == pytest.approx([0.5, 0.5, 0.5, 0.8])
    assert table["seeds_sd"].tolist()[:3] == pytest.approx([0.1] * 3)
    assert np.isnan(table["seeds_sd"][3])
    assert table["mean_low"].tolist() == pytest.approx([0.3, 0.5, 0.4, 0.7])
    draw_learning_curve(table, tmp_path / "curve.svg")
    svg = (tmp_path / "curve.svg").read_text()
    for text in ("mean over seeds", "block-bootstrap interval", "10 %", "100"):
        assert text in svg


def test_the_table_says_how_many_labels_each_share_holds(tmp_path):
    points = [
        write_point(tmp_path / "a", "net", 1, 1, 0.8),
        write_point(tmp_path / "b", "net", 0.5, 1, 0.8, "accuracy", kind="class"),
    ]
    write_table(tmp_path / "curve.tsv", tabulate(read_points(points)))
    header, half, whole = ((line.split("\t")) for line in (tmp_path / "curve.tsv").read_text().splitlines())
    place = header.index("training_bins")
    assert header[place : place + 4] == [
        "training_bins", "training_labels", "training_positives", "fewest_training_positives",
    ]  # fmt: skip
    assert half[place : place + 4] == ["500", "1000", "", ""]
    assert whole[place : place + 4] == ["1000", "2000", "40", "3"]


def test_shares_that_differ_in_the_seventh_digit_stay_two(tmp_path):
    shares = (0.12345671, 0.12345674)
    table = tabulate(read_points([write_point(tmp_path / str(share), "net", share, 1, share) for share in shares]))
    assert table["seeds"].tolist() == [1, 1]
    write_table(tmp_path / "curve.tsv", table)
    written = [line.split("\t")[3] for line in (tmp_path / "curve.tsv").read_text().splitlines()[1:]]
    assert written == ["0.12345671", "0.12345674"]
    draw_learning_curve(table, tmp_path / "curve.svg")
    svg = (tmp_path / "curve.svg").read_text()
    assert "12.345671 %" in svg
    assert "12.345674 %" in svg
    # Beside a third share there is room for the label of one of the two.
    whole = tabulate(read_points([write_point(tmp_path / "1", "net", 1, 1, 0.9)]))
    draw_learning_curve(pd.concat([table, whole], ignore_index=True), tmp_path / "curve.svg")
    svg = (tmp_path / "curve.svg").read_text()
    assert svg.count("12.34567") == svg.count("100 %") == 1


def test_the_headline_is_that_of_the_kind_of_labels(tmp_path):
    points = [write_point(tmp_path / "a", "net", 1, 1, 0.8, "accuracy", kind="class")]
    assert tabulate(read_points(points))["metric"].tolist() == ["accuracy"]


def test_a_missing_file_is_named(tmp_path):
    point = write_point(tmp_path / "a", "net", 1, 1, 0.8)
    (tmp_path / "a" / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"metrics\.json: cannot be read as JSON"):
        tabulate(read_points([point]))
