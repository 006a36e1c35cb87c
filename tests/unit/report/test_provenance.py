import re

import pytest

from lociflow.report import provenance


def test_versions_name_python_and_what_is_installed() -> None:
    found = provenance.versions()
    assert next(iter(found)) == "python"
    assert "numpy" in found


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
    found = provenance.commands("my run", commit)
    assert found[0] == first
    assert found[-1].startswith("snakemake --cores all --configfile 'my run.yaml'")


def test_the_manifest_decides_where_it_says_something(monkeypatch) -> None:
    monkeypatch.setattr(provenance, "commit", lambda: "ab12")
    assert provenance.provenance_of({"run": "r", "commit": "cd34", "commands": ["x"]}).commands == ("x",)
    found = provenance.provenance_of({"run": "r"})
    assert found.commit == "ab12"
    assert found.commands[0] == "git checkout ab12"
