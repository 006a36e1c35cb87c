"""Set the scores of trainings on shares of the labels beside each other, as a table and as a figure."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lociflow.command import run
from lociflow.evaluation.learning_curve import read_points, tabulate, write_table
from lociflow.report.experiment_figures import draw_learning_curve
from lociflow.report.manifest import manifest_argument


def learning_curve(manifest: Mapping[str, Any], table: Path, figure: Path) -> None:
    """Write the table and the figure of some trainings."""
    found = tabulate(read_points(manifest["learning_curve"]))
    draw_learning_curve(found, figure)
    write_table(table, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    parser.add_argument("--table", type=Path, required=True, help="output: learning_curve.tsv")
    parser.add_argument("--figure", type=Path, required=True, help="output: learning_curve.svg")
    run(learning_curve, parser)
