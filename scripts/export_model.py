"""Write a trained model for use without lociflow, with its model card."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.export.export import FORMATS, export

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="store.json of the genome")
    parser.add_argument("--windows", type=Path, required=True, help="windows.parquet")
    parser.add_argument("--control", type=Path, required=True, help="control.npy")
    parser.add_argument("--checkpoint", type=Path, required=True, help="model.ckpt")
    parser.add_argument("--predictions", type=Path, required=True, help="predictions.parquet of the model")
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.json of the model")
    parser.add_argument("--audit", type=Path, required=True, help="audit.json of the data set")
    parser.add_argument("--baselines", nargs="*", default=[], help="NAME=metrics.json of each baseline")
    parser.add_argument("--sources", type=Path, nargs="*", default=[], help="records of the data set's files")
    parser.add_argument(
        "--about", type=json_argument, required=True, help="what the card says of model and data (JSON)"
    )
    parser.add_argument("--formats", nargs="*", choices=FORMATS, default=[], help="programs beside the weights")
    parser.add_argument("--folder", type=Path, required=True, help="folder to write")
    run(export, parser)
