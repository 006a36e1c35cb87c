"""Check 1: sequences that stand on two sides of a split, letter by letter, on either strand."""

from collections.abc import Mapping

import pandas as pd

from lociflow.audit.sides import (
    WORDS,
    class_table,
    leak_check,
    leaking_rows,
    pair_table,
    places,
    shares,
    telling,
)
from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import Check, percent
from lociflow.genome.leaks import Leaks

GOOD = "None. A held-out window that the model has been trained on tests its memory and nothing else."
REMEDY = (
    "Take the repeated windows out of the held-out sides: set clean: true in the data set and use the split leakfree, "
    "or split homology-aware, which keeps everything alike on one side."
)


def check_duplicates(
    subject: Subject, name: str, split: pd.Categorical, leaks: Leaks, settings: Mapping[str, float]
) -> Check:
    """Judge the fraction of held-out windows whose sequence is on another side too."""
    found = shares(leaks, split, "duplicate")
    most = telling(found, settings)
    rows = leaking_rows(leaks, "duplicate", most.side, most.source)
    reverse = int(rows["reverse"].sum())
    if not most.leaking:
        says = "No held-out window has the sequence of a window on another side, on either strand."
    else:
        says = (
            f"{percent(most.fraction)} of the {most.side} windows ({most.leaking:,} of {most.of:,}) have exactly the "
            f"sequence of a {WORDS[most.source]} window, {reverse:,} of them on the other strand."
        )
    table = class_table(subject, split, rows["row"].to_numpy(), most.side, "Exact duplicates")
    where = places(subject, rows["row"].to_numpy(), rows["of_row"].to_numpy())
    tables = [pair_table(found, "Exact duplicates"), table]
    return leak_check("duplicates", name, found, settings, says, (GOOD, REMEDY), tables, where)
