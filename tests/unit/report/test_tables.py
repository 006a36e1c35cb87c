import math

import pandas as pd
import pytest

from lociflow.report import tables
from lociflow.report.read_results import read_scores


@pytest.fixture
def scores(results) -> pd.DataFrame:
    data = results.dataset("data", ["A", "B", "C"])
    results.entry(data, "cnn", 0.9, variant="long", seed=2)
    results.entry(data, "kmer_logistic", 0.8, kind="baseline", seed=None)
    results.entry(data, "broken", None)
    return tables.score_table(read_scores(results.manifest))


def test_a_row_an_entry_in_the_order_of_the_manifest(scores) -> None:
    assert list(scores.columns) == [
        "dataset", "split", "label", "model", "variant", "seed", "kind", "targets", "test_bins", "prevalence",
        "auroc_median", "auroc_low", "auroc_high", "auroc_mean", "auprc_median", "auprc_low", "auprc_high",
        "auprc_mean", "lift_median", "auroc_gain", "auprc_gain", "parameters", "train_seconds",
    ]  # fmt: skip
    assert list(scores["label"]) == ["cnn+long", "kmer_logistic", "broken"]
    assert list(scores["kind"]) == ["model", "baseline", "model"]
    row = scores.iloc[0]
    assert (row["dataset"], row["split"], row["model"], row["variant"], row["seed"]) == (
        "data", "holdout", "cnn", "long", 2,
    )  # fmt: skip
    assert (row["targets"], row["test_bins"], row["parameters"]) == (3, 2013, 48211)
    assert row["train_seconds"] == pytest.approx(12 * 3.25)


def test_gain_is_the_median_less_that_of_the_best_baseline(scores) -> None:
    model, baseline, _ = (scores.iloc[row] for row in range(3))
    assert model["auroc_gain"] == model["auroc_median"] - baseline["auroc_median"]
    assert model["auprc_gain"] == model["auprc_median"] - baseline["auprc_median"]
    assert pd.isna(baseline["auroc_gain"])


def test_what_is_undefined_is_missing(scores) -> None:
    row = scores.iloc[2]
    assert row["targets"] == 0
    assert all(pd.isna(row[name]) for name in ("auroc_median", "auroc_low", "auprc_mean", "auprc_gain", "lift_median"))


def test_no_baseline_no_gain(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9)
    assert tables.score_table(read_scores(results.manifest))["auroc_gain"].isna().all()


def test_tsv_reads_back(scores, tmp_path) -> None:
    tables.write_table(scores, tmp_path / "scores.tsv")
    found = pd.read_csv(tmp_path / "scores.tsv", sep="\t")
    assert list(found.columns) == list(scores.columns)
    assert found["auroc_median"][0] == pytest.approx(scores["auroc_median"][0], rel=1e-5)
    assert found["seed"].isna().tolist() == [False, True, False]


def test_text_for_the_terminal_is_aligned(scores) -> None:
    lines = tables.aligned_text(scores).splitlines()
    assert lines[0].startswith("data: median over 3 targets, 2,013 test bins, prevalence ")
    assert [line.split()[0] for line in lines[2:5]] == ["cnn+long", "broken", "kmer_logistic"]
    ends = {line.index(word) + len(word) for line, word in ((lines[1], "AUROC"), (lines[3], "–"))}
    assert len(ends) == 1
    assert "kmer_logistic (baseline)" in lines[4]
    assert lines[-1] == "gain: median AUPRC less the best baseline's"
    alone = tables.aligned_text(scores[scores["label"] != "kmer_logistic"].assign(auprc_gain=math.nan))
    assert "gain" not in alone


@pytest.mark.parametrize(
    ("value", "expected"), [(0.12345, "0.123"), (None, "–"), (math.nan, "–"), (pd.NA, "–"), (1, "1.000")]
)
def test_number(value, expected) -> None:
    assert tables.number(value) == expected


def test_signs_and_intervals() -> None:
    assert (tables.signed(0.1), tables.signed(-0.1), tables.signed(None)) == ("+0.100", "−0.100", "–")
    assert tables.interval(0.1, 0.2, 1) == "0.1 to 0.2"
    assert tables.interval(None, 0.2) == ""


@pytest.mark.parametrize(
    ("value", "expected"), [(0.049, "0.049"), (0.001, "0.001"), (3.2e-7, "3 × 10^-7"), (0.0, "< 10^-300")]
)
def test_q_value(value, expected) -> None:
    assert tables.q_value(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.25, "1.2 s"), (59.6, "60 s"), (300, "5 min"), (9000, "2.5 h"), (None, "–")],
)
def test_seconds(value, expected) -> None:
    assert tables.seconds(value) == expected


def test_counts_and_sizes() -> None:
    assert (tables.count_of(48211), tables.count_of(52_843_119), tables.count_of(None)) == ("48,211", "52.8 M", "–")
    assert (tables.size(999), tables.size(12_400_000)) == ("999 bytes", "12.4 MB")
    assert (tables.plural(1, "target"), tables.plural(1200, "target")) == ("1 target", "1,200 targets")
