"""Say of every bin of a data set its GC content and how far the nearest gene starts."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.genome.bin_properties import describe_bins


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="store.json of the genome or of the sequences")
    arguments.add_argument("--windows", type=Path, required=True, help="bins of the data set (windows.parquet)")
    arguments.add_argument("--config", type=json_argument, required=True, help="length, contig_aliases (JSON)")
    arguments.add_argument("--genes", type=Path, help="annotation of genes (GTF or GFF3)")
    arguments.add_argument("--properties", type=Path, required=True, help="Parquet table to write")
    return arguments


if __name__ == "__main__":
    run(describe_bins, parser())
