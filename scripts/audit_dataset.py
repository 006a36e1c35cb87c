"""Look for leaks between splits, shortcuts and wrong coordinates in a data set."""

import argparse
from pathlib import Path

from lociflow.audit.dataset import audit_dataset
from lociflow.command import json_argument, run


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="store.json of the genome or sequence table")
    arguments.add_argument("--windows", type=Path, required=True, help="bins of the data set (windows.parquet)")
    arguments.add_argument("--targets", type=Path, required=True, help="labels of the bins (targets.npy)")
    arguments.add_argument("--target-table", type=Path, required=True, help="names of the targets (targets.tsv)")
    arguments.add_argument("--counts", type=Path, help="what was counted while the windows were made (windows.json)")
    arguments.add_argument("--config", type=json_argument, required=True, help="the data set (JSON)")
    arguments.add_argument("--variants", type=Path, nargs="*", help="VCF, BCF or FASTA, to hold against the genome")
    arguments.add_argument("--audit", type=Path, required=True, help="verdicts and numbers to write (JSON)")
    arguments.add_argument("--page", type=Path, required=True, help="page to write (HTML)")
    arguments.add_argument(
        "--similarity", type=Path, required=True, help="nearest training bin of each held-out bin to write (Parquet)"
    )
    return arguments


if __name__ == "__main__":
    run(audit_dataset, parser())
