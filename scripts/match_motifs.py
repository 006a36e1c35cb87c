"""Match the motifs of a run to JASPAR's and the user's own, with TOMTOM; q-values over all of them together."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.labelled_files import labelled_argument
from lociflow.interpretation.motifs.match import match_motifs


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--motifs", type=labelled_argument, nargs="+", required=True, metavar="LABEL=FILE", help="motif files (MEME)"
    )
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.jaspar (JSON)")
    arguments.add_argument("--matches", type=Path, required=True, help="table of the matches to write (TSV)")
    arguments.add_argument(
        "--checks", type=labelled_argument, nargs="+", metavar="LABEL=FILE", help="checks behind motif files (JSON)"
    )
    arguments.add_argument("--matched-meme", type=Path, help="matched matrices to write (MEME)")
    arguments.add_argument("--library", type=Path, help="motifs to match beside JASPAR's (MEME)")
    return arguments


if __name__ == "__main__":
    run(match_motifs, parser())
