import errno
from pathlib import Path

import numpy as np
import pytest
import torch

from lociflow.training import resume
from lociflow.training.resume import find_state, state_path


def test_a_state_of_which_a_bit_has_flipped_is_taken_up_only_if_it_means_the_same(tmp_path: Path) -> None:
    path = state_path(tmp_path, "a" * 64)
    weights = torch.rand(200, generator=torch.Generator().manual_seed(1))
    torch.save({"epoch": 3, "weights": weights}, path)
    whole = path.read_bytes()
    draws = np.random.default_rng(1)
    dropped = 0
    for place in draws.integers(0, len(whole), 100):
        content = bytearray(whole)
        content[place] ^= 1 << draws.integers(0, 8)
        path.write_bytes(content)
        if find_state(path) is None:
            assert not path.exists()
            dropped += 1
        else:
            found = torch.load(path, weights_only=True)
            assert found["epoch"] == 3
            assert torch.equal(found["weights"], weights)
    assert dropped > 50


def test_states_of_other_trainings_are_dropped(tmp_path: Path) -> None:
    path, other = state_path(tmp_path, "a" * 64), state_path(tmp_path, "b" * 64)
    for each in (path, other):
        torch.save({"epoch": 0}, each)
    assert find_state(path) == path
    assert not other.exists()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't allocate memory"), OSError(errno.EIO, "I/O")])
def test_a_state_that_the_machine_could_not_read_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = state_path(tmp_path, "a" * 64)
    torch.save({"epoch": 0}, path)

    def refuse(path: Path) -> None:
        raise error

    monkeypatch.setattr(resume, "read_whole", refuse)
    with pytest.raises(type(error)):
        find_state(path)
    assert path.exists()
