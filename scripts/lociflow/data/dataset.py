"""Samples of a data set, a batch at a time."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from lociflow.data.sampler import Request
from lociflow.data.views import View


class Sample(NamedTuple):
    """A batch: what the model sees, and what it should say."""

    views: dict[str, Tensor]
    """By name; the first axis is the batch. Sequence is ``uint8`` codes of shape ``(batch, length)``."""
    targets: Tensor
    """``int8``, shape ``(batch, targets)``: 1, 0, or -1 where missing; no columns where there are no labels."""
    mask: Tensor
    """``bool``, the shape of ``targets``: False where missing."""
    bins: Tensor
    """``int64``, shape ``(batch,)``: their indices."""


class WindowDataset(Dataset[Sample]):
    """Bins with their views and labels. Holds no labels and no sequence in memory: both are memory maps.

    Indexed by a whole batch (a :class:`~lociflow.data.sampler.Request`), because gathering 128 windows at once takes
    about as long as gathering two alone.

    Parameters
    ----------
    views
        From :func:`~lociflow.data.views.make_views`.
    bin_reverse
        Whether each bin lies on the reverse strand, ``bool``, shape ``(bins,)``.
    targets
        ``int8``, shape ``(bins, targets)``, usually a memory map; None for prediction.
    label_rows
        Row of ``targets`` that belongs to each bin, ``int64``, shape ``(bins,)``; None for each bin's own.
    """

    def __init__(
        self,
        views: Mapping[str, View],
        bin_reverse: np.ndarray,
        targets: np.ndarray | None = None,
        label_rows: np.ndarray | None = None,
    ) -> None:
        self.views = dict(views)
        self.bin_reverse = bin_reverse
        self.targets = np.zeros((len(bin_reverse), 0), dtype=np.int8) if targets is None else targets
        self.label_rows = label_rows

    def __len__(self) -> int:
        return len(self.bin_reverse)

    def __getitem__(self, request: Request) -> Sample:
        index, flip = request
        reverse = self.bin_reverse[index] ^ flip
        rows = index if self.label_rows is None else self.label_rows[index]
        targets = torch.from_numpy(np.asarray(self.targets[rows]))
        return Sample(
            views={name: torch.from_numpy(view(index, reverse)) for name, view in self.views.items()},
            targets=targets,
            mask=targets >= 0,
            bins=torch.from_numpy(index),
        )


def make_loader(dataset: WindowDataset, sampler: Sampler[Request], workers: int) -> DataLoader[Sample]:
    """Return a loader that gives the sampler's batches in its order, whatever the number of worker processes."""
    return DataLoader(
        dataset,
        sampler=sampler,
        batch_size=None,
        num_workers=workers,
        # Workers inherit the memory maps; pickling them would copy the labels into every worker.
        multiprocessing_context="fork" if workers else None,
        persistent_workers=workers > 0,
        # The loader draws a number at each start; from torch's global generator that would shift the dropout.
        generator=torch.Generator(),
    )
