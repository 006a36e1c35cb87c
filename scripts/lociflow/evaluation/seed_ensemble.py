"""The mean prediction of the same model with several seeds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lociflow.command import UserError, status
from lociflow.evaluation.predictions import KEYS, PredictedBatch, read_predictions, read_split_digest, write_batches
from lociflow.evaluation.scored_split import values


def average_seeds(seeds: Sequence[Path], predictions: Path) -> None:
    """Average the predictions of several seeds, each with the same weight.

    Probabilities, values, profiles and log counts are averaged as they are.

    Parameters
    ----------
    seeds
        Predictions of each seed, of the same bins.
    predictions
        Parquet to write.

    Raises
    ------
    UserError
        A file is bad, or they are of other bins, splits or targets.
    """
    first = read_predictions(seeds[0])
    digest = read_split_digest(seeds[0])
    names = [str(name) for name in first.columns if name not in KEYS]
    sums = {name: values(first[name]).astype(np.float64) for name in names}
    for path in seeds[1:]:
        found = read_predictions(path)
        same = list(found.columns) == list(first.columns) and read_split_digest(path) == digest
        if not same or not np.array_equal(found["bin"].to_numpy(), first["bin"].to_numpy()):
            raise UserError(
                f"{path}: found predictions of other bins or targets than those of {seeds[0]}, expected the same; run "
                "the steps that make both again"
            )
        for name in names:
            sums[name] += values(found[name])
    columns = {name: (total / len(seeds)).astype(np.float32) for name, total in sums.items()}
    split = first["split"].astype(str).to_numpy()
    write_batches(predictions, [PredictedBatch(first["bin"].to_numpy(), split, columns)], digest)
    status(f"averaged the predictions of {len(seeds)} seeds for {len(first):,} bins")
