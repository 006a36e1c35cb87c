"""The table of predictions: written by every model and baseline, read by the evaluation."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lociflow.command import UserError, atomic
from lociflow.formats import check_format, stamp
from lociflow.parquet_tables import WRITTEN, read_about, read_parquet

KEYS = ("bin", "split")
# The splits that are predicted.
SCORED = ("validation", "test")
# Bytes of predictions that are written at once.
ROW_GROUP = 1 << 25


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


class PredictedBatch(NamedTuple):
    """Predictions of some bins."""

    bins: np.ndarray
    """Row numbers in the table of windows, ``int64``, shape (n,)."""
    splits: np.ndarray
    """"validation" or "test" for each, shape (n,)."""
    columns: dict[str, np.ndarray]
    """By name ``float32`` of shape (n,), or (n, positions) where there is a number for each base."""


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
    columns = {str(name): predictions[name].to_numpy() for name in predictions.columns if name not in KEYS}
    splits = predictions["split"].astype(str).to_numpy()
    write_batches(path, [PredictedBatch(predictions["bin"].to_numpy(), splits, columns)], split_digest)


def write_batches(path: Path, batches: Iterable[PredictedBatch], split_digest: str) -> None:
    """Write predictions as they come, sorted by bin, with memory for a row group of them.

    Parameters
    ----------
    path
        Parquet file.
    batches
        At least one, all with the same columns.
    split_digest
        As in :func:`write_predictions`.
    """
    about = {**stamp("predictions"), "split_digest": split_digest}
    metadata = {key: str(value) for key, value in about.items()}
    with atomic(path) as temporary, contextlib.ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for group in _row_groups(batches):
            table = pa.concat_tables([_arrow_table(batch) for batch in group]).combine_chunks()
            if writer is None:
                schema = table.schema.with_metadata(metadata)
                writer = stack.enter_context(pq.ParquetWriter(temporary, schema, **WRITTEN))
            writer.write_table(table.replace_schema_metadata(metadata), row_group_size=max(1, len(table)))


def _row_groups(batches: Iterable[PredictedBatch]) -> Iterator[list[PredictedBatch]]:
    held: list[PredictedBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += sum(column.nbytes for column in batch.columns.values())
        if size >= ROW_GROUP:
            yield held
            held, size = [], 0
    if held:
        yield held


def _arrow_table(batch: PredictedBatch) -> pa.Table:
    codes = np.array([SCORED.index(split) for split in batch.splits], dtype=np.int32)
    return pa.table(
        {
            "bin": pa.array(np.asarray(batch.bins, np.int64)),
            "split": pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(SCORED, pa.string())),
            **{name: _arrow_column(np.asarray(values, np.float32)) for name, values in batch.columns.items()},
        }
    )


def _arrow_column(values: np.ndarray) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), values.shape[1])


def read_split_digest(path: Path) -> str:
    """Return the digest of the split on which predictions were made; "none" where they do not say."""
    return read_about(path, "predictions")[1].get(b"split_digest", b"none").decode()


def check_split(path: Path, split_digest: str) -> None:
    """Refuse predictions that were made on another split than the data set's present one.

    Raises
    ------
    UserError
        The digests differ.
    """
    found = read_split_digest(path)
    if found != split_digest:
        raise UserError(
            f"{path}: found predictions on a split with the digest {found[:12]}, expected {split_digest[:12]} as the "
            "windows have it; run the step that makes the predictions again"
        )


def read_predictions(path: Path, columns: Sequence[str] | None = None, bins: np.ndarray | None = None) -> pd.DataFrame:
    """Read predictions that :func:`write_predictions` wrote.

    Parameters
    ----------
    path
        The file.
    columns
        Those that are wanted beside ``bin`` and ``split``; None: all.
    bins
        Those that are wanted, ``int64``; None: all.

    Returns
    -------
    pandas.DataFrame
        ``bin``, ``split`` (categorical) and the columns that were written, sorted by bin: ``float32``, or an array of
        them in each row where there is a number for every base.

    Raises
    ------
    UserError
        The file is missing, no Parquet file, or of another format or version.
    """
    table = read_parquet(
        path,
        "predictions",
        columns=None if columns is None else ["bin", "split", *columns],
        filters=None if bins is None else [("bin", "in", bins.tolist())],
    )
    found: dict[str, str | int] = {
        key.decode(): value.decode()
        for key, value in (table.schema.metadata or {}).items()
        if key in (b"format", b"version")
    }
    if str(found.get("version", "")).isdecimal():
        found["version"] = int(found["version"])
    check_format(found, "predictions", path)
    if missing := [key for key in KEYS if key not in table.column_names]:
        raise UserError(f"{path}: has no column {' or '.join(missing)}; run the step that makes the predictions again")
    return table.to_pandas()
