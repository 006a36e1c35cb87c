"""A finished run that every trial begins with, and what its results must be in the end."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from folder import snakemake, write_data
from jobs import Job, leftovers, load_modules, read_jobs, run_job
from result_digests import differences, result_digests


class World(NamedTuple):
    """A finished run."""

    folder: Path
    jobs: list[Job]
    seconds: dict[tuple[str, ...], float]
    """How long each job takes, by its outputs."""
    expected: dict[str, str]
    """Digests of all that must be the same again."""


def make_world(folder: Path, whole: bool) -> World:
    """Run everything once, undisturbed.

    Parameters
    ----------
    folder
        To run in; made anew.
    whole
        Whether to go on to the motifs and the report, from which snakemake can then go on; otherwise up to the metrics
        and attributions.
    """
    shutil.rmtree(folder, ignore_errors=True)
    write_data(folder)
    planned = checked(snakemake(folder, "--printshellcmds", "--dry-run"))
    jobs = [job for job in read_jobs(planned, folder) if whole or job.rule in SHORT]
    if whole:
        # The one rule without a script.
        checked(snakemake(folder, "results/runs/faults/manifest.json"))
    load_modules(jobs, folder)
    seconds = {}
    for job in jobs:
        ended = run_job(job, folder)
        if ended.status:
            raise SystemExit(f"{job.rule}: {ended.said}")
        seconds[job.outputs] = ended.seconds
    return World(folder, jobs, seconds, digests(folder))


def checked(ran: subprocess.CompletedProcess[str]) -> str:
    """Return what a command has said that must not fail."""
    if ran.returncode:
        raise SystemExit(ran.stdout + ran.stderr)
    return ran.stdout + ran.stderr


# What the short form of the campaign runs: nothing that waits for a report.
SHORT = (
    "fetch", "encode_sequences", "make_windows", "describe_bins", "audit_dataset", "train", "predict", "fit_baseline",
    "evaluate", "attribute",
)  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    """Return the digests of all results of a folder, and of its sources and stores."""
    inputs = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "resources").rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {**inputs, **result_digests(folder)}


# Outputs that carry times, and HDF5, which does: its content is compared by its digest.
TIMED = ("report.html", "history.csv", "modisco.h5", "scores.tsv", "ro-crate-metadata.json")


def other_outputs(world: World, work: Path, jobs: list[Job]) -> list[str]:
    """Return the outputs of some jobs whose bytes are not those of the undisturbed run."""
    names = [name for job in jobs for name in job.outputs]
    files = sorted(
        path for name in names for path in ((work / name).rglob("*") if (work / name).is_dir() else [work / name])
    )
    return [
        f"{path.relative_to(work)} has other bytes"
        for path in files
        if path.name not in TIMED
        and not path.name.startswith(".")
        and not path.is_dir()
        and (not path.exists() or path.read_bytes() != (world.folder / path.relative_to(work)).read_bytes())
    ]


def restore(world: World, work: Path) -> None:
    """Make a working folder what the finished run is."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(world.folder, work, symlinks=True)


def judge(world: World, work: Path, jobs: list[Job]) -> list[str]:
    """Return what differs from the undisturbed run, and what lies there that should not.

    Parameters
    ----------
    world, work
        The undisturbed run, and the folder of the other.
    jobs
        Those that have run since: all of their outputs are compared, of other jobs the results only.
    """
    try:
        found = digests(work)
    except Exception as error:  # a result that no longer can be read
        return [f"a result cannot be read: {error}"]
    left = [f"{path.relative_to(work)} is left over" for path in leftovers(work)]
    return [*differences(world.expected, found), *other_outputs(world, work, jobs), *left]
