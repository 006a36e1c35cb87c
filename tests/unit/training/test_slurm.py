"""Training inside a Slurm job is Snakemake's job and not Lightning's: no ranks from its tasks, no queueing again."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lociflow.training import callbacks

# A job of two nodes with four tasks each, of which this would be the last.
JOB = {
    "SLURM_JOB_ID": "7",
    "SLURM_JOB_NAME": "snakejob",
    "SLURM_NTASKS": "8",
    "SLURM_NTASKS_PER_NODE": "4",
    "SLURM_NNODES": "2",
    "SLURM_NODEID": "1",
    "SLURM_PROCID": "7",
    "SLURM_LOCALID": "3",
    "SLURM_NODELIST": "node[1-2]",
    "SLURM_JOB_NODELIST": "node[1-2]",
}


@pytest.mark.parametrize("devices", [1, 2])
def test_a_slurm_job_changes_nothing(
    fit: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
    tmp_path: Path,
    devices: int,
) -> None:
    # A machine of a cluster, on which Lightning would advise to use this.
    (tmp_path / "srun").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    outside = fit("outside", devices=devices, max_epochs=2)
    saved = callbacks.SaveState.on_train_epoch_end

    def look(self: callbacks.SaveState, trainer: Any, pl_module: Any) -> None:
        saved(self, trainer, pl_module)
        handler = signal.getsignal(signal.SIGUSR1)
        (tmp_path / f"rank{trainer.global_rank}").write_text(f"{handler is signal.SIG_DFL} {trainer.num_nodes}")

    monkeypatch.setattr(callbacks.SaveState, "on_train_epoch_end", look)
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    inside = fit("inside", devices=devices, max_epochs=2)
    assert (inside / "model.ckpt").read_bytes() == (outside / "model.ckpt").read_bytes()
    # One node with a process for each device, and the signal with which Lightning would queue the job again left alone.
    ranks = {path.name: path.read_text() for path in tmp_path.glob("rank*")}
    assert ranks == {f"rank{rank}": "True 1" for rank in range(devices)}
    assert [str(warning.message) for warning in recwarn if "srun" in str(warning.message)] == []
