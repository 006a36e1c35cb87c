"""Measure: how far the labels of a bin follow from those of the other targets, without any sequence.

Where many factors are found in the same hot spots (promoters of yeast ChIP-exo, HOT regions), the number of *other*
targets that are positive in a bin ranks it well for every target. That number is read from the **test labels**, which
no predictor has: it is no baseline to beat but the part of a score that hot spots alone explain.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.evaluation.predictions import SCORED, prediction_table
from lociflow.sequence.store import SequenceStore


def fit_predict(store: SequenceStore, windows: pd.DataFrame, targets: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Score each validation and test bin by the fraction of the other targets that are positive in it.

    Parameters
    ----------
    store
        Not looked at.
    windows
        ``split``; the row number is the bin.
    targets
        int8, shape (bins, targets): 1, 0, or -1 for missing, which counts as not positive. The labels of the
        validation and test bins are read, those of the training bins are not.
    names
        Target names.

    Raises
    ------
    UserError
        There is one target only.
    """
    if len(names) < 2:
        raise UserError("crowding baseline: found one target, expected at least two; leave it out of baselines")
    split = windows["split"].astype(str).to_numpy()
    bins = np.flatnonzero(np.isin(split, SCORED))
    positive = np.asarray(targets[bins]) == 1
    others = positive.sum(axis=1, dtype=np.float32)[:, np.newaxis] - positive
    return prediction_table(bins, split[bins], others / (len(names) - 1), names)
