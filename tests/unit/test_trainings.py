"""Which trainings a run has, and what they start from."""

import pytest
from groups import DATASET, MODEL, RUN, SCHEMAS, changed, refusal, write

from lociflow.config import Configuration
from lociflow.plan import Plan
from lociflow.sources import all_sources
from lociflow.trainings import (
    Origin,
    all_trainings,
    check_experiments,
    check_learnable,
    compared,
    origin,
    resolve,
    target_names,
)
from lociflow.variants import chosen

WITHOUT_LABELS = {"objective": {"_target_": "lociflow.training.masked.MaskedTokens"}}
TRANSFER = {"tuned": ["training.transfer={model: blind}"], "again": ["training.transfer={model: net+tuned}"]}


@pytest.fixture
def groups(home):
    write(home, "model", "blind", changed(MODEL, labels=["none"], training=WITHOUT_LABELS))
    split = {"name": "folds", "_target_": "lociflow.genome.splits.contig_folds", "folds": 3}
    write(home, "dataset", "other", changed(DATASET, split=split))
    return Configuration(home, SCHEMAS)


def test_a_run_trains_what_it_names_and_what_its_experiments_need(groups):
    run = {
        **RUN,
        "models": ["net", "net+long"],
        "learning_curve": {"models": ["net"], "shares": [0.5, 1]},
        "single_task": {"models": ["net"], "targets": ["B"]},
        "search": {"rate": {"model": "net", "grid": {"training.optimizer.lr": [0.1, 1]}}},
    }
    (best,) = chosen(run)
    assert compared(run) == ["net", "net+long", best]
    expected = ["", "+long", best.removeprefix("net"), "+labels-50pct", "+only-B", "+lr-0.1", "+lr-1"]
    assert list(all_trainings(run, groups)) == [("toy", f"net{variant}") for variant in expected]
    check_experiments(run, groups)
    rate = resolve(run, groups, "toy", "net+lr-0.1")["training"]["training"]["optimizer"]["lr"]
    assert rate == 0.1
    assert resolve(run, groups, "toy", best) == resolve(run, groups, "toy", "net")


def test_a_transfer_brings_its_origins_with_it(groups):
    run = {**RUN, "models": ["net+again"], "variants": TRANSFER}
    assert list(all_trainings(run, groups)) == [("toy", "net+again"), ("toy", "net+tuned"), ("toy", "blind")]
    plan = Plan(run, groups)
    assert plan.origin("toy", "holdout", "net+again", 7) == Origin("toy", "holdout", "net+tuned", 7)
    assert plan.origin("toy", "holdout", "blind", 7) is None
    transfer = plan.training_config("toy", "holdout", "net+tuned", 7)["training"]["transfer"]
    assert transfer | {"dataset": "toy", "split": "holdout", "model": "blind", "seed": 7} == transfer


def test_a_transfer_from_another_data_set_takes_its_first_split_and_a_seed_of_its_own(groups):
    variants = {"moved": ["training.transfer={model: net, dataset: other, seed: 3}"]}
    run = {**RUN, "models": ["net+moved"], "variants": variants}
    plan = Plan(run, groups)
    assert plan.datasets == ["toy", "other"]
    assert plan.all_splits == {"holdout", "folds1", "folds2", "folds3"}
    assert plan.origin("toy", "holdout", "net+moved", 1) == Origin("other", "folds1", "net", 3)
    training = {"transfer": {"model": "net", "dataset": "other", "split": "fold2"}}
    told = refusal(origin, groups, "toy", "holdout", 1, training)
    assert told.startswith("training.transfer.split: dataset other has no split fold2; did you mean folds2?")


def test_a_circle_of_transfers_is_refused(groups):
    variants = {"a": ["training.transfer={model: net+b}"], "b": ["training.transfer={model: net+a}"]}
    run = {**RUN, "models": ["net+a"], "variants": variants}
    assert refusal(lambda: list(all_trainings(run, groups))) == (
        "training.transfer: net+a on toy would start from itself"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"learning_curve": {"models": ["nett"], "shares": [0.1, 1]}}, "learning_curve.models: nett is none of this"),
        (
            {"models": ["net", "blind"], "learning_curve": {"models": ["blind"], "shares": [0.1, 1]}},
            "learning_curve.models: blind is trained without labels",
        ),
        (
            {
                "models": ["net+more"],
                "variants": {"more": ["training.transfer={model: net}"]},
                "learning_curve": {"models": ["net+more"], "shares": [0.1, 1]},
            },
            "learning_curve.models: net+more starts from net, which is trained on labels of toy",
        ),
        (
            {
                "models": ["net+again"],
                "variants": {**TRANSFER, "again": ["training.transfer={model: net+tuned}"]},
                "single_task": {"models": ["net+again"]},
            },
            "single_task.models: net+again starts from net+tuned, which is trained on labels of toy",
        ),
        (
            {"search": {"one": {"model": "blind", "grid": {"training.max_epochs": [1]}}}},
            "search.one.model: blind is",
        ),
        ({"single_task": {"models": ["net"], "targets": ["C"]}}, "single_task.targets: C is no target of this run's"),
        ({"search": {"one": {"model": "nett", "grid": {"training.max_epochs": [1]}}}}, "model nett: there is no such"),
        ({"search": {"one": {"model": "net", "grid": {"dataset.x": [1]}}}}, "search.one.grid: dataset.x= changes dat"),
        (
            {"search": {"one": {"model": "net", "grid": {"training.optimizer._target_": ["a"]}}}},
            "search.one.grid: training.optimizer._target_ names another architecture or function",
        ),
    ],
)
def test_experiments_that_do_not_fit_are_refused(groups, changes, told):
    assert refusal(check_experiments, {**RUN, **changes}, groups).startswith(told)


def test_a_curve_may_start_from_other_targets_of_the_data_set(groups):
    only = {name: [f"+training.targets=[{name.upper()}]"] for name in "ab"}
    variants = {**only, "from_a": ["training.transfer={model: net+a}"]}
    asked = {**RUN, "models": ["net+b+from_a"], "variants": variants}
    check_experiments({**asked, "learning_curve": {"models": ["net+b+from_a"], "shares": [0.1, 1]}}, groups)
    told = refusal(
        check_experiments,
        {**asked, "models": ["net+from_a"], "learning_curve": {"models": ["net+from_a"], "shares": [0.1, 1]}},
        groups,
    )
    assert told.startswith("learning_curve.models: net+from_a starts from net+a, which is trained on labels of toy")


def test_targets_that_only_a_file_names_cannot_be_learnt_alone(home):
    named = {"url": "https://a.org/a.bed"}
    write(home, "dataset", "unnamed", changed(DATASET, targets={"named": named}))
    write(home, "dataset", "others", changed(DATASET, targets={"named": named, "names": ["x"]}))
    groups = Configuration(home, SCHEMAS)
    asked = {"models": ["net"], "targets": None}
    told = refusal(check_experiments, {**RUN, "datasets": ["unnamed"], "single_task": asked}, groups)
    assert told.startswith("single_task: dataset unnamed has no targets by name, expected some")
    asked = {"models": ["net"], "targets": ["A"]}
    told = refusal(check_experiments, {**RUN, "datasets": ["toy", "others"], "single_task": asked}, groups)
    assert told.startswith("single_task: dataset others has none of A, expected some")


def test_the_names_of_targets_are_known_where_the_configuration_tells_them(groups):
    assert target_names("toy", groups) == ("A", "B")


def test_the_files_of_experiments(groups):
    run = {
        **RUN,
        "seeds": [1, 2],
        "learning_curve": {"models": ["net"], "shares": [0.5, 1]},
        "single_task": {"models": ["net"], "targets": None},
    }
    plan = Plan(run, groups)
    assert [(point["share"], point["seed"]) for point in plan.learning_curve()] == [(0.5, 1), (0.5, 2), (1, 1), (1, 2)]
    assert plan.learning_curve()[0]["metrics"] == "results/toy/holdout/net+labels-50pct/seed1/metrics.json"
    (comparison,) = plan.single_task()
    assert [pair["target"] for pair in comparison["pairs"]] == ["A", "B"]
    assert comparison["pairs"][1]["single"] == [
        f"results/toy/holdout/net+only-B/seed{seed}/predictions.parquet" for seed in (1, 2)
    ]
    assert plan.experiment_files() == [
        f"results/runs/toy/{name}.{kind}" for name in ("learning_curve", "single_task") for kind in ("tsv", "svg")
    ]
    assert Plan(RUN, groups).experiment_files() == []


def test_the_files_of_explanations_are_those_of_the_first_split_and_seed(groups):
    run = {**RUN, "seeds": [2, 1], "interpretation": "default", "interpret": ["net"]}
    files = Plan(run, groups).explained_files()
    place = "results/toy/holdout/net/seed2"
    explained = f"{place}/interpretation/gradient"
    assert {f"{explained}/attributions.npz", f"{explained}/modisco.tsv", f"{place}/predictions.parquet"} <= set(files)
    assert f"{place}/interpretation/filters.meme" in files
    assert {f"results/toy/{name}" for name in ("windows.parquet", "targets.npy", "targets.tsv")} <= set(files)
    assert not [path for path in files if "seed1" in path or "sites.tsv" in path]
    assert Plan({**run, "interpretation": None}, groups).explained_files() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "baselines: kmer predicts binary labels, and dataset classes has class ones; leave it out"),
        ({"baselines": []}, "interpretation: explanations are of binary labels, and dataset classes has class ones"),
        (
            {"baselines": [], "interpretation": None, "models": ["yes_or_no"]},
            "dataset classes: has class labels, and model yes_or_no is for binary ones",
        ),
    ],
)
def test_what_is_not_for_the_kind_of_labels_is_refused_where_a_run_is_trained(home, changes, told):
    sequences = {"alphabet": "dna", "table": [{"url": "https://a.org/a.csv"}], "format": {"separator": ","}}
    dataset = changed(
        DATASET, genome=None, sequences=sequences, targets={"columns": {"A": "a"}}, labels={"kind": "class"}
    )
    dataset["windows"] = {"_target_": "lociflow.genome.whole_sequences.whole_sequences", "length": 30}
    dataset["split"] = {"name": "holdout", "_target_": "lociflow.genome.splits.random"}
    write(home, "dataset", "classes", dataset)
    write(home, "model", "yes_or_no", changed(MODEL, labels=["binary"]))
    configuration = Configuration(home, SCHEMAS)
    run = {**RUN, "datasets": ["classes"], **changes}
    check_experiments(run, configuration)
    assert refusal(check_learnable, run, configuration).startswith(told)


def test_a_baseline_of_another_tool_needs_its_scores(home):
    other_tool = {"_target_": "lociflow.evaluation.other_tool.read_scores", "tool": "gkm"}
    write(home, "baseline", "theirs", other_tool)
    run = {**RUN, "baselines": ["theirs"], "interpretation": None}
    assert refusal(check_learnable, run, Configuration(home, SCHEMAS)) == (
        "baselines: theirs reads scores of gkm, and dataset toy has none; name their files under the data set's "
        "predictions.gkm, or leave it out of the run's baselines"
    )
    scored = changed(DATASET, predictions={"gkm": [{"url": "https://a.org/scores.tsv", "sha256": "0" * 64}]})
    write(home, "dataset", "toy", scored)
    assert refusal(check_learnable, run, Configuration(home, SCHEMAS)) == (
        "baselines: theirs reads one score for each bin, and dataset toy has 2 targets; leave it out of the run's "
        "baselines"
    )
    scored["targets"] = {"files": {"A": DATASET["targets"]["files"]["A"]}}
    write(home, "dataset", "toy", scored)
    configuration = Configuration(home, SCHEMAS)
    check_learnable(run, configuration)
    assert all_sources(configuration, ["toy"])["toy/gkm/scores.tsv"]["sha256"] == "0" * 64


def test_a_split_with_the_name_of_anothers_folds_is_refused(groups, home):
    write(home, "dataset", "third", changed(DATASET, split__name="folds"))
    told = refusal(check_experiments, {**RUN, "datasets": ["other", "third"]}, Configuration(home, SCHEMAS))
    assert told.startswith("dataset third: its split folds has the name of all folds of dataset other in the same run")
