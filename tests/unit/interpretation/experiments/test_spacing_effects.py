import numpy as np
import pytest
import torch
from tangermeme.ersatz import multisubstitute
from word_models import CountsWords, Together, encoded

from lociflow.interpretation.experiments.spacing_effects import ORIENTATIONS, fitting_gaps, interaction

CPU = torch.device("cpu")
BACKGROUNDS = encoded("T" * 30, "A" * 30)
GAPS = [0, 1, 2, 3, 4]


def test_two_words_that_count_together_interact_at_their_distance_only() -> None:
    first, second = encoded("CACG", "CACG"), encoded("GGCA", "GGCA")
    found = interaction(Together("CACG", "GGCA", gap=3), BACKGROUNDS, first, second, GAPS, CPU)
    expected = np.zeros((2, len(ORIENTATIONS), len(GAPS), 1))
    expected[:, ORIENTATIONS.index("++"), GAPS.index(3)] = 1
    assert found.values.numpy().tolist() == expected.tolist()
    assert found.scale == 1.0


def test_the_strand_of_either_word_makes_the_orientation() -> None:
    # TGCC is GGCA read from the other strand.
    found = interaction(
        Together("CACG", "TGCC", gap=1), BACKGROUNDS, encoded("CACG", "CACG"), encoded("GGCA", "GGCA"), GAPS, CPU
    )
    assert np.argwhere(found.values[0, :, :, 0].numpy()).tolist() == [[ORIENTATIONS.index("+-"), 1]]


def test_words_that_add_up_do_not_interact() -> None:
    found = interaction(
        CountsWords(CACG=2.0, GGCA=3.0), BACKGROUNDS, encoded("CACG", "CACG"), encoded("GGCA", "GGCA"), GAPS, CPU
    )
    assert found.values.abs().max() == 0


def test_agrees_with_predictions_written_out() -> None:
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Conv1d(4, 5, 7), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(120, 2))
    first, second, gap, start = "CACGT", "GGC", 4, (30 - 12) // 2
    found = interaction(model, BACKGROUNDS, encoded(first, first), encoded(second, second), [gap], CPU)
    with torch.no_grad():
        both = model(multisubstitute(BACKGROUNDS, [first, second], [gap], start=start))
        left = model(multisubstitute(BACKGROUNDS, [first], [], start=start))
        right = model(multisubstitute(BACKGROUNDS, [second], [], start=start + 5 + gap))
        expected = both - left - right + model(BACKGROUNDS)
    assert found.values[:, 0, 0].numpy() == pytest.approx(expected.numpy(), abs=1e-6)


def test_gaps_that_do_not_fit_are_left_out() -> None:
    assert fitting_gaps([0, 5, 10, 15], width=20, length=30) == [0, 5, 10]
