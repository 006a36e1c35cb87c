"""What counts as the same numbers."""

import pytest
import torch

from lociflow.export.check import Different, check, largest_difference, with_unknown


def test_differences_are_in_units_of_numbers_above_one() -> None:
    assert largest_difference([torch.tensor([0.5, 102.0])], [torch.tensor([0.25, 100.0])]) == 0.25
    assert largest_difference([torch.tensor([0.5, 150.0])], [torch.tensor([0.25, 100.0])]) == 0.5


def test_other_shapes_and_numbers_that_are_not_finite_are_different() -> None:
    with pytest.raises(Different, match=r"it gives shapes \[\(2,\)\], and the model \[\(3,\)\]"):
        largest_difference([torch.zeros(2)], [torch.zeros(3)])
    with pytest.raises(Different, match="not finite"):
        largest_difference([torch.tensor([float("nan")])], [torch.zeros(1)])


def test_a_file_that_depends_on_the_batch_is_different() -> None:
    windows = torch.rand(4, 4, 6)

    def centred(view: torch.Tensor) -> list[torch.Tensor]:
        return [view - view.mean(0)]

    with pytest.raises(Different, match="differ from the model's by up to"):
        check(centred, (windows,), centred(windows), 1e-5)


def test_unknown_letters_are_added() -> None:
    one = torch.zeros(1, 4, 6)
    one[:, 3] = 1
    found = with_unknown(one)
    assert found[:, 3].tolist() == [[1] * 6, [0, 0, 1, 1, 1, 1], [0, 1, 0, 1, 0, 1], [0] * 6]
    assert found[2, 0].tolist() == found[2, 1].tolist() == [0.5, 0] * 3
