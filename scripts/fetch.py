"""Fetch one source file of a data set, from its address, a mirror or a local path."""

import argparse
import os
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.fetch import fetch


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--source", type=json_argument, required=True, help="file, url, path, sha256 and derived_from (JSON)"
    )
    arguments.add_argument("--output", type=Path, required=True, help="file to write")
    arguments.add_argument("--record", type=Path, required=True, help="JSON record of the file to write")
    arguments.add_argument(
        "--mirror",
        default=os.environ.get("LOCIFLOW_MIRROR"),
        help="folder or base address that holds the same files; by default the environment variable LOCIFLOW_MIRROR",
    )
    return arguments


if __name__ == "__main__":
    run(fetch, parser())
