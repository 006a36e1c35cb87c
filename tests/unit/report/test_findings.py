import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lociflow.report.findings import audit_verdicts, findings, held, kept_epoch, unfinished
from lociflow.report.read_results import read_results


def found(results) -> list[tuple[str, str]]:
    return [(finding.level, finding.title) for finding in findings(read_results(results.manifest))]


def test_nothing_to_say_about_a_sound_run(results) -> None:
    data = results.dataset("data", ["A", "B"])
    results.entry(data, "cnn", 0.9)
    results.entry(data, "kmer_logistic", 0.8, kind="baseline", seed=None)
    results.entry(data, "cnn", 0.5, kind="control", variant="shuffled_labels")
    assert found(results) == []


def test_the_kept_epoch_is_the_last(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9, best=12)
    assert found(results) == [("warning", "data: 1 training still improving at the last epoch")]


def test_the_kept_epoch_is_what_training_says(results) -> None:
    # The first epoch was the best, but of an augmented training only the clean epochs are kept.
    data = results.dataset("data", ["A"])
    paths = results.entry(data, "cnn", 0.9, best=1, epochs=3)
    config = json.loads(Path(paths["config"]).read_text())

    def kept(epoch: int, **training) -> tuple[int | None, bool]:
        found = {**config, "kept_epoch": epoch, "training": {**config["training"], **training}}
        Path(paths["config"]).write_text(json.dumps(found))
        (entry,) = read_results(results.manifest).datasets[0].entries
        return kept_epoch(entry), unfinished(entry)

    assert kept(2) == (2, False)
    assert kept(3) == (3, True)
    assert kept(3, early_stopping=None) == (3, False)  # all epochs were asked for, and the last is kept


def test_an_untrained_entry_has_no_kept_epoch(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.5, kind="control", variant="untrained", best=None)
    (entry,) = read_results(results.manifest).datasets[0].entries
    assert kept_epoch(entry) is None
    assert found(results) == []


@pytest.mark.parametrize(
    ("losses", "told"),
    [
        ([0.3, 0.2, 0.9], "cnn (training loss from 0.300 in epoch 1 to 0.900 in epoch 3)"),
        ([0.3, float("nan"), 0.2], "cnn (the training loss of epoch 2 is no number)"),
        ([0.3, 0.2, float("inf")], "cnn (the training loss of epoch 3 is no number)"),
        ([-1.0, -1.2, -0.8], "cnn (training loss from −1.000 in epoch 1 to −0.800 in epoch 3)"),
        ([0.3, 0.4, 0.32], None),  # noise between epochs
        ([0.3, 0.9, 0.2], None),  # a bad epoch that was overcome
    ],
)
def test_a_training_that_diverged(results, losses, told) -> None:
    data = results.dataset("data", ["A"])
    paths = results.entry(data, "cnn", 0.9, epochs=len(losses), best=1)
    history = pd.read_csv(paths["history"]).assign(train_loss=losses)
    history.to_csv(paths["history"], index=False, na_rep="nan")
    titles = [finding for finding in findings(read_results(results.manifest)) if "diverged" in finding.title]
    assert [(finding.level, finding.title) for finding in titles] == (
        [("error", "data: 1 training diverged")] if told else []
    )
    assert all(finding.text.startswith(f"{told}. ") for finding in titles)


def test_a_validation_loss_that_rises_is_no_divergence(results) -> None:
    data = results.dataset("data", ["A"])
    paths = results.entry(data, "cnn", 0.9, epochs=3, best=1)
    pd.read_csv(paths["history"]).assign(validation_loss=[0.2, 0.4, 0.9]).to_csv(paths["history"], index=False)
    assert found(results) == []


@pytest.mark.parametrize(("auroc", "kind"), [(0.5, "error"), (0.9, None)])
def test_model_at_chance(results, auroc, kind) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", auroc)
    assert [level for level, title in found(results) if "no better than chance" in title] == ([kind] if kind else [])


def test_model_below_the_baseline_and_above_the_ceiling(results) -> None:
    data = results.dataset("data", ["A", "B", "C"])
    results.entry(data, "cnn", 0.75)
    results.entry(data, "leaky", 0.99)
    results.entry(data, "kmer_logistic", 0.87, kind="baseline", seed=None)
    results.entry(data, "ceiling", 0.9, kind="ceiling", seed=None)
    titles = found(results)
    assert ("warning", "data: the baseline kmer_logistic beats 1 model") in titles
    assert ("error", "data: leaky scores above the ceiling") in titles


def test_controls_that_predict(results) -> None:
    data = results.dataset("data", ["A"])
    # What a control is, its configuration says and not its name.
    results.entry(data, "cnn", 0.7, kind="control", variant="not_untrained")
    results.entry(data, "cnn", 0.75, kind="control", variant="random_weights", best=None)
    levels = [level for level, title in found(results) if "scores above chance" in title]
    assert levels == ["error", "warning"]


def test_controls_that_find_motifs(results) -> None:
    planted = results.dataset("simulated", ["CTCF", "JUN"], planted=True)
    results.entry(planted, "cnn", 0.9, motifs=["CTCF", "JUN"])
    results.entry(planted, "cnn", 0.5, kind="control", variant="shuffled_labels", motifs=["JUN"])
    real = results.dataset("real", ["A"])
    results.entry(real, "cnn", 0.5, kind="control", variant="untrained", motifs=["CTCF"])
    assert found(results) == [
        ("warning", "simulated: the control cnn+shuffled_labels finds planted motifs: JUN"),
        ("warning", "real: the control cnn+untrained matches JASPAR with 2 motifs at q < 0.05"),
    ]


def test_what_lowers_a_prediction_is_not_found(results) -> None:
    planted = results.dataset("simulated", ["CTCF", "JUN"], planted=True)
    results.entry(planted, "cnn", 0.9, motifs=["CTCF"], negative=["JUN"])
    results.entry(planted, "cnn", 0.5, kind="control", variant="shuffled_labels", motifs=[], negative=["CTCF"])
    assert found(results) == [("warning", "simulated: 1 planted motif found by no model")]


def test_planted_motif_that_no_model_finds(results) -> None:
    planted = results.dataset("simulated", ["CTCF", "JUN"], planted=True)
    results.entry(planted, "cnn", 0.9, motifs=["CTCF"], truth=0.09)
    assert found(results) == [
        ("warning", "simulated: 1 planted motif found by no model"),
        ("warning", "simulated: the explanations of cnn miss the planted sites"),
    ]


def test_targets_that_cannot_be_scored(results) -> None:
    data = results.dataset("data", [f"T{number}" for number in range(12)])
    results.entry(data, "cnn", None)
    (finding,) = findings(read_results(results.manifest))
    assert finding.title == "data: 12 targets cannot be scored"
    assert "T7 and 4 more" in finding.text


def test_unpinned_sources(results) -> None:
    data = results.dataset("data", ["A"], unpinned=3)
    results.entry(data, "cnn", 0.9)
    (finding,) = findings(read_results(results.manifest))
    assert (finding.level, finding.title) == ("note", "data: 1 source without a pinned digest")
    assert finding.text.startswith("peaks/0.bed.gz. ")


def test_a_joined_genome_is_held_by_the_digests_of_its_contigs() -> None:
    joined = {"pinned": False, "from": ["a", "b"]}
    assert held(joined, contigs_pinned=True)
    assert not held(joined, contigs_pinned=False)
    assert not held({"pinned": False, "from": ["a"]}, contigs_pinned=True)


def test_folds_that_are_wrong_in_the_same_way_are_told_once(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9)
    (dataset,) = read_results(results.manifest).datasets

    def check(split: str | None, value: float, verdict: str, name: str = "duplicates") -> dict[str, object]:
        told = {"title": name.title(), "says": f"{value} of the test windows.", "remedy": "Take them out."}
        return {"check": name, "split": split, "verdict": verdict, "value": value, **told}

    checks = [check("cv1", 0.1, "fail"), check("cv2", 0.3, "fail"), check("cv3", 0.0, "pass")]
    checks += [check("cv2", 0.01, "warn", "conflicts"), check(None, 0.2, "warn", "coordinates")]
    folds = replace(dataset, audit={"checks": checks}, folds=("cv1", "cv2", "cv3"))
    assert [tuple(finding) for finding in audit_verdicts(folds)] == [
        (
            "error",
            "data: the audit fails duplicates in 2 of 3 folds",
            "The worst, cv2: 0.3 of the test windows. Take them out.",
        ),
        (
            "warning",
            "data: the audit warns conflicts in 1 of 3 folds",
            "The worst, cv2: 0.01 of the test windows. Take them out.",
        ),
        ("warning", "data: the audit warns coordinates", "0.2 of the test windows. Take them out."),
    ]


def test_scores_that_strata_carry(results) -> None:
    data = results.dataset("data", ["A"])
    for model, within, rest in (("cnn", (0.55, 0.56), 0.6), ("sound", (0.9, 0.9), 0.9)):
        entry = results.entry(data, model, 0.9)
        found_in = json.loads(Path(entry["metrics"]).read_text())
        found_in["strata"] = [
            {"by": "GC content", "level": level, "bins": 500, "without": without, "auroc": {"value": value}}
            for level, value, without in zip(("low", "high"), within, (0.9, rest), strict=True)
        ]
        Path(entry["metrics"]).write_text(json.dumps(found_in))
    titles = found(results)
    assert ("warning", "data: one stratum carries the score of 1 model: GC content high") in titles
    assert ("warning", "data: the score of 1 model is mostly that of GC content") in titles
