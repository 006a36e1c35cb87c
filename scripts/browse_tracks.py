"""Write a session of IGV and a hub of UCSC for predicted tracks."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.tracks.browse import browse_tracks

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="folder of predicted bigWigs")
    parser.add_argument("--about", type=Path, required=True, help="tracks.json")
    parser.add_argument("--attributions", type=Path, help="folder of bigWigs of contributions")
    parser.add_argument("--about-attributions", type=Path, help="attributions.json")
    parser.add_argument("--split", type=Path, required=True, help="split.bed")
    parser.add_argument("--fasta", type=Path, required=True, help="the genome, indexed")
    parser.add_argument("--observed", type=json_argument, default=[], help="name and file of peaks and signals (JSON)")
    parser.add_argument("--email", help="whom UCSC names for questions")
    parser.add_argument("--session", type=Path, required=True, help="output: igv_session.xml")
    parser.add_argument("--hub", type=Path, required=True, help="output: hub.txt")
    run(browse_tracks, parser)
