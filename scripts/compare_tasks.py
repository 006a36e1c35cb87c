"""Say what each target gains from being learnt together with the others, as a table and as a figure."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lociflow.command import run
from lociflow.evaluation.evaluate import interval_config
from lociflow.evaluation.task_gain import compare_tasks, read_pairs, write_table
from lociflow.report.experiment_figures import draw_task_gain
from lociflow.report.manifest import manifest_argument


def task_gain(manifest: Mapping[str, Any], table: Path, figure: Path) -> None:
    """Write the table and the figure of all comparisons, each of one data set and split."""
    found = pd.concat(
        [
            compare_tasks(
                one["dataset"],
                one["split"],
                Path(one["windows"]),
                Path(one["targets"]),
                Path(one["target_table"]),
                read_pairs(one["pairs"]),
                interval_config(one["config"]),
            )
            for one in manifest["single_task"]
        ],
        ignore_index=True,
    )
    draw_task_gain(found, figure)
    write_table(table, found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    parser.add_argument("--table", type=Path, required=True, help="output: single_task.tsv")
    parser.add_argument("--figure", type=Path, required=True, help="output: single_task.svg")
    run(task_gain, parser)
