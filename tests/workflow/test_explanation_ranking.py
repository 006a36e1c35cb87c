"""The ranking of explanations as jobs of the DAG."""

import json

import pytest
import yaml

METHODS = ["integrated_gradients", "deep_lift_shap"]


def write_run(copy, **keys):
    whole = {
        "run": "toy",
        "models": ["deepsea_small", "danq_small", "deepsea_small+untrained"],
        "variants": {"untrained": ["training.max_epochs=0"]},
        "baselines": [],
        "explanation_methods": METHODS,
        **keys,
    }
    (copy.folder / "toy.yaml").write_text(yaml.safe_dump(whole))


def jobs(copy):
    return copy.jobs("--configfile", "toy.yaml")


def test_every_explanation_is_scored_and_ranked_once(copy):
    write_run(copy)
    counts = jobs(copy)
    # DeepLIFT is not valid for DanQ.
    assert counts["attribute"] == counts["score_explanations"] == 2 + 1 + 2
    assert counts["discover_motifs"] == 3
    assert counts["score_motifs"] == counts["rank_explanations"] == counts["report"] == 1


def test_motifs_of_every_method_where_the_interpretation_asks_for_them(copy):
    write_run(copy, interpretation="explanations")
    assert jobs(copy)["discover_motifs"] == 5


def test_nothing_is_ranked_where_nothing_is_explained(copy):
    write_run(copy, interpretation=None, explanation_methods=None)
    assert not {"score_motifs", "rank_explanations"} & set(jobs(copy))


@pytest.mark.slow
def test_the_files_that_the_ranking_is_told_of(copy):
    write_run(copy, interpretation="explanations")
    copy.run("--configfile", "toy.yaml")
    folder = copy.folder / "results/runs/toy"
    for name in ("explanations.tsv", "explanations.svg", "explanation_factors.tsv", "motif_recovery.json"):
        assert (folder / f"simulated.{name}").exists()
    found = json.loads((folder / "manifest.json").read_text())["explanations"]["simulated"]
    kinds = {(row["model"], row["method"]): (row["kind"], row["architecture"]) for row in found["explained"]}
    assert kinds == {
        ("deepsea_small", "integrated_gradients"): ("model", "deepsea_small"),
        ("deepsea_small", "deep_lift_shap"): ("model", "deepsea_small"),
        ("danq_small", "integrated_gradients"): ("model", "danq_small"),
        ("deepsea_small+untrained", "integrated_gradients"): ("untrained", "deepsea_small"),
        ("deepsea_small+untrained", "deep_lift_shap"): ("untrained", "deepsea_small"),
    }
    assert [(row["model"], row["method"]) for row in found["left_out"]] == [("danq_small", "deep_lift_shap")]
    assert "LSTM" in found["left_out"][0]["reason"]
    for row in found["explained"]:
        assert (copy.folder / row["truth"]).exists()
        assert (copy.folder / row["benchmark"]).exists()
        assert (copy.folder / row["metrics"]).exists()
