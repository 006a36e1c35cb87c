"""Make the report of a run: one HTML page that opens from disk and loads nothing."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.report.manifest import manifest_argument
from lociflow.report.page import write_page


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    arguments.add_argument("--report", type=Path, required=True, dest="page", help="page to write (HTML)")
    arguments.add_argument(
        "--figures",
        type=Path,
        dest="figure_folder",
        help="folder for the page's figures (SVG); none without it",
    )
    arguments.add_argument("--comparisons", type=Path, help="all pairs of models and baselines (TSV)")
    return arguments


if __name__ == "__main__":
    run(write_page, parser())
