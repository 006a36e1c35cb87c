"""Real-valued labels at mean 0 and standard deviation 1 of the training bins."""

from pathlib import Path

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.signal_labels import apply_zscore, fit_zscore
from lociflow.genome.window_table import SPLIT


def standardise(path: Path, windows: pd.DataFrame, splits: list[str], reverse: list[int] | None = None) -> None:
    """Bring labels on disk to z-scores, in place; mean and deviation are those of the training bins.

    Parameters
    ----------
    path
        ``targets.npy``, ``float32``.
    windows
        The bins with a column for each split.
    splits
        Their names: all must train on the same bins.
    reverse
        The order of the targets on the other strand; the two tracks of a stranded pair get one scale.

    Raises
    ------
    UserError
        Two splits train on different bins, so that there is no one scale for both.
    """
    training = [(windows[SPLIT + name] == "train").to_numpy() for name in splits]
    if any((one != training[0]).any() for one in training[1:]):
        raise UserError(
            "targets.signal.normalise: found zscore with splits that train on different bins, expected one training "
            "set; leave zscore out, or declare one split"
        )
    array = np.load(path, mmap_mode="r+")
    mean, deviation = fit_zscore(array, np.flatnonzero(training[0]), reverse)
    apply_zscore(array, mean, deviation)
    array.flush()
