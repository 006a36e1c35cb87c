import numpy as np
import torch

from lociflow.interpretation.references import dinucleotide_shuffled, zeros
from lociflow.sequence.one_hot import one_hot

CODES = np.random.default_rng(1).integers(0, 4, (6, 80)).astype(np.uint8)
WINDOWS = torch.from_numpy(one_hot(CODES))
BINS = np.array([3, 4, 5, 10**12, 7, 8])


def dinucleotides(window: torch.Tensor) -> torch.Tensor:
    return torch.einsum("ai,bi->ab", window[:, :-1], window[:, 1:])


def test_zeros_hold_no_base() -> None:
    found = zeros(WINDOWS, BINS, 1)
    assert found.shape == (6, 1, 4, 80)
    assert not found.any()


def test_shuffles_keep_dinucleotides_and_change_windows() -> None:
    found = dinucleotide_shuffled(WINDOWS, BINS, seed=1, shuffles=5)
    assert found.shape == (6, 5, 4, 80)
    for window, several in zip(WINDOWS, found, strict=True):
        for shuffle in several:
            torch.testing.assert_close(dinucleotides(shuffle), dinucleotides(window))
            assert not torch.equal(shuffle, window)


def test_a_windows_shuffles_depend_on_its_seed_and_bin_alone() -> None:
    together = dinucleotide_shuffled(WINDOWS, BINS, seed=1, shuffles=3)
    for place in reversed(range(6)):
        alone = dinucleotide_shuffled(WINDOWS[place : place + 1], BINS[place : place + 1], seed=1, shuffles=3)
        assert torch.equal(alone[0], together[place])
    assert not torch.equal(dinucleotide_shuffled(WINDOWS, BINS, seed=2, shuffles=3), together)
    assert not torch.equal(dinucleotide_shuffled(WINDOWS, BINS + 1, seed=1, shuffles=3), together)
