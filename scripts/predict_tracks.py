"""Predict tiles along the genome with a trained model, as bigWig and as a table."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.tracks.predict import predict_tracks

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="store.json of the genome")
    parser.add_argument("--windows", type=Path, required=True, help="windows.parquet")
    parser.add_argument("--checkpoints", type=Path, nargs="+", required=True, help="model.ckpt of each seed")
    parser.add_argument(
        "--regions", type=Path, help="BED or another file of regions; none where --config names contigs"
    )
    parser.add_argument("--config", type=json_argument, required=True, help="bin, step, contigs, contig_aliases (JSON)")
    parser.add_argument("--bigwigs", type=Path, required=True, help="output: folder of a bigWig for each target")
    parser.add_argument("--table", type=Path, required=True, help="output: .tsv.gz")
    parser.add_argument("--index", type=Path, required=True, help="output: its index, .csi")
    parser.add_argument("--about", type=Path, required=True, help="output: tracks.json")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    run(predict_tracks, parser)
