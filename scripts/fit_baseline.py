"""Fit a baseline on the training bins and predict the validation and test bins."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.evaluation.baseline import fit_baseline


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome (store.json)")
    arguments.add_argument("--windows", type=Path, required=True, help="bins of the data set (windows.parquet)")
    arguments.add_argument("--targets", type=Path, required=True, help="labels of the bins (targets.npy)")
    arguments.add_argument("--split", required=True, help="name of the split")
    arguments.add_argument("--target-table", type=Path, required=True, help="names of the targets (targets.tsv)")
    arguments.add_argument(
        "--config", type=json_argument, required=True, help="the baseline's _target_ and its settings (JSON)"
    )
    arguments.add_argument(
        "--scores", type=Path, nargs="+", default=[], help="scores of another tool, for a baseline that reads them"
    )
    arguments.add_argument("--predictions", type=Path, required=True, help="Parquet table to write")
    return arguments


if __name__ == "__main__":
    run(fit_baseline, parser())
