"""Check 3: held-out windows with a near relative among the training windows, on either strand."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lociflow.audit.sides import class_table, in_subtelomeres, limits, places
from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import PASS, VERDICTS, WARN, Check, Table, judge, percent, worst
from lociflow.genome.leaks import Leaks

# Identities above which neighbours are counted.
LEVELS = (0.8, 0.9, 0.95)
# What the search counts, in words; see :data:`lociflow.sequence.homology.COUNTS`.
COUNTED = {
    "seeds": "seeds looked up",
    "frequent_seeds": "seeds that occur at too many places",
    "places_left_out": "places of such seeds that were passed over",
    "without_seed": "searches without any seed",
    "cut_short": "searches that ended early",
    "alignments": "alignments",
}
GOOD = (
    "Below 1 %. A real genome always has some: subtelomeres, transposons, rDNA and paralogs put 3 to 7 % of the "
    "windows of yeast near a training window, which a score on all of them does not show."
)
REMEDY = (
    "Read scores by similarity, or report them on the split leakfree (clean: true), which leaves these windows out of "
    "the held-out sides; a homology-aware split keeps relatives on one side from the start."
)


def check_near_duplicates(
    subject: Subject, name: str, split: pd.Categorical, leaks: Leaks, settings: Mapping[str, float]
) -> Check:
    """Judge the fraction of test windows with a training neighbour above the identity of the settings.

    Searches that ended early warn where they are more than the fraction ``cut_short`` of all: then the fraction is one
    of those that were found.
    """
    found = leaks.similarity
    lines: list[list[Any]] = []
    fractions: dict[tuple[str, float], float] = {}
    for side in ("test", "validation"):
        of_side = found[found["split"] == side]
        for level in sorted({*LEVELS, settings["identity"]}):
            number = int((of_side["identity"] >= level).sum())
            fractions[side, level] = number / len(of_side) if len(of_side) else 0.0
            lines.append([side, f"{100 * level:.0f} % or more", number, len(of_side), percent(fractions[side, level])])
    # The test set is spoken of unless the validation set alone has the worse verdict.
    side = max(
        ("test", "validation"), key=lambda side: VERDICTS.index(judge(fractions[side, settings["identity"]], settings))
    )
    of_side = found[found["split"] == side]
    near = of_side[of_side["identity"] >= settings["identity"]].sort_values("row")
    value = fractions[side, settings["identity"]]
    least = f"{100 * settings['identity']:.0f} %"
    over = f"at least {100 * settings['coverage']:.0f} % of their length"
    rows, of_rows = near["row"].to_numpy(), near["reference"].to_numpy()
    where = places(subject, rows, of_rows, lambda group: f"identity {_median(near['identity'].to_numpy()[group])}")
    if not len(near):
        says = f"No held-out window has a training neighbour of {least} identity over {over}."
    else:
        ends = int(in_subtelomeres(subject, rows).sum())
        says = (
            f"{percent(value)} of the {side} windows ({len(near):,} of {len(of_side):,}) have a training neighbour of "
            f"at least {least} identity over {over}"
            + (f"; {percent(ends / len(near))} of those lie in subtelomeres" if ends else "")
            + "."
        )
    short, asked = cut_short(leaks)
    curtailed = short > settings["cut_short"] * asked
    if curtailed:
        says += (
            f" {percent(min(1.0, short / asked))} of the searches ({short:,} of {asked:,}) ended before everything "
            "alike was looked at, so that more windows may have a neighbour, or a nearer one."
        )
    warn, fail = limits(settings)
    identities = of_side["identity"].to_numpy(np.float64)
    counts, edges = np.histogram(identities[identities > 0], bins=np.linspace(0.5, 1.0, 26))
    return Check(
        "near_duplicates",
        name,
        worst([judge(value, settings), WARN if curtailed else PASS]),
        says,
        value,
        f"of the {side} windows",
        warn,
        fail,
        GOOD,
        REMEDY,
        [
            Table("Windows with a training neighbour", ["side", "identity", "windows", "looked at", "share"], lines),
            class_table(subject, split, rows, side, "Near-duplicates"),
            _search_table(leaks, asked),
        ],
        where,
        [
            {
                "kind": "identity",
                "edges": edges.tolist(),
                "counts": counts.tolist(),
                "without": int((identities <= 0).sum()),
                "side": side,
                "identity": settings["identity"],
            }
        ],
    )


def cut_short(leaks: Leaks) -> tuple[int, int]:
    """Count the searches that ended early, and all: one a test window, two a validation window.

    A window whose exact copy is known is not searched for again and counts as a search that was complete.
    """
    asked = leaks.searched["test"] + 2 * leaks.searched["validation"]
    return leaks.counts.get("cut_short", 0), asked


def _search_table(leaks: Leaks, asked: int) -> Table:
    rows: list[list[Any]] = [["searches", asked]]
    rows += [[COUNTED.get(name, name.replace("_", " ")), number] for name, number in leaks.counts.items()]
    return Table("The search for neighbours, all pairs of sides", ["what", "number"], rows)


def _median(values: np.ndarray) -> str:
    return f"{100 * float(np.median(values)):.0f} %"
