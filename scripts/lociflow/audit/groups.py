"""Check 8: groups, such as genes, promoter families or individuals, that stand on two sides of a split."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lociflow.audit.sides import MOST_PLACES, PAIRS, WORDS, Share, leak_check, pair_table, telling
from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import Check, Place, not_applicable, percent
from lociflow.genome.split_data import SPLITS

GOOD = "None: members of a group are alike for reasons that no other group shares."
REMEDY = "Split by the group (lociflow.genome.splits.by_group), or set clean: true."


def check_groups(subject: Subject, name: str, split: pd.Categorical, settings: Mapping[str, float]) -> Check:
    """Judge the fraction of held-out windows whose group is on another side too."""
    group = subject.windows["group"].cat
    codes = group.codes.to_numpy()
    if not (codes >= 0).any():
        return not_applicable("groups", name, "The data set has no group column.")
    sides = np.asarray(split.codes)
    present = np.zeros((len(group.categories), len(SPLITS)), bool)
    inside = (codes >= 0) & (sides >= 0)
    present[codes[inside], sides[inside]] = True
    found = []
    for side, source in PAIRS:
        on_side = sides == SPLITS.index(side)
        shared = on_side & (codes >= 0) & present[np.maximum(codes, 0), SPLITS.index(source)]
        found.append(Share(side, source, int(shared.sum()), int(on_side.sum())))
    most = telling(found, settings)
    both = np.flatnonzero(present.sum(axis=1) > 1)
    if not len(both):
        says = f"Each of the {int(present.any(axis=1).sum()):,} groups stands on one side."
    else:
        says = (
            f"{len(both):,} of {int(present.any(axis=1).sum()):,} groups stand on more than one side; "
            f"{percent(most.fraction)} of the {most.side} windows belong to a group of the {WORDS[most.source]} set."
        )
    held_out = sides > 0
    size = np.bincount(codes[inside & held_out], minlength=len(group.categories))
    biggest = both[np.argsort(-size[both], kind="stable")][:MOST_PLACES]
    where = [
        Place(
            str(group.categories[number]),
            int(size[number]),
            "on " + ", ".join(side for place, side in enumerate(SPLITS) if present[number, place]),
        )
        for number in biggest
    ]
    tables = [pair_table(found, "Windows of shared groups")]
    return leak_check("groups", name, found, settings, says, (GOOD, REMEDY), tables, where)
