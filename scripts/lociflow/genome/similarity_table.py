"""The table of how alike held-out bins are to training bins: ``similarity.parquet``, written by the audit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lociflow.parquet_tables import read_parquet, write_parquet

COLUMNS = ("row", "split", "identity", "coverage", "reference", "reverse")


def write_similarity(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write how alike each held-out bin is to its nearest training bin, in every split."""
    parts = [
        table.assign(side=table["split"].astype(str), split=name)[[*COLUMNS, "side"]] for name, table in tables.items()
    ]
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "side"])
    arrays = {
        "row": pa.array(joined["row"].to_numpy(np.int64)),
        "split": pa.array(joined["split"].astype(str)).dictionary_encode(),
        "side": pa.array(joined["side"].astype(str)).dictionary_encode(),
        "identity": pa.array(joined["identity"].to_numpy(np.float32)),
        "coverage": pa.array(joined["coverage"].to_numpy(np.float32)),
        "reference": pa.array(joined["reference"].to_numpy(np.int64)),
        "reverse": pa.array(joined["reverse"].to_numpy(bool)),
    }
    write_parquet(path, pa.table(arrays))


def read_similarity(path: Path, splits: Sequence[str]) -> pd.DataFrame:
    """Read how alike the test bins of some splits are to the training bins.

    Parameters
    ----------
    path
        The file.
    splits
        Names; those that the audit did not look at are passed over.

    Returns
    -------
    pandas.DataFrame
        ``row`` (the bin), ``identity`` and ``coverage`` (0 where nothing alike was found), each bin once.

    Raises
    ------
    UserError
        The file is missing or no such table.
    """
    found = read_parquet(path, "likeness of bins", ["row", "split", "side", "identity", "coverage"]).to_pandas()
    wanted = (found["side"].astype(str) == "test") & found["split"].astype(str).isin(list(splits))
    return found.loc[wanted, ["row", "identity", "coverage"]].drop_duplicates("row").reset_index(drop=True)
