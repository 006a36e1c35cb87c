"""Ask a trained model about motifs: inserted, in pairs, taken out, and what it would like to see most."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.interpretation.experiments.importance import measure_importance
from lociflow.models.device import DEVICES


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--windows", type=Path, required=True, help="Parquet table of the bins")
    arguments.add_argument("--targets", type=Path, required=True, help="label array")
    arguments.add_argument("--target-table", type=Path, required=True, help="table of the targets (TSV)")
    arguments.add_argument("--checkpoint", type=Path, required=True, help="trained model")
    arguments.add_argument("--discovered", type=Path, required=True, help="motifs found for the model (MEME)")
    arguments.add_argument("--motif-file", type=Path, help="your own motifs (MEME), instead of known and found ones")
    arguments.add_argument("--checks", type=Path, help="checks of the explanation behind the found motifs (JSON)")
    arguments.add_argument("--config", type=json_argument, required=True, help="interpretation.importance (JSON)")
    arguments.add_argument("--importance", type=Path, required=True, help="results to write (JSON)")
    arguments.add_argument("--table", type=Path, required=True, help="table of all effects to write (TSV)")
    arguments.add_argument("--meme", type=Path, required=True, help="maximising motifs to write (MEME)")
    arguments.add_argument("--fasta", type=Path, required=True, help="maximising sequences to write (FASTA)")
    arguments.add_argument("--device", choices=DEVICES, default="cpu", help="where the model runs")
    return arguments


if __name__ == "__main__":
    run(measure_importance, parser())
