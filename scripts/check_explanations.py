"""Check the explanations of a model by one method: randomised weights, deletion and insertion, completeness."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.checks.check import check_explanations
from lociflow.models.device import DEVICES


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--attributions", type=Path, required=True, help="attributions of the model (.npz)")
    arguments.add_argument("--checkpoint", type=Path, required=True, help="trained model")
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.checks, method (JSON)")
    arguments.add_argument("--checks", type=Path, required=True, help="checks to write (JSON)")
    arguments.add_argument("--device", choices=DEVICES, default="cpu", help="where the model runs")
    return arguments


if __name__ == "__main__":
    run(check_explanations, parser())
