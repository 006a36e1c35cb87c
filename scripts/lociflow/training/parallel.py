"""Data-parallel training: one process for each device, each with its share of every batch.

How many devices there are is a matter of the machine: batches, strands and shifts are those of one process, and so is
each step but for rounding, because gradients are averaged over all known labels of the batch and not over the
processes. What differs: dropout, and whatever else a model or an objective draws in training, has a stream of its own
in each process, and on a CPU each process normalises its batches by its own share, as torch synchronises batch
normalisation on GPUs only. Validation is done whole in every process; the scores of the first one count, and it alone
writes.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
import torch.multiprocessing
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import ProcessExitedException
from torch.utils.data import Sampler

from lociflow.command import UserError, atomic, status
from lociflow.data.draws import Purpose, torch_seed
from lociflow.data.sampler import Request, TrainingSampler
from lociflow.training.objectives import Loss

# Processes on one machine, at the most.
MOST = 1024


class Process(NamedTuple):
    """One of the processes that train together."""

    rank: int = 0
    world: int = 1
    """How many there are."""

    @property
    def first(self) -> bool:
        """Whether it is the one that writes."""
        return self.rank == 0


class Shared(NamedTuple):
    """The loss of a batch of which each process has a share."""

    backward: Tensor
    """What this process takes the gradient of: the mean of these gradients over the processes is that of the batch."""
    whole: Loss
    """The loss of the whole batch, the same in every process; has no gradient."""


class ShareSampler(Sampler[Request]):
    """A process's share of each batch of a sampler.

    Parameters
    ----------
    sampler
        Of the whole batches.
    process
        Whose share it is.
    """

    def __init__(self, sampler: TrainingSampler, process: Process) -> None:
        self.sampler = sampler
        self.process = process

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration, counted from 0; Lightning calls this before each epoch."""
        self.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Request]:
        for request in self.sampler:
            yield rank_share(request, self.process)


def rank_share(request: Request, process: Process) -> Request:
    """Return a process's part of a batch; together the parts are the batch, in its order.

    They differ by one bin at the most. Where there are fewer bins than processes, one that would have none gets the
    last bin, since all must take each step: :func:`is_spare` tells which those are.
    """
    size = len(request.bins)
    first, end = (size * rank // process.world for rank in (process.rank, process.rank + 1))
    part = slice(first, end) if first < end else slice(size - 1, size)
    return Request(request.bins[part], request.reverse[part], None if request.shift is None else request.shift[part])


def is_spare(size: int, process: Process) -> bool:
    """Tell whether a process's share of a batch of ``size`` bins is a bin that another process counts."""
    return size * process.rank // process.world == size * (process.rank + 1) // process.world


def shared_loss(loss: Loss, process: Process, spare: bool = False) -> Shared:
    """Turn the loss of a process's share into that of the whole batch.

    Torch averages the gradients of the processes. A share with more known labels must weigh more, so that it is the
    mean over all labels that is followed.

    Parameters
    ----------
    loss
        Of the share.
    process
        Whose share it is; alone, the loss is its own.
    spare
        Whether the share counts for nothing, see :func:`is_spare`.
    """
    if process.world == 1:
        return Shared(loss.mean, Loss(loss.mean.detach(), loss.count))
    # A mean is the sum divided by the count or, where the weights of labels add up to less, by 1.
    mean, count = loss.mean.detach().double(), loss.count.double()
    own = torch.stack([mean * count.clamp(min=1), count])
    if spare:
        own = torch.zeros_like(own)
    total = own.clone()
    distributed.all_reduce(total)
    weight = own.new_zeros(()) if spare else count.clamp(min=1) / total[1].clamp(min=1) * process.world
    backward = loss.mean * weight.to(loss.mean.dtype)
    return Shared(backward, Loss((total[0] / total[1].clamp(min=1)).to(loss.mean.dtype), total[1].to(loss.count.dtype)))


def step_seed(seed: int, epoch: int, batch: int, process: Process) -> int:
    """Draw the seed of what is random in a process's share of a batch; the first process has that of one alone."""
    if process.first:
        return torch_seed(seed, Purpose.STEP, epoch, batch)
    return torch_seed(seed, Purpose.RANK, epoch, batch * MOST + process.rank)


def from_first(value: Any, process: Process) -> Any:
    """Return what the first process has, so that all decide alike: rounding may differ from device to device."""
    if process.world == 1:
        return value
    held = [value]
    distributed.broadcast_object_list(held)
    return held[0]


def save_state(trainer: pl.Trainer, path: Path, process: Process) -> None:
    """Write the state of a training; all processes must call it, and the first one writes."""
    if process.first:
        with atomic(path) as temporary:
            trainer.save_checkpoint(temporary)
    else:
        trainer.save_checkpoint(path)


def trainer_options(process: Process, device: torch.device) -> dict[str, Any]:
    """Return what Lightning's trainer must know: ``devices``, ``strategy`` and ``sync_batchnorm``."""
    if process.world == 1:
        return {"devices": 1}
    on_gpu = device.type == "cuda"
    return {
        "devices": process.world,
        "strategy": DDPStrategy(process_group_backend="nccl" if on_gpu else "gloo"),
        "sync_batchnorm": on_gpu,
    }


def tell_differences(model: nn.Module, process: Process, device: torch.device) -> None:
    """Say where a model of several processes is not that of one, for what torch cannot do on a CPU."""
    normalised = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())
    if process.world > 1 and process.first and device.type == "cpu" and normalised:
        status(f"on a CPU each of the {process.world} processes normalises its batches by its own share of them")


def launch(work: Callable[[Process], None], devices: int, device: str) -> None:
    """Do the same work in one process for each device, and wait until all are done.

    One device needs no other process. The processes are forks: what is in memory need not be handed over, and a GPU
    must not have been used before. When one fails the others are ended, and all end with this process.

    Parameters
    ----------
    work
        Told which of the processes it is in. Its return value is lost, so that the first one writes its results.
    devices
        Number of devices, and of processes.
    device
        "auto", "cpu" or "cuda".

    Raises
    ------
    UserError
        There are not so many devices; or one that was raised in a process.
    """
    if devices == 1:
        work(Process())
        return
    available = torch.cuda.device_count() if device != "cpu" else 0
    if not 1 <= devices <= MOST or (device == "cuda" and devices > available) or (0 < available < devices):
        raise UserError(
            f"--devices: found {devices}, expected a number from 1 to {available or MOST}, as there are "
            f"{available} GPUs; ask for fewer"
        )
    told: torch.multiprocessing.SimpleQueue[str] = torch.multiprocessing.get_context("fork").SimpleQueue()
    processes = torch.multiprocessing.start_processes(
        _one, (work, devices, free_port(), os.getpid(), told), nprocs=devices, join=False, start_method="fork"
    )
    assert processes is not None
    # That it ends the others when one fails is no news to a user.
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    try:
        while not processes.join():
            pass
    except ProcessExitedException:
        if told.empty():
            raise
        raise UserError(told.get()) from None
    finally:
        for process in processes.processes:
            if process.is_alive():
                process.terminate()


def _one(
    rank: int,
    work: Callable[[Process], None],
    world: int,
    port: int,
    parent: int,
    told: "torch.multiprocessing.SimpleQueue[str]",
) -> None:
    """Do the work of one process."""
    if rank:
        # The first process tells where the training stands.
        logging.disable(logging.INFO)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.environ.update(
        LOCAL_RANK=str(rank), NODE_RANK="0", WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    try:
        work(Process(rank, world))
    except UserError as error:
        told.put(str(error))
        raise SystemExit(1) from None
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: two trainings must not write the same files."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
