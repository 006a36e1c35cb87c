"""Write which bins of a data set are for training, for validation and for testing, as BED."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.tracks.sides import write_split_track

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=Path, required=True, help="windows.parquet")
    parser.add_argument("--split", required=True, help="name of the split")
    parser.add_argument("--bed", type=Path, required=True, help="output: split.bed")
    run(write_split_track, parser)
