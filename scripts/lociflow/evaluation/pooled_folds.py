"""The test predictions of all folds of a cross-validation as those of one split."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lociflow.command import UserError, status
from lociflow.evaluation.predictions import check_split, read_predictions
from lociflow.genome.window_table import pooled_digest, read_pooled, split_digest
from lociflow.parquet_tables import read_parquet, write_parquet


def pool_folds(windows: Path, folds: Mapping[str, Path], predictions: Path) -> None:
    """Put the test predictions of several folds into one table: each bin by the model that has not seen it.

    The probabilities stay as they are. Models of different folds may be calibrated differently, so that a ranking of
    all bins, and with it AUROC and AUPRC, mixes their scales; shares of wrong calls do not suffer from it.

    Parameters
    ----------
    windows
        ``windows.parquet`` of the data set.
    folds
        Name of each fold to its predictions, made by the same model.
    predictions
        Parquet to write: the test bins of all folds, as test bins.

    Raises
    ------
    UserError
        Predictions are bad, of another split or of other targets than those of the first fold, or a bin is tested on
        twice.
    """
    parts = [_test_rows(windows, fold, path) for fold, path in folds.items()]
    wanted = parts[0].schema.names
    for path, part in zip(folds.values(), parts, strict=True):
        if part.schema.names != wanted:
            raise UserError(
                f"{path}: found the columns {', '.join(part.schema.names)}, expected {', '.join(wanted)} as in the "
                "first fold; run the steps that make both again"
            )
    expected = np.flatnonzero((read_pooled(windows, list(folds))["split"] == "test").to_numpy())
    table = pa.concat_tables([part.replace_schema_metadata(None) for part in parts], promote_options="permissive")
    table = table.take(pc.sort_indices(table, sort_keys=[("bin", "ascending")])).combine_chunks()
    if not np.array_equal(table["bin"].to_numpy(), expected):
        raise UserError(
            f"{windows}: found {len(table):,} predictions of test bins in {len(folds)} folds, expected one for each of "
            f"their {len(expected):,} test bins; run the steps that make the predictions again"
        )
    metadata = {**(parts[0].schema.metadata or {}), b"split_digest": pooled_digest(windows, list(folds)).encode()}
    write_parquet(predictions, table.replace_schema_metadata(metadata))
    status(f"pooled {len(table):,} test bins of {len(folds)} folds")


def _test_rows(windows: Path, fold: str, path: Path) -> pa.Table:
    # Refuses a file that is none of predictions.
    read_predictions(path)
    check_split(path, split_digest(windows, fold))
    table = read_parquet(path, "predictions")
    test = pc.equal(table["split"].cast(pa.string()), "test")
    chosen = table.filter(test)
    split = pa.array(["test"] * len(chosen), pa.string()).dictionary_encode()
    return chosen.set_column(chosen.schema.get_field_index("split"), "split", split)
