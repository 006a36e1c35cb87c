"""The step that fits a baseline and writes its predictions."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lociflow.command import UserError, status
from lociflow.evaluation.labels import read_labels
from lociflow.evaluation.predictions import write_predictions
from lociflow.genome.window_table import split_digest
from lociflow.instantiate import instantiate
from lociflow.sequence.store import open_store


def fit_baseline(
    store: Path,
    windows: Path,
    targets: Path,
    target_table: Path,
    split: str,
    config: Mapping[str, Any],
    predictions: Path,
) -> None:
    """Fit the baseline that a configuration names and write its predictions for validation and test.

    Parameters
    ----------
    store
        ``store.json`` of the genome.
    windows, targets, target_table
        ``windows.parquet``, ``targets.npy``, ``targets.tsv`` of the data set.
    split
        Name of the split.
    config
        ``_target_``, a function of (store, windows, targets, names, **settings) that returns predictions, and its
        settings.
    predictions
        Parquet file to write.

    Raises
    ------
    UserError
        The configuration does not fit its function, or a file is bad.
    """
    if not isinstance(config, Mapping) or "_target_" not in config:
        raise UserError(f"--config: found {config!r}, expected a JSON object with _target_ and its settings")
    fit_predict = instantiate({**config, "_partial_": True})
    opened = open_store(store)
    labels = read_labels(windows, targets, target_table, split)
    arguments = (opened, labels.windows, labels.targets, labels.names)
    try:
        inspect.signature(fit_predict.func).bind(*arguments, **fit_predict.keywords)
    except TypeError as error:
        raise UserError(f"baseline {config['_target_']}: {error}; correct its keys in config/baseline") from None
    table = fit_predict(*arguments)
    write_predictions(predictions, table, split_digest(windows, split))
    status(f"{config['_target_']}: predicted {len(table):,} bins of {len(labels.names)} targets")
