"""What a checkpoint says about where it comes from."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from lociflow.data.bins import Bins
from lociflow.sequence.alphabet import decode
from lociflow.sequence.store import SequenceStore
from lociflow.training.callbacks import Epochs
from lociflow.training.transfer import Contigs

# More contigs than these do not go into a checkpoint.
MOST_CONTIGS = 1000


def contigs_of(store: SequenceStore, bins: Bins, index: np.ndarray) -> Contigs:
    """Return the contigs on which some bins lie, in their order.

    A contig's digest tells which sequence it is, whatever a genome's file calls it, masks or holds besides. Sequence
    tables have a contig for each sequence.
    """
    numbers = np.unique(bins.place.contig[index])
    if len(numbers) > MOST_CONTIGS:
        return len(numbers)
    return {_digest(store, number): store.names[number] for number in numbers}


def _digest(store: SequenceStore, number: int) -> str:
    if store.md5:
        return store.md5[number]
    # The store of a table has no digests of its own; these are as those of a genome's contigs.
    begin = int(store.offsets[number])
    letters = decode(store.codes[begin : begin + int(store.lengths[number])], store.alphabet).upper()
    return hashlib.md5(letters.encode(), usedforsecurity=False).hexdigest()


def make_provenance(
    store: SequenceStore,
    labels: Mapping[str, Any],
    bins: Bins,
    sides: Mapping[str, np.ndarray],
    order: Sequence[int] | None,
    input_length: int,
) -> dict[str, Any]:
    """Return what a model's data and its software are, as far as it bears on where the model may be used.

    Parameters
    ----------
    store
        The sequences.
    labels
        What ``windows.parquet`` says of its labels.
    bins, sides
        All bins, and the indices of those of the ``train`` and the ``validation`` side that were used.
    order
        The order of the model's targets on the other strand; None: the same.
    input_length
        Bases that the model reads.
    """
    return {
        "genome": store.name,
        "store_sha256": store.digest,
        "alphabet": store.alphabet.name,
        "label_kind": labels["kind"],
        "stranded": labels["stranded"],
        "other_strand": order,
        "input_length": input_length,
        "contigs": {side: contigs_of(store, bins, index) for side, index in sides.items()},
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pytorch_lightning": pl.__version__,
    }


def kept_epoch(epochs: Epochs) -> dict[str, int]:
    """Return which epoch's weights were kept, and how many there were."""
    return {"epoch": epochs.best_epoch, "epochs": len(epochs.rows)}
