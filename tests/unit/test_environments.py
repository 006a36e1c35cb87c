"""Environments from imports, requirements, a lock and what channels list."""

import pytest
from packaging.requirements import Requirement

from lociflow import environments
from lociflow.command import UserError
from lociflow.environments import (
    Listing,
    Step,
    contents_of,
    from_channel,
    listed,
    locked,
    package_table,
    steps,
    with_requirements,
)

REQUIRED = {
    "scores": ["Numbers>=2", "tables[fast]; python_version >= '3.11'", "old-typing; python_version < '3.11'"],
    "numbers": ["nvidia-runtime; platform_system == 'Linux'", "testing; extra == 'test'"],
    "tables": ["numbers", "quick_parser; extra == 'fast'", "numbers; sys_platform == 'win32'"],
    "quick-parser": [],
}
VERSIONS = {"scores": "1.0", "numbers": "2.1", "tables": "3.0", "quick-parser": "0.4", "pybedtools": "0.12.1"}
PYTHON = Listing("conda-forge", "python", "3.11.7", "the version", "page of python")
PIP = Listing("conda-forge", "pip", "26.1.1", "the version", "page of pip")
BEDTOOLS = Listing("bioconda", "bedtools", "2.30.0", "the version", "page of bedtools")
NUMBERS = Listing("conda-forge", "py-numbers", "2.1", "the version", "page of numbers")
TABLES = Listing("conda-forge", "tables", "3.0", "the version", "page of tables")
PARSER = Listing("conda-forge", "quick-parser", "0.4", "the version", "page")
OLD_SCORES = Listing("conda-forge", "scores", "0.9", "the version", "page of scores")
LISTINGS = {"python": PYTHON, "pip": PIP, "bedtools": BEDTOOLS, "numbers": NUMBERS, "scores": OLD_SCORES}


@pytest.fixture(autouse=True)
def metadata(monkeypatch):
    monkeypatch.setattr(
        environments, "_requirements", lambda name: [Requirement(line) for line in REQUIRED.get(name, ())]
    )


def test_requirements_are_followed_through_markers_and_extras():
    assert with_requirements(["scores"], "3.11.7") == {"scores", "numbers", "tables", "quick-parser"}


def test_markers_are_judged_for_the_environments_interpreter():
    assert with_requirements(["scores"], "3.10.2") == {"scores", "numbers", "old-typing"}


def test_an_extra_counts_only_where_it_is_asked_for():
    assert with_requirements(["tables"], "3.11.7") == {"tables", "numbers"}


def test_a_package_comes_from_a_channel_that_lists_it_at_the_locks_version():
    assert from_channel("numbers", VERSIONS, LISTINGS)
    assert not from_channel("scores", VERSIONS, LISTINGS)
    assert not from_channel("quick-parser", VERSIONS, LISTINGS)


def test_a_listed_package_stays_with_what_it_requires():
    assert from_channel("tables", VERSIONS, {**LISTINGS, "tables": TABLES})
    without = {name: listing for name, listing in LISTINGS.items() if name != "numbers"}
    assert not from_channel("tables", VERSIONS, {**without, "tables": TABLES})


def test_an_environment_has_pip_and_programs_only_where_they_are_needed():
    assert contents_of(set(), VERSIONS, LISTINGS) == ({"python": "3.11.7"}, {})
    assert contents_of({"numbers"}, VERSIONS, LISTINGS) == ({"numbers": "2.1", "python": "3.11.7"}, {})
    assert contents_of({"pybedtools", "numbers"}, VERSIONS, LISTINGS) == (
        {"bedtools": "2.30.0", "numbers": "2.1", "pip": "26.1.1", "python": "3.11.7"},
        {"pybedtools": "0.12.1"},
    )


def test_a_package_that_the_lock_does_not_pin_is_refused():
    with pytest.raises(UserError, match=r"^requirements\.lock: pins no forgotten, .*run make lock$"):
        contents_of({"numbers", "forgotten"}, VERSIONS, LISTINGS)


def test_the_lock_is_read_by_normalised_names_with_torch(tmp_path):
    (tmp_path / "requirements.lock").write_text(
        "# made\npyBigWig==0.3.29 \\\n    --hash=sha256:00\n    # via lociflow\nruamel_yaml==1.2\n"
    )
    (tmp_path / "requirements-torch.txt").write_text("torch==2.13.0\n")
    assert locked(tmp_path) == {"pybigwig": "0.3.29", "ruamel-yaml": "1.2", "torch": "2.13.0"}


def test_listings_are_read_by_the_locks_names(tmp_path):
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "channels.tsv").write_text(
        "package\tchannel\tname\tversion\tseen\tpage\n"
        "numbers\tconda-forge\tpy-numbers\t2.1\tthe version\tpage of numbers\n"
    )
    assert listed(tmp_path) == {"numbers": NUMBERS}


def test_the_table_says_how_each_version_was_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "needed", lambda home: {"score.yaml": {"scores", "numbers", "quick-parser"}})
    monkeypatch.setattr(environments, "locked", lambda home: VERSIONS)
    monkeypatch.setattr(environments, "listed", lambda home: {**LISTINGS, "quick-parser": PARSER})
    monkeypatch.setitem(REQUIRED, "quick-parser", ["unseen"])
    monkeypatch.setitem(VERSIONS, "unseen", "1")
    assert package_table(tmp_path).splitlines()[2:] == [
        "| numbers | 2.1 | conda-forge | the version, on page of numbers | score |",
        "| pip | 26.1.1 | conda-forge | the version, on page of pip | score |",
        "| python | 3.11.7 | conda-forge | the version, on page of python | score |",
        "| quick-parser | 0.4 | PyPI | digests in the lock; listed on page, but not all that it requires | score |",
        "| scores | 1.0 | PyPI | digests in the lock; conda-forge listed 0.9 at most (page of scores) | score |",
    ]


def test_steps_are_read_from_rules(tmp_path):
    (tmp_path / "train.smk").write_text(
        'rule train:\n    input:\n        script=script("train.py"),\n    conda:\n        "../../envs/train.yaml"\n\n\n'
        'rule write_manifest:\n    output:\n        "manifest.json",\n    run:\n        write()\n'
    )
    assert list(steps(tmp_path)) == [Step("train.py", "train.yaml")]


def test_a_rule_without_an_environment_is_refused(tmp_path):
    (tmp_path / "train.smk").write_text('rule train:\n    input:\n        script=script("train.py"),\n')
    with pytest.raises(UserError, match=r"train\.smk: rule train names no script or no environment"):
        list(steps(tmp_path))
