"""The name of this machine's processor."""

import platform
from pathlib import Path


def processor() -> str:
    """Return the processor's model, as Linux or else Python tells it; ``unknown`` where neither does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown"
