"""Snakemake on the Slurm that with_slurm.sh has started, and what its controller says of the jobs."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tiny_run import HOME

# One machine and no accounting: few jobs at once, asked for often.
ONE_MACHINE = (
    "--jobs=2",
    "--latency-wait=10",
    "--seconds-between-status-checks=2",
)
SLURM = (
    f"--workflow-profile={HOME / 'profiles/slurm'}",
    *ONE_MACHINE,
    "--slurm-status-command=squeue",
    "--slurm-init-seconds-before-status-checks=2",
)
HERE = HOME / "tests/cluster"
SUBMIT_COMMAND = (
    f"--workflow-profile={HOME / 'profiles/cluster-generic'}",
    *ONE_MACHINE,
    f"--cluster-generic-submit-cmd={HERE}/submit.sh "
    "{rule} {threads} {resources.mem_mb} {resources.runtime} {resources.gpu} {resources.queue}",
    f"--cluster-generic-status-cmd={HERE}/status.sh",
    "--cluster-generic-cancel-cmd=scancel",
)


class Job(NamedTuple):
    """A job as the controller describes it."""

    number: str
    rule: str
    state: str
    partition: str
    threads: int
    mem_mb: int
    minutes: int
    gpus: int


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start snakemake in a folder; what it says goes to ``said`` there."""
    environment = {
        **os.environ,
        "PATH": f"{HOME / 'tests/cluster/fake_gpu'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LOCIFLOW_PYTHON": sys.executable,
    }
    with (folder / "said").open("w") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", f"--snakefile={HOME / 'Snakefile'}", *arguments],
            cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


def finish(folder: Path, process: subprocess.Popen[str], status: int = 0) -> str:
    """Wait until snakemake ends as it should, and return what it has said."""
    found = process.wait()
    said = (folder / "said").read_text()
    assert found == status, said[-5000:]
    return said


def snakemake(folder: Path, *arguments: str, status: int = 0) -> str:
    """Run snakemake in a folder, and return what it has said."""
    return finish(folder, start(folder, *arguments), status)


def jobs(folder: Path) -> list[Job]:
    """Return the jobs of a folder in the order in which they were submitted, also those that have ended."""
    told = subprocess.run(["scontrol", "show", "job", "--oneliner"], capture_output=True, text=True, check=False).stdout
    found = []
    for line in told.splitlines():
        about = dict(part.split("=", 1) for part in line.split() if "=" in part)
        if about.get("WorkDir") != str(folder):
            continue
        gpus = re.search(r"gpu:(\d+)", about.get("TresPerJob", ""))
        found.append(
            Job(
                about["JobId"],
                re.sub(r"^rule_|_wildcards_.*", "", about["Comment"]),
                about["JobState"],
                about["Partition"],
                int(about["NumCPUs"]),
                megabytes(about["MinMemoryNode"]),
                minutes(about["TimeLimit"]),
                int(gpus[1]) if gpus else 0,
            )
        )
    return sorted(found, key=lambda job: int(job.number))


def megabytes(text: str) -> int:
    """Read a size as Slurm writes it: 600M, 6G."""
    return int(float(text[:-1]) * {"M": 1, "G": 1024}[text[-1]])


def minutes(text: str) -> int:
    """Read a time as Slurm writes it: hours:minutes:seconds, with days where there are any."""
    days, _, clock = text.rpartition("-")
    hours, rest, _ = clock.split(":")
    return int(days or 0) * 1440 + int(hours) * 60 + int(rest)


def wait_for(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """Wait until something holds while snakemake runs."""
    while not condition():
        assert process.poll() is None, "snakemake has ended before"
        time.sleep(0.2)
