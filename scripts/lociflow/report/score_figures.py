"""Figures of what lies behind a score: calibration, strata of the test windows, and ranks over many data sets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import NullLocator

from lociflow.evaluation.metrics import METRICS
from lociflow.evaluation.strata import judged_by
from lociflow.report.differences import MeanRanks, alike
from lociflow.report.drawing import (
    DARK,
    GREY,
    WIDTH,
    Figure,
    Style,
    as_svg,
    canvas,
    draw_point,
    keys,
    panels,
    reference_line,
    shortened,
    spread,
    two_lines,
)
from lociflow.report.figures import grouped
from lociflow.report.results import DatasetResults, Entry
from lociflow.report.tables import number

# Entries beyond which a row of a figure is no longer read: the best models and the best baseline are drawn.
MOST_ENTRIES = 5
# A mean probability below which a linear axis would show nothing.
RARE = 0.1


def calibration(dataset: DatasetResults, style: Mapping[str, Style]) -> Figure | None:
    """Draw the share of positives against the predicted probability, means over targets; None without probabilities.

    One seed is drawn per label, the first.
    """
    entries = [entry for entry in _chosen(dataset) if _reliability(entry) is not None]
    if not entries:
        return None
    name = f"{dataset.name}/calibration"
    told = []
    with canvas(name, (WIDTH, 4.4)) as (figure, axes):
        lowest, highest = 1.0, 0.0
        for entry in entries:
            mean, share = _reliability(entry)  # type: ignore[misc]
            look = style[entry.label]
            axes.plot(
                mean, share, look.marker, color=look.colour, linestyle=look.line, markersize=4.5, linewidth=1.2,
                markerfacecolor=look.colour if look.filled else "white", label=two_lines(entry.label, entry.kind, " "),
            )  # fmt: skip
            lowest, highest = min(lowest, *mean, *share[share > 0]), max(highest, *mean, *share)
            error = entry.summary("ece", "median")
            told.append(f"{entry.name}: calibration error {number(error)}, at most {max(mean):.3f} predicted")
        if rare := float(np.nanmedian(dataset.entries[0].target_values("prevalence"))) < RARE:
            axes.set_xscale("log")
            axes.set_yscale("log")
            lowest = max(lowest, 1e-4)
            axes.set_xlim(lowest / 1.3, 1.3 * highest)
            axes.set_ylim(lowest / 1.3, 1.3 * highest)
        axes.plot([lowest, highest], [lowest, highest], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_xlabel("predicted probability, mean of each fifteenth of the windows")
        axes.set_ylabel("share of these windows that is positive")
        figure.legend(loc="outside upper left", ncols=2, handlelength=2.2)
        svg = as_svg(figure, name, f"Calibration on {dataset.name}, mean over targets: " + "; ".join(told))
    scale = "; both axes logarithmic, groups without a positive are not drawn" if rare else ""
    return Figure(svg, f"Calibration; grey dashes: probabilities that are right{scale}")


def _reliability(entry: Entry) -> tuple[np.ndarray, np.ndarray] | None:
    """Return mean probability and share of positives of each group, means over targets; None where nothing is known."""
    if entry.curves is None or entry.curves.reliability is None or not len(entry.curves.reliability):
        return None
    bins, mean, share = np.moveaxis(entry.curves.reliability, 1, 0)
    known = (bins > 0).any(axis=0)
    if not known.any():
        return None
    return np.nanmean(mean[:, known], axis=0), np.nanmean(share[:, known], axis=0)


def strata(dataset: DatasetResults, style: Mapping[str, Style]) -> list[Figure]:
    """Draw the scores of every stratum, a figure for each way to make strata."""
    entries = [entry for entry in _chosen(dataset) if entry.metrics.get("strata")]
    if not entries:
        return []
    metric = judged_by(dataset.label_kind)
    ways = list(dict.fromkeys(row["by"] for row in entries[0].metrics["strata"]))
    return [_strata(dataset, entries, style, by, metric) for by in ways]


def _strata(
    dataset: DatasetResults, entries: Sequence[Entry], style: Mapping[str, Style], by: str, metric: str
) -> Figure:
    found = [{row["level"]: row for row in entry.metrics["strata"] if row["by"] == by} for entry in entries]
    levels = list(found[0])
    name = f"{dataset.name}/strata-{by.replace(' ', '-')}"
    told = []
    with canvas(name, (WIDTH, 1.3 + 0.22 * len(entries) + 0.42 * len(levels))) as (figure, axes):
        for row, level in enumerate(levels):
            for offset, entry, rows in zip(spread(len(entries), 0.55), entries, found, strict=True):
                score = rows[level][metric]
                draw_point(axes, row + offset, score["value"], score["low"], score["high"], style[entry.label])
        whole = METRICS[metric].chance
        reference_line(axes, whole)
        axes.set_yticks(range(len(levels)), [f"{level}\n{found[0][level]['bins']:,} windows" for level in levels])
        axes.set_ylim(len(levels) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"median {METRICS[metric].title} over targets, within the stratum")
        figure.legend(handles=keys(entries, style), loc="outside upper left", ncols=2)
        for entry, rows in zip(entries, found, strict=True):
            values = ", ".join(f"{level} {number(rows[level][metric]['value'])}" for level in levels)
            told.append(f"{entry.name}: {values}")
        svg = as_svg(figure, name, f"{METRICS[metric].title} by {by} on {dataset.name}. " + "; ".join(told))
    return Figure(svg, f"By {by}" + ("; dashed: chance" if whole is not None else ""))


def _chosen(dataset: DatasetResults) -> list[Entry]:
    """Return the first seed of each of the best models, and the best baseline."""
    sign = 1 if METRICS[dataset.headline].larger_is_better else -1
    models = [
        (entries[0].summary(dataset.headline, "median"), entries[0]) for _, entries in grouped(dataset.of_kind("model"))
    ]
    known = sorted(((value, entry) for value, entry in models if value is not None), key=lambda each: -sign * each[0])
    baseline = [dataset.best_baseline] if dataset.best_baseline else []
    return [*(entry for _, entry in known[:MOST_ENTRIES]), *baseline]


def critical_difference(ranks: MeanRanks) -> Figure:
    """Draw the mean ranks of models over data sets, with bars over those that do not differ (Demšar 2006)."""
    labels, groups = list(ranks.ranks), alike(ranks)
    name = "run/critical-difference"
    half = (len(labels) + 1) // 2
    with panels(name, (WIDTH + 1.6, 0.9 + 0.24 * (half + len(groups))), 1) as (figure, (axes,)):
        top = -0.5 - 0.35 * len(groups)
        for place, label in enumerate(labels):
            left = place < half
            y = top - 0.5 * ((place if left else len(labels) - 1 - place) + 1)
            edge = 0.6 if left else len(labels) + 0.4
            rank = ranks.ranks[label]
            axes.plot([rank, rank, edge], [0, y, y], color=DARK, linewidth=0.9)
            words = f"{shortened(label)}  {rank:.2f}" if left else f"{rank:.2f}  {shortened(label)}"
            shift, side = (-0.06, "right") if left else (0.06, "left")
            axes.text(edge + shift, y, words, ha=side, va="center", fontsize=8.5)
        for row, group in enumerate(groups):
            ends = [ranks.ranks[label] for label in (group[0], group[-1])]
            axes.plot(
                [ends[0] - 0.04, ends[1] + 0.04],
                [-0.3 - 0.35 * row] * 2,
                color=GREY,
                linewidth=4,
                solid_capstyle="butt",
            )
        axes.plot([1, 1 + ranks.critical], [1.2, 1.2], color=DARK, linewidth=2, solid_capstyle="butt")
        axes.text(1, 1.35, f"critical difference {ranks.critical:.2f}", fontsize=8.5, va="bottom")
        axes.set_xlim(0.5, len(labels) + 0.5)
        axes.set_ylim(top - 0.5 * half - 0.7, 2.0)
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_position(("data", 0))
        axes.set_xticks(range(1, len(labels) + 1), [])
        axes.tick_params(axis="x", direction="in", length=4)
        for rank_number in range(1, len(labels) + 1):
            axes.text(rank_number, 0.25, str(rank_number), fontsize=8.5, ha="center", va="bottom")
        axes.yaxis.set_major_locator(NullLocator())
        axes.grid(visible=False)
        told = ", ".join(f"{label} {rank:.2f}" for label, rank in ranks.ranks.items())
        svg = as_svg(figure, name, f"Mean ranks over {ranks.datasets} data sets, 1 is best: {told}.")
    return Figure(
        svg, f"Mean rank over {ranks.datasets} data sets, 1 is best; grey bars join models that do not differ"
    )


def further_rows(dataset: DatasetResults) -> list[dict[str, Any]]:
    """Return the further metrics of every entry, medians over targets with their intervals."""
    return [
        {
            "name": entry.name,
            "kind": entry.kind,
            "scores": [
                tuple(entry.summary(metric, statistic) for statistic in ("median", "low", "high"))
                for metric in dataset.kind_metrics.further
            ],
        }
        for entry in dataset.scored
    ]
