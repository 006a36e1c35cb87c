"""Cut a genome into labelled windows, or take labelled sequences as windows, and split them."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.genome.dataset import make_windows


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="store.json of the genome or of the sequences")
    arguments.add_argument("--config", type=json_argument, required=True, help="targets, windows, labels, split (JSON)")
    arguments.add_argument("--sources", type=Path, required=True, help="folder in which the files of the targets lie")
    arguments.add_argument("--sheet", type=Path, help="sample sheet of the targets (TSV)")
    arguments.add_argument("--blacklist", type=Path, help="BED file of regions that no bin may touch")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins to write")
    arguments.add_argument("--targets", type=Path, required=True, help="label array to write")
    arguments.add_argument("--control", type=Path, required=True, help="array of the control experiment to write")
    arguments.add_argument("--target-table", type=Path, required=True, help="table of the targets to write (TSV)")
    arguments.add_argument("--counts", type=Path, required=True, help="counts of kept and dropped to write (JSON)")
    arguments.add_argument("--removed", type=Path, required=True, help="bins left out by clean, to write (TSV)")
    return arguments


if __name__ == "__main__":
    run(make_windows, parser())
