"""Measure how far explanations of the same windows agree between seeds, methods and models."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.interpretation.checks.agreement import measure_agreement
from lociflow.interpretation.labelled_files import labelled_argument


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--attributions",
        type=labelled_argument,
        nargs="+",
        required=True,
        dest="explanations",
        metavar="MODEL/seedSEED/METHOD=FILE",
        help="attributions (.npz)",
    )
    arguments.add_argument("--agreement", type=Path, required=True, help="table to write (TSV)")
    return arguments


if __name__ == "__main__":
    run(measure_agreement, parser())
