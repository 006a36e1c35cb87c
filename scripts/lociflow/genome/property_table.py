"""The table of what bins are made of and where they lie: ``properties.parquet``, apart from the step that makes it."""

from pathlib import Path

import pandas as pd

from lociflow.command import UserError
from lociflow.parquet_tables import read_parquet


def read_properties(path: Path, bins: int) -> pd.DataFrame:
    """Read what :func:`lociflow.genome.bin_properties.describe_bins` wrote.

    Raises
    ------
    UserError
        The file is missing or no Parquet, or of other bins.
    """
    found = read_parquet(path, "properties of bins", ["gc", "gene_distance"]).to_pandas()
    if len(found) != bins:
        raise UserError(f"{path}: found {len(found)} bins, expected {bins}; run the step that makes it again")
    return found
