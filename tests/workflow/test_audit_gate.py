"""What stands between a data set and its trainings in the graph of jobs: the audit, the gate and the splits."""

from collections import Counter

import pytest
import yaml
from stand_ins import Copy

FOLDS = {
    "name": "fold",
    "_target_": "lociflow.genome.splits.contig_folds",
    "folds": 3,
}
# What reads all results of a run on the simulated genome.
LAST = {"compare": 1, "report": 1, "tabulate_architectures": 1, "record_provenance": 1}
MORE = {**LAST, "write_manifest": 1}
# Two models and the ceiling, scored also by how like a bin is to the training bins, which the audit tells.
RESCORED = {"evaluate": 3, "compare_models": 1}
# What every run below leaves out, so that only trainings are counted.
PLAIN = {"models": ["deepbind_small", "danq_small"], "baselines": [], "interpretation": None}


def write_run(copy: Copy, name: str, **keys) -> None:
    (copy.folder / f"{name}.yaml").write_text(yaml.safe_dump({"run": name, **PLAIN, **keys}))


def jobs(copy: Copy, run: str, *arguments: str) -> Counter[str]:
    return copy.jobs("--configfile", f"{run}.yaml", *arguments)


def change(copy: Copy, **keys) -> None:
    """Change keys of the simulated data set."""
    path = copy.folder / "config/dataset/simulated.yaml"
    config = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**config, **keys}, sort_keys=False))


def refusal(copy: Copy, run: str) -> str:
    ran = copy.snakemake("--dry-run", "--configfile", f"{run}.yaml")
    assert ran.returncode == 1
    said = ran.stdout + ran.stderr
    assert "Traceback" not in said
    return next(line for line in said.splitlines() if line.startswith("error: "))


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    made = Copy(tmp_path_factory.mktemp("gate") / "lociflow")
    write_run(made, "first")
    made.run("--configfile", "first.yaml")
    return made


@pytest.fixture
def finished(finished_once, tmp_path):
    """A copy of a finished run of two models, for one test to change."""
    return finished_once.moved(tmp_path / "lociflow")


def test_an_audit_by_itself_plans_no_training(copy):
    assert copy.jobs("audit") == Counter(simulate=1, encode_sequences=1, make_windows=1, audit_dataset=1, audit=1)


def test_an_audit_of_any_data_set_is_asked_for_on_the_command_line(copy):
    planned = copy.jobs("audit", "--config", "datasets=uci_promoters,uci_splice,nfe2")
    # The sequences of the two tables and of the four FASTA files of NFE2.
    assert planned == Counter(fetch=6, encode_sequences=3, make_windows=3, audit_dataset=3, audit=1)


def test_a_data_set_is_named_on_the_command_line(copy):
    write_run(copy, "mine")
    assert jobs(copy, "mine", "--config", "datasets=simulated") == jobs(copy, "mine")


def test_training_waits_for_the_gate_and_the_gate_for_the_audit(copy):
    write_run(copy, "mine")
    planned = jobs(copy, "mine")
    assert planned["train"] == 2
    assert planned["admit_dataset"] == planned["audit_dataset"] == 1
    # Asked for a model alone, the gate is there; asked for windows alone, it is not.
    model = copy.jobs("--configfile", "mine.yaml", "--", "results/simulated/holdout/danq_small/seed1/model.ckpt")
    assert model == Counter(simulate=1, encode_sequences=1, make_windows=1, audit_dataset=1, admit_dataset=1, train=1)
    windows = copy.jobs("--configfile", "mine.yaml", "--", "results/simulated/windows.parquet")
    assert windows == Counter(simulate=1, encode_sequences=1, make_windows=1)


@pytest.mark.slow
def test_a_gate_that_stays_shut_lets_nothing_be_trained(copy):
    write_run(copy, "mine")
    stand_in = copy.folder / "scripts/admit_dataset.py"
    stand_in.write_text(stand_in.read_text() + '\nsys.exit("error: shut")\n')
    ran = copy.snakemake("--keep-going", "--configfile", "mine.yaml")
    assert ran.returncode == 1
    assert "error: shut" in ran.stdout + ran.stderr
    assert list(copy.folder.glob("results/**/model.ckpt")) == []
    assert (copy.folder / "results/simulated/audit.html").is_file()
    assert (copy.folder / "results/simulated/audit.json").is_file()


@pytest.mark.slow
def test_a_run_with_clean_true_trains_once_on_each_of_the_two_splits(copy):
    change(copy, clean=True)
    write_run(copy, "mine")
    planned = jobs(copy, "mine")
    assert planned["make_windows"] == planned["audit_dataset"] == 1
    assert planned["admit_dataset"] == 2
    assert planned["train"] == planned["predict"] == 4
    copy.run("--configfile", "mine.yaml")
    for split in ("holdout", "leakfree"):
        assert (copy.folder / f"results/simulated/{split}/danq_small/seed1/model.ckpt").is_file()
    assert jobs(copy, "mine") == Counter()


def test_a_run_over_folds_trains_once_on_each(copy):
    change(copy, split=FOLDS)
    write_run(copy, "mine")
    planned = jobs(copy, "mine")
    assert planned["make_windows"] == planned["audit_dataset"] == 1
    assert planned["admit_dataset"] == 3
    assert planned["train"] == planned["predict"] == 6
    # What the folds predict is scored together, that of two models and of the ceiling.
    assert planned["pool_folds"] == planned["evaluate"] == 3


def test_folds_and_their_clean_versions_have_a_gate_each(copy):
    change(copy, split=FOLDS, clean=True)
    write_run(copy, "mine", models=["danq_small"])
    planned = jobs(copy, "mine")
    assert planned["admit_dataset"] == planned["train"] == 6


def test_a_run_chooses_its_splits(copy):
    change(copy, split=FOLDS, clean=True)
    write_run(copy, "mine", splits={"simulated": ["fold2", "fold2.leakfree"]})
    planned = jobs(copy, "mine")
    assert planned["admit_dataset"] == 2
    assert planned["train"] == 4


def test_a_model_is_explained_in_the_first_split_only(copy):
    change(copy, clean=True)
    write_run(copy, "mine", interpretation="default", interpret=["danq_small"])
    assert jobs(copy, "mine")["attribute"] == 1


def test_an_unknown_split_is_told_in_one_sentence(copy):
    write_run(copy, "mine", splits={"simulated": ["holdot"]})
    assert refusal(copy, "mine") == (
        "error: splits.simulated: the data set has no split holdot; did you mean holdout?; expected some of holdout"
    )


def test_splits_of_a_data_set_that_the_run_lacks_are_told_in_one_sentence(copy):
    write_run(copy, "mine", splits={"nfe2": ["published"]})
    assert refusal(copy, "mine") == "error: splits: nfe2 is none of this run's data sets"


def test_an_unknown_answer_to_a_failed_audit_is_told_in_one_sentence(copy):
    write_run(copy, "mine", audit="ignore")
    assert "audit: 'ignore' is not one of ['stop', 'warn', None]" in refusal(copy, "mine")


def test_a_threshold_of_the_audit_reruns_the_audit_the_gate_and_scores_and_no_training(finished):
    change(finished, audit={"duplicates": {"fail": 0.02}})
    assert jobs(finished, "first") == Counter(audit_dataset=1, admit_dataset=1, **RESCORED, **LAST)
    finished.run("--configfile", "first.yaml")
    assert jobs(finished, "first") == Counter()


@pytest.mark.slow
def test_what_a_new_audit_hides_from_a_run_is_told_and_done_by_the_next(finished):
    change(finished, audit={"duplicates": {"fail": 0.02}}, training={"max_epochs": 3})
    ran = finished.snakemake("--configfile", "first.yaml")
    assert ran.returncode == 0, ran.stderr
    assert "other changes are still to be followed: run the same command again" in ran.stderr
    assert jobs(finished, "first")["train"] == 2
    finished.run("--configfile", "first.yaml")
    assert jobs(finished, "first") == Counter()


def test_what_a_failed_audit_does_reruns_the_audit_the_gate_and_scores_and_no_training(finished):
    write_run(finished, "first", audit="warn")
    assert jobs(finished, "first") == Counter(audit_dataset=1, admit_dataset=1, **RESCORED, **MORE)


def test_a_new_audit_alone_opens_the_gate_for_no_second_training(finished):
    planned = jobs(finished, "first", "--forcerun", "audit_dataset")
    assert planned == Counter(audit_dataset=1, admit_dataset=1, **RESCORED, **LAST)


def test_comments_and_docstrings_of_the_audit_rerun_nothing(finished):
    edited = 0
    for path in (finished.folder / "scripts/lociflow/audit").glob("*.py"):
        text = path.read_text()
        if text.startswith('"""'):
            path.write_text(text.replace('"""', '"""Edited. ', 1) + "\n# edited\n")
            edited += 1
    assert edited > 10
    assert jobs(finished, "first") == Counter()


def test_code_of_the_audit_reruns_the_audit_the_gate_and_scores_and_no_training(finished):
    path = finished.folder / "scripts/lociflow/audit/shortcuts.py"
    path.write_text(path.read_text() + "\nEDITED = 1\n")
    planned = jobs(finished, "first")
    assert planned["audit_dataset"] == 1
    assert planned["make_windows"] == planned["train"] == planned["predict"] == 0


def test_cleaning_a_split_that_is_trained_already_trains_the_leakfree_one_too(finished):
    """The windows table gets a column, so everything that reads it is made again."""
    change(finished, clean=True)
    planned = jobs(finished, "first")
    assert planned["make_windows"] == planned["audit_dataset"] == 1
    assert planned["admit_dataset"] == 2
    assert planned["train"] == 4
