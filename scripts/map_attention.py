"""Say what a model with attention looks at in the windows that were explained."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.interpretation.map_attention import map_attention


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--checkpoint", type=Path, required=True, help="trained model")
    arguments.add_argument("--attributions", type=Path, required=True, help="its attributions (.npz)")
    arguments.add_argument("--track", type=Path, help="track along the same windows to hold attention against (.npz)")
    arguments.add_argument("--attention", type=Path, required=True, help="attention to write (.npz)")
    arguments.add_argument("--threads", type=int, default=1, help="threads of torch")
    arguments.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    return arguments


if __name__ == "__main__":
    run(map_attention, parser())
