"""Set the scores of a run beside the published ones of its data sets."""

import argparse
from pathlib import Path
from typing import Any

from lociflow.command import run, status
from lociflow.report.ledger_table import ledger_table, ledger_text, run_ledger, told_verdicts
from lociflow.report.manifest import locate, manifest_argument
from lociflow.report.read_results import read_scores
from lociflow.report.tables import write_table, write_text


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    arguments.add_argument("--ledger", type=Path, required=True, help="table to write (TSV)")
    arguments.add_argument("--table", type=Path, required=True, help="the same for people, to write (text)")
    return arguments


def write_ledger(manifest: dict[str, Any], ledger: Path, table: Path) -> None:
    rows = run_ledger(read_scores(locate(manifest)))
    write_table(ledger_table(rows), ledger)
    write_text(ledger_text(rows), table)
    status(f"published numbers: {told_verdicts(rows)}")


if __name__ == "__main__":
    run(write_ledger, parser())
