"""The jobs of a run as its scripts, each run in a process that can be killed."""

import contextlib
import importlib
import os
import re
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from folder import HOME, PATIENCE, environment

SCRIPTS = HOME / "scripts"
BLOCK = re.compile(r"^(?:local)?rule (\w+):$", re.MULTILINE)

COMMAND = re.compile(r"^Shell command: (?:\w+=\w+ )*python (.*)$", re.MULTILINE)


class Job(NamedTuple):
    """One job of a run."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    arguments: tuple[str, ...]
    """The script and its arguments."""


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    """Exit status; negative: the signal that ended it."""
    said: str
    """What it wrote to stdout and stderr."""
    seconds: float


def read_jobs(text: str, folder: Path) -> list[Job]:
    """Read the jobs that have a script from what ``snakemake --printshellcmds`` says, in their order."""
    begins = [match.start() for match in BLOCK.finditer(text)]
    jobs = {}
    for begin, end in zip(begins, [*begins[1:], len(text)], strict=True):
        block = text[begin:end]
        rule, command = BLOCK.match(block), COMMAND.search(block)
        if rule and command:
            outputs = _files(block, "output")
            jobs[outputs] = Job(rule[1], _files(block, "input"), outputs, _words(command[1], folder))
    return list(jobs.values())


def _files(block: str, kind: str) -> tuple[str, ...]:
    found = re.search(rf"^    {kind}: (.*)$", block, re.MULTILINE)
    names = found[1].split(", ") if found else []
    return tuple(name.partition(" (")[0] for name in names)


def _words(command: str, folder: Path) -> tuple[str, ...]:
    told = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], cwd=folder, capture_output=True, text=True, check=True
    )
    return tuple(told.stdout.split("\0")[:-1])


def load_modules(jobs: list[Job], folder: Path) -> None:
    """Import what the scripts import, once, so that a job's process begins with its work."""
    sys.path.insert(0, str(SCRIPTS))
    os.environ.update(environment())
    for script in sorted({job.arguments[0] for job in jobs}):
        for name in re.findall(r"^from (lociflow[\w.]*) import", (folder / script).read_text(), re.MULTILINE):
            importlib.import_module(name)
    for name in ("pytorch_lightning", "h5py", "matplotlib.pyplot", "modiscolite", "pyjaspar", "captum", "tangermeme"):
        importlib.import_module(name)


def start(job: Job, folder: Path, said: Path) -> int:
    """Start a job in a process group of its own and return its process."""
    process = os.fork()
    if process:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.setpgid(process, process)
        return process
    status = 70
    try:
        os.setpgid(0, 0)
        os.chdir(folder)
        handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.argv = list(job.arguments)
        # pytest or a terminal may have put something else in their places.
        sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
        try:
            runpy.run_path(job.arguments[0], run_name="__main__")
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def wait(process: int, said: Path, limit: float = PATIENCE) -> Ended | None:
    """Wait for a process; None where it still lives after so many seconds."""
    began = time.monotonic()
    while time.monotonic() - began < limit:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            text = said.read_text(errors="replace") if said.exists() else ""
            return Ended(os.waitstatus_to_exitcode(status), text, time.monotonic() - began)
        time.sleep(0.002)
    return None


def kill(process: int) -> None:
    """Kill a process with all that it has started, and take leave of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)


def run_job(job: Job, folder: Path) -> Ended:
    """Run a job to its end.

    Raises
    ------
    TimeoutError
        It does not end.
    """
    said = folder / "said.txt"
    process = start(job, folder, said)
    ended = wait(process, said)
    if ended is None:
        kill(process)
        raise TimeoutError(f"{job.rule}: did not end in {PATIENCE} seconds")
    return ended


def run_and_kill(job: Job, folder: Path, after: float) -> Ended | None:
    """Kill a job so many seconds after its start; return how it ended where it did before."""
    said = folder / "said.txt"
    process = start(job, folder, said)
    ended = wait(process, said, after)
    if ended is None:
        kill(process)
    return ended


def kill_at(job: Job, folder: Path, pattern: str) -> Path | None:
    """Kill a job as soon as a file of its own is there; return the file, None where the job ended without it."""
    said = folder / "said.txt"
    process = start(job, folder, said)
    while wait(process, said, 0.002) is None:
        for path in folder.glob(pattern):
            if not path.name.startswith("."):
                kill(process)
                return path
    return None


def leftovers(folder: Path) -> Iterator[Path]:
    """Yield what no finished run may leave: temporary files, unfinished transfers, states for resuming."""
    for top in ("results", "resources"):
        for path in (folder / top).rglob("*"):
            # Snakemake's own, in outputs that are folders.
            if path.name == ".snakemake_timestamp":
                continue
            if path.name.startswith(".") or ".part" in path.name or "resume" in path.parts:
                yield path
