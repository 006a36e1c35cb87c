"""Say where discovered motifs lie on the genome: their seqlets, and the places that read like them."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.motifs.places import locate_motifs


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--attributions", type=Path, required=True, help="attributions of one model (.npz)")
    arguments.add_argument("--modisco", type=Path, required=True, help="patterns and their seqlets (HDF5)")
    arguments.add_argument("--meme", type=Path, required=True, help="discovered motifs (MEME)")
    arguments.add_argument("--table", type=Path, required=True, help="table of the discovered motifs (TSV)")
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.hits (JSON)")
    arguments.add_argument("--seqlets", type=Path, required=True, help="sites of the motifs to write (BED)")
    arguments.add_argument("--hits", type=Path, required=True, help="places that read like them to write (BED)")
    arguments.add_argument("--summary", type=Path, required=True, help="table of the motifs to write (TSV)")
    return arguments


if __name__ == "__main__":
    run(locate_motifs, parser())
