"""The ranking of explanations, from scores whose numbers are known."""

import numpy as np
import pytest
from explanation_files import JITTER, Files

from lociflow.report.explanation_ranking import AS_GOOD, BEST, FAILED, UNCLEAR, WORSE, answers, methods


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def row(table, model, method):
    return table.set_index(["model", "method"]).loc[(model, method)]


def test_architectures_by_their_best_method_and_controls_last(files):
    files.truth("cnn+untrained", "saliency", 0.9, kind="untrained")
    files.truth("cnn", "saliency", 0.3)
    files.truth("cnn", "shap", 0.5)
    files.truth("rnn", "saliency", 0.6)
    table, _ = files.rank([{"model": "rnn", "method": "shap", "kind": "model", "reason": "recurrent layers"}])
    assert list(zip(table["model"], table["method"], strict=True)) == [
        ("rnn", "saliency"),
        ("rnn", "shap"),
        ("cnn", "shap"),
        ("cnn", "saliency"),
        ("cnn+untrained", "saliency"),
    ]
    assert table["valid"].tolist() == [True, False, True, True, True]
    assert row(table, "rnn", "shap")["reason"] == "recurrent layers"
    assert methods(table) == ["shap", "saliency"]


def test_against_the_base_rate_and_an_untrained_network(files):
    files.truth("cnn", "shap", 0.6)
    files.truth("cnn+untrained", "shap", 0.2, kind="untrained", spread=JITTER / 4)
    files.truth("cnn+shuffled", "shap", 0.1, kind="control")
    files.truth("rnn", "shap", 0.4)
    table, _ = files.rank()
    found = row(table, "cnn", "shap")
    assert found["of_base_rate"] == pytest.approx(6)
    assert (found["untrained_auprc"], found["of_untrained"]) == (0.2, pytest.approx(3))
    ratios = (0.6 + JITTER) / (0.2 + JITTER / 4)
    assert found["of_untrained_low"] == pytest.approx(np.quantile(ratios, 0.05), abs=1e-4)
    assert found["of_untrained_high"] == pytest.approx(np.quantile(ratios, 0.95), abs=1e-4)
    assert row(table, "rnn", "shap").isna()["of_untrained"]
    assert row(table, "cnn+untrained", "shap").isna()["of_untrained"]


def test_methods_are_told_apart_on_the_same_draws(files):
    files.truth("cnn", "best", 0.6)
    files.truth("cnn", "worse", 0.59)
    files.truth("cnn", "close", 0.595, spread=JITTER[::-1])
    files.truth("cnn", "elsewhere", 0.1, explained="other windows")
    table, _ = files.rank()
    verdicts = {method: row(table, "cnn", method)["verdict"] for method in ("best", "worse", "close", "elsewhere")}
    # The draws of the second move with those of the first: they differ by 0.01 in each, though by less than the spread.
    assert verdicts == {"best": BEST, "worse": WORSE, "close": AS_GOOD, "elsewhere": UNCLEAR}
    assert row(table, "cnn", "worse")["behind_low"] == pytest.approx(0.01)
    assert row(table, "cnn", "elsewhere")["behind"] == pytest.approx(0.5)
    (answer,) = answers(table)
    assert (answer["method"], answer["as_good"], answer["left_out"]) == ("best", ["close"], [])


def test_an_explanation_that_fails_a_check_is_never_the_best(files):
    files.truth("cnn", "pretty", 0.7, fails=("randomisation", "deletion"))
    files.truth("cnn", "true", 0.6)
    files.truth("rnn", "only", 0.5, fails=("completeness",))
    files.truth("cnn+untrained", "pretty", 0.2, kind="untrained", fails=("deletion",))
    table, _ = files.rank()
    assert row(table, "cnn", "pretty")["failed_checks"] == "randomised weights, deletion"
    assert row(table, "cnn", "pretty")["behind"] == pytest.approx(-0.1)
    assert row(table, "cnn", "true").isna()["failed_checks"]
    verdicts = {(found["model"], found["method"]): found["verdict"] for found in table.to_dict("records")}
    assert verdicts == {
        ("cnn", "pretty"): FAILED,
        ("cnn", "true"): BEST,
        ("rnn", "only"): FAILED,
        ("cnn+untrained", "pretty"): BEST,
    }
    cnn, rnn = answers(table)
    assert (cnn["method"], cnn["failed"], cnn["as_good"]) == ("true", ["pretty"], [])
    assert (rnn["model"], rnn["method"], rnn["failed"]) == ("rnn", None, ["only"])


def test_the_method_of_most_motifs_is_named_where_it_is_not_the_best(files):
    files.truth("cnn", "occlusion", 0.7, recovered=0)
    files.truth("cnn", "shap", 0.6, recovered=2)
    files.truth("cnn", "wrong", 0.5, recovered=2, fails=("deletion",))
    files.truth("rnn", "shap", 0.6, recovered=1)
    files.truth("rnn", "saliency", 0.5)
    cnn, rnn = answers(files.rank()[0])
    assert (cnn["method"], cnn["of_motifs"], cnn["most_motifs"]) == ("occlusion", ["shap"], 2)
    assert (rnn["method"], rnn["of_motifs"]) == ("shap", [])


def test_motifs_filters_and_those_that_were_given(files):
    files.truth("cnn", "shap", 0.6, recovered=1)
    files.truth("cnn", "saliency", 0.5)
    files.truth("scanner", "shap", 0.4, recovered=2)
    files.explained[-1]["given"] = True
    files.motifs("cnn/filters", 2, 7)
    table, factors = files.rank()
    found = row(table, "cnn", "shap")
    assert (found["motifs"], found["motifs_recovered"], found["motifs_planted"], found["false_motifs"]) == (
        "learnt",
        1,
        2,
        3,
    )
    assert (found["motifs_compared"], found["foreign_motifs"], found["motif_similarity"]) == (4, 1, 0.5)
    assert (found["filters_recovered"], found["false_filters"]) == (2, 7)
    assert row(table, "cnn", "saliency").isna()["motifs_recovered"]
    assert row(table, "scanner", "shap")["motifs"] == "given"
    assert row(table, "scanner", "shap").isna()["motifs_recovered"]
    by_factor = factors.set_index(["model", "method", "factor"])
    assert by_factor.loc[("cnn", "shap", "A"), "motif_recovered"]
    assert not by_factor.loc[("cnn", "shap", "B"), "motif_recovered"]
    assert by_factor.loc[("cnn", "shap", "B"), "auprc"] == pytest.approx(0.7)


def test_time_and_spacing(files, tmp_path):
    benchmark = tmp_path / "attribute.jsonl"
    benchmark.write_text('{"s": 10, "max_rss": 1}\n{"s": 20, "max_rss": 1}\n')
    decoy = {"auroc": 0.8, "low": 0.7, "high": 0.9}
    spacing = {"inverted": decoy, "distant": {**decoy, "low": 0.4}}
    files.truth("cnn", "shap", 0.6, benchmark=str(benchmark), spacing=spacing)
    files.truth("rnn", "shap", 0.5, benchmark=str(tmp_path / "gone.jsonl"))
    table, _ = files.rank()
    found = row(table, "cnn", "shap")
    assert found["seconds_per_window"] == 0.5
    assert (found["spacing_inverted"], found["spacing_distant_low"], found["spacing"]) == (0.8, 0.4, "in part")
    assert row(table, "rnn", "shap").isna()[["seconds_per_window", "spacing"]].all()
