"""Models of which it is known what they have learnt: they count words."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lociflow.sequence.one_hot import one_hot


def encoded(*sequences: str) -> Tensor:
    """Return one-hot sequences, shape ``(n, 4, length)``."""
    return torch.from_numpy(
        one_hot(np.array([["ACGT".index(base) for base in found] for found in sequences], np.uint8))
    )


def pwm_of(word: str) -> np.ndarray:
    """Return the matrix of one word, shape ``(4, width)``."""
    return encoded(word)[0].numpy().astype(np.float64)


class Word(nn.Module):
    """Where a word stands, on one strand: ``(batch, places)``, 1 or 0."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.kernel = nn.Parameter(encoded(word), requires_grad=False)

    def forward(self, sequence: Tensor) -> Tensor:
        return functional.relu(functional.conv1d(sequence, self.kernel)[:, 0] - (self.kernel.shape[2] - 1))


class CountsWords(nn.Module):
    """Column ``k``: ``weights[k]`` times the number of places at which word ``k`` stands."""

    def __init__(self, **weights: float) -> None:
        super().__init__()
        self.words = nn.ModuleList([Word(word) for word in weights])
        self.weights = list(weights.values())

    def forward(self, sequence: Tensor) -> Tensor:
        counts = [word(sequence).sum(dim=1) for word in self.words]
        return torch.stack([weight * count for weight, count in zip(self.weights, counts, strict=True)], dim=1)


class Together(nn.Module):
    """One column: 1 for every place of the first word that has the second ``gap`` bases behind its end."""

    def __init__(self, first: str, second: str, gap: int) -> None:
        super().__init__()
        self.first, self.second, self.shift = Word(first), Word(second), len(first) + gap

    def forward(self, sequence: Tensor) -> Tensor:
        left, right = self.first(sequence), self.second(sequence)
        length = right.shape[1] - self.shift
        return (left[:, :length] * right[:, self.shift :])[:, :length].sum(dim=1, keepdim=True)


class Matches(nn.Module):
    """One column: the most letters of a word that stand in a row of places, on either strand; it has a gradient."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.kernel = nn.Parameter(encoded(word), requires_grad=False)

    def forward(self, sequence: Tensor) -> Tensor:
        found = torch.cat([sequence, sequence.flip((1, 2))], dim=0)
        best = functional.conv1d(found, self.kernel)[:, 0].amax(dim=1)
        return torch.maximum(*best.chunk(2))[:, None]
