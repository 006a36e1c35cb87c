"""Score every substitution of a region with a trained model: a table and a heat map for each target."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.effects.saturation import saturate_region
from lociflow.models.device import DEVICES


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--checkpoints", type=Path, nargs="+", required=True, help="trained model, one a seed")
    arguments.add_argument("--region", required=True, help="contig:start-end, 1-based, both ends inside")
    arguments.add_argument("--config", type=json_argument, required=True, help="shifts, aliases (JSON)")
    arguments.add_argument("--table", type=Path, required=True, help="table to write (TSV)")
    arguments.add_argument("--figures", type=Path, required=True, help="folder of heat maps to write")
    arguments.add_argument("--device", choices=DEVICES, default="cpu", help="where the model runs")
    return arguments


if __name__ == "__main__":
    run(saturate_region, parser())
