"""The windows of a data set as the search for similar sequences reads them."""

import numpy as np

from lociflow.genome.placement import window_codes, window_start
from lociflow.genome.split_data import SplitData
from lociflow.sequence.search import Codes, Search
from lociflow.sequence.store import SequenceStore


def window_reader(data: SplitData) -> Codes:
    """Return a function of rows that reads the windows that a model sees: ``uint8``, shape ``(rows, data.length)``."""

    def read(rows: np.ndarray) -> np.ndarray:
        return window_codes(data.store, data.place, rows, data.length)

    return read


def window_origins(data: SplitData) -> np.ndarray:
    """Return where each window begins on an axis along which all contigs lie, ``int64``, one per bin.

    Windows that overlap there have the same letters: each shuffled one lies in a place of its own.
    """
    margin = 2 * data.length
    ends = np.cumsum(np.append(margin, data.store.lengths.astype(np.int64) + margin))
    origin = ends[data.place.contig] + window_start(data.place, np.arange(len(data.windows)), data.length)
    if data.place.shuffled is not None:
        alone = np.flatnonzero(data.place.shuffled)
        origin[alone] = ends[-1] + margin * np.arange(1, len(alone) + 1)
    return origin


def search_settings(store: SequenceStore, mask_repeats: bool = False) -> Search:
    """Return how to search in a store: RNA and protein have one strand.

    Parameters
    ----------
    store
        Whose alphabet counts.
    mask_repeats
        Whether what shares nothing but soft-masked repeats is not similar; only told by stores that keep soft-masking.
    """
    alphabet = store.alphabet
    return Search(
        letters=len(alphabet.channels),
        either_strand=alphabet.complement is not None,
        mask_repeats=mask_repeats,
        # The best of a large family is as good as found after this many of its members.
        most_alignments=200,
    )
