"""The named inputs of a sample. A view turns bin indices into arrays; every kind of input is one function here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lociflow.command import UserError
from lociflow.data.bins import Bins, window_start
from lociflow.sequence.alphabet import reverse_complement
from lociflow.sequence.store import SequenceStore, gather

# (bin indices, whether each is read from the reverse strand of the genome) to an array whose first axis is the bins.
View = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class SequenceView:
    """Codes of the windows around bins, gathered from the memory map: ``uint8``, shape ``(batch, length)``."""

    store: SequenceStore
    contig: np.ndarray
    start: np.ndarray
    length: int

    def __call__(self, index: np.ndarray, reverse: np.ndarray) -> np.ndarray:
        """Gather the windows of these bins; those marked in ``reverse`` are read from the other strand."""
        codes = gather(self.store, self.contig[index], self.start[index], self.length)
        codes[reverse] = reverse_complement(codes[reverse])
        return codes


def sequence_view(store: SequenceStore, bins: Bins, input_length: int) -> View:
    """Return the view ``sequence``: a window of ``input_length`` bases centred on each bin."""
    return SequenceView(store, bins.contig, window_start(bins, input_length), input_length)


VIEWS: Mapping[str, Callable[[SequenceStore, Bins, int], View]] = {"sequence": sequence_view}


def make_views(names: Sequence[str], store: SequenceStore, bins: Bins, input_length: int) -> dict[str, View]:
    """Return the views that a model declares.

    Raises
    ------
    UserError
        There is no view of that name.
    """
    if unknown := [name for name in names if name not in VIEWS]:
        raise UserError(f"model.views: found {unknown[0]!r}, expected {', '.join(VIEWS)}; correct the model's file")
    return {name: VIEWS[name](store, bins, input_length) for name in names}
