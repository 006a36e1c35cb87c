"""train.py and predict.py as a user runs them."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import planted
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"

pytestmark = pytest.mark.slow


def start(name: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def train_arguments(data: planted.Planted, folder: Path, **training: object) -> list[object]:
    return [
        *("--store", data.store, "--windows", data.windows, "--targets", data.targets),
        *("--control", data.control, "--target-table", data.target_table, "--config", planted.config_text(**training)),
        *("--checkpoint", folder / "model.ckpt", "--config-copy", folder / "config.json"),
        *("--history", folder / "history.csv", "--resume", folder / "resume", "--device", "cpu"),
    ]


def test_training_survives_a_kill(tmp_path: Path) -> None:
    data = planted.make_planted(tmp_path)
    for name, signals in {"undisturbed": [], "killed": [signal.SIGKILL], "ended": [signal.SIGTERM]}.items():
        folder = tmp_path / name
        for number in signals:
            process = start("train.py", *train_arguments(data, folder, max_epochs=40, early_stopping=None))
            deadline = time.monotonic() + 60
            while not list((folder / "resume").glob("training-*.ckpt")) and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(number)
            _, errors = process.communicate()
            assert process.returncode != 0, errors
            assert not (folder / "model.ckpt").exists()
        process = start("train.py", *train_arguments(data, folder, max_epochs=40, early_stopping=None))
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        assert ("going on from" in errors) == bool(signals)
        assert not (folder / "resume").exists()
    weights = {(tmp_path / name / "model.ckpt").read_bytes() for name in ("undisturbed", "killed", "ended")}
    assert len(weights) == 1

    process = start(
        "predict.py",
        *("--store", data.store, "--windows", data.windows, "--control", data.control),
        *("--checkpoint", tmp_path / "killed" / "model.ckpt"),
        *("--predictions", tmp_path / "predictions.parquet", "--device", "cpu", "--workers", 1),
    )
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert (tmp_path / "predictions.parquet").exists()


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    data = planted.make_planted(tmp_path)
    data.targets.unlink()
    process = start("train.py", *train_arguments(data, tmp_path / "out"))
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.strip().startswith("error: ")
    assert "targets.npy" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "out" / "model.ckpt").exists()


def test_two_devices_write_one_checkpoint_and_one_line_an_epoch(tmp_path: Path) -> None:
    data = planted.make_planted(tmp_path)
    process = start("train.py", *train_arguments(data, tmp_path / "out", max_epochs=2), "--devices", 2)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "on 2 cpu devices" in errors
    assert [line.split(":")[0] for line in errors.splitlines() if line.startswith("epoch ")] == [
        "epoch 1 of at most 2",
        "epoch 2 of at most 2",
    ]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"model.ckpt", "config.json", "history.csv"}


def test_a_terminal_gets_a_bar_with_loss_score_and_time_left(tmp_path: Path) -> None:
    data = planted.make_planted(tmp_path)
    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (40, 160))
    command = [sys.executable, SCRIPTS / "train.py", *train_arguments(data, tmp_path / "out", max_epochs=3)]
    with subprocess.Popen(list(map(str, command)), stderr=end, stdout=subprocess.PIPE, text=True) as process:
        os.close(end)
        said = b""
        # Reading fails once the other end is closed.
        with contextlib.suppress(OSError):
            while part := os.read(terminal, 4096):
                said += part
    os.close(terminal)
    assert process.returncode == 0, said
    lines = re.split(r"[\r\n]+", said.decode())
    bars = [line for line in lines if re.match(r"Epoch 2: .*\d+/\d+", line)]
    assert bars
    assert re.search(r"loss=\d\.\d{4}, validation_auprc=\d\.\d{4}, time=\d+ s left at most", bars[-1]), bars[-1]


def test_a_mistake_in_two_processes_is_one_sentence(tmp_path: Path) -> None:
    data = planted.make_planted(tmp_path)
    process = start("train.py", *train_arguments(data, tmp_path / "out", jitter=-1), "--devices", 2)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.splitlines() == ["error: training.jitter: found -1, expected a whole number of at least 0"]
