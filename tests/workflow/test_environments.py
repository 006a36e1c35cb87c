"""Each conda environment holds what its steps import and call, at the versions of the lock, and nothing else."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from lociflow.environments import (
    CHOSEN,
    PROGRAMS,
    TABLE,
    environments,
    imported,
    listed,
    locked,
    package_table,
    steps,
)

HOME = Path(__file__).parents[2]
ENVIRONMENTS = sorted((HOME / "envs").glob("*.yaml"))
STEPS = sorted(set(steps(HOME / "workflow" / "rules")))
WITHOUT_TORCH = ("audit", "evaluate", "fetch", "genome", "report", "simulate")


def pins(path):
    """Return the packages of an environment file with their versions: conda's, by conda's names, and pip's."""
    entries = yaml.safe_load(path.read_text())["dependencies"]
    conda = dict(entry.split("=", 1) for entry in entries if isinstance(entry, str))
    pip = dict(pin.split("==", 1) for entry in entries if isinstance(entry, dict) for pin in entry["pip"])
    return conda, pip


def test_the_files_are_what_the_imports_and_the_lock_ask_for():
    written = {path.name: path.read_text() for path in ENVIRONMENTS}
    assert written == environments(HOME), "run make environments"


def test_the_table_is_that_of_the_files():
    assert (HOME / "envs" / "README.md").read_text().partition(TABLE)[2] == f"\n{package_table(HOME)}"


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_every_pin_is_exact_the_locks_and_of_one_origin(path):
    conda, pip = pins(path)
    versions = locked(HOME)
    names = {listing.name: package for package, listing in listed(HOME).items()}
    assert not conda.keys() & pip.keys()
    for name, version in [*((names[name], version) for name, version in conda.items()), *pip.items()]:
        assert re.fullmatch(r"[0-9][0-9A-Za-z.+]*", version), f"{name} is not pinned to one version"
        if name not in ("python", "pip", *PROGRAMS.values()):
            assert version == versions[name], name
    assert not pip or "pip" in conda


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_the_interpreter_is_one_that_the_package_supports(path):
    supported = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]["requires-python"]
    assert pins(path)[0]["python"] in SpecifierSet(supported)


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_channels_are_in_the_order_that_bioconda_asks_for(path):
    assert yaml.safe_load(path.read_text())["channels"] == ["conda-forge", "bioconda", "nodefaults"]


@pytest.mark.parametrize(("script", "environment"), STEPS)
def test_an_environment_holds_what_its_step_imports(script, environment):
    conda, pip = pins(HOME / "envs" / environment)
    names = {listing.name: package for package, listing in listed(HOME).items()}
    assert imported(HOME, script) <= {names[name] for name in conda} | pip.keys()


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_bedtools_is_where_it_is_called_and_nowhere_else(path):
    conda, pip = pins(path)
    assert ("bedtools" in conda) == ("pybedtools" in pip)


def test_the_steps_that_do_not_compute_with_models_do_without_torch():
    for name in WITHOUT_TORCH:
        conda, pip = pins(HOME / "envs" / f"{name}.yaml")
        assert not {"pytorch", "torch", "pytorch-lightning"} & (conda.keys() | pip.keys()), name


def test_every_script_whose_digest_follows_a_configuration_has_that_configurations_imports():
    text = "".join(path.read_text() for path in (HOME / "workflow" / "rules").glob("*.smk"))
    configured = set(re.findall(r'\bcode\(\s*"(\w+\.py)",', text))
    # Preflight looks up the _target_s of a run without building them.
    assert configured | {"preflight.py"} == CHOSEN.keys()
