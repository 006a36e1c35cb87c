"""Run one side of a benchmark in a process of its own, watch its memory, and print what was measured as JSON rows.

A benchmark file defines functions that take keyword arguments and return JSON values; :func:`child` runs one of them.
"""

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

HOME = Path(__file__).resolve().parents[2]
SCRIPTS = HOME / "scripts"
sys.path.insert(0, str(SCRIPTS))

from lociflow.processor import processor  # noqa: E402

# How often memory is looked at, in seconds.
INTERVAL = 0.02
KINDS = {"Pss_Anon": "anonymous_mb", "Pss_File": "file_mb", "Pss_Shmem": "shared_mb"}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class Peaks(threading.Thread):
    """Keeps the largest memory of a process and those that it started, in MB (10**6 bytes).

    The proportional set size counts a page that several processes share once. Anonymous memory is what a process cannot
    give back; pages of mapped files the kernel can drop, so they are told apart.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root = psutil.Process(pid)
        self.found = dict.fromkeys((*KINDS.values(), "total_mb"), 0.0)
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(INTERVAL):
            now = dict.fromkeys(KINDS.values(), 0.0)
            try:
                tree = [self.root, *self.root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for process in tree:
                try:
                    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
                except (OSError, ProcessLookupError):
                    continue
                for line in lines:
                    name, _, rest = line.partition(":")
                    if name in KINDS:
                        now[KINDS[name]] += int(rest.split()[0]) * 1024 / 1e6
            now["total_mb"] = sum(now.values())
            self.found = {name: max(self.found[name], value) for name, value in now.items()}


def watch(command: list[str], threads: int, folder: Path | None = None) -> tuple[str, float, dict[str, float]]:
    """Run a command and return what it wrote to stdout, its seconds and its peak memory."""
    environment = {**os.environ, **dict.fromkeys(THREADS, str(threads)), "PYTHONPATH": str(SCRIPTS)}
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder)
    peaks = Peaks(process.pid)
    peaks.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - begin
    peaks.stop.set()
    peaks.join()
    if process.returncode:
        raise SystemExit(f"error: {' '.join(command)[:300]}: ended with {process.returncode}")
    return output, seconds, {name: round(value, 1) for name, value in peaks.found.items()}


def child(function: Callable[..., Any], threads: int = 1, **arguments: Any) -> tuple[Any, dict[str, float]]:
    """Call a function of a benchmark file in a process of its own; return its result and peak memory."""
    file = sys.modules[function.__module__].__file__
    command = [sys.executable, str(file), "--call", function.__name__, json.dumps(arguments, default=str)]
    output, _, peaks = watch(command, threads)
    return json.loads(output.splitlines()[-1]), peaks


def best_of(function: Callable[[], Any], repeats: int) -> list[float]:
    """Call once to warm up, then time calls: seconds, the shortest first."""
    function()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return sorted(seconds)


def row(benchmark: str, **measured: Any) -> None:
    """Print one JSON row: what was measured, on what and by which code."""
    about = {"benchmark": benchmark, **machine(), **measured}
    print(json.dumps(about, ensure_ascii=False), flush=True)


def machine() -> dict[str, Any]:
    """Say which code ran where: the commit (with + where the working tree differs), the machine and its load."""
    return {
        "commit": _commit(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "torch": version("torch"),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _commit() -> str:
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HOME, capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain"], cwd=HOME, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")


def main(benchmark: Callable[[], None], namespace: Mapping[str, Any]) -> None:
    """Run a benchmark file: the whole of it, or the one function that :func:`child` asks for."""
    if sys.argv[1:2] == ["--call"]:
        print(json.dumps(namespace[sys.argv[2]](**json.loads(sys.argv[3]))))
    else:
        benchmark()
