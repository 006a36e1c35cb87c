"""Baseline: logistic regression on the k-mer counts of the window."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lociflow.command import UserError, status
from lociflow.evaluation.logistic import batches, fit_path, predict_logits, whiten_basis
from lociflow.evaluation.metrics import auprc
from lociflow.evaluation.predictions import prediction_table
from lociflow.genome.placement import Placement, place_windows, window_codes
from lociflow.sequence.kmers import LETTER, canonical_columns, count_kmers
from lociflow.sequence.store import SequenceStore

# Windows of which the positions are held at once.
ROWS = 4096


def reverse_strand(windows: pd.DataFrame) -> np.ndarray | None:
    """Tell which bins are read from the reverse strand: bool, shape (bins,); None where not every bin has a strand."""
    strand = windows["strand"].astype(str).to_numpy()
    return strand == "-" if len(strand) and np.isin(strand, ("+", "-")).all() else None


def kmer_features(
    store: SequenceStore,
    place: Placement,
    bins: np.ndarray,
    window_length: int,
    k: int,
    columns: np.ndarray,
    reverse: np.ndarray | None = None,
) -> np.ndarray:
    """Return log(1 + count) of each k-mer in the window of each of the ``bins``, float32 of shape (bins, k-mers).

    ``reverse`` tells for every bin of the table whether its window is read from the reverse strand; None: none is.
    """
    features = np.empty((len(bins), int(columns.max()) + 1), np.float32)
    for rows in batches(len(bins), ROWS):
        codes = window_codes(store, place, bins[rows], window_length)
        if reverse is not None and (turned := reverse[bins[rows]]).any():
            letters = codes[turned, ::-1] & LETTER
            codes[turned] = np.where(letters < 4, 3 - letters, letters)
        features[rows] = np.log1p(count_kmers(codes, k, columns))
    return features


def fit_predict(
    store: SequenceStore,
    windows: pd.DataFrame,
    targets: np.ndarray,
    names: Sequence[str],
    *,
    k: int,
    window_length: int,
    regularisation: Sequence[float],
    max_training_bins: int = 100_000,
    seed: int = 0,
    threads: int = 1,
    groups: Sequence[slice] = (),
) -> pd.DataFrame:
    """Fit on the training bins, choose the regularisation on the validation bins, predict validation and test.

    The features are log(1 + count) of the k-mers, standardised on the training bins: a k-mer and its reverse complement
    are one, unless every bin has a strand, which is then the one that is read. Each class of several is fitted against
    the others, and the probabilities of a target's classes are divided by their sum. One ``C`` serves all
    targets, the one of the highest median average precision on the validation bins: a choice per target would follow
    the noise of a few dozen positives. The test labels are not read.

    Parameters
    ----------
    store
        The genome.
    windows
        ``contig``, ``start``, ``end`` (0-based, half-open), ``strand``, ``split``; the row number is the bin.
    targets
        int8, shape (bins, targets): 1, 0, or -1 for missing, which is left out target by target.
    names
        Target names.
    k
        Length of a k-mer; 5 gives 512 features, 6 gives 2,080, and of stranded bins 1,024 and 4,096.
    window_length
        Bases around the centre of the bin.
    regularisation
        Values of ``C`` (inverse strength, as in scikit-learn) to choose from.
    max_training_bins
        Of more training bins, so many are drawn, all targets alike: the feature matrix must fit in memory
        (100,000 bins of 512 features take 0.2 GB).
    seed
        Of that draw.
    threads
        Of the matrix products. It changes the last bits and so belongs to the configuration.
    groups
        Which columns of ``targets`` are the classes of one target; none for binary labels.

    Returns
    -------
    pandas.DataFrame
        Probabilities, as :func:`lociflow.evaluation.predictions.prediction_table` gives them.

    Raises
    ------
    UserError
        There is no training bin, or no value of ``regularisation``.
    """
    split = windows["split"].astype(str).to_numpy()
    training = np.flatnonzero(split == "train")
    if not len(training):
        raise UserError("k-mer baseline: the windows have no bin in the split train; name fewer contigs in the others")
    if not regularisation:
        raise UserError("k-mer baseline: regularisation is empty, expected at least one value of C")
    if len(training) > max_training_bins:
        status(f"k-mer baseline: {max_training_bins:,} of {len(training):,} training bins are drawn")
        generator = np.random.Generator(np.random.Philox(key=seed))
        training = np.sort(generator.choice(training, max_training_bins, replace=False))
    reverse = reverse_strand(windows)
    columns = canonical_columns(k)[0] if reverse is None else np.arange(4**k)
    place = place_windows(windows, store)
    with threadpool_limits(limits=threads, user_api="blas"):
        features = kmer_features(store, place, training, window_length, k, columns, reverse)
        centre = features.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = features.std(axis=0, dtype=np.float64).astype(np.float32)
        scale = np.where(spread > 0, 1 / np.maximum(spread, 1e-12), 0).astype(np.float32)
        for rows in batches(len(features)):
            features[rows] = (features[rows] - centre) * scale
        eigenvalues, rotation = whiten_basis(features)
        for rows in batches(len(features)):
            features[rows] = features[rows] @ rotation
        path = fit_path(features, eigenvalues, np.asarray(targets[training]), sorted(regularisation))
        del features

        def logits(bins: np.ndarray, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
            """Score bins with each set of weights, a batch of bins at a time."""
            found = []
            for rows in batches(len(bins), ROWS):
                raw = kmer_features(store, place, bins[rows], window_length, k, columns, reverse)
                rotated = ((raw - centre) * scale) @ rotation
                found.append([predict_logits(rotated, each) for each in weights])
            empty = np.empty((0, targets.shape[1]), np.float32)
            return [np.concatenate([empty, *parts]) for parts in zip(*found, strict=True)] or [empty] * len(weights)

        validation, test = np.flatnonzero(split == "validation"), np.flatnonzero(split == "test")
        on_validation = logits(validation, path)
        chosen = choose(sorted(regularisation), np.asarray(targets[validation]), on_validation)
        on_test = logits(test, [path[chosen]])[0]
    scores = np.concatenate([on_validation[chosen], on_test])
    bins = np.concatenate([validation, test])
    probabilities = 1 / (1 + np.exp(-scores))
    for group in groups:
        probabilities[:, group] /= probabilities[:, group].sum(axis=1, keepdims=True)
    return prediction_table(bins, split[bins], probabilities, names)


def choose(regularisation: Sequence[float], labels: np.ndarray, logits: Sequence[np.ndarray]) -> int:
    """Return the index of the ``C`` with the highest median validation AUPRC; the first, the strongest, without one.

    Parameters
    ----------
    regularisation
        Values of ``C``, ascending.
    labels
        int8, shape (validation bins, targets).
    logits
        For each ``C`` the scores, shape (validation bins, targets).
    """
    medians = []
    for strength, scores in zip(regularisation, logits, strict=True):
        values = np.array([auprc(labels[:, target], scores[:, target]) for target in range(labels.shape[1])])
        defined = values[~np.isnan(values)]
        medians.append(float(np.median(defined)) if len(defined) else -np.inf)
        status(f"k-mer baseline: C {strength:g}, median validation AUPRC {medians[-1]:.4f} of {len(defined)} targets")
    return int(np.argmax(medians))
