"""Compute the best score that the planted truth of a simulated genome allows."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.evaluation.ceiling import LABELS, score_ceiling


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the simulated genome")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--targets", type=Path, required=True, help="labels of the bins")
    arguments.add_argument("--split", required=True, help="name of the split")
    arguments.add_argument("--target-table", type=Path, required=True, help="TSV of the targets")
    arguments.add_argument("--sites", type=Path, help="TSV of the planted motifs, counted to check the genome")
    arguments.add_argument("--config", type=json_argument, required=True, help="simulation of the data set (JSON)")
    arguments.add_argument(
        "--labels", type=json_argument, default=LABELS, help="labels of the data set (JSON); default: %(default)s"
    )
    arguments.add_argument("--predictions", type=Path, required=True, help="Parquet table to write")
    return arguments


if __name__ == "__main__":
    run(score_ceiling, parser())
