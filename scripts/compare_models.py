"""Say which models and baselines of a run differ on the same test bins, and which do not."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from lociflow.command import run
from lociflow.evaluation.comparison import Compared, compare_entries, write_comparisons
from lociflow.report.manifest import compared, locate, manifest_argument


def compare_models(manifest: dict[str, Any], comparisons: Path) -> None:
    """Compare all pairs on every split of every data set of the run."""
    tables = [
        compare_entries(
            dataset["name"],
            dataset["split"],
            Path(dataset["windows"]),
            Path(dataset["targets"]),
            Path(dataset["target_table"]),
            dataset.get("folds") or [],
            [Compared(**entry) for entry in compared(dataset)],
            float(dataset["level"]),
        )
        for dataset in locate(manifest)["datasets"]
    ]
    write_comparisons(comparisons, pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    parser.add_argument("--comparisons", type=Path, required=True, help="output: comparisons.tsv")
    run(compare_models, parser)
