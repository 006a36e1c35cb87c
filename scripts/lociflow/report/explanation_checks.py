"""The page's answer to whether explanations can be trusted: their checks, and how far they agree with each other."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lociflow.interpretation.checks.verdicts import CHECKS
from lociflow.report.drawing import (
    DARK,
    GREY,
    MARKERS,
    PALETTE,
    WIDTH,
    Figure,
    as_svg,
    canvas,
    literal,
    panels,
    shortened,
)
from lociflow.report.results import DatasetResults, Entry
from lociflow.report.tables import number

# What may tell two explanations apart alone, in the order in which it is of interest.
ONLY = ("seed", "method", "model")
DASHES = ("-", "--", "-.", ":")
LARGEST_MATRIX = 24


class CheckRow(NamedTuple):
    """One explanation of one model, check by check."""

    entry: Entry
    method: str
    checks: Mapping[str, Mapping[str, Any]]
    """By the keys of :data:`lociflow.interpretation.checks.verdicts.CHECKS`."""


class Checked(NamedTuple):
    """What the section shows of a data set."""

    titles: Mapping[str, str]
    """Title of each check, by its key in ``rows``."""
    rows: list[CheckRow]
    figures: list[Figure]
    """One a model: the curves of all its methods."""
    controls: list[Figure]
    """The same of the controls."""
    pairs: list[dict[Hashable, Any]]
    """Explanations that differ in seed, method or model alone, in this order: rows of the table of agreement."""
    agreement: Figure | None


def checked_explanations(dataset: DatasetResults) -> Checked | None:
    """Arrange the checks of the explanations of a data set; None where none was checked."""
    checked = sorted((entry for entry in dataset.entries if entry.checks), key=lambda entry: entry.kind == "control")
    if not checked:
        return None
    rows = [CheckRow(entry, checks["method"], checks) for entry in checked for checks in entry.checks]
    table = dataset.agreement if dataset.agreement is not None else pd.DataFrame({"differs": []})
    pairs = [row for kind in ONLY for row in table[table["differs"] == kind].to_dict("records")]
    figures, controls = (
        [curves(dataset.name, entry) for entry in checked if (entry.kind == "control") == control]
        for control in (False, True)
    )
    return Checked(CHECKS, rows, figures, controls, pairs, agreement_matrix(dataset.name, table))


def curves(dataset: str, entry: Entry) -> Figure:
    """Draw how an entry's explanations fare when its weights and its windows are changed, all methods in one figure."""
    name = f"{dataset}/checks_{entry.key.replace('/', '_')}"
    with panels(name, (WIDTH, 6.6), 1, rows=3) as (figure, (randomised, deletion, insertion)):
        for place, checks in enumerate(entry.checks):
            look: dict[str, Any] = {
                "color": PALETTE[place % len(PALETTE)],
                "marker": MARKERS[place % len(MARKERS)],
                "linestyle": DASHES[place // len(PALETTE) % len(DASHES)],
                "markersize": 4,
            }
            _draw_stages(randomised, checks["randomisation"]["stages"], {**look, "label": checks["method"]})
            for axes, key in ((deletion, "deletion"), (insertion, "insertion")):
                _draw_replaced(axes, checks[key], look, first=not place)
        threshold = entry.checks[0]["randomisation"]["threshold"]
        randomised.axhline(
            threshold, color=GREY, linewidth=1, linestyle=(0, (4, 3)), label=f"must end below {threshold:g}"
        )
        randomised.set_ylim(min(-0.05, randomised.get_ylim()[0]), 1.05)
        randomised.set_xlabel("layers with redrawn weights, from the output down")
        randomised.set_ylabel("likeness to the\nreal explanation")
        for axes, changed in ((deletion, "replaced by shuffled sequence"), (insertion, "set into shuffled sequence")):
            axes.set_xscale("log")
            axes.set_xticks([0.01, 0.1, 1], ["1%", "10%", "100%"])
            axes.set_xlabel(f"positions {changed}")
            axes.set_ylabel("output (1: window,\n0: shuffled)")
        insertion.legend(loc="best")
        figure.legend(*randomised.get_legend_handles_labels(), loc="outside upper left", ncols=2, columnspacing=1.2)
        alt = f"Checks of the explanations of {entry.name} on {dataset}: " + "; ".join(map(_told, entry.checks))
        svg = as_svg(figure, name, alt)
    return Figure(
        svg,
        f"{entry.name}{' (control)' if entry.kind == 'control' else ''}: Spearman’s correlation with the real "
        "explanation while weights are redrawn; the output while positions are replaced or put back, those with the "
        "highest contributions first (colour) or random ones (grey)",
    )


def _draw_stages(axes: Axes, stages: Sequence[Mapping[str, Any]], look: Mapping[str, Any]) -> None:
    layers = np.cumsum([0, *(len(stage["layers"]) for stage in stages)])
    axes.plot(layers, [1.0, *(stage["similarity"] for stage in stages)], **look)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_replaced(axes: Axes, check: Mapping[str, Any], look: Mapping[str, Any], first: bool) -> None:
    # Nothing is replaced at first, which a logarithmic axis cannot show.
    axes.plot(check["positions"][1:], check["top"][1:], **look)
    if first:
        axes.plot(
            check["positions"][1:], check["random"][1:], color=DARK, alpha=0.6, linestyle=":", label="random positions"
        )


def _told(checks: Mapping[str, Any]) -> str:
    parts = (f"{title} {number(checks[key]['value'])} ({checks[key]['verdict']})" for key, title in CHECKS.items())
    return f"{checks['method']}: {', '.join(parts)}"


def agreement_matrix(dataset: str, table: pd.DataFrame) -> Figure | None:
    """Draw the correlation of every two explanations as a matrix; None where there are no two."""
    known = table.dropna(subset=["pearson"]) if len(table) else table
    if known.empty:
        return None
    found = list(dict.fromkeys([*known["first"], *known["second"]]))
    models = list(dict.fromkeys(label.split("/")[0] for label in found))
    labels = sorted(found, key=lambda label: models.index(label.split("/")[0]))[:LARGEST_MATRIX]
    values = np.full((len(labels), len(labels)), np.nan)
    np.fill_diagonal(values, 1.0)
    for row in known.to_dict("records"):
        if row["first"] in labels and row["second"] in labels:
            one, other = labels.index(row["first"]), labels.index(row["second"])
            values[one, other] = values[other, one] = row["pearson"]
    name = f"{dataset}/agreement"
    side = 0.45 * len(labels)
    with canvas(name, (max(WIDTH, side + 3), side + 0.6)) as (figure, axes):
        drawn = axes.pcolormesh(np.clip(values, 0, 1), cmap="cividis", vmin=0, vmax=1, edgecolors="white", linewidth=1)
        for (one, other), value in np.ndenumerate(values):
            if np.isfinite(value) and one != other:
                axes.text(
                    other + 0.5, one + 0.5, number(value, 2), ha="center", va="center", fontsize=8,
                    color="white" if value < 0.5 else "black",
                )  # fmt: skip
        ticks = np.arange(len(labels)) + 0.5
        axes.set_yticks(ticks, [_label(place, label) for place, label in enumerate(labels, start=1)])
        axes.set_xticks(ticks, [str(place) for place in range(1, len(labels) + 1)])
        axes.set_ylim(len(labels), 0)
        axes.set_aspect("equal")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        figure.colorbar(drawn, ax=axes, label="mean correlation", shrink=0.8)
        alt = f"Correlation of explanations of the same windows of {dataset}: " + "; ".join(
            f"{row['first']} and {row['second']} {number(row['pearson'], 2)}" for row in known.to_dict("records")
        )
        svg = as_svg(figure, name, alt)
    return Figure(svg, "Correlation of contributions along the same windows, mean over windows; 0 and less is dark")


def _label(place: int, label: str) -> str:
    model, seed, method = label.split("/")
    return f"{place}. {shortened(model)}\n{literal(f'{seed[:4]} {seed[4:]}, {method}')}"
