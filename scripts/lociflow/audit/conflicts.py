"""Check 4: the same sequence with different labels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lociflow.audit.sides import limits, places
from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import Check, Table, judge, percent
from lociflow.genome.leaks import Leaks
from lociflow.genome.split_data import SPLITS

GOOD = (
    "None, or few: no model that sees the sequence alone can be right about both, so each conflict lowers the best "
    "score that is possible."
)
REMEDY = (
    "Look at the pairs. Repeats whose reads cannot be told apart belong in the blacklist; in a table, decide "
    "which label is right, or leave both out (clean: true takes them out of the held-out sides)."
)


def check_conflicts(
    subject: Subject, name: str, split: pd.Categorical, leaks: Leaks, settings: Mapping[str, float]
) -> Check:
    """Judge the fraction of windows whose sequence occurs with another label too."""
    table = leaks.table[leaks.table["reason"] == "conflict"].drop_duplicates("row").sort_values("row")
    total = int(np.isin(np.asarray(split.codes), (0, 1, 2)).sum())
    value = len(table) / total if total else 0.0
    if not len(table):
        says = "No sequence occurs with two different labels."
    else:
        says = f"{percent(value)} of the windows ({len(table):,} of {total:,}) have a twin with other labels."
    lines = []
    for side in SPLITS:
        of = int((split == side).sum())
        number = int((table["split"] == side).sum())
        lines.append([side, number, of, percent(number / of) if of else "–"])
    warn, fail = limits(settings)
    return Check(
        "conflicts",
        name,
        judge(value, settings),
        says,
        value,
        "of the windows",
        warn,
        fail,
        GOOD,
        REMEDY,
        [Table("Windows with a conflict", ["side", "windows concerned", "windows", "share"], lines)],
        places(subject, table["row"].to_numpy(), table["of_row"].to_numpy()),
    )
