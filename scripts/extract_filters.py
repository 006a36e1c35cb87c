"""Show what the filters of a model's first layer respond to, and how much its outputs depend on each."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.motifs.filters import extract_filters


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--targets", type=Path, required=True, help="label array")
    arguments.add_argument("--target-table", type=Path, required=True, help="table of the targets (TSV)")
    arguments.add_argument("--checkpoint", type=Path, required=True, help="trained model")
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.filters (JSON)")
    arguments.add_argument("--meme", type=Path, required=True, help="matrices to write (MEME)")
    arguments.add_argument("--table", type=Path, required=True, help="table of the filters to write (TSV)")
    arguments.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    return arguments


if __name__ == "__main__":
    run(extract_filters, parser())
