"""Set the architectures of a run on simulated genomes beside each other: what they learn and what they cost."""

import argparse
from pathlib import Path
from typing import Any

from lociflow.command import run
from lociflow.report.architectures import architecture_table, for_people
from lociflow.report.manifest import locate, manifest_argument
from lociflow.report.read_results import read_results
from lociflow.report.tables import write_table, write_text


def tabulate(manifest: dict[str, Any], architectures: Path, table: Path) -> None:
    """Write the table for programs and for people."""
    found = architecture_table(read_results(locate(manifest)))
    write_table(found, architectures)
    write_text(for_people(found), table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    parser.add_argument("--architectures", type=Path, required=True, help="output: architectures.tsv")
    parser.add_argument("--table", type=Path, required=True, help="output: the same for people, architectures.txt")
    run(tabulate, parser)
