"""The table of bins on disk: ``windows.parquet``."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lociflow.command import UserError, atomic
from lociflow.formats import check_format, stamp

KIND = "windows"
COLUMNS = ("contig", "start", "end", "strand", "split", "group")
METADATA = b"lociflow"


def digest_windows(windows: pd.DataFrame) -> str:
    """Return the SHA-256 of contig, start, end, strand and split of every bin, whatever the file's encoding."""
    digest = hashlib.sha256()
    for column in ("contig", "strand", "split"):
        values = windows[column].cat
        digest.update(json.dumps([column, [str(name) for name in values.categories]]).encode())
        digest.update(values.codes.to_numpy().astype("<i4").tobytes())
    for column in ("start", "end"):
        digest.update(json.dumps([column]).encode())
        digest.update(windows[column].to_numpy().astype("<i8").tobytes())
    return digest.hexdigest()


def write_windows(path: Path, windows: pd.DataFrame, about: Mapping[str, Any]) -> None:
    """Write the bins of a data set, with the same bytes for the same bins.

    Parameters
    ----------
    path
        Parquet file to write.
    windows
        ``contig``, ``strand``, ``split``, ``group`` (categorical; only ``group`` may be missing), ``start``, ``end``
        (int64), in the order of the store.
    about
        JSON values that travel in the file beside its format and version.
    """
    arrays = []
    for column in COLUMNS:
        values = windows[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes = values.cat.codes.to_numpy().astype(np.int32)
            names = pa.array([str(name) for name in values.cat.categories], type=pa.string())
            arrays.append(pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), names))
        else:
            arrays.append(pa.array(values.to_numpy(), type=pa.int64()))
    text = json.dumps({**stamp(KIND), **about}, sort_keys=True, allow_nan=False)
    table = pa.table(arrays, names=list(COLUMNS)).replace_schema_metadata({METADATA: text})
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=3, row_group_size=1 << 20)


def read_windows(path: Path) -> pd.DataFrame:
    """Read the bins of a data set; a row's number is its bin's index.

    Returns
    -------
    pandas.DataFrame
        ``contig``, ``strand``, ``split``, ``group`` (categorical), ``start``, ``end`` (int64, 0-based, half-open).

    Raises
    ------
    UserError
        The file is missing, no Parquet, or of another format or version.
    """
    about_windows(path)
    return pq.read_table(path, columns=list(COLUMNS)).to_pandas()


def about_windows(path: Path) -> dict[str, Any]:
    """Return what a table of bins says about itself: format, version, genome, digests.

    Raises
    ------
    UserError
        The file is missing, no Parquet, or of another format or version.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(f"{path}: cannot be read as Parquet ({error}); expected the windows of a data set") from None
    about: dict[str, Any] = json.loads(metadata.get(METADATA, b"{}"))
    check_format(about, KIND, path)
    return about
