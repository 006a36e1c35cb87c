"""What reruns and what does not: the promise that only what changed is done again."""

import json
import os
import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import yaml
from stand_ins import Copy

# What reads all results of a run on the simulated genome.
LAST = {"compare": 1, "compare_models": 1, "report": 1, "tabulate_architectures": 1, "record_provenance": 1}
MORE = {**LAST, "write_manifest": 1}
# What reads all explanations of a simulated data set.
RANKED = {"score_motifs": 1, "rank_explanations": 1}
MODELS = ["deepbind_small", "deepsea_small", "danq_small", "deepbind_small+untrained"]


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """A finished run of a few models on the simulated genome, and all that Snakemake has said."""
    made = Copy(tmp_path_factory.mktemp("finished") / "lociflow")
    write_run(made, "first", models=MODELS)
    ran = made.snakemake("--configfile", "first.yaml", "--verbose")
    assert ran.returncode == 0, ran.stderr
    return made, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def finished_once(first_run):
    return first_run[0]


@pytest.fixture
def finished(finished_once, tmp_path):
    """A copy of the finished run, for one test to change."""
    return finished_once.moved(tmp_path / "lociflow")


def write_run(copy, name, **keys):
    (copy.folder / f"{name}.yaml").write_text(yaml.safe_dump({"run": name, **keys}))


def jobs(copy, run="first", **environment):
    return copy.jobs("--configfile", f"{run}.yaml", **environment)


def downstream_of_training(trainings: int, entries: int = 1) -> Counter[str]:
    """The jobs that follow from so many changed trainings, each explained."""
    scored = ("train", "predict", "evaluate")
    motifs = ("discover_motifs", "locate_motifs", "extract_filters")
    explained = ("attribute", "score_prefixes", *motifs, "score_explanations", "check_explanations")
    of_run = dict.fromkeys(("match_motifs", "agreement"), entries)
    return Counter({**dict.fromkeys(scored + explained, trainings), **of_run, **RANKED, **LAST})


def test_the_scheduler_looks_for_jobs_when_one_has_ended_and_not_by_the_clock(first_run):
    _, said = first_run
    ended = len(re.findall(r"^Finished jobid", said, flags=re.MULTILINE))
    assert ended > 50
    assert said.count("Ready jobs: ") <= 2 * ended


def test_a_second_run_has_nothing_to_do(finished):
    assert jobs(finished) == Counter()


@pytest.mark.slow
def test_the_list_of_runs_is_made_by_each_run_and_makes_none_run(finished):
    index = finished.folder / "results/index.html"
    assert ">first (no report)<" not in index.read_text()
    assert 'href="runs/first/report.html"' in index.read_text()
    write_run(finished, "second", models=MODELS[:1])
    finished.run("--configfile", "second.yaml")
    assert 'href="runs/first/report.html"' in index.read_text()
    assert 'href="runs/second/report.html"' in index.read_text()
    index.unlink()
    assert jobs(finished) == jobs(finished, "second") == Counter()


def test_snakemakes_own_report_holds_the_page_its_figures_and_the_scores(finished):
    told = finished.snakemake("--configfile", "first.yaml", "--report", "first.zip")
    assert told.returncode == 0, told.stderr
    with zipfile.ZipFile(finished.folder / "first.zip") as file:
        text = file.read("first/report.html").decode()
        names = file.namelist()
    found = re.search(r"var categories = (\{.*\});", text)
    assert found
    assert json.loads(found[1]) == {
        "Report": {"Other": ["results/runs/first/report.html"]},
        "Figures": {"data": ["results/runs/first/figures/data/figure.svg"]},
        "Audit": {"Other": ["results/simulated/audit.html"]},
        "Explanations": {
            "Other": [
                f"results/runs/first/simulated.{name}"
                for name in ("explanation_factors.tsv", "explanations.svg", "explanations.tsv")
            ]
        },
        "Scores": {"Other": [f"results/runs/first/{name}.tsv" for name in ("architectures", "comparisons", "scores")]},
    }
    assert '"labels": {"figure": "figure"}' in text
    assert "data, figure: a figure of the page" in text
    assert sum(name.endswith("/data/figure.svg") for name in names) == 1


def test_touching_every_file_reruns_nothing(finished):
    for folder in ("workflow", "config", "scripts", "envs"):
        for path in (finished.folder / folder).rglob("*"):
            os.utime(path)
    assert jobs(finished) == Counter()


def test_editing_comments_and_docstrings_of_the_package_reruns_nothing(finished):
    edited = 0
    for path in (finished.folder / "scripts" / "lociflow").rglob("*.py"):
        text = path.read_text()
        if text.startswith('"""'):
            path.write_text(text.replace('"""', '"""Edited. ', 1) + "\n# edited\n")
            edited += 1
    assert edited > 20
    assert jobs(finished) == Counter()


def test_editing_a_comment_or_a_description_of_a_model_reruns_nothing(finished):
    path = finished.folder / "config/model/danq_small.yaml"
    config = yaml.safe_load(path.read_text())
    config["description"] = "Edited."
    path.write_text("# edited\n" + yaml.safe_dump(config, sort_keys=False))
    assert jobs(finished) == Counter()


def test_a_learning_rate_reruns_that_models_trainings_and_what_follows(finished):
    text = (finished.folder / "config/model/danq_small.yaml").read_text()
    config = yaml.safe_load(text)
    config["training"]["optimizer"]["lr"] *= 2
    (finished.folder / "config/model/danq_small.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    assert jobs(finished) == downstream_of_training(1)


def test_an_architectures_code_leaves_the_other_architectures_alone(finished):
    path = finished.folder / "scripts/lociflow/models/deepsea.py"
    path.write_text(path.read_text() + "\nEDITED = 1\n")
    assert jobs(finished) == downstream_of_training(1)


def test_code_that_all_trainings_use_reruns_them_all(finished):
    path = finished.folder / "scripts/lociflow/training/losses.py"
    path.write_text(path.read_text() + "\nEDITED = 1\n")
    assert jobs(finished) == downstream_of_training(len(MODELS))


def test_a_report_template_reruns_the_report_alone(finished):
    path = next((finished.folder / "scripts/lociflow/report/templates").glob("*.j2"))
    path.write_text(path.read_text() + "\n")
    assert jobs(finished) == Counter(report=1, record_provenance=1)


@pytest.mark.slow
def test_alternating_two_runs_that_share_results_reruns_nothing(finished):
    write_run(finished, "second", models=MODELS[:2])
    finished.run("--configfile", "second.yaml")
    assert jobs(finished, "first") == Counter()
    assert jobs(finished, "second") == Counter()


def test_a_second_run_that_shares_its_trainings_trains_nothing(finished):
    write_run(finished, "second", models=MODELS[:2])
    assert jobs(finished, "second") == Counter(match_motifs=1, agreement=1, **RANKED, **MORE)


def test_a_further_seed_adds_its_trainings_only(finished):
    write_run(finished, "first", models=MODELS, seeds=[1, 2])
    # Three models, but not the control, then have a mean over seeds.
    scored = {"train": 4, "predict": 4, "average_seeds": 3, "evaluate": 7, "rank_explanations": 1}
    # A few windows of the second seed are explained to be compared with the first.
    assert jobs(finished) == Counter(**scored, attribute_few=4, agreement=1, **MORE)


def test_a_further_method_explains_anew_and_reruns_nothing_of_the_first(finished):
    methods = ["deep_lift_shap", "integrated_gradients", "input_x_gradient"]
    # DeepLIFT has no rule for DanQ's recurrent layer: integrated gradients, its own method, is its first here too.
    write_run(finished, "first", models=MODELS, explanation_methods=methods)
    explained = {"attribute": 7, "score_explanations": 7, "check_explanations": 7}
    assert jobs(finished) == Counter(**explained, agreement=1, rank_explanations=1, **MORE)
    finished.run("--configfile", "first.yaml")
    assert jobs(finished) == Counter()
    place = finished.folder / "results/simulated/holdout"
    for label, valid in (("deepbind_small", methods), ("danq_small", methods[1:])):
        folder = place / label / "seed1/interpretation"
        assert sorted(path.parent.name for path in folder.glob("*/truth.json")) == sorted(valid)
        assert [path.parent.name for path in folder.glob("*/modisco.h5")] == [valid[0]]


def test_the_mirror_is_where_a_file_comes_from_and_not_what_it_is(finished, tmp_path):
    assert jobs(finished, LOCIFLOW_MIRROR=str(tmp_path)) == Counter()


def test_another_version_of_snakemake_is_recorded_with_the_next_results_and_reruns_nothing(finished):
    finished.edit("workflow/rules/provenance.smk", "snakemake.__version__", '"9.99.9"')
    assert jobs(finished) == Counter()


def test_a_moved_checkout_reruns_nothing(finished, tmp_path):
    shutil.move(finished.folder, tmp_path / "elsewhere")
    finished.folder = tmp_path / "elsewhere"
    assert jobs(finished) == Counter()


@pytest.mark.slow
def test_the_workflow_runs_in_another_directory(copy, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "run.yaml").write_text(yaml.safe_dump({"run": "there", "models": ["deepbind_small"]}))
    ran = copy.snakemake("--directory", str(elsewhere), "--configfile", str(elsewhere / "run.yaml"))
    assert ran.returncode == 0, ran.stderr
    assert (elsewhere / "results/runs/there/report.html").is_file()
    assert not (copy.folder / "results").exists()


def test_a_users_own_folder_of_configuration_adds_a_data_set_and_a_model(copy):
    own = copy.folder / "my_config"
    (own / "dataset").mkdir(parents=True)
    (own / "model").mkdir()
    (own / "model" / "mine.yaml").write_text("defaults: [deepbind_small]\ndescription: mine\n")
    (copy.folder / "genome.fa").write_text(">1\nACGT\n")
    (copy.folder / "peaks.bed").write_text("1\t0\t4\n")
    (own / "dataset" / "mine.yaml").write_text(
        yaml.safe_dump(
            {
                "description": "mine",
                "genome": {"name": "mine", "source": {"path": "genome.fa"}},
                "targets": {"files": {"CTCF": {"path": "peaks.bed"}}},
                "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 200, "stride": 200, "length": 500},
                "labels": {"min_overlap": 0.5},
                "split": {
                    "name": "holdout",
                    "_target_": "lociflow.genome.splits.by_contig",
                    "validation": ["2"],
                    "test": ["3"],
                },
            }
        )
    )
    write_run(copy, "mine", datasets=["mine"], models=["mine"], config_dirs=["my_config"])
    copy.run("--configfile", "mine.yaml")
    assert Path(copy.folder, "results/mine/holdout/mine/seed1/model.ckpt").is_file()
    assert jobs(copy, "mine") == Counter()
    # A user's own file that changes is fetched anew, with all that follows.
    (copy.folder / "peaks.bed").write_text("1\t0\t3\n")
    assert jobs(copy, "mine")["fetch"] == 1
