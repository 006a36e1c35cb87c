"""Score attributions against the planted motifs of a simulated genome."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.truth import score_explanations


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--attributions", type=Path, required=True, help="attributions of a model (npz)")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--target-table", type=Path, required=True, help="TSV of the targets")
    arguments.add_argument("--sites", type=Path, required=True, help="TSV of the planted motifs")
    arguments.add_argument(
        "--config", type=json_argument, required=True, help="draws, level and seed of intervals (JSON)"
    )
    arguments.add_argument("--scores", type=Path, required=True, help="JSON to write")
    return arguments


if __name__ == "__main__":
    run(score_explanations, parser())
