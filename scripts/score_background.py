"""Score the variants with which effects are compared: drawn substitutions, or those of a VCF."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.effects.background import score_background
from lociflow.models.device import DEVICES


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--checkpoints", type=Path, nargs="+", required=True, help="trained model, one a seed")
    arguments.add_argument("--config", type=json_argument, required=True, help="shifts, number, seed, aliases (JSON)")
    arguments.add_argument("--variants", type=Path, help="VCF or BCF; without it substitutions are drawn")
    arguments.add_argument("--background", type=Path, required=True, help="effects to write (.npz)")
    arguments.add_argument("--device", choices=DEVICES, default="cpu", help="where the model runs")
    return arguments


if __name__ == "__main__":
    run(score_background, parser())
