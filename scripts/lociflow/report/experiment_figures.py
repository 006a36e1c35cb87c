"""Figures of a run's experiments: learning curves, and joint against single-target models."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from lociflow.command import atomic
from lociflow.evaluation.metrics import METRICS
from lociflow.evaluation.significance import SIGNIFICANT
from lociflow.evaluation.task_gain import GAIN, LOSS, NEITHER
from lociflow.report.drawing import (
    DARK,
    GREY,
    MARKERS,
    PALETTE,
    WIDTH,
    as_svg,
    literal,
    panels,
    shortened,
    spread,
    standalone,
)

VERDICT_LOOKS = {GAIN: (PALETTE[0], "o"), LOSS: (PALETTE[1], "v"), NEITHER: (GREY, "s")}
ROW, LINE = 0.32, 0.19  # inches: a target, and a line of the legend
COLUMNS = 2  # panels side by side: more would be too small to be read on a page
DASHES: tuple[Literal["-", "--", "-."], ...] = ("-", "--", "-.")
# What the axes leave of a panel's width, and a letter of a tick's label, in inches.
AXIS, LETTER = WIDTH - 1.0, 0.075
# How far apart in a power of ten models and seeds are drawn at the most that belong to one share.
WIDEST = 0.1
EXPLAINED = "line: block-bootstrap interval (other loci)"


class Look(NamedTuple):
    """How a model is drawn."""

    colour: str
    marker: str
    line: Literal["-", "--", "-."]


def draw_learning_curve(table: pd.DataFrame, path: Path) -> None:
    """Draw the mean score over targets against the share of the labels, a panel for each data set and split.

    Small points are trainings, each with the block-bootstrap interval of its score; large ones are the means over the
    seeds, with the standard deviation between seeds where there are several. Models stand beside each other at each
    share.

    Parameters
    ----------
    table
        As :func:`lociflow.evaluation.learning_curve.tabulate` gives it.
    path
        SVG file to write.
    """
    parts = list(table.groupby(["dataset", "split"], sort=False))
    models = list(dict.fromkeys(table["model"]))
    several = bool((table["seeds"] > 1).any())
    with _grid("learning_curve", len(parts), 3.4, LINE * (len(models) + 2 + several)) as (figure, axes):
        for axis, ((dataset, split), part) in zip(axes, parts, strict=True):
            axis.set_xscale("log")
            room = _room(part["share"].to_numpy())
            for number, (model, offset) in enumerate(zip(models, spread(len(models), room), strict=True)):
                rows = part[part["model"] == model]
                _draw_curve(axis, rows, offset, 0.6 * room / len(models), _look(number))
            _mark_shares(axis, part)
            metric = part["metric"].iloc[0]
            title = METRICS[metric].title if metric in METRICS else metric
            axis.set_ylabel(f"{title}, mean over targets, test bins")
            axis.set_title(literal(f"{shortened(str(dataset))}, {split}"))
        told = [
            Line2D([], [], label=literal(model), markersize=6, linestyle=line, color=colour, marker=marker)
            for model, (colour, marker, line) in zip(models, map(_look, range(len(models))), strict=True)
        ]
        alone = "a training" if several else "the training"
        interval = f"block-bootstrap interval of {alone} (other loci)"
        told.append(Line2D([], [], linestyle="", color=GREY, marker="|", markersize=11, label=interval))
        if several:
            whisker = _whisker("large point: mean over seeds ± standard deviation; small: one seed")
            told.append(whisker)
        figure.legend(handles=told, loc="outside lower left", handlelength=2.8)
        _write(path, as_svg(figure, "learning_curve", "Score on the test bins against the share of training labels"))


def draw_task_gain(table: pd.DataFrame, path: Path) -> None:
    """Draw what each target gains from the others, a row a target, a panel for each data set, split and model.

    The upper bar of a row is the interval over other loci, the lower one the standard deviation between seeds. All
    panels have the same scale. Where seeds are few the axis says so.

    Parameters
    ----------
    table
        As :func:`lociflow.evaluation.task_gain.compare_tasks` gives it.
    path
        SVG file to write.
    """
    parts = list(table.groupby(["dataset", "split", "model"], sort=False))
    several = bool((table["seeds"] > 1).any())
    height = 1.1 + ROW * max(len(part) for _, part in parts)
    low, high = _range(table)
    with _grid("task_gain", len(parts), height, LINE * (5 + several)) as (figure, axes):
        for axis, ((dataset, split, model), part) in zip(axes, parts, strict=True):
            ordered = part.sort_values("gain", ignore_index=True)
            for verdict, (colour, marker) in VERDICT_LOOKS.items():
                chosen = ordered[ordered["verdict"] == verdict]
                known = chosen.dropna(subset=["low", "high"])
                axis.hlines(known.index, known["low"], known["high"], color=colour, linewidth=1.4)
                axis.plot(chosen["gain"], chosen.index, marker, color=colour, markersize=5.5)
            seeds = ordered.dropna(subset=["seed_sd"])
            axis.errorbar(seeds["gain"], seeds.index - 0.28, xerr=seeds["seed_sd"], **_bars(DARK))
            axis.axvline(0, color=DARK, linewidth=0.9)
            axis.set_yticks(np.arange(len(ordered)), [shortened(str(name)) for name in ordered["target"]])
            axis.set_ylim(-0.7, len(ordered) - 0.3)
            axis.set_xlim(low, high)
            axis.xaxis.set_major_locator(MaxNLocator(4))
            few = ", ".join(dict.fromkeys(told for told in ordered["caveat"] if told))
            axis.set_xlabel("AUPRC learnt together − AUPRC learnt alone" + (f"\neach verdict {few}" if few else ""))
            axis.set_title(literal(f"{shortened(str(dataset))}, {split}:\n{shortened(str(model))}"))
        found = set(table["verdict"])
        told = [
            Line2D([], [], color=colour, marker=marker, markersize=5.5, linewidth=1.4, label=_explained(verdict))
            for verdict, (colour, marker) in VERDICT_LOOKS.items()
            if verdict in found
        ]
        if several:
            told.append(_whisker("± standard deviation between seeds"))
        figure.legend(handles=told, loc="outside lower left", title=EXPLAINED, alignment="left")
        _write(path, as_svg(figure, "task_gain", "Gain in AUPRC of each target from learning it with the others"))


@contextmanager
def _grid(name: str, count: int, height: float, below: float) -> Iterator[tuple[Canvas, Sequence[Axes]]]:
    """Open a figure of some panels of one height, in rows of a few, and with room for a legend below."""
    columns = min(count, COLUMNS)
    rows = math.ceil(count / columns)
    with panels(name, (WIDTH * columns, height * rows + below), columns, rows) as (figure, axes):
        for spare in axes[count:]:
            spare.set_axis_off()
        yield figure, axes[:count]


def _draw_curve(axis: Axes, rows: pd.DataFrame, offset: float, width: float, look: Look) -> None:
    """Draw one model's curve, moved by a part of the logarithm of the share so that models do not cover each other."""
    colour, marker, line = look
    seeds = list(dict.fromkeys(rows["seed"]))
    for seed, aside in zip(seeds, spread(len(seeds), width), strict=True):
        own = rows[rows["seed"] == seed]
        place, known = own["share"] * 10 ** (offset + aside), own["mean_low"].notna() & own["mean_high"].notna()
        axis.vlines(place[known], own["mean_low"][known], own["mean_high"][known], color=colour, linewidth=1, alpha=0.5)
        if len(seeds) > 1:
            axis.plot(place, own["mean"], marker, color=colour, markersize=2.5, alpha=0.6)
    means = rows.drop_duplicates("share").sort_values("share")
    place = means["share"] * 10**offset
    axis.plot(place, means["seeds_mean"], color=colour, marker=marker, markersize=5.5, linestyle=line)
    spreads = means["seeds_sd"].notna()
    axis.errorbar(place[spreads], means["seeds_mean"][spreads], yerr=means["seeds_sd"][spreads], **_bars(colour))


def _mark_shares(axis: Axes, part: pd.DataFrame) -> None:
    """Mark every share, and label those for which there is room: the share, and how many bins it has."""
    shares = sorted(part["share"].unique())
    bins = part.groupby("share")["training_bins"].median()
    counted = bool(bins.notna().all())
    labels = [f"{100 * share:.10g} %" + (f"\n{bins[share]:,.0f}" if counted else "") for share in shares]
    places = np.log10(shares)
    # A share alone has an axis of its own.
    scale = AXIS / (1.15 * (places[-1] - places[0])) if places[-1] > places[0] else 1.0
    widths = [LETTER * max(map(len, label.split("\n"))) for label in labels]
    chosen: list[int] = []
    for number in dict.fromkeys([len(shares) - 1, 0, *range(len(shares))]):
        room = ((widths[number] + widths[other]) / 2 for other in chosen)
        away = (abs(places[number] - places[other]) * scale for other in chosen)
        if all(there >= needed for there, needed in zip(away, room, strict=True)):
            chosen.append(number)
    axis.set_xticks(shares, [label if number in chosen else "" for number, label in enumerate(labels)])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("share of the training labels" + (", and its training bins" if counted else ""))


def _room(shares: np.ndarray) -> float:
    """Return the part of a power of ten over which what belongs to one share is spread: half of what lies between."""
    return float(min([WIDEST, *np.diff(np.unique(np.log10(shares))) / 2]))


def _look(number: int) -> Look:
    line = DASHES[number // len(PALETTE) % len(DASHES)]
    return Look(PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)], line)


def _bars(colour: str) -> dict[str, Any]:
    return {"color": colour, "linestyle": "", "elinewidth": 1.4, "capsize": 3.5, "capthick": 1.4}


def _whisker(label: str) -> Line2D:
    return Line2D([], [], color=DARK, marker="|", markersize=6, markeredgewidth=1.4, linewidth=1.4, label=label)


def _explained(verdict: str) -> str:
    if verdict == NEITHER:
        return verdict
    return f"{verdict} (q < {SIGNIFICANT:g}, the same sign in every seed)"


def _range(table: pd.DataFrame) -> tuple[float, float]:
    """Return ends of an axis that hold all gains with their bars, and 0."""
    spreads = table["seed_sd"].fillna(0)
    ends = [table["low"], table["high"], table["gain"] - spreads, table["gain"] + spreads]
    values = np.concatenate([[0.0], *(end.dropna().to_numpy(float) for end in ends)])
    margin = 0.05 * (values.max() - values.min()) or 0.01
    return float(values.min() - margin), float(values.max() + margin)


def _write(path: Path, svg: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(standalone(svg), encoding="utf-8")
