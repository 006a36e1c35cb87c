"""The table of predictions: written by every model and baseline, read by the evaluation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lociflow.command import UserError, atomic
from lociflow.formats import check_format, stamp

KEYS = ("bin", "split")
# The splits that are predicted.
SCORED = ("validation", "test")


def prediction_table(
    bins: np.ndarray, splits: Sequence[str] | np.ndarray, scores: np.ndarray, names: Sequence[str]
) -> pd.DataFrame:
    """Put scores into the shape in which predictions travel.

    Parameters
    ----------
    bins
        Row numbers in the table of windows, shape (n,).
    splits
        "validation" or "test" for each bin, shape (n,).
    scores
        Shape (n, targets); a higher score means a likelier positive. Models give probabilities.
    names
        Target names, one per column of ``scores``.

    Returns
    -------
    pandas.DataFrame
        ``bin`` (int64), ``split`` (string) and a float32 column per target, sorted by bin.
    """
    order = np.argsort(bins, kind="stable")
    keys = {"bin": np.asarray(bins, np.int64)[order], "split": np.asarray(splits, dtype=object)[order]}
    columns = pd.DataFrame(np.asarray(scores, np.float32)[order], columns=list(names))
    return pd.concat([pd.DataFrame(keys), columns], axis=1)


def write_predictions(path: Path, predictions: pd.DataFrame, split_digest: str) -> None:
    """Write predictions as Parquet.

    Parameters
    ----------
    path
        The file.
    predictions
        As :func:`prediction_table` gives them.
    split_digest
        Of the split (:func:`lociflow.genome.window_table.split_digest`): goes into the schema's metadata, beside format
        and version.
    """
    table = pa.table(
        {
            "bin": pa.array(predictions["bin"].to_numpy(np.int64)),
            "split": pa.array(predictions["split"].astype(str).to_list(), pa.string()).dictionary_encode(),
            **{
                str(name): pa.array(predictions[name].to_numpy(np.float32))
                for name in predictions.columns
                if name not in KEYS
            },
        }
    )
    about = {**stamp("predictions"), "split_digest": split_digest}
    metadata = {key: str(value) for key, value in about.items()}
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def check_split(path: Path, split_digest: str) -> None:
    """Refuse predictions that were made on another split than the data set's present one.

    Raises
    ------
    UserError
        The digests differ.
    """
    found = (pq.read_schema(path).metadata or {}).get(b"split_digest", b"none").decode()
    if found != split_digest:
        raise UserError(
            f"{path}: found predictions on a split with the digest {found[:12]}, expected {split_digest[:12]} as the "
            "windows have it; run the step that makes the predictions again"
        )


def read_predictions(path: Path) -> pd.DataFrame:
    """Read predictions that :func:`write_predictions` wrote.

    Returns
    -------
    pandas.DataFrame
        As :func:`prediction_table` gives it; ``split`` is categorical.

    Raises
    ------
    UserError
        The file is missing, no Parquet file, or of another format or version.
    """
    try:
        table = pq.read_table(path)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise UserError(f"{path}: cannot be read as predictions ({error}); run the step that makes it again") from None
    found: dict[str, str | int] = {
        key.decode(): value.decode()
        for key, value in (table.schema.metadata or {}).items()
        if key in (b"format", b"version")
    }
    if str(found.get("version", "")).isdigit():
        found["version"] = int(found["version"])
    check_format(found, "predictions", path)
    if missing := [key for key in KEYS if key not in table.column_names]:
        raise UserError(f"{path}: has no column {' or '.join(missing)}; run the step that makes the predictions again")
    return table.to_pandas()
