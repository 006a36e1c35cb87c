"""What models have learnt of motifs, by experiments: the measured effects as the page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from lociflow.report.drawing import Figure
from lociflow.report.importance_figures import ablation_bars, insertion_map, spacing_curves
from lociflow.report.logos import logo
from lociflow.report.results import SIGNIFICANT, DatasetResults, Entry

MOST_CURVES = 4


class Maximum(NamedTuple):
    """What an output of a model is highest for."""

    target: str
    logo: Markup | None
    best: float | None
    positives: float | None
    """Median in test windows with the label."""
    reason: str | None
    """Why there is none."""


@dataclass(frozen=True)
class MotifExperiments:
    """The experiments on one model."""

    entry: Entry
    insertion: Figure
    curves: Figure | None
    ablation: Figure | None
    strongest: list[Mapping[str, Any]]
    """For each motif the row of the target on which its insertion has the largest effect beyond the null."""
    points: int
    """Pairs × orientations × gaps × targets that were tested."""
    differing: int
    """Those whose interaction is not 0."""
    maxima: list[Maximum]
    left_out: list[Mapping[str, str]]


def motif_experiments(dataset: DatasetResults) -> list[MotifExperiments]:
    """Arrange the experiments of every model that was asked about motifs, controls last."""
    asked = [entry for entry in dataset.entries if entry.importance and entry.importance["insertion"]]
    return [_arranged(entry, dataset.name) for entry in sorted(asked, key=lambda entry: entry.kind == "control")]


def spacing_rules(dataset: DatasetResults) -> list[tuple[Entry, Mapping[str, Any]]]:
    """Return the verdict on each planted pair of each model."""
    return [(entry, rule) for entry in dataset.entries if entry.importance for rule in entry.importance["rules"]]


def _arranged(entry: Entry, dataset: str) -> MotifExperiments:
    found: Mapping[str, Any] = entry.importance or {}
    name = f"{dataset}/importance-{entry.key.replace('/', '-')}"
    pairs = found["pairs"]
    strongest = {
        motif["name"]: max(
            (row for row in found["insertion"] if row["motif"] == motif["name"]), key=lambda row: abs(row["excess"])
        )
        for motif in found["motifs"]
    }
    measured = [row for row in found["ablation"] if row["effect"] is not None]
    return MotifExperiments(
        entry=entry,
        insertion=insertion_map(found["insertion"], f"{name}-insertion", entry.name),
        curves=spacing_curves(shown_pairs(pairs, found["rules"]), found["rule"], f"{name}-pairs", entry.name),
        ablation=ablation_bars(measured, f"{name}-ablation", entry.name) if measured else None,
        strongest=list(strongest.values()),
        points=len(pairs),
        differing=sum(row["q"] < SIGNIFICANT for row in pairs),
        maxima=[_maximum(one, entry) for one in found["maximised"]],
        left_out=found["left_out"],
    )


def shown_pairs(
    rows: list[Mapping[str, Any]], rules: list[Mapping[str, Any]]
) -> dict[tuple[str, str, str], list[Mapping[str, Any]]]:
    """Choose the pairs and targets whose curves are drawn: planted ones, then those of the strongest interactions.

    Returns
    -------
    dict
        Rows by (first motif, second motif, target), at most :data:`MOST_CURVES`; a pair that was not planted only with
        an interaction that is not 0, and once, for the target on which it is strongest.
    """
    grouped: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["motif"], row["second"], row["target"]), []).append(row)
    planted = [key for key in grouped if any(key == (r["motif"], r["second"], r["target"]) for r in rules)]
    strength = {
        key: max((abs(row["effect"]) for row in of_key if row["q"] < SIGNIFICANT), default=0.0)
        for key, of_key in grouped.items()
    }
    seen = {key[:2] for key in planted}
    chosen = list(planted)
    for key in sorted(grouped, key=lambda key: -strength[key]):
        if strength[key] > 0 and key[:2] not in seen:
            seen.add(key[:2])
            chosen.append(key)
    return {key: grouped[key] for key in chosen[:MOST_CURVES]}


def _maximum(found: Mapping[str, Any], entry: Entry) -> Maximum:
    if found["reason"]:
        return Maximum(found["target"], None, None, found["positives"], found["reason"])
    drawn = logo(np.array(found["pwm"]), f"what {entry.name} would like to see most for {found['target']}")
    return Maximum(found["target"], drawn, found["scores"][0], found["positives"], None)
