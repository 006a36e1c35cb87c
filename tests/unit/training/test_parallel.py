"""Two processes on a CPU against one."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from lociflow.command import UserError, status
from lociflow.data.dataset import Sample
from lociflow.data.sampler import Request, TrainingSampler
from lociflow.models.basset import Basset
from lociflow.training import parallel
from lociflow.training.fit import check_shares
from lociflow.training.module import TrainingModule
from lociflow.training.objectives import Loss
from lociflow.training.parallel import (
    Process,
    ShareSampler,
    from_first,
    is_spare,
    launch,
    rank_share,
    save_state,
    shared_loss,
    step_seed,
    tell_differences,
    trainer_options,
)

# 18 bins in batches of 4: of the last batch, each of two processes has a single bin.
BINS = 18
BATCH = 4
DRAWS = np.random.default_rng(0)
INPUT = torch.from_numpy(DRAWS.normal(size=(BINS, 3)))
LABELS = torch.from_numpy(DRAWS.integers(0, 2, (BINS, 2)).astype(np.float64))
# Bins have as many known labels as they like: the shares of a batch weigh differently.
KNOWN = torch.from_numpy(DRAWS.random((BINS, 2)) < 0.5)


class Bins(Dataset[tuple[Tensor, Tensor, Tensor]]):
    def __getitem__(self, request: Request) -> tuple[Tensor, Tensor, Tensor]:
        sign = torch.from_numpy(np.where(request.reverse, -1.0, 1.0))[:, None]
        return INPUT[request.bins] * sign, LABELS[request.bins], KNOWN[request.bins]


class Module(pl.LightningModule):
    def __init__(self, process: Process, sizes: np.ndarray) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
        self.process = process
        self.sizes = sizes
        self.losses: list[tuple[float, float]] = []

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> Tensor:
        given, labels, known = batch
        each = nn.functional.binary_cross_entropy_with_logits(self.model(given), labels, reduction="none")
        loss = Loss((each * known).sum() / known.sum().clamp(min=1), known.sum())
        shared = shared_loss(loss, self.process, is_spare(int(self.sizes[batch_idx]), self.process))
        self.losses.append((float(shared.whole.mean), float(shared.whole.count)))
        return shared.backward

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.05)


def train(folder: Path, process: Process) -> None:
    torch.set_num_threads(1)
    whole = TrainingSampler(np.arange(BINS), BATCH, 1, True)
    module = Module(process, whole.batch_sizes)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=4,
        gradient_clip_val=0.3,
        accumulate_grad_batches=2,
        plugins=[LightningEnvironment()],
        use_distributed_sampler=False,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=folder,
        **trainer_options(process, torch.device("cpu")),
    )
    trainer.fit(module, DataLoader(Bins(), sampler=ShareSampler(whole, process), batch_size=None))
    assert from_first(process.rank, process) == 0
    save_state(trainer, folder / f"{process.world}.ckpt", process)
    losses = module.losses
    torch.save((module.model.state_dict(), losses), folder / f"{process.world}_{process.rank}.pt")
    status(f"done by {process.rank}")


def trained(folder: Path, world: int, rank: int = 0) -> tuple[dict[str, Tensor], list[tuple[float, float]]]:
    weights, losses = torch.load(folder / f"{world}_{rank}.pt")
    return weights, losses


def test_two_processes_end_where_one_does(tmp_path: Path) -> None:
    def work(process: Process) -> None:
        train(tmp_path, process)

    for devices in (1, 2):
        launch(work, devices, "cpu")
    weights, losses = trained(tmp_path, 1)
    for rank in (0, 1):
        others, found = trained(tmp_path, 2, rank)
        for name, tensor in weights.items():
            torch.testing.assert_close(others[name], tensor, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found, losses, rtol=1e-9)
    one, two = (torch.load(tmp_path / f"{world}.ckpt", weights_only=True) for world in (1, 2))
    assert one["global_step"] == two["global_step"] == 12
    assert not list(tmp_path.glob(".*"))
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_shares_make_up_the_batch(size: int, world: int) -> None:
    request = Request(np.arange(size) * 3, np.arange(size) % 2 == 0, np.arange(size, dtype=np.int32))
    processes = [Process(rank, world) for rank in range(world)]
    shares = [rank_share(request, process) for process in processes]
    counted = [share for share, process in zip(shares, processes, strict=True) if not is_spare(size, process)]
    for name in Request._fields:
        parts = [getattr(share, name) for share in counted]
        np.testing.assert_array_equal(np.concatenate(parts), getattr(request, name))
    sizes = [len(share.bins) for share in shares]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
    assert len(counted) == min(size, world)


@pytest.mark.parametrize(("bins", "world", "refused"), [(66, 2, True), (68, 2, False), (66, 1, False), (128, 2, False)])
def test_a_share_of_one_bin_is_refused_where_a_model_normalises_over_bins(bins: int, world: int, refused: bool) -> None:
    class Windows(Dataset[Sample]):
        def __getitem__(self, request: Request) -> Sample:
            views = {"sequence": torch.zeros(len(request.bins), 4, 60)}
            return Sample(views, torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool), torch.zeros(1))

    model = Basset(60, 1, filters=[3], kernels=[5], pools=[4], hidden=[4])
    module = cast(TrainingModule, SimpleNamespace(model=model, one_hot=lambda views: views))
    sampler = ShareSampler(TrainingSampler(np.arange(bins), 64, 1, False), Process(0, world))
    loader: DataLoader[Sample] = DataLoader(Windows(), sampler=range(1), batch_size=None)
    if refused:
        with pytest.raises(
            UserError, match="64 leaves a batch of 2 bins for 2 processes, expected at least two for each"
        ):
            check_shares(module, loader, sampler)
    else:
        check_shares(module, loader, sampler)


def test_a_share_keeps_the_batches_order_and_the_epoch() -> None:
    whole = TrainingSampler(np.arange(BINS), BATCH, 1, True, jitter=2)
    half = ShareSampler(TrainingSampler(np.arange(BINS), BATCH, 1, True, jitter=2), Process(1, 2))
    assert len(half) == len(whole) == 5
    assert whole.batch_sizes.tolist() == [4, 4, 4, 4, 2]
    for epoch in (3, 0):
        whole.set_epoch(epoch)
        half.set_epoch(epoch)
        for request, share in zip(whole, half, strict=True):
            np.testing.assert_array_equal(share.bins, request.bins[len(request.bins) // 2 :])
            assert request.shift is not None
            assert share.shift is not None
            np.testing.assert_array_equal(share.shift, request.shift[len(request.bins) // 2 :])
    alone = rank_share(Request(np.arange(3), np.zeros(3, dtype=bool)), Process())
    assert (alone.bins.tolist(), alone.shift) == ([0, 1, 2], None)


def test_alone_a_loss_is_its_own() -> None:
    mean = torch.tensor(0.5, requires_grad=True)
    shared = shared_loss(Loss(mean, torch.tensor(3)), Process())
    assert shared.backward is mean
    assert not shared.whole.mean.requires_grad
    assert from_first("x", Process()) == "x"
    assert trainer_options(Process(), torch.device("cpu")) == {"devices": 1}


def test_gpus_synchronise_batch_normalisation_and_a_cpu_says_that_it_does_not(caplog: pytest.LogCaptureFixture) -> None:
    assert trainer_options(Process(1, 2), torch.device("cuda"))["sync_batchnorm"]
    assert not trainer_options(Process(1, 2), torch.device("cpu"))["sync_batchnorm"]
    model = nn.Sequential(nn.BatchNorm1d(2))
    with caplog.at_level("INFO"):
        tell_differences(model, Process(0, 2), torch.device("cuda"))
        tell_differences(model, Process(1, 2), torch.device("cpu"))
        tell_differences(nn.Sequential(nn.Linear(1, 1)), Process(0, 2), torch.device("cpu"))
        assert not caplog.messages
        tell_differences(model, Process(0, 2), torch.device("cpu"))
    assert caplog.messages == ["on a CPU each of the 2 processes normalises its batches by its own share of them"]


def test_each_process_draws_its_own_and_the_first_one_what_one_alone_does() -> None:
    seeds = {step_seed(1, 2, batch, Process(rank, 3)) for batch in range(50) for rank in range(3)}
    assert len(seeds) == 150
    assert step_seed(1, 2, 7, Process()) == step_seed(1, 2, 7, Process(0, 3))


def test_a_users_mistake_in_a_process_is_told_once_and_ends_the_others(tmp_path: Path) -> None:
    def work(process: Process) -> None:
        if process.first:
            raise UserError("key: found this, expected that; correct it")
        (tmp_path / "began").write_text(str(os.getpid()))
        time.sleep(60)

    began = time.monotonic()
    with pytest.raises(UserError, match="found this, expected that"):
        launch(work, 2, "cpu")
    assert time.monotonic() - began < 20


def test_a_fault_in_a_process_is_told_with_its_traceback() -> None:
    def work(process: Process) -> None:
        raise ZeroDivisionError("in a process")

    with pytest.raises(Exception, match="ZeroDivisionError: in a process"):
        launch(work, 2, "cpu")


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(parallel.torch.cuda, "device_count", lambda: 2)
    return


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(("devices", "device"), [(3, "cuda"), (3, "auto"), (0, "cpu"), (2000, "cpu")])
def test_devices_that_do_not_exist_are_refused(devices: int, device: str) -> None:
    with pytest.raises(UserError, match=f"--devices: found {devices}, expected a number from 1 to"):
        launch(lambda process: None, devices, device)


def test_processes_end_when_the_one_that_began_them_is_killed(tmp_path: Path) -> None:
    def work(process: Process) -> None:
        (tmp_path / str(process.rank)).write_text(str(os.getpid()))
        time.sleep(60)

    parent = torch.multiprocessing.get_context("fork").Process(target=launch, args=(work, 2, "cpu"))
    parent.start()
    paths = [tmp_path / str(rank) for rank in (0, 1)]
    assert soon(lambda: all(path.exists() and path.read_text() for path in paths))
    parent.kill()
    parent.join()
    assert soon(lambda: not any(runs(int(path.read_text())) for path in paths))


def soon(happens: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not happens() and time.monotonic() < end:
        time.sleep(0.1)
    return happens()


def runs(process: int) -> bool:
    try:
        # A process that has ended and that nobody has asked about is a zombie.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
