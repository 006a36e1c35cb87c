"""Which device a model runs on."""

import torch

from lociflow.command import UserError

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(name: str) -> torch.device:
    """Turn the argument ``--device`` into a device; ``auto`` takes a GPU where there is one.

    Raises
    ------
    UserError
        ``cuda`` is asked for and no GPU can be used.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError(
            "--device cuda: found no GPU that this build of torch can use, expected one; use --device cpu, or install "
            "a CUDA build of torch"
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")
