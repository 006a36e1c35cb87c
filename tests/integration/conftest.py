"""The real data sets, made once for all tests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from lociflow.genome.window_table import about_windows, read_windows

HOME = Path(__file__).parents[2]
AUDITED = ("nfe2", "uci_splice", "yeast_gene_parts")


class Results:
    """What ``make_windows`` and the audit have written of some data sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def summary(self, name: str) -> dict[str, Any]:
        """Return what was counted while the windows were made."""
        found: dict[str, Any] = json.loads((self.folder / name / "windows.json").read_text())
        return found

    def about(self, name: str) -> dict[str, Any]:
        """Return what the windows table says of the labels."""
        found: dict[str, Any] = about_windows(self.folder / name / "windows.parquet")["labels"]
        return found

    def bins(self, name: str, split: str | None = None) -> pd.DataFrame:
        """Return the bins, their contigs as text."""
        found = read_windows(self.folder / name / "windows.parquet", split)
        return found.assign(contig=found["contig"].astype(str))

    def array(self, name: str, which: str = "targets") -> np.ndarray:
        """Return the labels, or the control."""
        return np.load(self.folder / name / f"{which}.npy")

    def checks(self, name: str) -> dict[tuple[str, str | None], dict[str, Any]]:
        """Return what the audit says, by check and split."""
        audit = json.loads((self.folder / name / "audit.json").read_text())
        return {(check["check"], check["split"]): check for check in audit["checks"]}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest file: of two workers that take a file each, the other then does all else."""
    items.sort(key=lambda item: item.path.stem != "test_quickstart")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the shared real data."""
    if "LOCIFLOW_REAL_DATA" not in os.environ:
        pytest.skip("LOCIFLOW_REAL_DATA names no folder")
    return Path(os.environ["LOCIFLOW_REAL_DATA"])


@pytest.fixture(scope="session")
def datasets(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of one snakemake call that makes the windows of all real data sets and audits three of them."""
    folder = tmp_path_factory.mktemp("datasets")
    names = list(yaml.safe_load((Path(__file__).parent / "datasets.yaml").read_text()))
    files = [f"results/{name}/windows.json" for name in names]
    files += [f"results/{name}/audit.json" for name in AUDITED]
    command = ["snakemake", "--snakefile", HOME / "Snakefile", "--directory", folder, "--cores", "2", "--keep-going"]
    # Its split takes as long as half of the others together.
    command += ["--prioritize", "results/hg19_multilabel/windows.json"]
    ran = subprocess.run(
        [sys.executable, "-m", *command, "--config", f"datasets={','.join(names)}", "--", *files],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LOCIFLOW_MIRROR": str(real_data),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return Results(folder / "results")
