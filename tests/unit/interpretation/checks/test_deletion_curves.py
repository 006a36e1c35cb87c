import numpy as np
import torch
from torch import nn

from lociflow.interpretation.checks.deletion_curves import areas, follow, in_shares, orders, position_counts
from lociflow.sequence.one_hot import one_hot


class Additive(nn.Module):
    """The sum over positions of a position's weight where it holds an A."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.weights = torch.tensor(weights)

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        return (sequence[:, 0] * self.weights).sum(dim=1, keepdim=True)


WINDOW = torch.from_numpy(one_hot(np.array([[0, 0, 0, 0]], dtype=np.uint8)))
# One reference without any A, and one with it at the second position.
REFERENCES = torch.from_numpy(one_hot(np.array([[[1, 1, 1, 1], [1, 0, 1, 1]]], dtype=np.uint8)))


def test_position_counts_by_hand() -> None:
    assert position_counts(100, 3).tolist() == [0, 1, 10, 100]
    assert position_counts(1000, 5).tolist() == [0, 10, 32, 100, 317, 1000]
    assert position_counts(10, 9).tolist() == [0, 1, 2, 4, 6, 10]


def test_curves_by_hand() -> None:
    model = Additive([4.0, 2.0, 1.0, 0.0])
    top, random = np.array([[0, 1, 2, 3]]), np.array([[3, 2, 1, 0]])
    found = follow(model, 0, WINDOW, REFERENCES, top, random, np.array([0, 1, 2, 4]))
    # 7 in the window, 1 in the references; half of the second position's 2 stays where the references have an A.
    np.testing.assert_allclose(found.deletion, [[7, 3, 2, 1]])
    np.testing.assert_allclose(found.deletion_random, [[7, 7, 6, 1]])
    np.testing.assert_allclose(found.insertion, [[1, 5, 6, 7]])
    np.testing.assert_allclose(found.insertion_random, [[1, 1, 2, 7]])
    shares = in_shares(found)
    np.testing.assert_allclose(shares.deletion, [[1, 2 / 6, 1 / 6, 0]])
    deletion, insertion = areas(shares)
    np.testing.assert_allclose(deletion, [8 / 6 / 3])
    np.testing.assert_allclose(insertion, [8 / 6 / 3])


def test_batches_change_nothing() -> None:
    model = Additive([4.0, 2.0, 1.0, 0.5])
    arguments = (model, 0, WINDOW, REFERENCES, np.array([[0, 1, 2, 3]]), np.array([[3, 1, 0, 2]]), np.arange(5))
    for one, other in zip(follow(*arguments), follow(*arguments, batch_size=3), strict=True):
        np.testing.assert_allclose(one, other)


def test_a_model_that_never_changes_has_no_area() -> None:
    found = follow(
        Additive([0.0] * 4), 0, WINDOW, REFERENCES, np.array([[0, 1, 2, 3]]), np.array([[3, 2, 1, 0]]), np.arange(5)
    )
    assert [area.tolist() for area in areas(in_shares(found))] == [[0.0], [0.0]]


def test_orders_put_the_highest_contribution_first() -> None:
    top, random = orders(np.array([[0.5, -3.0, 2.0, 1.0]]), np.array([7]), seed=1)
    assert top.tolist() == [[2, 3, 0, 1]]
    assert sorted(random[0].tolist()) == [0, 1, 2, 3]


def test_equal_contributions_are_in_the_random_order() -> None:
    top, random = orders(np.zeros((3, 50)), np.arange(3), seed=1)
    np.testing.assert_array_equal(top, random)


def test_random_orders_are_those_of_the_bin_alone() -> None:
    zeros = np.zeros((3, 50))
    _, random = orders(zeros, np.array([4, 5, 6]), seed=1)
    np.testing.assert_array_equal(orders(zeros[:1], np.array([5]), seed=1)[1][0], random[1])
    assert (random[0] != random[1]).any()
    assert (orders(zeros, np.array([4, 5, 6]), seed=2)[1] != random).any()
