"""Make a recorded run again from its RO-Crate, and say what is the same, what differs and what is missing."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.provenance.reproduce import reproduce


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("run", type=Path, help="results/runs/NAME, or a copy of that folder")
    arguments.add_argument("--out", type=Path, help="folder to work in, reproduced/NAME by default")
    arguments.add_argument("--against", type=Path, help="compare with this run, made again before, and run nothing")
    arguments.add_argument("--cores", default="all", help="as for snakemake")
    arguments.add_argument("--snakemake", nargs=argparse.REMAINDER, default=[], help="further arguments for snakemake")
    return arguments


if __name__ == "__main__":
    run(reproduce, parser())
