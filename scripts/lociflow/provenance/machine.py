"""On what a run was recorded: processor, memory, GPUs and operating system. No name of a person, host or folder."""

import os
import platform
import subprocess

import psutil

from lociflow.processor import processor


def machine() -> dict[str, str | int]:
    """Return what this machine is.

    Returns
    -------
    dict
        ``system``, ``architecture``, ``processor``, ``cores`` (logical, of the machine), ``usable_cores`` (of this
        process), ``memory_bytes`` and ``gpu`` (model, driver and memory of each, as ``nvidia-smi`` tells them; ``none``
        where it is not there).
    """
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count() or 0,
        "usable_cores": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 0,
        "memory_bytes": psutil.virtual_memory().total,
        "gpu": "; ".join(_gpus()) or "none",
    }


def _gpus() -> list[str]:
    try:
        told = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in told.splitlines() if line.strip()]
