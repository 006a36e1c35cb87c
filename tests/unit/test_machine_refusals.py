import errno
import os
from pathlib import Path

import pytest

from lociflow.machine_refusals import disk_refusal, is_refusal, memory_refusal


def test_torch_says_that_memory_is_lacking_in_its_own_way():
    assert memory_refusal(
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "train.py"
    )
    assert memory_refusal(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "train.py") is None
    assert memory_refusal(ValueError("can't allocate memory"), "train.py") is None
    told = memory_refusal(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), "train.py")
    assert told is not None
    assert told.startswith("train.py: found no more memory (CUDA out of memory.")
    assert told.endswith("run it on a GPU with more memory, or with smaller batches")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DataLoader worker (pid 123) is killed by signal: Killed. "),
        RuntimeError("unable to mmap 4096 bytes from file </torch_1>: Cannot allocate memory (12)"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        MemoryError(),
    ],
)
def test_workers_and_the_system_say_it_in_theirs(error):
    assert is_refusal(error)
    told = memory_refusal(error, "train.py")
    assert told is not None
    assert told.startswith("train.py: found no more memory (")


def test_a_folder_that_others_own_and_a_server_that_is_away_are_told():
    told = disk_refusal(PermissionError(errno.EACCES, "Permission denied", "results/x"))
    assert told is not None
    assert told.startswith("results/x: cannot be read or written (Permission denied); give yourself the right to it")
    told = disk_refusal(OSError(errno.ESTALE, os.strerror(errno.ESTALE)), Path("results/x"))
    assert told is not None
    assert told.startswith("results/x: cannot be written (Stale file handle)")


@pytest.mark.parametrize("error", [ValueError("bad magic"), FileNotFoundError(errno.ENOENT, "no such file", "x")])
def test_damage_is_no_refusal(error):
    assert not is_refusal(error)
