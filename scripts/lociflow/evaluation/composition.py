"""Baselines of one number: the GC content of the window, or the length of the sequence."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lociflow.evaluation.kmer import count_kmers
from lociflow.evaluation.logistic import batches
from lociflow.evaluation.predictions import SCORED, prediction_table
from lociflow.genome.placement import place_windows, window_codes
from lociflow.sequence.store import SequenceStore

ROWS = 4096


def gc_content(store: SequenceStore, windows: pd.DataFrame, window_length: int) -> np.ndarray:
    """Return the fraction of G and C among the A, C, G, T of each bin's window, 0.5 without any; float32, (bins,)."""
    place = place_windows(windows, store)
    fraction = np.empty(len(windows), np.float32)
    for rows in batches(len(windows), ROWS):
        codes = window_codes(store, place, np.arange(len(windows))[rows], window_length)
        weak, strong = count_kmers(codes, 1, np.array([0, 1, 1, 0])).T
        fraction[rows] = np.divide(strong, weak + strong, out=np.full(len(weak), 0.5), where=weak + strong > 0)
    return fraction


def fit_predict(
    store: SequenceStore, windows: pd.DataFrame, targets: np.ndarray, names: Sequence[str], *, window_length: int
) -> pd.DataFrame:
    """Score each validation and test bin by its GC content, or by its AT content where positives have less GC.

    Parameters
    ----------
    store
        The genome.
    windows
        ``contig``, ``start``, ``end`` (0-based, half-open), ``split``; the row number is the bin.
    targets
        int8, shape (bins, targets): 1, 0, or -1 for missing. The training bins decide the direction.
    names
        Target names.
    window_length
        Bases around the centre of the bin.
    """
    return _by_one_number(gc_content(store, windows, window_length), windows, targets, names)


def fit_predict_length(
    store: SequenceStore, windows: pd.DataFrame, targets: np.ndarray, names: Sequence[str]
) -> pd.DataFrame:
    """Score each validation and test bin by the length of its sequence, or its shortness where positives are shorter.

    Parameters are those of :func:`fit_predict`; for sequences without a genome, each of which is one bin.
    """
    place = place_windows(windows, store)
    length = store.lengths[place.contig].astype(np.float64)
    return _by_one_number((length / max(length.max(initial=1), 1)).astype(np.float32), windows, targets, names)


def _by_one_number(
    number: np.ndarray, windows: pd.DataFrame, targets: np.ndarray, names: Sequence[str]
) -> pd.DataFrame:
    """Score bins by a number between 0 and 1, or by 1 less it; the training bins decide which."""
    split = windows["split"].astype(str).to_numpy()
    training, bins = np.flatnonzero(split == "train"), np.flatnonzero(np.isin(split, SCORED))
    labels = np.asarray(targets[training])
    positives, negatives = (labels == 1).astype(np.float64), (labels == 0).astype(np.float64)
    here = number[training]
    excess = here @ positives / np.maximum(1, positives.sum(axis=0)) - here @ negatives / np.maximum(
        1, negatives.sum(axis=0)
    )
    scores = np.where(excess >= 0, number[bins, np.newaxis], 1 - number[bins, np.newaxis])
    return prediction_table(bins, split[bins], scores, names)
