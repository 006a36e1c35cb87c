"""Find the motifs that recur among a model's attributions, with TF-MoDISco."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.motifs.discover import discover_motifs


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--attributions", type=Path, required=True, help="attributions of one model (.npz)")
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.motifs (JSON)")
    arguments.add_argument("--modisco", type=Path, required=True, help="patterns and their seqlets to write (HDF5)")
    arguments.add_argument("--meme", type=Path, required=True, help="motifs to write (MEME)")
    arguments.add_argument("--table", type=Path, required=True, help="table of the motifs to write (TSV)")
    return arguments


if __name__ == "__main__":
    run(discover_motifs, parser())
