import numpy as np
import pytest
import torch
from tangermeme.ablate import ablate
from word_models import CountsWords, encoded, pwm_of

from lociflow.interpretation.experiments.ablation import ablation, elsewhere, find_sites, stretches
from lociflow.interpretation.references import dinucleotide_shuffled

CPU = torch.device("cpu")
WORD = "CGATCAGG"
WINDOWS = encoded("ATTATAAT" + WORD + "TATTAATATTATATAA", "ATTATAATTATTAATATTATATAATTATAATA")


def softened(word: str) -> np.ndarray:
    return 0.97 * pwm_of(word) + 0.01 * (1 - pwm_of(word))


def test_sites_are_found_on_both_strands() -> None:
    there = WINDOWS.clone()
    there[1] = WINDOWS[0].flip((0, 1))
    found = find_sites({"word": softened(WORD)}, there, p=1e-4)["word"]
    assert [stretches(row) for row in found] == [[(8, 16)], [(16, 24)]]


def test_no_motif_has_no_site() -> None:
    assert find_sites({}, WINDOWS, p=1e-4) == {}


def test_ablation_removes_exactly_what_the_word_weighs() -> None:
    sites = find_sites({"word": softened(WORD)}, WINDOWS, p=1e-4)["word"]
    found = ablation(CountsWords(**{WORD: 2.5}), WINDOWS, np.array([7, 9]), sites, shuffles=3, seed=1, device=CPU)
    assert found.before.tolist() == [[2.5]]
    assert found.fall.tolist() == [[2.5]]
    assert found.null.tolist() == [[0]]
    assert (found.windows.tolist(), found.sites, found.full) == ([0], 1, 0)


def test_agrees_with_tangermeme_called_directly() -> None:
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Conv1d(4, 5, 7), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(130, 2))
    bins, sites = np.array([3, 5]), np.zeros((2, 32), bool)
    sites[:, 8:16] = True
    found = ablation(model, WINDOWS, bins, sites, shuffles=4, seed=2, device=CPU)

    def shuffle(windows: torch.Tensor, start: int, end: int, n: int, random_state: int) -> torch.Tensor:
        made = windows[:, None].repeat(1, n, 1, 1)
        made[..., start:end] = dinucleotide_shuffled(windows, bins, random_state, n)[..., start:end]
        return made

    before, after = ablate(model, WINDOWS, 8, 16, n=4, shuffle_fn=shuffle, random_state=2, device="cpu")
    assert found.fall.numpy() == pytest.approx((before - after.mean(dim=1)).numpy(), abs=1e-6)


def test_a_window_without_room_elsewhere_is_counted() -> None:
    sites = np.zeros((1, 32), bool)
    sites[0, 4:28] = True
    found = ablation(CountsWords(A=1.0), WINDOWS[:1], np.array([0]), sites, shuffles=1, seed=1, device=CPU)
    assert (len(found.windows), found.full) == (0, 1)


@pytest.mark.parametrize("seed", range(20))
def test_the_null_covers_as_many_bases_elsewhere(seed: int) -> None:
    mask = np.zeros(40, bool)
    mask[[3, 4, 5, 20, 21, 22, 23, 24]] = True
    drawn = elsewhere(mask, seed, index=4)
    assert drawn is not None
    assert drawn.sum() == 8
    assert not (drawn & mask).any()


def test_no_motif_in_no_window() -> None:
    assert find_sites({"word": softened(WORD)}, WINDOWS[:0], p=1e-4)["word"].shape == (0, 32)
