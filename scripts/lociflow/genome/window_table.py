"""The table of bins on disk: ``windows.parquet``. Each split of the data set is a column of it."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lociflow.command import UserError
from lociflow.formats import check_format, stamp
from lociflow.genome.regions import categorical
from lociflow.parquet_tables import read_about, read_batches, read_parquet, write_parquet

KIND = "windows"
WHAT = "the windows of a data set"
COLUMNS = ("contig", "start", "end", "strand", "group", "shuffled", "shuffle_seed")
SPLIT = "split:"
METADATA = b"lociflow"
# Rows that are read at once where a table may not fit.
BATCH = 1 << 16


def split_names(windows: pd.DataFrame) -> list[str]:
    """Return the names of the splits of a table of bins, in order."""
    return [str(column).removeprefix(SPLIT) for column in windows.columns if str(column).startswith(SPLIT)]


def digest_windows(windows: pd.DataFrame, split: str | None = None) -> str:
    """Return the SHA-256 of every bin, whatever the file's encoding.

    Parameters
    ----------
    windows
        As for :func:`write_windows`.
    split
        The split that counts, beside where the bins lie; None: all of them.
    """
    digest = hashlib.sha256()
    splits = split_names(windows) if split is None else [split]
    for column in ("contig", "strand", "group", *(SPLIT + name for name in splits)):
        values = windows[column].cat
        digest.update(json.dumps([column, [str(name) for name in values.categories]]).encode())
        digest.update(values.codes.to_numpy().astype("<i4").tobytes())
    for column in ("start", "end", "shuffled", "shuffle_seed"):
        digest.update(json.dumps([column]).encode())
        digest.update(_column(windows, column).to_numpy().astype("<i8").tobytes())
    return digest.hexdigest()


def write_windows(path: Path, windows: pd.DataFrame, about: Mapping[str, Any]) -> None:
    """Write the bins of a data set, with the same bytes for the same bins.

    Parameters
    ----------
    path
        Parquet file to write.
    windows
        ``contig``, ``strand``, ``group`` and a column ``split:NAME`` for each split (categorical; group and splits may
        be missing), ``start``, ``end`` (int64), ``shuffled`` (bool) and ``shuffle_seed`` (int64: the seed of a
        shuffled bin's shuffle, 0 for the others; a table without it has no seeds), in the order of the store.
    about
        JSON values that travel in the file beside its format, version and the names of its splits.
    """
    columns = [*COLUMNS, *(SPLIT + name for name in split_names(windows))]
    arrays = []
    for column in columns:
        values = _column(windows, column)
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes = values.cat.codes.to_numpy().astype(np.int32)
            names = pa.array([str(name) for name in values.cat.categories], type=pa.string())
            arrays.append(pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), names))
        else:
            arrays.append(pa.array(values.to_numpy(), type=pa.bool_() if column == "shuffled" else pa.int64()))
    text = json.dumps({**stamp(KIND), **about, "splits": split_names(windows)}, sort_keys=True, allow_nan=False)
    table = pa.table(arrays, names=columns).replace_schema_metadata({METADATA: text})
    write_parquet(path, table, compression_level=3, row_group_size=BATCH)


def _column(windows: pd.DataFrame, column: str) -> pd.Series:
    if column == "shuffle_seed" and column not in windows:
        if windows["shuffled"].any():
            raise ValueError("shuffle_seed: expected a seed for every shuffled bin")
        return pd.Series(np.zeros(len(windows), np.int64), index=windows.index)
    return windows[column]


def read_windows(path: Path, split: str | None = None) -> pd.DataFrame:
    """Read the bins of a data set; a row's number is its bin's index.

    Parameters
    ----------
    path
        The file.
    split
        The split that is wanted.

    Returns
    -------
    pandas.DataFrame
        ``contig``, ``strand``, ``group`` (categorical), ``start``, ``end`` (int64, 0-based, half-open), ``shuffled``
        (bool), ``shuffle_seed`` (int64, 0 where not shuffled), and with a split the column ``split``: "train",
        "validation", "test", missing for a bin outside of it.

    Raises
    ------
    UserError
        The file is missing, no Parquet, of another format or version, or has no such split.
    """
    if split is None:
        about_windows(path)
        return read_parquet(path, WHAT, COLUMNS).to_pandas()
    _check_split(path, split)
    table = read_parquet(path, WHAT, [*COLUMNS, SPLIT + split]).to_pandas()
    return table.rename(columns={SPLIT + split: "split"})


def read_pooled(path: Path, folds: Sequence[str]) -> pd.DataFrame:
    """Read the bins of a data set with the test bins of several folds as one test split.

    Parameters
    ----------
    path
        The file.
    folds
        Names of the splits.

    Returns
    -------
    pandas.DataFrame
        As :func:`read_windows` with a split; ``split`` is "test", or missing for a bin that no fold tests on.

    Raises
    ------
    UserError
        As :func:`read_windows`, or a bin is in the test split of two folds.
    """
    table = read_windows(path)
    times = np.zeros(len(table), np.int64)
    for fold in folds:
        _check_split(path, fold)
        times += (read_parquet(path, WHAT, [SPLIT + fold]).to_pandas()[SPLIT + fold] == "test").to_numpy()
    if (times > 1).any():
        raise UserError(
            f"{path}: found {int((times > 1).sum())} bins in the test split of several of {', '.join(folds)}, expected "
            "each in one; pool only the folds of one scheme"
        )
    return table.assign(split=categorical(np.where(times == 1, 0, -1).astype(np.int8), ["test"]))


def pooled_digest(path: Path, folds: Sequence[str]) -> str:
    """Return the digest of several folds: of the digests of each."""
    digests = json.dumps([split_digest(path, fold) for fold in folds])
    return hashlib.sha256(digests.encode()).hexdigest()


def _check_split(path: Path, split: str) -> None:
    splits = about_windows(path)["splits"]
    if split not in splits:
        close = get_close_matches(split, splits, n=1)
        raise UserError(
            f"{path}: has no split {split}, expected one of {', '.join(splits)}"
            + (f"; did you mean {close[0]}?" if close else "; name it in the data set's split")
        )


def window_batches(path: Path, split: str) -> Iterator[pd.DataFrame]:
    """Yield the table of :func:`read_windows` in parts of up to :data:`BATCH` rows; memory holds one of them.

    Raises
    ------
    UserError
        As :func:`read_windows`.
    """
    _check_split(path, split)
    for batch in read_batches(path, WHAT, BATCH, [*COLUMNS, SPLIT + split]):
        yield batch.to_pandas().rename(columns={SPLIT + split: "split"})


def count_windows(path: Path) -> int:
    """Return the number of bins in a table, from its metadata."""
    about_windows(path)
    return read_about(path, WHAT)[0]


def split_digest(path: Path, split: str) -> str:
    """Return the digest of one split of a table of bins: of where every bin lies and on which side."""
    _check_split(path, split)
    return str(about_windows(path)["split_digests"][split])


def about_windows(path: Path) -> dict[str, Any]:
    """Return what a table of bins says of itself: format, version, genome, digests, ``splits``, ``labels``.

    Raises
    ------
    UserError
        The file is missing, no Parquet, or of another format or version.
    """
    _, metadata = read_about(path, WHAT)
    try:
        about: dict[str, Any] = json.loads(metadata.get(METADATA, b"{}"))
    except ValueError:
        about = {}
    check_format(about, KIND, path)
    return about
