"""With what a page was made: versions of the programs, the commit of the workflow; and how to make it again."""

import json
import os
import platform
import re
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
# Holds, as JSON, the versions that the environment of a single step cannot tell. A variable and no param, so that
# another version of Snakemake makes nothing again; on a node of a cluster the workflow, read there anew, sets it too.
VARIABLE = "LOCIFLOW_VERSIONS"
_PIN = re.compile(r"^ +- ([A-Za-z0-9_.-]+?)==?(\S+)$", re.MULTILINE)
LOCIFLOW = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Provenance:
    """With what the results were made, and how to make them again."""

    versions: Mapping[str, str]
    commit: str | None
    commands: tuple[str, ...]
    """That make them again, whatever was typed to make them."""


def provenance_of(manifest: Mapping[str, Any]) -> Provenance:
    """Return what the manifest says of versions, commit and commands, or else what holds here."""
    at = manifest.get("commit") or commit()
    saved = Path(f"{manifest['run']}.yaml")
    return Provenance(
        versions=manifest.get("versions") or versions(),
        commit=at,
        commands=tuple(manifest.get("commands") or commands(saved, at, "the configuration, saved from below")),
    )


def commands(configuration: Path, at: str | None, where: str) -> list[str]:
    """Return the commands that make a run again in a checkout of the workflow.

    Parameters
    ----------
    configuration
        File with the configuration of the run.
    at
        The commit, as :func:`commit` gives it.
    where
        Where that file is found, or made.
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
        f"snakemake --cores all --configfile {shlex.quote(str(configuration))}   # {where}",
    ]


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the steps use.

    Those that the workflow tells in :data:`VARIABLE`, or else those that are installed here: with an environment of its
    own a step has only some of the packages, and never Snakemake. What neither knows is left out.
    """
    told: dict[str, str] = json.loads(os.environ.get(VARIABLE) or "{}")
    found = {"python": platform.python_version(), **{name: _installed(name) for name in PACKAGES}, **told}
    return {name: number for name, number in found.items() if number is not None}


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def pinned(environments: Path) -> dict[str, str]:
    """Return the versions of Python and of :data:`PACKAGES` that conda environments pin.

    Parameters
    ----------
    environments
        Folder of their files; all of them are made from one lock, so that a package has one version.
    """
    found: dict[str, str] = {}
    for path in sorted(environments.glob("*.yaml")):
        found.update(_PIN.findall(path.read_text(encoding="utf-8")))
    return {name: found[name] for name in ("python", *PACKAGES) if name in found}


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
