"""Codes to one-hot channels, on the device where the model is."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lociflow.sequence.alphabet import DNA, SOFT_MASK, Alphabet
from lociflow.sequence.one_hot import one_hot_table


class OneHot(nn.Module):
    """Turns views as they are loaded into the model's inputs: ``uint8`` codes become one-hot, the rest stays.

    N and X become zeros, IUPAC codes equal fractions, and the soft-mask bit is dropped. The table follows the module to
    its device and is not part of any state.

    Parameters
    ----------
    alphabet
        Of the codes.
    """

    table: Tensor
    residues: Tensor

    def __init__(self, alphabet: Alphabet = DNA) -> None:
        super().__init__()
        self.register_buffer("table", torch.tensor(one_hot_table(alphabet)), persistent=False)
        residues = torch.arange(len(alphabet.channels), dtype=torch.uint8)
        self.register_buffer("residues", residues, persistent=False)

    def forward(self, views: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Expand codes of shape ``(batch, length)`` into ``float32`` of shape ``(batch, channels, length)``."""
        return {name: self.expand(view) if view.dtype == torch.uint8 else view for name, view in views.items()}

    def expand(self, codes: Tensor) -> Tensor:
        """Expand one tensor of codes, ``uint8`` of shape ``(batch, length)``."""
        codes = codes & (SOFT_MASK - 1)
        if codes.device.type == "cpu" and codes.numel() and int(codes.max()) <= len(self.residues):
            # Only residues and padding, whose code comes next: comparing is seven times as fast as looking up.
            channels = torch.empty((len(codes), len(self.residues), codes.shape[1]), dtype=self.table.dtype)
            torch.eq(codes[:, None], self.residues[:, None], out=channels)
            return channels
        return nn.functional.embedding(codes.long(), self.table).transpose(1, 2).contiguous()


def reverse_complement_one_hot(sequence: Tensor) -> Tensor:
    """Read one-hot sequence, shape ``(…, 4, length)`` in the order A, C, G, T, from the other strand."""
    return sequence.flip((-2, -1))
