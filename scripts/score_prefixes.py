"""Show how a model's output builds up along example windows."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.prefixes import score_prefixes


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--checkpoint", type=Path, required=True, help="trained model")
    arguments.add_argument("--attributions", type=Path, required=True, help="its attributions (.npz)")
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.prefixes (JSON)")
    arguments.add_argument("--table", type=Path, required=True, help="table of the scores to write (TSV)")
    arguments.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    return arguments


if __name__ == "__main__":
    run(score_prefixes, parser())
