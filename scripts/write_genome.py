"""Write a genome as indexed FASTA, under the names that tracks use."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.tracks.genome_file import write_genome

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="store.json of the genome")
    parser.add_argument("--fasta", type=Path, required=True, help="output: .fa.gz")
    parser.add_argument("--fai", type=Path, required=True, help="output: index of its contigs")
    parser.add_argument("--gzi", type=Path, required=True, help="output: index of its blocks")
    run(write_genome, parser)
