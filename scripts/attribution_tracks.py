"""Write what each base contributes to a model's outputs as bigWig."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.tracks.attributions import attribution_tracks

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="store.json of the genome")
    parser.add_argument("--windows", type=Path, required=True, help="windows.parquet")
    parser.add_argument("--split", required=True, help="split of the model")
    parser.add_argument("--attributions", type=Path, required=True, help="attributions.npz")
    parser.add_argument("--bigwigs", type=Path, required=True, help="output: folder of a bigWig for each target")
    parser.add_argument("--about", type=Path, required=True, help="output: attributions.json")
    run(attribution_tracks, parser)
