"""Check 6: how many windows and positives each side has, and whether the sides, and positives and negatives, are alike.

Sides are compared by the Kolmogorov-Smirnov distance, the largest gap between two cumulative distributions: 0 for the
same, 1 for distributions that do not touch.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lociflow.audit.drift import chance_distance, distance
from lociflow.audit.features import Features, composition_of
from lociflow.audit.sides import WORDS
from lociflow.audit.subject import Subject, row_blocks
from lociflow.audit.verdicts import PASS, WARN, Check, Table, counted, several
from lociflow.evaluation.intervals import assign_blocks
from lociflow.genome.composition import matching_report
from lociflow.genome.split_data import SPLITS

GOOD = (
    "Some hundred positives of each target in training, and at least some tens in validation, which chooses the model, "
    "and in the test set; KS distances near 0, so that train and test, and positives and negatives, have one "
    "composition."
)
REMEDY = (
    "Few positives: give the side more chromosomes, read the score's interval, or leave the target out. Drift: choose "
    "other chromosomes (lociflow.genome.splits.balanced_contigs). Unmatched negatives: "
    "lociflow.genome.negatives.matched."
)
# Fewer windows have no distribution.
LEAST = 50
BINS = 30
MOST_NAMED = 12


def check_balance(
    subject: Subject, name: str, split: pd.Categorical, found: Features, settings: Mapping[str, float], seed: int
) -> Check:
    """Judge the positives of each side, drift between sides, and how well negatives match the positives.

    A target, or a class but the background, that has too few positives on any side warns, and so does a side without
    any window.
    """
    sides = np.asarray(split.codes)
    outcomes = subject.outcomes
    tables, figures = [], []
    troubles = [f"the {WORDS[side]} set is empty" for number, side in enumerate(SPLITS) if not (sides == number).any()]
    poor = 0
    nouns = several(subject.noun)
    if outcomes.real:
        tables.append(_values(outcomes.names, outcomes.values, sides))
    else:
        positives, known = count_labels(outcomes.values, sides)
        judged = np.ones(len(outcomes.names), bool)
        if subject.background is not None:
            judged[subject.background] = False
        lacking = (positives < settings["positives"]) & judged
        poor = int(lacking.any(axis=0).sum())
        troubles += _poor(subject, positives, lacking, sides, int(judged.sum()), settings["positives"])
        tables.append(_sides(sides, positives, known, nouns))
        order = np.argsort(positives[2], kind="stable")[:MOST_NAMED]
        rows = [[outcomes.names[number], *(int(positives[side][number]) for side in range(3))] for number in order]
        title = (
            f"Positives of each {subject.noun}"
            if len(outcomes.names) <= MOST_NAMED
            else f"{nouns.capitalize()} with the fewest positives in the test set"
        )
        tables.append(Table(title, [subject.noun, *SPLITS], rows))
        figures.append(
            {
                "kind": "positives",
                "counts": np.sort(positives, axis=1)[:, ::-1].tolist(),
                "least": settings["positives"],
                "noun": subject.noun,
            }
        )
    side = sides[found.rows]
    masks = {label: side == number for number, label in enumerate(SPLITS)}
    drift, lines = _drift(subject, found, masks, seed)
    columns = ["property", "train and test", "chance (99\u00a0%)", "train and validation", "chance (99\u00a0%)"]
    tables.append(Table("Drift of composition (KS distance)", columns, lines))
    figures.append(distributions(found, masks, "sides of the split"))
    largest = max(drift, key=lambda key: drift[key], default=None)
    if largest is not None and drift[largest] > settings["drift"]:
        troubles.append(f"{largest} differs between training and test (KS {drift[largest]:.2f})")
    classes = [(label, members[found.rows] & (side == 0)) for label, members in subject.parts]
    if len(classes) == 2 and not outcomes.real:
        members = dict(classes)
        one, other = (label for label, _ in classes)
        matching = matched(found, members[one], members[other])
        title = f"Training windows, {one} and {other} (KS distance)"
        tables.append(Table(title, ["property", "distance"], [[name, distance] for name, distance in matching.items()]))
        figures.append(distributions(found, members, "training windows"))
        worst_match = max(matching, key=lambda key: matching[key], default=None)
        drawn = bool((subject.config.get("windows") or {}).get("negatives"))
        if drawn and worst_match is not None and matching[worst_match] > settings["matching"]:
            troubles.append(
                f"the drawn negatives differ from the positives in {worst_match} (KS {matching[worst_match]:.2f})"
            )
    says = "; ".join(troubles)
    return Check(
        "balance",
        name,
        WARN if troubles else PASS,
        (says[0].upper() + says[1:] + "." if says else "Every side has positives enough, and the sides are alike."),
        float(poor),
        f"{nouns} with fewer than {settings['positives']:.0f} positives on a side",
        0.0,
        None,
        GOOD,
        REMEDY,
        tables,
        [],
        [figure for figure in figures if figure],
    )


def count_labels(values: np.ndarray, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count positive and known labels by side: ``int64``, each of shape (3, outcomes)."""
    positives, known = (np.zeros((len(SPLITS), values.shape[1]), np.int64) for _ in range(2))
    for rows in row_blocks(values):
        block = np.asarray(values[rows])
        for number in range(len(SPLITS)):
            part = block[sides[rows] == number]
            positives[number] += (part == 1).sum(axis=0)
            known[number] += (part >= 0).sum(axis=0)
    return positives, known


def _poor(
    subject: Subject, positives: np.ndarray, lacking: np.ndarray, sides: np.ndarray, of: int, least: float
) -> list[str]:
    """Say how many outcomes have too few positives on each side that has windows, the test set first."""
    names = subject.outcomes.names
    found: list[str] = []
    for side in ("test", "train", "validation"):
        number = SPLITS.index(side)
        few = np.flatnonzero(lacking[number])
        if not len(few) or not (sides == number).any():
            continue
        fewest = int(few[np.argmin(positives[number][few])])
        what = f"{len(few):,}"
        if not found:
            have = "has" if len(few) == 1 else "have"
            what = f"{counted(len(few), subject.noun)} of {of} {have} fewer than {least:.0f} positives"
        found.append(f"{what} in the {WORDS[side]} set ({names[fewest]} {positives[number][fewest]:,})")
    return [", ".join(found)] if found else []


def _sides(sides: np.ndarray, positives: np.ndarray, known: np.ndarray, nouns: str) -> Table:
    targets = positives.shape[1]
    rows: list[list[Any]] = []
    for number, label in enumerate(SPLITS):
        defined = known[number] > 0
        share = positives[number][defined] / known[number][defined]
        row: list[Any] = [label, int((sides == number).sum())]
        row += [float(np.quantile(share, q)) if len(share) else None for q in ((0.5, 0, 1) if targets > 1 else (0.5,))]
        row.append(int((positives[number] == 0).sum()))
        rows.append(row)
    prevalence = ["median prevalence", "lowest", "highest"] if targets > 1 else ["prevalence"]
    return Table("Windows and positives", ["side", "windows", *prevalence, f"{nouns} without a positive"], rows)


def _values(names: list[str], values: np.ndarray, sides: np.ndarray) -> Table:
    rows: list[list[Any]] = []
    for number, label in enumerate(SPLITS):
        for outcome, name in enumerate(names[:MOST_NAMED]):
            part = values[sides == number, outcome]
            part = part[~np.isnan(part)]
            rows.append(
                [label, name, len(part), *((float(part.mean()), float(part.std())) if len(part) else (None, None))]
            )
    return Table("Values", ["side", "target", "known values", "mean", "standard deviation"], rows)


def matched(found: Features, positives: np.ndarray, negatives: np.ndarray) -> dict[str, float]:
    """Return the KS distance of each property that varies between two sets of windows, which are large enough."""
    if min(positives.sum(), negatives.sum()) < LEAST:
        return {}
    report = matching_report(composition_of(found, positives), composition_of(found, negatives))
    keys = {"GC content": "gc", "N content": "n", "length": "length", "repeats": "repeat"}
    return {name: report[keys[name]]["ks"] for name in _measures(found) if report[keys[name]] is not None}


def _measures(found: Features) -> dict[str, np.ndarray]:
    named = {"GC content": found.gc, "N content": found.unknown, "length": found.length}
    if found.repeat is not None:
        named["repeats"] = found.repeat
    return {name: values for name, values in named.items() if np.ptp(values) > 0}


def _drift(
    subject: Subject, found: Features, masks: Mapping[str, np.ndarray], seed: int
) -> tuple[dict[str, float], list[list[Any]]]:
    """Compare training with test and validation; the distances from test that are larger than chance makes them."""
    blocks = assign_blocks(subject.windows.iloc[found.rows], subject.block)
    drifted: dict[str, float] = {}
    lines = []
    for name, values in _measures(found).items():
        line: list[Any] = [name]
        for side in ("test", "validation"):
            pair = masks["train"], masks[side]
            if min(pair[0].sum(), pair[1].sum()) < LEAST:
                line += [None, None]
                continue
            gap = distance(values[pair[0]], values[pair[1]])
            limit = chance_distance(values[pair[0]], values[pair[1]], (blocks[pair[0]], blocks[pair[1]]), seed)
            line += [gap, limit]
            if side == "test" and gap > limit:
                drifted[name] = gap
        lines.append(line)
    return drifted, lines


def distributions(found: Features, masks: Mapping[str, np.ndarray], of: str) -> dict[str, Any]:
    """Return the histograms of the GC content, or of the length where that varies more, of several sets of windows."""
    measures = _measures(found)
    name = "GC content" if "GC content" in measures else next(iter(measures), None)
    if name is None:
        return {}
    values = measures[name]
    low, high = np.quantile(values, (0.001, 0.999))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    series = []
    for label, members in masks.items():
        if members.sum() >= LEAST:
            counts, _ = np.histogram(np.clip(values[members], edges[0], edges[-1]), bins=edges)
            series.append({"name": label, "share": (counts / counts.sum()).round(5).tolist()})
    return {"kind": "distributions", "property": name, "edges": edges.round(5).tolist(), "series": series, "of": of}
