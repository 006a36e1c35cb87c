"""Which bins make a batch, and from which strand they are read."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from lociflow.data.balancing import Balance
from lociflow.data.draws import epoch_order, jitter_shifts, reverse_flags


class Request(NamedTuple):
    """A batch that a data set is asked for."""

    bins: np.ndarray
    """Indices, ``int64``, shape ``(batch,)``."""
    reverse: np.ndarray
    """Whether each is read from the strand opposite to its own, ``bool``, shape ``(batch,)``."""
    shift: np.ndarray | None = None
    """Bases by which each window is moved to the right on the genome, ``int32``, shape ``(batch,)``; None for none."""


class TrainingSampler(Sampler[Request]):
    """Batches of one epoch in random order: one pass over the bins, or several, each with a short last batch.

    Order, strands and shifts are pure functions of (seed, epoch, bin index). They are drawn here, in the main process,
    and travel with the request: loader workers hold no random state.

    Parameters
    ----------
    bins
        Indices of the training bins, ``int64``.
    batch_size
        Bins per batch; the last may have fewer, or one more.
    seed
        Of the training.
    reverse_complement
        Whether each bin is read from a random strand; otherwise always from its own.
    jitter
        Bases by which a window is moved at most, to either side, anew in every epoch; its labels stay, so that it must
        be 0 for labels along the window.
    balance
        Which of the bins make a pass; None: all of them in every pass.
    passes
        Over the bins in an epoch, each with an order, strands, shifts and balanced bins of its own.
    """

    def __init__(
        self,
        bins: np.ndarray,
        batch_size: int,
        seed: int,
        reverse_complement: bool,
        jitter: int = 0,
        balance: Balance | None = None,
        passes: int = 1,
    ) -> None:
        self.bins = bins
        self.batch_size = batch_size
        self.seed = seed
        self.reverse_complement = reverse_complement
        self.jitter = jitter
        self.balance = balance
        self.passes = passes
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration, counted from 0; Lightning calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.batch_sizes)

    @property
    def batch_sizes(self) -> np.ndarray:
        """The number of bins in each batch of an epoch, ``int64``; the same in every epoch.

        One bin that is left over goes with the batch before: normalisation over a batch needs two.
        """
        size = len(self.bins) if self.balance is None else self.balance.size
        starts = np.arange(0, size, self.batch_size)
        if len(starts) > 1 and size - starts[-1] == 1:
            starts = starts[:-1]
        return np.tile(np.diff(starts, append=size), self.passes)

    def __iter__(self) -> Iterator[Request]:
        for number in range(self.passes):
            yield from self._pass(self.epoch * self.passes + number)

    def _pass(self, number: int) -> Iterator[Request]:
        bins = self.bins if self.balance is None else self.balance.draw(self.seed, number)
        order = bins[epoch_order(self.seed, number, len(bins))]
        reverse = np.zeros(len(order), dtype=bool)
        if self.reverse_complement and len(order):
            reverse = reverse_flags(self.seed, number, int(self.bins.max()) + 1)[order]
        shift = None
        if self.jitter and len(order):
            shift = jitter_shifts(self.seed, number, int(self.bins.max()) + 1, self.jitter)[order]
        sizes = np.split(self.batch_sizes, self.passes)[0]
        for end, size in zip(np.cumsum(sizes), sizes, strict=True):
            part = slice(end - size, end)
            yield Request(order[part], reverse[part], None if shift is None else shift[part])


class SequentialSampler(Sampler[Request]):
    """Batches of bins in the given order, each from its own strand.

    Parameters
    ----------
    bins
        Bin indices, ``int64``.
    batch_size
        Bins per batch; the last may be shorter.
    """

    def __init__(self, bins: np.ndarray, batch_size: int) -> None:
        self.bins = bins
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.bins) // self.batch_size)

    def __iter__(self) -> Iterator[Request]:
        for first in range(0, len(self.bins), self.batch_size):
            index = self.bins[first : first + self.batch_size]
            yield Request(index, np.zeros(len(index), dtype=bool))
