"""The table of what architectures learn and cost, from results whose numbers are known."""

import json
from pathlib import Path

import pytest

from lociflow.report.architectures import LEARNT, NOT_LEARNT, PARTLY, architecture_table, for_people
from lociflow.report.read_results import read_results


def spacing(inverted, distant):
    """Return AUROCs of pairs against decoys, each with an interval of 0.1 to either side."""
    scores = {"inverted": inverted, "distant": distant, "lone": 0.9}
    found = {
        decoy: {"auroc": value, "low": value - 0.1, "high": value + 0.1, "reason": None, "pairs": 9, "decoys": 9}
        for decoy, value in scores.items()
    }
    return {"factor": "MYC", "partner": "JUN", **found}


@pytest.fixture
def table(simulated):
    known = {
        "danq_small": spacing(0.8, 0.9), "deepsea_small": spacing(0.55, 0.7), "deepbind_small": spacing(0.5, 0.59),
    }  # fmt: skip
    for entry in simulated.manifest["datasets"][0]["entries"]:
        path = Path(entry["metrics"])
        if entry["label"] in known and entry["kind"] == "model":
            path.write_text(json.dumps({**json.loads(path.read_text()), "spacing": known[entry["label"]]}))
    return architecture_table(read_results(simulated.manifest)).set_index("model")


def test_the_best_comes_first_and_is_set_beside_the_ceiling(table):
    assert table["auprc"].dropna().is_monotonic_decreasing
    assert table.loc["ceiling", "of_ceiling"] == 1
    assert table.loc["danq_small", "of_ceiling"] == table.loc["danq_small", "auprc"] / table.loc["ceiling", "auprc"]
    assert table["of_scanner"].isna().all()


def test_motifs_that_are_found_are_counted(table):
    found = table["motifs_found"]
    assert (found["deepbind_small"], found["deepsea_small"], found["danq_small"]) == (4, 6, 5)
    assert found.isna()["kmer_logistic"]
    assert set(table["motifs_planted"]) == {6}


def test_motifs_that_a_model_was_given_are_not_found(simulated):
    (entry,) = (entry for entry in simulated.manifest["datasets"][0]["entries"] if entry["label"] == "deepsea_small")
    path = Path(entry["config"])
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "model": {**config["model"], "given_motifs": True}}))
    found = architecture_table(read_results(simulated.manifest)).set_index("model")
    assert (found["motifs"]["deepsea_small"], found["motifs"]["danq_small"]) == ("given", "learnt")
    assert found.isna().loc["deepsea_small", "motifs_found"]
    assert found["motifs_found"]["danq_small"] == 5
    line = next(line for line in for_people(found.reset_index()).splitlines() if "deepsea_small" in line)
    assert " given " in line


def test_a_rule_is_learnt_where_both_intervals_lie_above_chance(table):
    assert table["spacing"][["danq_small", "deepsea_small", "deepbind_small"]].tolist() == [LEARNT, PARTLY, NOT_LEARNT]
    assert table.isna().loc["kmer_logistic", "spacing"]


def test_the_table_for_people_has_a_line_each(table):
    lines = for_people(table.reset_index()).splitlines()
    assert len(lines) == 1 + len(table)
    assert "4 of 6" in next(line for line in lines if "deepbind_small" in line)
    assert "48,211" in lines[-1] + lines[1] + lines[2]


def test_scores_without_intervals_stand_alone(table):
    without = table.reset_index().astype({"auprc_low": object, "auprc_high": object})
    without[["auprc_low", "auprc_high"]] = None
    lines = for_people(without).splitlines()
    assert not any("(0." in line for line in lines)
    assert f"{table['auprc'].iloc[0]:.3f}" in lines[1]


def test_other_data_sets_have_no_rows(results):
    data = results.dataset("real", ["A"])
    results.entry(data, "cnn", 0.9)
    assert architecture_table(read_results(results.manifest)).empty
