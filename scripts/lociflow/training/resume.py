"""Where the state of a training lies between two processes, and when it may be taken up."""

import contextlib
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from lociflow.checksums import damage, forget
from lociflow.code_digest import program
from lociflow.command import status
from lociflow.machine_refusals import is_refusal
from lociflow.models.checkpoint import read_whole


def training_key(config: Mapping[str, Any], digests: Mapping[str, str], device: str, devices: int) -> str:
    """Return a digest of everything that decides a training's result.

    Parameters
    ----------
    config
        The resolved configuration.
    digests
        Of the input files.
    device
        Type of the device.
    devices
        How many there are. With torch's version and the package's program text it makes up the rest.
    """
    digest = hashlib.sha256()
    digest.update(json.dumps([config, digests, device, devices, torch.__version__], sort_keys=True).encode())
    for path in package_files():
        digest.update(program(path).encode())
    return digest.hexdigest()


def package_files() -> list[Path]:
    """Return the source files of this package's modules that are loaded, sorted by module name."""
    package = __name__.partition(".")[0]
    loaded = {
        name: getattr(module, "__file__", None)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == package
    }
    return [Path(file) for _, file in sorted(loaded.items()) if file]


def state_path(folder: Path, key: str) -> Path:
    """Return the file of the state of the training with this key."""
    return folder / f"training-{key[:16]}.ckpt"


def find_state(path: Path) -> Path | None:
    """Return the file if a training can go on from it; drop the states of trainings of another key."""
    for other in path.parent.glob("training-*.ckpt"):
        if other != path:
            status(f"{other} is of other settings, inputs or code: training from the beginning")
            # Each of several processes looks.
            other.unlink(missing_ok=True)
    if not path.exists():
        return None
    if _is_damaged(path):
        status(f"{path} is damaged: training from the beginning")
        path.unlink(missing_ok=True)
        return None
    return path


def _is_damaged(path: Path) -> bool:
    if damage(path):
        return True
    try:
        read_whole(path)
    except Exception as error:
        # A machine that gives no memory, or loses its disk for a moment, must not cost the epochs that are done.
        if is_refusal(error):
            raise
        return True
    return False


def whole_epochs(path: Path) -> int:
    """Return how many whole epochs lie behind a state."""
    return int(torch.load(path, map_location="cpu", weights_only=True, mmap=True)["epoch"]) + 1


def remove_state(path: Path) -> None:
    """Remove the state, and its folder unless something else lies in it."""
    path.unlink(missing_ok=True)
    forget(path)
    with contextlib.suppress(OSError):
        path.parent.rmdir()
