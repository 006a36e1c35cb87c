import os
import re
from pathlib import Path

import pandas as pd
import pytest

from lociflow.report.index import headlines_of, render_index, write_index
from lociflow.report.read_results import read_results
from lociflow.report.tables import score_table, write_table


def row(label: str, score: float | None, *, kind: str = "model", seed: int | None = 1, **more) -> dict[str, object]:
    bounds = {"auprc_low": None, "auprc_high": None} if score is None else {
        "auprc_low": score - 0.1, "auprc_high": score + 0.1
    }  # fmt: skip
    about = {"dataset": "d", "split": "holdout", "label": label, "model": label, "seed": seed, "kind": kind}
    return {**about, "targets": 7, "auprc_median": score, **bounds, **more}


def test_the_best_model_beside_the_baseline() -> None:
    rows = [
        row("cnn", 0.5, auprc_gain=0.25),
        row("rnn", 0.75, auprc_gain=0.5),
        row("kmer_6", 0.25, kind="baseline", seed=None),
        row("c", 0.9, kind="control"),
    ]
    (found,) = headlines_of(pd.DataFrame(rows))
    assert found == ("d", "holdout", 2, 7, "AUPRC", "rnn", 0.75, 0.65, 0.85, 1, 0.25)


def test_seeds_are_averaged_and_have_no_interval() -> None:
    rows = [row("cnn", 0.5, seed=1), row("cnn", 0.7, seed=2), row("rnn", 0.55)]
    (found,) = headlines_of(pd.DataFrame(rows))
    assert (found.best, found.seeds, found.low, found.high, found.baseline) == ("cnn", 2, None, None, None)
    assert found.score == pytest.approx(0.6)


def test_every_split_is_ranked_by_the_metric_of_its_labels() -> None:
    profile = {"split": "fold1", "labels": "profile", "auprc_median": None}
    rows = [
        row("cnn", 0.5, labels="binary"),
        {**row("cnn", None), **profile, "jsd_median": 0.4, "jsd_low": 0.3, "jsd_high": 0.5},
        {**row("rnn", None), **profile, "jsd_median": 0.2, "jsd_low": 0.1, "jsd_high": 0.3},
    ]
    binary, of_profiles = headlines_of(pd.DataFrame(rows))
    assert (binary.split, binary.metric, binary.best) == ("holdout", "AUPRC", "cnn")
    # A divergence is the better the smaller it is.
    assert (of_profiles.split, of_profiles.metric, of_profiles.best, of_profiles.score) == ("fold1", "JSD", "rnn", 0.2)


def test_undefined_scores_have_no_best_model() -> None:
    (found,) = headlines_of(pd.DataFrame([row("cnn", None)]).astype({"auprc_median": float}))
    assert (found.best, found.score, found.seeds, found.models) == (None, None, 0, 1)


def test_runs_are_listed_latest_first_with_their_reports(results, tmp_path: Path) -> None:
    data = results.dataset("data", ["A", "B"])
    results.entry(data, "cnn", 0.9)
    table = score_table(read_results(results.manifest))
    for number, name in enumerate(("old", "new & <b>")):
        scores = tmp_path / "made/runs" / name / "scores.tsv"
        write_table(table, scores)
        os.utime(scores, (1e9 + number, 1e9 + number))
    (tmp_path / "made/runs/old/report.html").write_text("x")
    (tmp_path / "made/runs/unfinished").mkdir()
    index = tmp_path / "made/index.html"
    write_index(index.parent / "runs", index)
    text = index.read_text()
    assert re.findall(r'<th scope="row">(.*?)</th>', text) == [
        "new &amp; &lt;b&gt; (no report)", '<a href="runs/old/report.html">old</a>'
    ]  # fmt: skip
    assert "2001-09-09 01:46" in text
    assert "2 runs with results" in text
    assert "unfinished" not in text
    before = index.read_bytes()
    write_index(index.parent / "runs", index)
    assert index.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "No columns to parse"), ("dataset\tsplit\nd\th\n", "no column label"), ("--scores a", "no column dataset")],
)
def test_a_run_that_cannot_be_read_is_listed_with_the_reason(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "runs/broken/scores.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    write_index(tmp_path / "runs", tmp_path / "index.html")
    found = (tmp_path / "index.html").read_text()
    assert "broken (no report)" in found
    assert re.search(rf"scores\.tsv cannot be read \({told}.*?\); run it again", found)


def test_no_run_yet() -> None:
    assert "No run has ended yet." in render_index([])
