"""Which device a model runs on."""

import os

import torch

from lociflow.command import UserError
from lociflow.processor import processor

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(name: str) -> torch.device:
    """Turn the argument ``--device`` into a device; ``auto`` takes a GPU where there is one.

    A GPU is set, for the whole process, to algorithms that give the same bits every time and to the full precision of
    float32: by default its kernels add up in whatever order threads finish, and cut products to TF32's ten bits, so
    that neither two runs nor GPU and CPU would agree.

    Raises
    ------
    UserError
        ``cuda`` is asked for and no GPU can be used.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError(
            "--device cuda: found no GPU that this build of torch can use, expected one; install a CUDA build of "
            "torch, or compute on the CPU: snakemake --resources gpu=0 (on a cluster gpu: 0 in the profile), or by "
            "hand --device cpu"
        )
    if name == "cpu" or not available:
        return torch.device("cpu")
    # Read when the first handle of cuBLAS is made, which is after this.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device("cuda")


def device_name(device: torch.device, devices: int = 1) -> str:
    """Return the model of a GPU, or of the processor for the CPU.

    Parameters
    ----------
    device
        As :func:`resolve_device` gives it.
    devices
        The first so many GPUs are used; where their models differ, each is named once.
    """
    if device.type != "cuda":
        return processor()
    return ", ".join(dict.fromkeys(torch.cuda.get_device_name(number) for number in range(devices)))
