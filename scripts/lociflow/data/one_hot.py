"""Codes to one-hot channels, on the device where the model is."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.sequence.one_hot import ONE_HOT


class OneHot(nn.Module):
    """Turns views as they are loaded into the model's inputs: ``uint8`` codes become one-hot, the rest stays.

    N becomes zeros, IUPAC codes equal fractions, and the soft-mask bit is dropped. The table follows the module to its
    device and is not part of any state.
    """

    table: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.tensor(ONE_HOT), persistent=False)

    def forward(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Expand codes of shape ``(batch, length)`` into ``float32`` of shape ``(batch, 4, length)``."""
        return {name: self.expand(view) if view.dtype == torch.uint8 else view for name, view in views.items()}

    def expand(self, codes: Tensor) -> Tensor:
        """Expand one tensor of codes, ``uint8`` of shape ``(batch, length)``."""
        rows = (codes & (SOFT_MASK - 1)).long()
        return nn.functional.embedding(rows, self.table).transpose(1, 2).contiguous()


def reverse_complement_one_hot(sequence: Tensor) -> Tensor:
    """Read one-hot sequence, shape ``(…, 4, length)`` in the order A, C, G, T, from the other strand."""
    return sequence.flip((-2, -1))
