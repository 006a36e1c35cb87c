"""Explain a model's predictions on test windows: how much each base contributes to each target."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.attribute import attribute
from lociflow.models.device import DEVICES


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--targets", type=Path, required=True, help="label array")
    arguments.add_argument("--target-table", type=Path, required=True, help="table of the targets (TSV)")
    arguments.add_argument("--checkpoint", type=Path, required=True, help="trained model")
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.attribution (JSON)")
    arguments.add_argument("--attributions", type=Path, required=True, help="attributions to write (.npz)")
    arguments.add_argument("--device", choices=DEVICES, default="cpu", help="where the model runs")
    return arguments


if __name__ == "__main__":
    run(attribute, parser())
