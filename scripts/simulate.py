"""Simulate a genome with planted motifs, and peaks called from it with noise."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.genome.simulation import write_simulation


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--config", type=json_argument, required=True, help="simulation of the data set (JSON)")
    arguments.add_argument("--genome", type=Path, required=True, help="FASTA to write")
    arguments.add_argument("--peaks", type=Path, required=True, help="BED6 to write; the name is the factor")
    arguments.add_argument("--sites", type=Path, required=True, help="TSV of every planted motif to write")
    return arguments


if __name__ == "__main__":
    run(write_simulation, parser())
