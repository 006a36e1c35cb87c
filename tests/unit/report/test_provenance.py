import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from lociflow.environments import locked
from lociflow.report import provenance

HOME = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(provenance.VARIABLE, raising=False)


def packages_of(environment: str) -> set[str]:
    """Return the names of what an environment installs, conda's and pip's."""
    listed = yaml.safe_load((HOME / "envs" / environment).read_text())["dependencies"]
    names = [line for part in listed for line in (part["pip"] if isinstance(part, dict) else [part])]
    return {canonicalize_name(name.partition("=")[0]) for name in names}


def test_versions_name_python_and_what_is_installed() -> None:
    found = provenance.versions()
    assert next(iter(found)) == "python"
    assert "numpy" in found


@pytest.mark.parametrize("environment", ["provenance.yaml", "report.yaml"])
def test_a_step_with_an_environment_of_its_own_names_what_the_others_have(environment, monkeypatch) -> None:
    here = packages_of(environment)
    real = provenance.version

    def installed(package: str) -> str:
        if package not in here:
            raise provenance.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(provenance, "version", installed)
    assert not {"torch", "snakemake"} & set(provenance.versions())
    told = {**provenance.pinned(HOME / "envs"), "snakemake": "9.20.1"}
    monkeypatch.setenv(provenance.VARIABLE, json.dumps(told))
    found = provenance.versions()
    assert tuple(found) == ("python", *provenance.PACKAGES)
    assert found["snakemake"] == "9.20.1"
    assert found["torch"] == locked(HOME)["torch"]


def test_the_environments_pin_every_package_but_snakemake_at_the_version_of_the_lock() -> None:
    found = provenance.pinned(HOME / "envs")
    versions = locked(HOME)
    assert set(found) == {"python", *provenance.PACKAGES} - {"snakemake"}
    assert all(number == versions[name] for name, number in found.items() if name != "python")


def test_the_workflow_tells_the_version_of_the_running_snakemake_and_with_conda_what_is_pinned(tmp_path) -> None:
    asked = (
        "import json, os, sys\n"
        "from snakemake.cli import main\n"
        "sys.argv = ['snakemake', '--snakefile', sys.argv[1], '--directory', '.', '--list-rules', *sys.argv[2:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('TOLD' + os.environ[{provenance.VARIABLE!r}])\n"
    )
    told = {}
    for name, arguments in (("plain", []), ("conda", ["--sdm", "conda"])):
        ran = subprocess.run(
            [sys.executable, "-c", asked, str(HOME / "Snakefile"), *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        told[name] = json.loads(ran.stdout.rpartition("TOLD")[2])
    snakemake = {"snakemake": provenance.version("snakemake")}
    assert told == {"plain": snakemake, "conda": {**provenance.pinned(HOME / "envs"), **snakemake}}


def test_no_commit_outside_a_checkout(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(provenance, "LOCIFLOW", tmp_path)
    assert provenance.commit() is None


def test_commit_is_a_hash_where_there_is_one() -> None:
    found = provenance.commit()
    assert found is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", found)


@pytest.mark.parametrize(
    ("commit", "first"),
    [("ab12", "git checkout ab12"), ("ab12-dirty", "git checkout ab12   # files differed from this commit"),
     (None, "make setup                 # the versions of requirements.lock")],
)  # fmt: skip
def test_commands_make_the_run_again_at_its_commit(commit, first) -> None:
    found = provenance.commands(Path("my run.yaml"), commit, "beside")
    assert found[0] == first
    assert found[-1] == "snakemake --cores all --configfile 'my run.yaml'   # beside"


def test_the_manifest_decides_where_it_says_something(monkeypatch) -> None:
    monkeypatch.setattr(provenance, "commit", lambda: "ab12")
    assert provenance.provenance_of({"run": "r", "commit": "cd34", "commands": ["x"]}).commands == ("x",)
    found = provenance.provenance_of({"run": "r"})
    assert found.commit == "ab12"
    assert found.commands[0] == "git checkout ab12"
    assert found.commands[-1] == "snakemake --cores all --configfile r.yaml   # the configuration, saved from below"
