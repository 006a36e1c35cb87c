"""Baseline: what is known without looking at a bin, the prevalence of the training bins or their mean."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lociflow.evaluation.metrics import prevalence
from lociflow.evaluation.predictions import SCORED, prediction_table
from lociflow.sequence.store import SequenceStore


def fit_predict(
    store: SequenceStore,
    windows: pd.DataFrame,
    targets: np.ndarray,
    names: Sequence[str],
    *,
    groups: Sequence[slice] = (),
) -> pd.DataFrame:
    """Give every validation and test bin the same prediction: each target's share of positives or mean in training.

    Parameters
    ----------
    store
        Not looked at.
    windows
        ``split``; the row number is the bin.
    targets
        Shape (bins, targets): int8 1, 0, or -1 for missing; of classes a column for each; real values float32, NaN for
        missing. A target without a training label is given 0.
    names
        Target names.
    groups
        Which columns are the classes of one target; none for other labels.
    """
    split = windows["split"].astype(str).to_numpy()
    training, bins = np.flatnonzero(split == "train"), np.flatnonzero(np.isin(split, SCORED))
    labels = np.asarray(targets[training])
    real = np.issubdtype(labels.dtype, np.floating)
    means = [_mean(column) if real else prevalence(column) for column in labels.T]
    return prediction_table(bins, split[bins], np.tile(np.nan_to_num(means), (len(bins), 1)), names)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else float("nan")
