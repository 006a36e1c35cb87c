"""An epoch of training as lociflow does it against a bare loop over batches that lie in memory as one-hot floats.

Both train the same weights on the same batches in the same order, with the same loss, optimiser and schedule, and the
weights they end with are held against each other. The bare loop has nothing to read, to expand, to draw or to report.
"""

import functools
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import measure
import numpy as np
import torch
from data_files import BIN, training_loader, write_data
from genome_files import write_genome
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lociflow.config import Configuration
from lociflow.data.dataset import Sample, make_loader
from lociflow.data.draws import Purpose, torch_seed
from lociflow.data.one_hot import OneHot
from lociflow.models.checkpoint import build_model
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import DNA
from lociflow.sequence.store import open_store
from lociflow.training.labels import label_statistics
from lociflow.training.optimizers import make_optimizer, make_schedule
from lociflow.training.supervised import Supervised, make_objective

BASES = 20_000_000
# Eight tenths are trained on: 125 batches of 64.
WINDOWS = 10_000
TARGETS = 6
LENGTH = 240
REPEATS = 5
# By how much lociflow's epoch may be slower for a model that is worth training.
LIMIT = 1.1
# How often the GPU is asked how busy it is, in seconds.
ASKED = 0.05
# What is trained: a model of config/model, and its architecture where it is not that file's.
CASES: dict[str, tuple[str, dict[str, Any] | None]] = {
    "deepsea_small": ("deepsea_small", None),
    "one detector": (
        "deepbind_small",
        {"_target_": "lociflow.models.deepbind.DeepBind", "detectors": 1, "kernel": 8, "pooling": ["max"], "hidden": 0},
    ),
}
DATASET = """
description: Random labels.
genome: {name: random, source: {path: genome.fa}}
split: {name: holdout, _target_: lociflow.genome.splits.by_contig, validation: [contig2], test: [contig3]}
windows: {_target_: lociflow.genome.windows.tile_bins, bin: %d, length: %d}
targets: {files: {a: {path: a.bed}}}
labels: {kind: binary}
"""


class Task(NamedTuple):
    """What both sides train."""

    config: dict[str, Any]
    store: Path
    folder: Path
    device: torch.device

    def model(self) -> nn.Module:
        """Build the model with the weights of the seed."""
        torch.manual_seed(1)
        return build_model(self.config["model"], outputs()).to(self.device)

    def objective(self) -> Supervised:
        """Build the loss."""
        labels = np.load(self.folder / "targets.npy", mmap_mode="r")
        statistics = label_statistics(labels, np.arange(int(WINDOWS * 0.8)), outputs())
        objective = make_objective(self.config["training"], statistics)
        assert isinstance(objective, Supervised)
        return objective.to(self.device)

    def loader(self) -> DataLoader[Sample]:
        """Open the training windows, from random strands."""
        batch = self.config["training"]["batch_size"]
        found: DataLoader[Sample] = training_loader(self.store, self.folder, LENGTH, batch, jitter=0, workers=0)
        return found

    def clock(self) -> np.ndarray:
        """Return the time, and the time of the processor so far, when the device has done what it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return np.array([time.perf_counter(), time.process_time()])


class Timed(NamedTuple):
    """An epoch."""

    seconds: float
    processor_seconds: float
    """Of this process, which other processes do not lengthen."""
    busy: float | None
    """Per cent of the time in which the GPU was busy; None on a CPU."""
    weights: dict[str, Tensor]


def outputs() -> Outputs:
    return Outputs("binary", tuple(f"target{number}" for number in range(TARGETS)))


def lightning_epoch(task: Task, number: int) -> Timed:
    """Train two epochs with :func:`lociflow.training.train.fit` and time the second, with all that belongs to one."""
    from lociflow.training.callbacks import Epochs
    from lociflow.training.fit import fit
    from lociflow.training.module import TrainingModule
    from lociflow.training.parallel import Process, ShareSampler

    ends: list[np.ndarray] = []

    class Clock(Epochs):
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            super().on_train_epoch_end(trainer, pl_module)
            ends.append(task.clock())

    recipe, objective, whole = task.config["training"], task.objective(), task.loader()
    share = ShareSampler(whole.sampler, Process())  # type: ignore[arg-type]
    loader = make_loader(whole.dataset, share, workers=0)  # type: ignore[arg-type]
    module = TrainingModule(
        task.model(),
        objective,
        functools.partial(make_optimizer, recipe),
        functools.partial(make_schedule, recipe["schedule"]),
        total_steps=2 * len(share),
        seed=1,
        alphabet=DNA,
        batch_sizes=share.sampler.batch_sizes,
    )
    # Nothing is validated, and the history is told so.
    module.validation = dict.fromkeys(objective.monitors)
    epochs = Clock(objective.monitors, None, 0, 0.0)
    state = task.folder / f"state{number}" / "training.ckpt"
    state.parent.mkdir()
    with gpu_use(task.device) as busy:
        twice = {**recipe, "max_epochs": 2}
        fit(module, loader, share, None, epochs, twice, task.device, state)  # type: ignore[arg-type]
    torch.use_deterministic_algorithms(False)
    return Timed(*(ends[1] - ends[0]).tolist(), busy(), module.model.state_dict())


def bare_epoch(task: Task, draws: Callable[[int, int], object] = lambda epoch, batch: None) -> Timed:
    """Train two epochs as briefly as PyTorch lets one write it, and time the second.

    Parameters
    ----------
    task
        What is trained.
    draws
        Called before each batch with the epoch and the batch.
    """
    recipe, model, criterion = task.config["training"], task.model().train(), task.objective().criterion
    epochs = [in_memory(task, epoch) for epoch in (0, 1)]
    optimizer = make_optimizer(recipe, model)
    schedule = make_schedule(recipe["schedule"], optimizer, total_steps=sum(map(len, epochs)))
    ends = []
    with gpu_use(task.device) as busy:
        for epoch, batches in enumerate(epochs):
            for number, (sequence, labels, mask) in enumerate(batches):
                draws(epoch, number)
                optimizer.zero_grad()
                criterion(model({"sequence": sequence}), labels, mask).backward()
                optimizer.step()
                schedule.step()
            ends.append(task.clock())
    return Timed(*(ends[1] - ends[0]).tolist(), busy(), model.state_dict())


def in_memory(task: Task, epoch: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Read an epoch's batches ahead: one-hot sequence, labels and which of them are known, on the device."""
    loader, expand = task.loader(), OneHot()
    loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
    batches = ((expand(batch.views)["sequence"], batch.targets, batch.mask) for batch in loader)
    return [tuple(part.to(task.device) for part in batch) for batch in batches]  # type: ignore[misc]


@contextmanager
def gpu_use(device: torch.device) -> Iterator[Callable[[], float | None]]:
    """Ask the GPU from time to time how busy it is; yields what tells the mean, None where it cannot be asked."""
    found: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(ASKED):
            try:
                found.append(torch.cuda.utilization())
            except (ImportError, RuntimeError):
                return

    asking = threading.Thread(target=ask, daemon=True)
    if device.type == "cuda":
        asking.start()
    try:
        yield lambda: round(sum(found) / len(found), 1) if found else None
    finally:
        stop.set()


def compare(store: str, folder: str, home: str, name: str, device: str) -> dict[str, Any]:
    """Run both sides in turn, in one process, so that what else the machine does falls on both."""
    torch.set_num_threads(1)
    model, architecture = CASES[name]
    groups = Configuration(measure.HOME / "config", measure.HOME / "workflow" / "schemas", [Path(home)])
    config = groups.trained("random", model, "default", ())["training"]
    if architecture:
        config["model"]["architecture"] = architecture
    task = Task(config, Path(store), Path(folder), torch.device(device))
    ours, theirs = [], []
    for number in range(REPEATS):
        ours.append(lightning_epoch(task, number))
        theirs.append(bare_epoch(task))
    # Dropout draws anew for each batch of lociflow's, from a seed that is the batch's own.
    same = bare_epoch(task, lambda epoch, batch: torch.manual_seed(torch_seed(1, Purpose.STEP, epoch, batch)))
    gap = max(
        float((value.double() - same.weights[key].double()).abs().max()) for key, value in ours[0].weights.items()
    )
    return {
        "seconds": [one.seconds for one in ours],
        "other_seconds": [one.seconds for one in theirs],
        "processor_seconds": [one.processor_seconds for one in ours],
        "other_processor_seconds": [one.processor_seconds for one in theirs],
        "busy": [one.busy for one in ours],
        "other_busy": [one.busy for one in theirs],
        "largest_difference": gap,
        "steps": len(task.loader().sampler),  # type: ignore[arg-type]
        "parameters": sum(parameter.numel() for parameter in task.model().parameters()),
        "batch": config["training"]["batch_size"],
    }


def benchmark() -> None:
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    if len(devices) == 1:
        print("training: PyTorch sees no GPU here, so only the CPU is measured", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, store = write_genome(folder, BASES)
        (folder / "own" / "dataset").mkdir(parents=True)
        (folder / "own" / "dataset" / "random.yaml").write_text(DATASET % (BIN, LENGTH))
        for device in devices:
            for case in CASES:
                data = folder / device / case
                data.mkdir(parents=True)
                write_data(data, open_store(store), WINDOWS, TARGETS)
                report(
                    case,
                    device,
                    *measure.child(compare, store=store, folder=data, home=folder / "own", name=case, device=device),
                )


def report(case: str, device: str, found: dict[str, Any], memory: dict[str, float]) -> None:
    """Print what was measured as a row."""
    ours, theirs, our_processor, their_processor = (
        median(found[name]) for name in ("seconds", "other_seconds", "processor_seconds", "other_processor_seconds")
    )
    ratios = [one / other for one, other in zip(found["seconds"], found["other_seconds"], strict=True)]
    windows = int(WINDOWS * 0.8)
    measure.row(
        "training epoch",
        model=case,
        parameters=found["parameters"],
        windows=windows,
        length=LENGTH,
        targets=TARGETS,
        batch=found["batch"],
        device=device if device == "cpu" else torch.cuda.get_device_name(),
        threads=1,
        workers=0,
        what="the second epoch of lociflow's fit: loader with random strands, one-hot, mean loss, history, state file",
        other="a bare loop over one-hot float batches in memory: neither reading nor one-hot expansion is counted",
        seconds=round(ours, 4),
        seconds_all=[round(value, 4) for value in found["seconds"]],
        other_seconds=round(theirs, 4),
        other_seconds_all=[round(value, 4) for value in found["other_seconds"]],
        processor_seconds=round(our_processor, 4),
        processor_seconds_all=[round(value, 4) for value in found["processor_seconds"]],
        other_processor_seconds=round(their_processor, 4),
        other_processor_seconds_all=[round(value, 4) for value in found["other_processor_seconds"]],
        ratio=round(ours / theirs, 3),
        ratio_of_processor_seconds=round(our_processor / their_processor, 3),
        ratio_of_pairs=round(median(ratios), 3),
        wanted_ratio=LIMIT if case == "deepsea_small" else None,
        overhead_microseconds_per_step=round((ours - theirs) / found["steps"] * 1e6, 1),
        processor_microseconds_per_step=round((our_processor - their_processor) / found["steps"] * 1e6, 1),
        samples_per_second=round(windows / ours),
        other_samples_per_second=round(windows / theirs),
        gpu_utilisation=found["busy"],
        other_gpu_utilisation=found["other_busy"],
        largest_difference_of_weights=found["largest_difference"],
        peak_memory=memory,
    )


if __name__ == "__main__":
    measure.main(benchmark, globals())
