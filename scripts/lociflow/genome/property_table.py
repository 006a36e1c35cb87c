"""The table of what bins are made of and where they lie: ``properties.parquet``, apart from the step that makes it."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lociflow.command import UserError


def read_properties(path: Path, bins: int) -> pd.DataFrame:
    """Read what :func:`lociflow.genome.bin_properties.describe_bins` wrote.

    Raises
    ------
    UserError
        The file is missing or no Parquet, or of other bins.
    """
    try:
        found = pq.read_table(path, columns=["gc", "gene_distance"]).to_pandas()
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(f"{path}: cannot be read as properties of bins ({error}); run the step that makes it") from None
    if len(found) != bins:
        raise UserError(f"{path}: found {len(found)} bins, expected {bins}; run the step that makes it again")
    return found
