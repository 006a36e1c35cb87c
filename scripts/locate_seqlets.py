"""Say where on the genome the seqlets of each discovered motif lie."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.interpretation.motifs.seqlets import locate_seqlets


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--modisco", type=Path, required=True, help="patterns and their seqlets (HDF5)")
    arguments.add_argument("--bed", type=Path, required=True, help="intervals to write (BED)")
    return arguments


if __name__ == "__main__":
    run(locate_seqlets, parser())
