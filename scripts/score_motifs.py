"""Score found motifs against the planted ones of a simulated genome."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.labelled_files import labelled_argument
from lociflow.interpretation.motifs.recovery import score_motifs


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--motifs", type=labelled_argument, nargs="+", required=True, metavar="LABEL=FILE", help="found motifs (MEME)"
    )
    arguments.add_argument("--simulation", type=json_argument, required=True, help="what was planted (JSON)")
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.jaspar (JSON)")
    arguments.add_argument(
        "--checks", type=labelled_argument, nargs="+", metavar="LABEL=FILE", help="checks behind found motifs (JSON)"
    )
    arguments.add_argument("--scores", type=Path, required=True, help="JSON to write")
    return arguments


if __name__ == "__main__":
    run(score_motifs, parser())
