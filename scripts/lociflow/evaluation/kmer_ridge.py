"""Baseline: ridge regression on the k-mer counts of the window, for real-valued labels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lociflow.command import UserError, status
from lociflow.evaluation.kmer import ROWS, kmer_features, reverse_strand
from lociflow.evaluation.logistic import batches
from lociflow.evaluation.predictions import prediction_table
from lociflow.genome.placement import place_windows
from lociflow.sequence.kmers import canonical_columns
from lociflow.sequence.store import SequenceStore


def fit_predict(
    store: SequenceStore,
    windows: pd.DataFrame,
    targets: np.ndarray,
    names: Sequence[str],
    *,
    k: int,
    window_length: int,
    regularisation: Sequence[float],
    threads: int = 1,
) -> pd.DataFrame:
    """Fit on the training bins, choose the regularisation on the validation bins, predict validation and test.

    The features are log(1 + count) of the k-mers, standardised on the training bins; k-mers and strands are those of
    :func:`lociflow.evaluation.kmer.fit_predict`. Only sums over the bins are held, so that memory does not grow with
    their number. Each target has its own strength, that of the least mean squared error on the validation bins. The
    test labels are not read.

    Parameters
    ----------
    store
        The genome.
    windows
        ``contig``, ``start``, ``end`` (0-based, half-open), ``strand``, ``split``; the row number is the bin.
    targets
        float32, shape (bins, targets), NaN for missing, which is left out target by target.
    names
        Target names.
    k
        Length of a k-mer.
    window_length
        Bases around the centre of the bin.
    regularisation
        Strengths to choose from, in units of the number of training bins.
    threads
        Of the matrix products. It changes the last bits and so belongs to the configuration.

    Raises
    ------
    UserError
        A target has no training label, or there is no strength.
    """
    if not regularisation:
        raise UserError("k-mer baseline: regularisation is empty, expected at least one strength")
    split = windows["split"].astype(str).to_numpy()
    training, validation, test = (np.flatnonzero(split == side) for side in ("train", "validation", "test"))
    reverse = reverse_strand(windows)
    columns = canonical_columns(k)[0] if reverse is None else np.arange(4**k)
    place = place_windows(windows, store)
    width = int(columns.max()) + 1

    def features(bins: np.ndarray) -> np.ndarray:
        raw = kmer_features(store, place, bins, window_length, k, columns, reverse).astype(np.float64)
        return (raw - centre) * scale

    centre, scale = np.zeros(width), np.ones(width)
    with threadpool_limits(limits=threads, user_api="blas"):
        moments = np.zeros((2, width))
        for rows in batches(len(training), ROWS):
            raw = features(training[rows])
            moments += raw.sum(axis=0), (raw**2).sum(axis=0)
        mean = moments[0] / max(len(training), 1)
        spread = np.sqrt(np.maximum(moments[1] / max(len(training), 1) - mean**2, 0))
        centre, scale = mean, np.divide(1, spread, out=np.zeros(width), where=spread > 1e-9)
        bins = np.concatenate([validation, test])
        scores = np.empty((len(bins), len(names)), np.float32)
        for target, name in enumerate(names):
            known = training[~np.isnan(targets[training, target])]
            if not len(known):
                raise UserError(f"k-mer baseline: {name} has no label in the split train; leave the target out")
            offset = float(targets[known, target].mean(dtype=np.float64))
            gram, product = np.zeros((width, width)), np.zeros(width)
            for rows in batches(len(known), ROWS):
                each = features(known[rows])
                gram += each.T @ each
                product += each.T @ (targets[known[rows], target] - offset)
            values, vectors = np.linalg.eigh(gram)
            turned = vectors.T @ product
            weights = [vectors @ (turned / (values + strength * len(known))) for strength in regularisation]
            found = np.concatenate(
                [features(bins[rows]) @ np.stack(weights, axis=1) for rows in batches(len(bins), ROWS)]
                or [np.empty((0, len(weights)))]
            )
            chosen = choose(regularisation, np.asarray(targets[validation, target]), found[: len(validation)] + offset)
            status(f"k-mer baseline: {name}: strength {regularisation[chosen]:g}")
            scores[:, target] = found[:, chosen] + offset
    return prediction_table(bins, split[bins], scores, names)


def choose(regularisation: Sequence[float], labels: np.ndarray, predictions: np.ndarray) -> int:
    """Return the index of the strength with the least mean squared error; of the strongest without a label.

    Parameters
    ----------
    regularisation
        Strengths.
    labels
        NaN for missing, shape (validation bins,).
    predictions
        Shape (validation bins, strengths).
    """
    known = ~np.isnan(labels)
    if not known.any():
        return int(np.argmax(regularisation))
    return int(np.argmin(((predictions[known] - labels[known, np.newaxis]) ** 2).mean(axis=0)))
