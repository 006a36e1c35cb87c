"""List all runs of a folder of results on one page, with their headline scores and reports."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.report.index import write_index


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=Path, default=Path("results/runs"), help="folder with a folder for each run")
    arguments.add_argument("--index", type=Path, default=Path("results/index.html"), help="page to write (HTML)")
    return arguments


if __name__ == "__main__":
    run(write_index, parser())
