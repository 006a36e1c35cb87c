"""A GPU is there when the driver lists it, not when its program is installed."""

from pathlib import Path

import pytest

from lociflow.listed_gpus import listed_gpus

TWO = "GPU 0: NVIDIA H200 (UUID: GPU-1)\nGPU 1: NVIDIA H200 (UUID: GPU-2)"


@pytest.mark.parametrize(
    ("told", "status", "found"),
    [
        (TWO, 0, ["GPU 0: NVIDIA H200", "GPU 1: NVIDIA H200"]),
        ("No devices found.", 0, []),
        ("", 0, []),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", 9, []),
        (TWO, 1, []),
    ],
)
def test_gpus_are_those_that_the_driver_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, status: int, found: list[str]
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\necho "{told}"\nexit {status}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert listed_gpus() == found


def test_without_the_program_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert listed_gpus() == []
