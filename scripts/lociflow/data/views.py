"""The named inputs of a sample. A view turns bin indices into arrays; every kind of input is one function here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from lociflow.command import UserError
from lociflow.data.bins import Bins
from lociflow.genome.placement import Placement, window_codes, window_start
from lociflow.sequence.alphabet import reverse_complement
from lociflow.sequence.store import SequenceStore


class View(Protocol):
    """Turns bins into an array whose first axis is the bins."""

    def __call__(self, index: np.ndarray, reverse: np.ndarray, shift: np.ndarray | None = None) -> np.ndarray:
        """Return the input for some bins.

        Parameters
        ----------
        index
            Of the bins, ``int64``, shape ``(batch,)``.
        reverse
            Whether each is read from the reverse strand of the genome, ``bool``.
        shift
            Bases by which each window is moved to the right on the genome; None for none.
        """


class ViewContext(NamedTuple):
    """What views are made of."""

    store: SequenceStore
    bins: Bins
    input_length: int
    """Bases of a window."""
    control: np.ndarray | None = None
    """``float32``, a memory map, shape ``(bins, tracks)`` or ``(bins, positions, tracks)``; None: there is none."""
    reverse: Sequence[int] | None = None
    """The order of the tracks when a window is read from the other strand; None: the same."""


@dataclass(frozen=True)
class SequenceView:
    """Codes of the windows around bins, gathered from the memory map: ``uint8``, shape ``(batch, length)``."""

    store: SequenceStore
    place: Placement
    length: int

    def __call__(self, index: np.ndarray, reverse: np.ndarray, shift: np.ndarray | None = None) -> np.ndarray:
        """Gather the windows of these bins; those marked in ``reverse`` are read from the other strand."""
        codes = window_codes(self.store, self.place, index, self.length, shift)
        if reverse.any():
            codes[reverse] = reverse_complement(codes[reverse], self.store.alphabet)
        return codes


@dataclass(frozen=True)
class MaskView:
    """Where a window lies on its contig: ``bool``, shape ``(batch, length)``, False on padding."""

    contig_length: np.ndarray
    place: Placement
    length: int

    def __call__(self, index: np.ndarray, reverse: np.ndarray, shift: np.ndarray | None = None) -> np.ndarray:
        """Tell bases from padding in the windows of these bins, in the order in which they are read."""
        start = window_start(self.place, index, self.length)
        position = (start if shift is None else start + shift)[:, None] + np.arange(self.length)
        mask: np.ndarray = (position >= 0) & (position < self.contig_length[self.place.contig[index], None])
        mask[reverse] = mask[reverse, ::-1]
        return mask


@dataclass(frozen=True)
class ControlView:
    """A control experiment's values: ``float32``, shape ``(batch, tracks)`` or ``(batch, positions, tracks)``."""

    control: np.ndarray
    order: np.ndarray

    def __call__(self, index: np.ndarray, reverse: np.ndarray, shift: np.ndarray | None = None) -> np.ndarray:
        """Return the rows of these bins; what is missing is 0."""
        values = np.nan_to_num(np.asarray(self.control[index], dtype=np.float32))
        if reverse.any():
            other = values[reverse][..., self.order]
            values[reverse] = other[:, ::-1] if values.ndim == 3 else other
        return values


def sequence_view(store: SequenceStore, bins: Bins, input_length: int) -> View:
    """Return the view ``sequence``: a window of ``input_length`` bases anchored on each bin."""
    return SequenceView(store, bins.place, input_length)


def _control_view(context: ViewContext) -> View:
    if context.control is None or not context.control.shape[-1]:
        raise UserError(
            "model.views: found control, which this data set does not have; give it targets.signal.control, or choose "
            "a model without this view"
        )
    tracks = context.control.shape[-1]
    order = np.arange(tracks) if context.reverse is None else np.asarray(context.reverse, dtype=np.int64)
    return ControlView(context.control, order)


VIEWS: Mapping[str, Callable[[ViewContext], View]] = {
    "sequence": lambda context: sequence_view(context.store, context.bins, context.input_length),
    "mask": lambda context: MaskView(context.store.lengths, context.bins.place, context.input_length),
    "control": _control_view,
}


def make_views(
    names: Sequence[str],
    store: SequenceStore,
    bins: Bins,
    input_length: int,
    control: np.ndarray | None = None,
    reverse: Sequence[int] | None = None,
) -> dict[str, View]:
    """Return the views that a model declares.

    Parameters
    ----------
    names
        Of the views.
    store, bins, input_length, control, reverse
        As in :class:`ViewContext`.

    Raises
    ------
    UserError
        There is no view of that name, or the data set has no such input.
    """
    if unknown := [name for name in names if name not in VIEWS]:
        raise UserError(f"model.views: found {unknown[0]!r}, expected {', '.join(VIEWS)}; correct the model's file")
    context = ViewContext(store, bins, input_length, control, reverse)
    return {name: VIEWS[name](context) for name in names}
