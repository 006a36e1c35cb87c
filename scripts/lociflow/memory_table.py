"""The memory that steps have taken beside what their rules asked for, from the benchmark files of a run."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lociflow.command import UserError

# From this share of what was asked for on, another data set may well be ended for want of memory.
TIGHT = 0.8


def tabulate_memory(benchmarks: Path) -> None:
    """Print a line for each rule, the tightest first.

    Parameters
    ----------
    benchmarks
        Folder of the benchmark files of a run with ``--benchmark-extended``.

    Raises
    ------
    UserError
        There are none.
    """
    table = memory_table(benchmarks)
    tight = list(table.index[table["share"] > TIGHT])
    print(table.to_string(formatters={"share": "{:.2f}".format, "taken_mb": "{:.0f}".format}))
    if tight:
        print(f"more than {TIGHT:.0%} of what they asked for: {', '.join(tight)}", file=sys.stderr)


def memory_table(benchmarks: Path) -> pd.DataFrame:
    """Return what the steps of each rule have taken at the most.

    Returns
    -------
    pandas.DataFrame
        Index ``rule``, with the number of its ``jobs``; ``asked_mb``, the least of them; ``taken_mb``, the most:
        resident memory of all processes, in which what two of them share counts twice; ``share``, the largest of the
        quotients. Sorted by it.

    Raises
    ------
    UserError
        The folder has no benchmark files, or none that says what was asked for.
    """
    rows = list(records(benchmarks))
    if not rows:
        raise UserError(
            f"{benchmarks}: found no benchmark file that says what its rule asked for, expected those of a run with "
            "--benchmark-extended; run it so"
        )
    table = pd.DataFrame(rows, columns=["rule", "asked_mb", "taken_mb"])
    table["share"] = table["taken_mb"] / table["asked_mb"]
    grouped = table.groupby("rule").agg(
        jobs=("share", "size"), asked_mb=("asked_mb", "min"), taken_mb=("taken_mb", "max"), share=("share", "max")
    )
    return grouped.sort_values("share", ascending=False, kind="stable")


def records(benchmarks: Path) -> Iterator[tuple[str, int, float]]:
    """Return rule, MB asked for and MB taken of each job; one that ended before it was measured is left out."""
    for path in sorted(benchmarks.rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            taken = record.get("max_rss")
            asked = record.get("resources", {}).get("mem_mb")
            if isinstance(taken, (int, float)) and asked:
                yield record["rule_name"], asked, taken
