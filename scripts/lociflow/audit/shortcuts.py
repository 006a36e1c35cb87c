"""Check 5: properties that give the label away without a motif."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.audit.features import Features
from lociflow.audit.scoring import (
    MOST_LABELS,
    Scores,
    fit_binary,
    fit_real,
    prevalences,
    score_binary,
    score_real,
    standardised,
)
from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import PASS, WARN, Check, Table, counted, not_applicable, several
from lociflow.evaluation.intervals import assign_blocks

GOOD = (
    "Near 0.5 for AUROC (near 0 for a correlation): then a model has to read more than composition. A little above is "
    "biology: regulatory DNA has a composition of its own."
)
REMEDY = (
    "Draw negatives that match in the property (lociflow.genome.negatives.matched), cut all windows to one length, or "
    "keep the property as a baseline and count only what a model gains on it."
)
COMPARISON = "4-mers, for comparison"
# Targets that are named in the table.
MOST_NAMED = 8


class Property(NamedTuple):
    """One property: its features, and whether extremes at both ends may give the label away."""

    name: str
    values: np.ndarray
    squares: bool
    judged: bool


def properties(found: Features, alphabet: str) -> list[Property]:
    """Return the properties by which the labels are predicted; those that are the same in all windows are left out."""
    unit, unknown = ("residue composition", "X content") if alphabet == "protein" else ("dinucleotides", "N content")
    listed = [
        Property("GC content", found.gc[:, np.newaxis], True, True),
        Property("length", np.log(np.maximum(found.length, 1))[:, np.newaxis], True, True),
        Property(unknown, found.unknown[:, np.newaxis], True, True),
        Property(unit, found.words, False, True),
    ]
    if found.kmers is not None:
        listed.append(Property(COMPARISON, found.kmers, False, False))
    return listed


def check_shortcuts(
    subject: Subject, name: str, split: pd.Categorical, found: Features, settings: Mapping[str, float], seed: int
) -> Check:
    """Judge how well single properties predict the labels of the test windows.

    A property warns where the lower end of its interval exceeds the threshold for a target that has positives enough
    in the test set, or where the median over targets does.
    """
    outcomes = subject.outcomes
    side = np.asarray(split.codes)[found.rows]
    train, test = np.flatnonzero(side == 0), np.flatnonzero(side == 2)
    if not len(train) or not len(test) or not outcomes.values.shape[1]:
        return not_applicable("shortcuts", name, "There is no training or no test window to compare.")
    most = max(1000, MOST_LABELS // outcomes.values.shape[1])
    train = _drawn(train, most, seed)
    labels = {part: np.asarray(outcomes.values[found.rows[rows]]) for part, rows in (("train", train), ("test", test))}
    blocks = assign_blocks(subject.windows.iloc[found.rows[test]], subject.block)
    enough = _enough(labels["test"], outcomes.real, int(settings["positives"]))
    if subject.background is not None:
        # Each class is held against all the others, and the background with them.
        enough[subject.background] = False
    threshold = settings["pearson" if outcomes.real else "auroc"]
    scores: dict[str, Scores] = {}
    constant = []
    judged: list[str] = []
    for each in properties(found, subject.alphabet):
        if np.ptp(each.values, axis=0).max() == 0:
            constant.append(each.name)
            continue
        x, y = standardised(each.values[train], each.values[test], each.squares)
        if outcomes.real:
            scores[each.name] = score_real(labels["test"], fit_real(x, labels["train"], y), blocks, seed)
        else:
            scores[each.name] = score_binary(labels["test"], fit_binary(x, labels["train"], y), blocks, seed)
        if each.judged:
            judged.append(each.name)
    metric = "correlation" if outcomes.real else "AUROC"
    guilty = [
        (property_, outcome)
        for property_ in scores
        if property_ in judged
        for outcome in np.flatnonzero(enough & (np.nan_to_num(scores[property_].low, nan=-1) > threshold))
    ]
    medians = {property_: _median(found_.value[enough]) for property_, found_ in scores.items()}
    # A property without a median, for want of labels, is neither good nor bad.
    known = [property_ for property_ in judged if not np.isnan(medians[property_])]
    too_good = [property_ for property_ in known if medians[property_] > threshold]
    best = max(known, key=lambda property_: medians[property_], default="")
    value = medians.get(best, float("nan"))
    says = _says(scores, medians, guilty, too_good, best, subject, metric, enough)
    if constant:
        says += f" The same in all windows: {', '.join(constant)}."
    chance = None if outcomes.real else _median(prevalences(labels["test"])[enough])
    tables = [_summary(scores, medians, enough, metric, chance)]
    named = _named(scores, judged, enough, outcomes.names, metric, labels["test"], outcomes.real)
    if outcomes.values.shape[1] > 1 and named.rows:
        tables.append(named)
    figure: dict[str, Any] = {
        "kind": "shortcuts",
        "metric": metric,
        "noun": subject.noun,
        "threshold": threshold,
        "rows": [
            {
                "name": property_,
                "judged": property_ in judged,
                "values": _thinned(found_.value[enough]),
                "median": _finite(medians[property_]),
                "low": _finite(found_.low[enough][0]) if enough.sum() == 1 else None,
                "high": _finite(found_.high[enough][0]) if enough.sum() == 1 else None,
            }
            for property_, found_ in scores.items()
        ],
    }
    return Check(
        "shortcuts",
        name,
        WARN if guilty or too_good else PASS,
        says,
        _finite(value),
        f"{metric} of {best or 'a property'} alone"
        + (f", median over {several(subject.noun)}" if outcomes.values.shape[1] > 1 else ""),
        threshold,
        None,
        GOOD,
        REMEDY,
        tables,
        [],
        [figure],
    )


def _enough(labels: np.ndarray, real: bool, least: int) -> np.ndarray:
    if real:
        return np.asarray((~np.isnan(labels)).sum(axis=0) >= least)
    return np.asarray(((labels == 1).sum(axis=0) >= least) & ((labels == 0).sum(axis=0) >= least))


def _says(
    scores: Mapping[str, Scores],
    medians: Mapping[str, float],
    guilty: list[tuple[str, Any]],
    too_good: list[str],
    best: str,
    subject: Subject,
    metric: str,
    enough: np.ndarray,
) -> str:
    names = subject.outcomes.names
    if not best:
        return f"No {subject.noun} has labels enough in the test set to say."
    kmers = medians.get(COMPARISON, float("nan"))
    beside = f" (4-mers: {kmers:.2f})" if not np.isnan(kmers) else ""
    if not guilty and not too_good:
        return (
            f"Nothing simple gives the labels away: the best single property, {best}, reaches {_article(metric)} of "
            f"{medians[best]:.2f}{beside}."
        )
    if len(names) == 1:
        named = sorted({*too_good, *(property_ for property_, _ in guilty)}, key=lambda name: -medians[name])
        told = ", ".join(f"{name} {medians[name]:.2f}" for name in named)
        return f"The label can be told without a motif: {metric} of {told}{beside}."
    if not guilty:
        judged = counted(int(enough.sum()), subject.noun)
        return (
            f"The {several(subject.noun)} can be told without a motif: the best property, {best}, has a median "
            f"{metric} of {medians[best]:.2f} over {judged} with labels enough{beside}."
        )
    worst_property, worst_outcome = max(guilty, key=lambda pair: scores[pair[0]].value[pair[1]])
    number = len({outcome for _, outcome in guilty})
    return (
        f"{counted(number, subject.noun)} of {int(enough.sum()):,} can be told without a motif, above all "
        f"{names[worst_outcome]} by {worst_property}, {metric} "
        f"{scores[worst_property].value[worst_outcome]:.2f}; over all {several(subject.noun)} the best "
        f"property, {best}, has a median of {medians[best]:.2f}{beside}."
    )


def _article(metric: str) -> str:
    return f"{'an' if metric == 'AUROC' else 'a'} {metric}"


def _summary(
    scores: Mapping[str, Scores], medians: Mapping[str, float], enough: np.ndarray, metric: str, chance: float | None
) -> Table:
    second = "R²" if chance is None else "AUPRC"
    many = enough.sum() > 1
    columns = ["property alone", f"{metric}, median" if many else metric]
    columns += ["highest"] if many else ["95 % interval"]
    columns += [f"{second}, median" if many else second]
    rows = []
    for name, found in scores.items():
        top = found.value[enough]
        spread: Any = _finite(np.nanmax(top)) if len(top) and not np.isnan(top).all() else None
        if not many and enough.any():
            spread = f"{found.low[enough][0]:.3f} to {found.high[enough][0]:.3f}"
        rows.append([name, _finite(medians[name]), spread, _finite(_median(found.second[enough]))])
    if chance is not None:
        rows.append(["chance (the prevalence)", 0.5, None, _finite(chance)])
    return Table("How well each property predicts the labels of the test windows", columns, rows)


def _named(
    scores: Mapping[str, Scores],
    judged: list[str],
    enough: np.ndarray,
    names: list[str],
    metric: str,
    labels: np.ndarray,
    real: bool,
) -> Table:
    rows = []
    for property_ in judged:
        for outcome in np.flatnonzero(enough & ~np.isnan(scores[property_].low)):
            found = scores[property_]
            positives: Any = None if real else int((labels[:, outcome] == 1).sum())
            interval = f"{found.low[outcome]:.3f} to {found.high[outcome]:.3f}"
            rows.append([names[outcome], property_, float(found.value[outcome]), interval, positives])
    rows.sort(key=lambda row: (-row[2], row[0], row[1]))
    columns = ["target", "property alone", metric, "95 % interval", "positives in test"]
    return Table("Targets that are told most easily", columns, rows[:MOST_NAMED])


def _drawn(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    if len(rows) <= most:
        return rows
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, 1], np.uint64)))
    return np.sort(generator.choice(rows, most, replace=False))


def _median(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _finite(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _thinned(values: np.ndarray, most: int = 200) -> list[float]:
    """Return values for a figure: of many, evenly spaced ones in their order."""
    known = np.sort(values[~np.isnan(values)])
    chosen = known if len(known) <= most else known[np.linspace(0, len(known) - 1, most).astype(int)]
    return [round(float(value), 4) for value in chosen]
