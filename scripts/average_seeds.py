"""Average the predictions of a model's seeds."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.evaluation.seed_ensemble import average_seeds


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=Path, nargs="+", required=True, help="predictions of each seed (Parquet)")
    arguments.add_argument("--predictions", type=Path, required=True, help="Parquet table to write")
    return arguments


if __name__ == "__main__":
    run(average_seeds, parser())
