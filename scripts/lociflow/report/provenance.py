"""With what a page was made: versions of the programs, the commit of the workflow; and how to make it again."""

import platform
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "snakemake", "torch", "pytorch-lightning", "numpy", "pandas", "scikit-learn", "tangermeme", "captum",
    "modisco-lite", "memelite", "pyjaspar", "hydra-core", "pybedtools", "pysam", "matplotlib",
)  # fmt: skip
DIRTY = "-dirty"
LOCIFLOW = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Provenance:
    """With what the results were made, and how to make them again."""

    versions: Mapping[str, str]
    commit: str | None
    commands: tuple[str, ...]


def provenance_of(manifest: Mapping[str, Any]) -> Provenance:
    """Return what the manifest says of versions, commit and commands, or else what holds here."""
    at = manifest.get("commit") or commit()
    return Provenance(
        versions=manifest.get("versions") or versions(),
        commit=at,
        commands=tuple(manifest.get("commands") or commands(manifest["run"], at)),
    )


def commands(run: str, at: str | None) -> list[str]:
    """Return the commands that make a run again in a checkout of the workflow.

    Parameters
    ----------
    run
        Name of the run, and of the file in which the page saves its configuration.
    at
        The commit, as :func:`commit` gives it.
    """
    found = []
    if at is not None and at.endswith(DIRTY):
        found.append(f"git checkout {at.removesuffix(DIRTY)}   # files differed from this commit")
    elif at is not None:
        found.append(f"git checkout {at}")
    return [
        *found,
        "make setup                 # the versions of requirements.lock",
        ". .venv/bin/activate",
        f"snakemake --cores all --configfile {shlex.quote(f'{run}.yaml')}   # the configuration, saved from below",
    ]


def versions() -> dict[str, str]:
    """Return the version of Python and of each package that the steps use and that is installed here."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Return the commit of the workflow, with ``-dirty`` after it where files differ; None outside a git checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(LOCIFLOW), "describe", "--always", "--dirty", "--abbrev=40", "--match="],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
