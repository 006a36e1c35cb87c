"""Read the track along the explained windows that attention is held against."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.read_window_track import read_window_track


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--targets", type=Path, required=True, help="label array")
    arguments.add_argument("--target-table", type=Path, required=True, help="table of the targets (TSV)")
    arguments.add_argument("--attributions", type=Path, required=True, help="explained windows (.npz)")
    arguments.add_argument("--config", type=json_argument, required=True, help="name and contig_aliases (JSON)")
    arguments.add_argument("--track", type=Path, help="signal track (bigWig); without it labels of the target NAME")
    arguments.add_argument("--values", type=Path, required=True, help="track along the windows to write (.npz)")
    return arguments


if __name__ == "__main__":
    run(read_window_track, parser())
