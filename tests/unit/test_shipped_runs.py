"""Every run that comes with lociflow can be planned, and is named where users look for it."""

import re
from pathlib import Path

import pytest
import yaml

from lociflow.config import Configuration
from lociflow.plan import Plan
from lociflow.preflight.finding import OK
from lociflow.preflight.models import check_models
from lociflow.run import check_run
from lociflow.trainings import check_experiments, check_learnable

HOME = Path(__file__).parents[2]
RUNS = sorted((HOME / "config/runs").glob("*.yaml"))


@pytest.fixture(scope="module")
def groups() -> Configuration:
    return Configuration(HOME / "config", HOME / "workflow/schemas")


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_a_run_is_as_its_schema_and_its_groups_have_it(groups: Configuration, path: Path) -> None:
    # As Snakemake takes up a configfile: what it leaves out is that of the default run.
    run = yaml.safe_load((HOME / "config/config.yaml").read_text()) | yaml.safe_load(path.read_text())
    assert run["run"] == path.stem
    check_run(run, groups)
    check_experiments(run, groups)
    check_learnable(run, groups)
    plan = Plan(run, groups)
    assert plan.trained
    # A window passes through every model.
    found = check_models(run, groups, plan.trained, conda=False)
    assert [finding for finding in found if finding.verdict != OK and finding.what != "device"] == []


def test_the_readme_names_every_run() -> None:
    readme = (HOME / "README.md").read_text()
    named = {*re.findall(r"`(\w+)`", readme), *re.findall(r"config/runs/(\w+)\.yaml", readme), "quickstart"}
    assert [path.stem for path in RUNS if path.stem not in named] == []
