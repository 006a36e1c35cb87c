"""Score predictions on the test bins, with intervals, and write ROC and precision-recall curves."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.evaluation.evaluate import evaluate


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--windows", type=Path, required=True, help="bins of the data set (windows.parquet)")
    arguments.add_argument("--targets", type=Path, required=True, help="labels of the bins (targets.npy)")
    arguments.add_argument("--split", required=True, help="name of the split")
    arguments.add_argument(
        "--folds", nargs="+", default=[], help="names of the folds whose test predictions are pooled under this split"
    )
    arguments.add_argument("--target-table", type=Path, required=True, help="names of the targets (targets.tsv)")
    arguments.add_argument("--predictions", type=Path, required=True, help="predictions of a model or baseline")
    arguments.add_argument(
        "--config", type=json_argument, required=True, help="block (bases), draws, level and seed of intervals (JSON)"
    )
    arguments.add_argument("--metrics", type=Path, required=True, help="JSON to write")
    arguments.add_argument("--curves", type=Path, required=True, help="curves to write (.npz)")
    arguments.add_argument("--draws", type=Path, required=True, help="medians in every bootstrap draw to write (.npz)")
    arguments.add_argument("--properties", type=Path, help="GC content and gene distance of the bins (Parquet)")
    arguments.add_argument("--similarity", type=Path, help="likeness of test bins to training bins (Parquet)")
    arguments.add_argument("--sites", type=Path, help="planted motifs of a simulated genome (sites.tsv)")
    arguments.add_argument("--pair", type=json_argument, help="its pair of factors with a spacing rule (JSON)")
    return arguments


if __name__ == "__main__":
    run(evaluate, parser())
