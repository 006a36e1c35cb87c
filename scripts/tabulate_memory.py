"""Print the memory that the steps of a run have taken beside what their rules asked for."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.memory_table import tabulate_memory

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benchmarks", type=Path, default=Path("benchmarks"), help="folder of benchmark files")
    run(tabulate_memory, parser)
