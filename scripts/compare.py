"""Put the scores of all models, baselines and controls of a run into one table."""

import argparse
from pathlib import Path
from typing import Any

from lociflow.command import run, status
from lociflow.report.manifest import locate, manifest_argument
from lociflow.report.read_results import read_scores
from lociflow.report.tables import aligned_text, score_table, write_table, write_text


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    arguments.add_argument("--scores", type=Path, required=True, help="table to write (TSV)")
    arguments.add_argument("--table", type=Path, required=True, help="the same for people, to write (text)")
    return arguments


def compare(manifest: dict[str, Any], scores: Path, table: Path) -> None:
    found = score_table(read_scores(locate(manifest)))
    write_table(found, scores)
    write_text(aligned_text(found), table)
    status(f"scored {len(found)} models and baselines")


if __name__ == "__main__":
    run(compare, parser())
