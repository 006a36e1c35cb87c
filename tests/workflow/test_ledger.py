"""A run is set beside published numbers where there are some of its data sets and splits."""

import json

import pytest
import yaml


def write_run(copy, name, **keys):
    whole = yaml.safe_load((copy.folder / f"config/runs/{name}.yaml").read_text()) | keys
    (copy.folder / "run.yaml").write_text(yaml.safe_dump(whole))
    return copy.jobs("--configfile", "run.yaml")


def test_a_run_that_covers_published_numbers_writes_the_ledger(copy):
    small = {"models": ["deepsea_small"], "seeds": [1], "interpretation": None}
    assert write_run(copy, "nfe2", **small)["write_ledger"] == 1
    # the published numbers are of the published split
    assert write_run(copy, "nfe2", **small, splits={"nfe2": ["leakfree"]})["write_ledger"] == 0


def test_the_quickstart_has_no_ledger(copy):
    counts = copy.jobs("--configfile", "config/runs/quickstart.yaml")
    assert counts["compare"] == 1
    assert counts["write_ledger"] == 0


@pytest.mark.slow
def test_own_numbers_of_a_run_reach_its_manifest_and_its_last_words(copy):
    own = yaml.safe_load((copy.folder / "config/published/nfe2.yaml").read_text())
    entry = {"method": "Net", "metric": "auroc", "value": 0.9}
    own |= {"dataset": "simulated", "split": "holdout", "entries": {"net": entry}}
    (copy.folder / "mine/published").mkdir(parents=True)
    (copy.folder / "mine/published/toys.yaml").write_text(yaml.safe_dump(own))
    run = {"run": "toy", "models": ["deepsea_small"], "interpretation": None, "config_dirs": ["mine"]}
    (copy.folder / "run.yaml").write_text(yaml.safe_dump(run))
    ran = copy.snakemake("--configfile", "run.yaml")
    assert ran.returncode == 0, ran.stderr
    manifest = json.loads((copy.folder / "results/runs/toy/manifest.json").read_text())
    assert [found["id"] for found in manifest["published"]] == ["toys/net"]
    told = ran.stderr.rpartition("report: ")[0]
    # the stand-ins write their own arguments
    assert told.index("--scores results/runs/toy/scores.tsv") < told.index("--ledger results/runs/toy/ledger.tsv")
    assert not copy.jobs("--configfile", "run.yaml")


def test_a_mistake_in_published_numbers_is_told_before_any_job(copy):
    copy.edit("config/published/nfe2.yaml", "split: published", "split: publishd")
    ran = copy.snakemake("--dry-run", "--configfile", "config/runs/nfe2.yaml")
    assert ran.returncode == 1
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
    assert "config/published/nfe2.yaml: entries.lsgkm_auroc.split: the data set nfe2 has no split publishd; did" in line
    assert "Traceback" not in ran.stderr
