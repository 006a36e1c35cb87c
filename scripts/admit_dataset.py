"""Let a split of a data set pass to the trainings, or stop where its audit has failed."""

import argparse
from pathlib import Path

from lociflow.audit.admission import admit_dataset
from lociflow.command import run


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--audit", type=Path, required=True, help="verdicts of the audit (JSON)")
    arguments.add_argument("--page", type=Path, help="page of the audit, named in the message")
    arguments.add_argument("--split", required=True, help="split that is to be trained on")
    arguments.add_argument("--admitted", type=Path, required=True, help="JSON to write where the split passes")
    return arguments


if __name__ == "__main__":
    run(admit_dataset, parser())
