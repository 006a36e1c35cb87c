"""Encode a genome's FASTA files, or sequences without a genome, into a sequence store."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.sequence.encoding import encode_sources


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--fasta", type=Path, nargs="+", help="FASTA files of a genome, plain, gzip or bgzip")
    arguments.add_argument("--sources", type=Path, help="folder of the files that hold sequences without a genome")
    arguments.add_argument(
        "--config",
        type=json_argument,
        required=True,
        help="name, soft_mask and contig_md5 of the genome, or name and sequences (JSON)",
    )
    arguments.add_argument("--codes", type=Path, required=True, help="codes.npy to write")
    arguments.add_argument("--store", type=Path, required=True, help="store.json to write beside it")
    return arguments


if __name__ == "__main__":
    run(encode_sources, parser())
