"""Check 2: windows on two sides of a split that share bases of the genome."""

from collections.abc import Mapping

import pandas as pd

from lociflow.audit.sides import WORDS, class_table, leak_check, leaking_rows, pair_table, places, shares, telling
from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import Check, not_applicable, percent
from lociflow.genome.leaks import Leaks

GOOD = (
    "None. Windows that share bases share motifs and labels: what is learnt on one is already the answer for the other."
)
REMEDY = (
    "Split by whole chromosomes (lociflow.genome.splits.by_contig or balanced_contigs); a random split of overlapping "
    "windows cannot be mended. Few overlaps: clean: true makes a split without them."
)


def check_overlap(
    subject: Subject, name: str, split: pd.Categorical, leaks: Leaks, settings: Mapping[str, float]
) -> Check:
    """Judge the fraction of held-out windows that share bases with a window on another side."""
    if not subject.has_genome:
        return not_applicable("overlap", name, "The sequences have no place on a genome, so none can overlap.")
    found = shares(leaks, split, "overlap")
    most = telling(found, settings)
    rows = leaking_rows(leaks, "overlap", most.side, most.source)
    if not most.leaking:
        says = f"No window of {subject.length:,} bases shares a base with a window on another side."
    else:
        says = (
            f"{percent(most.fraction)} of the {most.side} windows ({most.leaking:,} of {most.of:,}) share bases with a "
            f"{WORDS[most.source]} window, as a model sees them ({subject.length:,} bases)."
        )
    table = class_table(subject, split, rows["row"].to_numpy(), most.side, "Overlaps")
    where = places(subject, rows["row"].to_numpy(), rows["of_row"].to_numpy())
    tables = [pair_table(found, "Overlaps"), table]
    return leak_check("overlap", name, found, settings, says, (GOOD, REMEDY), tables, where)
