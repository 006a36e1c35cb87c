"""With what a page was made: versions of the programs, the commit of the workflow."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "snakemake", "torch", "pytorch-lightning", "numpy", "pandas", "scikit-learn", "tangermeme", "captum",
    "modisco-lite", "memelite", "pyjaspar", "hydra-core", "pybedtools", "pysam", "matplotlib",
)  # fmt: skip
LOCIFLOW = Path(__file__).resolve().parents[3]


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
