"""Learning curves, single targets, searches and transfers as jobs of the DAG."""

import pytest
import yaml

FACTORS = 6


def write_run(copy, **keys):
    whole = {"run": "toy", "models": ["deepsea_small"], "interpretation": None, "baselines": [], **keys}
    (copy.folder / "toy.yaml").write_text(yaml.safe_dump(whole))


def jobs(copy):
    return copy.jobs("--configfile", "toy.yaml")


CURVE = {"learning_curve": {"models": ["deepsea_small"], "shares": [0.01, 0.1, 1]}, "seeds": [1, 2]}
TUNED = {
    "models": ["deepsea_small+tuned"],
    "variants": {"tuned": ["training.transfer={model: deepsea_small+half}"], "half": ["training.max_epochs=8"]},
}


def test_a_learning_curve_trains_each_share_once(copy):
    write_run(copy, **CURVE)
    counts = jobs(copy)
    assert counts["train"] == 6
    assert counts["learning_curve"] == 1


@pytest.mark.slow
def test_a_further_share_trains_that_share_alone(copy):
    write_run(copy, **CURVE)
    copy.run("--configfile", "toy.yaml")
    assert (copy.folder / "results/runs/toy/learning_curve.svg").exists()
    assert not jobs(copy)
    write_run(copy, learning_curve={"models": ["deepsea_small"], "shares": [0.01, 0.05, 0.1, 1]}, seeds=[1, 2])
    counts = jobs(copy)
    assert counts["train"] == 2
    assert counts["learning_curve"] == 1


def test_single_targets_are_trained_beside_the_joint_model(copy):
    write_run(copy, single_task={"models": ["deepsea_small"]})
    counts = jobs(copy)
    assert counts["train"] == counts["predict"] == 1 + FACTORS
    assert counts["single_task"] == 1


@pytest.mark.slow
def test_only_the_chosen_trial_of_a_search_meets_the_test_bins(copy):
    grid = {"training.schedule.max_lr": [0.001, 0.01], "model.architecture.hidden": [32, 64]}
    write_run(copy, search={"size": {"model": "deepsea_small", "grid": grid}})
    counts = jobs(copy)
    assert counts["train"] == 1 + 4
    assert counts["choose_trial"] == 1
    assert counts["predict"] == 2
    copy.run("--configfile", "toy.yaml")
    assert list((copy.folder / "results/simulated/holdout").glob("deepsea_small+chosen-size-*/seed1/trials.tsv"))
    assert not jobs(copy)


def test_a_transfer_trains_its_origin_first(copy):
    write_run(copy, **TUNED)
    counts = jobs(copy)
    assert counts["train"] == 2
    assert counts["predict"] == 1


@pytest.mark.slow
def test_training_is_told_the_checkpoint_to_start_from(copy):
    write_run(copy, **TUNED)
    copy.run("--configfile", "toy.yaml")
    log = (copy.folder / "results/simulated/holdout/deepsea_small+tuned/seed1/model.ckpt").read_text()
    assert "--start-from results/simulated/holdout/deepsea_small+half/seed1/model.ckpt" in log
    assert not jobs(copy)


def test_a_label_that_no_run_knows_is_refused_with_its_sentence(copy):
    write_run(copy, learning_curve={"models": ["danq_small"], "shares": [0.1, 1]})
    ran = copy.snakemake("--dry-run", "--configfile", "toy.yaml")
    assert ran.returncode != 0
    assert "learning_curve.models: danq_small is none of this run's models" in ran.stderr
    assert "Traceback" not in ran.stderr
