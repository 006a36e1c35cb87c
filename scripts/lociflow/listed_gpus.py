"""Which GPUs the driver of this machine lists."""

import subprocess

SECONDS = 10.0


def listed_gpus() -> list[str]:
    """Return the GPUs as ``nvidia-smi -L`` names them, their identifiers left out.

    The program alone says nothing: many clusters install it on every node, those without a GPU too.
    """
    try:
        told = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if told.returncode:
        return []
    return [line.partition(" (UUID")[0] for line in told.stdout.splitlines() if line.startswith("GPU ")]
