"""The step that fits a baseline and writes its predictions."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lociflow.command import UserError, status
from lociflow.evaluation.labels import one_against_rest, read_labels
from lociflow.evaluation.predictions import write_predictions
from lociflow.genome.settings import takes
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
    scores: Sequence[Path] = (),
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
        settings, and ``labels``, the kinds that it predicts (binary alone where it says nothing). For classes it is
        given a yes or no for each class as targets, and ``groups``, which says which belong together.
    predictions
        Parquet file to write.
    scores
        Tables of another tool, for a function that takes ``files``.

    Raises
    ------
    UserError
        The configuration does not fit its function, the function does not take such labels, or a file is bad.
    """
    if not isinstance(config, Mapping) or "_target_" not in config:
        raise UserError(f"--config: found {config!r}, expected a JSON object with _target_ and its settings")
    kinds = config.get("labels") or ["binary"]
    settings = {key: value for key, value in config.items() if key != "labels"}
    fit_predict = instantiate({**settings, "_partial_": True})
    opened = open_store(store)
    labels = read_labels(windows, targets, target_table, split)
    kind, function = labels.outputs.kind, str(config["_target_"])
    if kind not in kinds:
        raise UserError(
            f"baseline {function}: found {kind} labels, expected {' or '.join(kinds)} ones; leave it out of the run's "
            "baselines"
        )
    if takes(fit_predict.func, "files"):
        fit_predict.keywords["files"] = list(scores)
    columns, targets_of_columns = labels.names, labels.targets
    if kind == "class":
        columns, targets_of_columns = list(labels.outputs.columns), one_against_rest(labels.targets, labels.outputs)
        fit_predict.keywords["groups"] = labels.outputs.groups
    arguments = (opened, labels.windows, targets_of_columns, columns)
    try:
        inspect.signature(fit_predict.func).bind(*arguments, **fit_predict.keywords)
    except TypeError as error:
        raise UserError(f"baseline {config['_target_']}: {error}; correct its keys in config/baseline") from None
    table = fit_predict(*arguments)
    write_predictions(predictions, table, labels.digest)
    status(f"{config['_target_']}: predicted {len(table):,} bins of {len(labels.names)} targets")
