"""What a fresh model begins from beside its drawn weights: those of another training, a vocabulary."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from lociflow.command import UserError, status
from lociflow.data.bins import Bins, bins_of_split
from lociflow.data.draws import Purpose, stream
from lociflow.data.views import sequence_view
from lociflow.models.checkpoint import LoadedModel
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import decode
from lociflow.sequence.store import SequenceStore
from lociflow.training.provenance import contigs_of
from lociflow.training.transfer import Transfer, start_from

# Windows of which a vocabulary is learnt, at the most.
WINDOWS = 20_000
# Of these, how many are read at once.
CHUNK = 512


def begin_with(
    model: nn.Module,
    recipe: Mapping[str, Any],
    transfer: Transfer,
    checkpoint: Path | None,
    store: SequenceStore,
    bins: Bins,
    outputs: Outputs,
    split: str,
) -> LoadedModel | None:
    """Give a fresh model the weights that the recipe's ``transfer`` names, if it names any.

    Returns
    -------
    LoadedModel or None
        The origin; None where the model begins from fresh weights.

    Raises
    ------
    UserError
        There is a checkpoint and nothing is said of it, or the other way round; or it does not fit.
    """
    if bool(recipe.get("transfer")) != bool(checkpoint):
        raise UserError(
            f"training.transfer: found {recipe.get('transfer')}, and {checkpoint or 'no checkpoint'} to start from; "
            "give --start-from where training.transfer names a model, and nowhere else"
        )
    if not checkpoint:
        return None
    tested = contigs_of(store, bins, bins_of_split(bins, "test"))
    return start_from(model, checkpoint, transfer, store.alphabet, store.digest, tested, outputs, split)


def learn_vocabulary(
    model: nn.Module, store: SequenceStore, bins: Bins, train_bins: np.ndarray, input_length: int, seed: int
) -> None:
    """Let a model that has ``learn_vocabulary`` learn it from windows of the training split.

    Which windows these are is a pure function of the seed; each is read from its bin's own strand.

    Parameters
    ----------
    model
        One that has a vocabulary from elsewhere keeps it.
    store, bins
        The sequences and all bins.
    train_bins
        Indices of the training bins, ``int64``.
    input_length
        Bases of a window.
    seed
        Of the training.
    """
    learn = getattr(model, "learn_vocabulary", None)
    if learn is not None:
        learn(windows_as_text(store, bins, vocabulary_bins(train_bins, seed), input_length))


def vocabulary_bins(train_bins: np.ndarray, seed: int) -> np.ndarray:
    """Draw the bins of which a vocabulary is learnt, ``int64``, ascending."""
    if len(train_bins) <= WINDOWS:
        return train_bins
    status(f"learning the vocabulary from {WINDOWS:,} of {len(train_bins):,} windows")
    # Batch 0 of this stream are the weights themselves.
    return np.sort(stream(seed, Purpose.WEIGHTS, batch=1).choice(train_bins, WINDOWS, replace=False))


def windows_as_text(store: SequenceStore, bins: Bins, index: np.ndarray, input_length: int) -> Iterator[str]:
    """Yield the windows of some bins, each from its own strand, in the letters of DNA."""
    view = sequence_view(store, bins, input_length)
    for first in range(0, len(index), CHUNK):
        part = index[first : first + CHUNK]
        for codes in view(part, bins.reverse[part]):
            # RNA has the codes of DNA, and models call its channels by the letters of DNA.
            yield decode(codes)
