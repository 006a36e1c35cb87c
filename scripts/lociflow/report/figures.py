"""The figures of the page."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lociflow.evaluation.metrics import METRICS
from lociflow.report.drawing import (
    GREY,
    MARKERS,
    PALETTE,
    WIDTH,
    Figure,
    Style,
    as_svg,
    canvas,
    draw_point,
    keys,
    panels,
    plain_log_ticks,
    reference_line,
    shortened,
    spread,
    two_lines,
)
from lociflow.report.findings import kept_epoch
from lociflow.report.results import DatasetResults, Entry
from lociflow.report.tables import interval, number

ALL_FACTORS = "all factors"
FEW_TARGETS = 12  # up to here every target has a row of its own in the figures; above, their distribution is shown
METRIC_NAMES = {name: metric.title for name, metric in METRICS.items()}


def leaderboard(dataset: DatasetResults, style: Mapping[str, Style], metric: str) -> Figure:
    """Draw the median of a metric of every entry with its interval, seeds of one model in one row."""
    groups = grouped(dataset.entries)
    name = f"{dataset.name}/leaderboard-{metric}"
    with canvas(name, (WIDTH, 0.9 + 0.36 * len(groups))) as (figure, axes):
        for row, (label, entries) in enumerate(groups):
            for offset, entry in zip(spread(len(entries), 0.5), entries, strict=True):
                draw_interval(axes, row + offset, entry, metric, style[label])
        reference_line(axes, chance(dataset, metric))
        axes.set_yticks(range(len(groups)), [two_lines(label, entries[0].kind) for label, entries in groups])
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"median {METRIC_NAMES[metric]} over targets\n(line: {level(dataset)} interval)")
        alt = f"{METRIC_NAMES[metric]} on the test set of {dataset.name}, median over targets: " + "; ".join(
            described(entry, metric) for _, entries in groups for entry in entries
        )
        svg = as_svg(figure, name, alt)
    base = chance(dataset, metric)
    told = "" if base is None and metric != "auprc" else f"; dashed: chance ({number(base, 3)})"
    return Figure(svg, METRIC_NAMES[metric] + told)


def learning_curves(
    dataset: DatasetResults, label: str, entries: Sequence[Entry], style: Mapping[str, Style]
) -> Figure:
    """Draw loss and the headline metric on validation against the epoch for all seeds of one model.

    The kept epoch is marked.
    """
    watched = f"validation_{dataset.headline}"
    name = f"{dataset.name}/learning-{label}"
    colour = style[label].colour
    alts = []
    with panels(name, (WIDTH, 2.3), 2) as (figure, (losses, scores)):
        for entry in entries:
            history = entry.history
            if history is None or not len(history):
                continue
            epochs = history["epoch"]
            kept = kept_epoch(entry)
            losses.plot(epochs, history["train_loss"], color=GREY, linewidth=1.2, linestyle="--")
            losses.plot(epochs, history["validation_loss"], color=colour)
            columns = [(losses, "validation_loss")]
            if watched in history:
                scores.plot(epochs, history[watched], color=colour)
                columns.append((scores, watched))
            for axes, column in columns:
                at = history.loc[epochs == kept, column]
                axes.plot(
                    epochs[epochs == kept], at, "o", color=colour, markersize=7, markerfacecolor="white", zorder=4
                )
            alts.append(
                f"{entry.name}: {len(history)} epochs, kept epoch {kept}, validation loss from "
                f"{number(history['validation_loss'].iloc[0])} to {number(history['validation_loss'].min())}"
            )
        losses.set_title("loss")
        scores.set_title(f"validation {METRIC_NAMES[dataset.headline]}")
        for axes in (losses, scores):
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
            axes.margins(y=0.12)
        losses.legend(
            handles=[
                Line2D([], [], color=GREY, linestyle="--", linewidth=1.2, label="train"),
                Line2D([], [], color=colour, label="validation"),
                Line2D([], [], color=colour, marker="o", markerfacecolor="white", linestyle="", label="kept"),
            ],
            handlelength=1.6,
        )
        svg = as_svg(figure, name, f"Learning curves of {label} on {dataset.name}. " + "; ".join(alts))
    return Figure(svg, label)


def curve(dataset: DatasetResults, style: Mapping[str, Style], metric: str) -> Figure | None:
    """Draw ROC or precision-recall curves: the mean over targets of each entry, the targets thin where they are few.

    One seed is drawn per label, the first: seeds lie on top of each other. None without any curves.
    """
    entries = [
        group[0] for _, group in grouped(dataset.entries) if group[0].curves is not None and group[0].curves.targets
    ]
    if not entries:
        return None
    name = f"{dataset.name}/curve-{metric}"
    drawn = sum(entry.kind == "model" for entry in entries) * max(len(dataset.entries[0].metrics["targets"]), 1)
    with canvas(name, (WIDTH, 4.1 + 0.12 * len(entries))) as (figure, axes):
        highest = 0.0
        for entry in entries:
            x, lines = points(entry, metric)
            look = style[entry.label]
            if entry.kind == "model" and drawn <= 3 * FEW_TARGETS:
                for line in lines:
                    axes.plot(x, line, color=look.colour, linewidth=0.6, alpha=0.35)
            mean = mean_over_targets(lines)
            label = two_lines(entry.label, entry.kind, " ")
            width = 2 if entry.kind == "model" else 1.3
            axes.plot(x, mean, color=look.colour, linestyle=look.line, linewidth=width, label=label, zorder=3)
            highest = max(highest, float(np.nanmax(lines[:, len(x) // 20 :], initial=0.0)))
        if metric == "auroc":
            axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
            axes.set_xlabel("false positive rate")
            axes.set_ylabel("true positive rate (recall)")
            axes.set_ylim(0, 1.01)
        else:
            base = chance(dataset, metric)
            if base is not None:
                axes.axhline(base, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
            axes.set_xlabel("recall: share of the bound windows that are called")
            axes.set_ylabel("precision: share of the calls that are bound")
            axes.set_ylim(0, min(1.01, max(0.1, 1.08 * highest)))
        axes.set_xlim(0, 1)
        figure.legend(loc="outside upper left", ncols=2, handlelength=2.2)
        title = "ROC curves" if metric == "auroc" else "Precision-recall curves"
        alt = f"{title} on {dataset.name}, mean over targets: " + "; ".join(described(item, metric) for item in entries)
        svg = as_svg(figure, name, alt)
    thin = "; thin: single targets of the models" if drawn <= 3 * FEW_TARGETS else ""
    return Figure(svg, f"{title}; thick: mean over targets{thin}; grey dashes: chance")


def per_target(dataset: DatasetResults, style: Mapping[str, Style], metric: str) -> Figure:
    """Draw a metric target by target, one row each with all entries: for few targets."""
    shown = [group[0] for _, group in grouped(dataset.of_kind("model", "baseline", "ceiling"))]
    targets = [target["target"] for target in dataset.entries[0].metrics["targets"]]
    name = f"{dataset.name}/targets-{metric}"
    row_height = 0.2 + 0.09 * len(shown)
    with canvas(name, (WIDTH, 1.1 + row_height * len(targets))) as (figure, axes):
        offsets = spread(len(shown), 0.66)
        for entry, offset in zip(shown, offsets, strict=True):
            found = {target["target"]: target for target in entry.metrics["targets"]}
            for row, target in enumerate(targets):
                score = (found.get(target) or {}).get(metric) or {}
                draw_point(
                    axes, row + offset, score.get("value"), score.get("low"), score.get("high"), style[entry.label]
                )
        for row in range(1, len(targets)):
            axes.axhline(row - 0.5, color="#e4e4e4", linewidth=0.7)
        reference_line(axes, METRICS[metric].chance)
        axes.set_yticks(range(len(targets)), [shortened(target) for target in targets])
        axes.set_ylim(len(targets) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"{METRIC_NAMES[metric]}\n(line: {level(dataset)} interval)")
        figure.legend(
            handles=keys(shown, style), loc="outside upper left", ncols=2, handletextpad=0.3, columnspacing=1.2
        )
        alt = f"{METRIC_NAMES[metric]} of each target of {dataset.name}: " + "; ".join(
            f"{target}: "
            + ", ".join(
                f"{entry.label} {number(dict(zip(targets, entry.target_values(metric), strict=False)).get(target))}"
                for entry in shown
            )
            for target in targets
        )
        svg = as_svg(figure, name, alt)
    return Figure(svg, f"{METRIC_NAMES[metric]} per target")


def distribution(dataset: DatasetResults, style: Mapping[str, Style], metric: str) -> Figure:
    """Draw the distribution of a metric over targets for each entry, as dots with a box: for many targets."""
    shown = [group[0] for _, group in grouped(dataset.entries)]
    name = f"{dataset.name}/distribution-{metric}"
    with canvas(name, (WIDTH, 0.75 + 0.5 * len(shown))) as (figure, axes):
        for row, entry in enumerate(shown):
            values = entry.target_values(metric)
            values = values[np.isfinite(values)]
            look = style[entry.label]
            # Deterministic jitter: the fractional parts of multiples of the golden ratio never clump.
            jitter = (np.arange(len(values)) * 0.6180339887498949) % 1 * 0.5 - 0.25
            axes.plot(
                np.sort(values), row + jitter, ".", color=look.colour, markersize=3.2, alpha=0.45, rasterized=False
            )
            if len(values):
                low, middle, high = np.percentile(values, [25, 50, 75])
                axes.plot([low, high], [row, row], color="white", linewidth=7, zorder=3, solid_capstyle="butt")
                axes.plot([low, high], [row, row], color=look.colour, linewidth=4.5, zorder=4, solid_capstyle="butt")
                axes.plot([middle], [row], "o", color="white", markeredgecolor=look.colour, markersize=6, zorder=5)
        reference_line(axes, METRICS[metric].chance)
        axes.set_yticks(range(len(shown)), [two_lines(entry.label, entry.kind) for entry in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"{METRIC_NAMES[metric]} (a dot is a target)")
        alt = f"Distribution of {METRIC_NAMES[metric]} over targets of {dataset.name}: " + "; ".join(
            f"{entry.label} quartiles {interval(entry.summary(metric, 'q25'), entry.summary(metric, 'q75'))}, median "
            f"{number(entry.summary(metric, 'median'))}"
            for entry in shown
        )
        svg = as_svg(figure, name, alt)
    return Figure(svg, f"{METRIC_NAMES[metric]} over targets; bar: middle half, circle: median")


def against_baseline(dataset: DatasetResults, entry: Entry, style: Mapping[str, Style]) -> Figure | None:
    """Draw a model's headline metric against the best baseline's, a dot a target; None where there is none."""
    baseline, metric = dataset.best_baseline, dataset.headline
    if baseline is None or metric not in dataset.target_metrics:
        return None
    reference = pd.Series(baseline.target_values(metric), index=[row["target"] for row in baseline.metrics["targets"]])
    values = pd.Series(entry.target_values(metric), index=[row["target"] for row in entry.metrics["targets"]])
    both = pd.DataFrame({"baseline": reference, "model": values}).dropna()
    wins = int((both["model"] > both["baseline"]).sum())
    name = f"{dataset.name}/against-{entry.key.replace('/', '.')}"
    look = style[entry.label]
    with canvas(name, (3.1, 3.1)) as (figure, axes):
        axes.plot(both["baseline"], both["model"], look.marker, color=look.colour, markersize=3.6, alpha=0.6)
        top = max(0.05, float(both.to_numpy().max(initial=0.0))) * 1.05
        axes.plot([0, top], [0, top], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_xlim(0, top)
        axes.set_ylim(0, top)
        axes.set_aspect("equal")
        axes.set_xlabel(f"{METRIC_NAMES[metric]}, {shortened(baseline.label)}")
        axes.set_ylabel(f"{METRIC_NAMES[metric]}, {shortened(entry.label)}")
        sentence = f"{entry.label} is above the baseline on {wins} of {len(both)} targets"
        svg = as_svg(figure, name, f"{METRIC_NAMES[metric]} of each target of {dataset.name}: {sentence}.")
    return Figure(svg, sentence)


SPLIT_COLOURS = {"train": PALETTE[0], "validation": PALETTE[4], "test": PALETTE[1]}
# On a logarithmic axis a target without positives is drawn below 1.
NO_POSITIVES = 0.8


def positives_by_target(dataset: DatasetResults) -> Figure:
    """Draw how many positive windows each target has in each split: for few targets."""
    table = dataset.targets
    name = f"{dataset.name}/positives"
    rows = np.arange(len(table))
    with canvas(name, (WIDTH, 1.0 + 0.34 * len(table))) as (figure, axes):
        offsets = spread(len(SPLIT_COLOURS), 0.5)
        for (split, colour), offset, marker in zip(SPLIT_COLOURS.items(), offsets, MARKERS, strict=False):
            counts = table[f"positives_{split}"].clip(lower=NO_POSITIVES)
            axes.plot(counts, rows + offset, marker, color=colour, label=split, markersize=5.5)
        axes.set_yticks(rows, [shortened(str(target)) for target in table["target"]])
        axes.set_ylim(len(table) - 0.5, -0.5)
        axes.set_xscale("log")
        plain_log_ticks(axes.xaxis)
        axes.set_xlabel("positive windows (log scale)")
        figure.legend(loc="outside upper left", ncols=3, handletextpad=0.4)
        svg = as_svg(figure, name, told_positives(dataset))
    return Figure(svg, "Positive windows of each target in each split")


def positives_by_rank(dataset: DatasetResults) -> Figure:
    """Draw how many positive windows the targets have in each split, sorted: for many targets."""
    name = f"{dataset.name}/positives"
    with canvas(name, (WIDTH, 2.6)) as (figure, axes):
        for split, colour in SPLIT_COLOURS.items():
            counts = np.sort(dataset.targets[f"positives_{split}"].to_numpy())[::-1]
            ranks = np.arange(1, len(counts) + 1)
            axes.plot(ranks, np.clip(counts, NO_POSITIVES, None), color=colour, label=split)
        axes.set_yscale("log")
        plain_log_ticks(axes.yaxis)
        axes.set_xlabel("targets, most positives first")
        axes.set_ylabel("positive windows (log)")
        figure.legend(loc="outside upper left", ncols=3, handletextpad=0.4)
        svg = as_svg(figure, name, told_positives(dataset))
    return Figure(svg, "Positive windows per target, in each split sorted by itself")


def told_positives(dataset: DatasetResults) -> str:
    """Say in words how many positives the targets have."""
    parts = []
    for split in SPLIT_COLOURS:
        counts = dataset.targets[f"positives_{split}"]
        parts.append(f"{split}: median {counts.median():,.0f}, least {counts.min():,}, most {counts.max():,}")
    return f"Positive windows per target of {dataset.name}: " + "; ".join(parts)


def explanations(dataset: DatasetResults, style: Mapping[str, Style]) -> Figure | None:
    """Draw the AUPRC of planted positions per factor and entry against the base rate; None without truth."""
    shown = [entry for entry in dataset.entries if entry.truth]
    if not shown:
        return None
    rows = planted_factors(shown)
    name = f"{dataset.name}/explanations"
    with canvas(name, (WIDTH, 1.2 + (0.22 + 0.07 * len(shown)) * len(rows))) as (figure, axes):
        for entry, offset in zip(shown, spread(len(shown), 0.6), strict=True):
            for row, factor in enumerate(rows):
                found = truth_of(entry, factor)
                draw_point(
                    axes, row + offset, found.get("auprc"), found.get("low"), found.get("high"), style[entry.label]
                )
        for row, factor in enumerate(rows):
            bases = [base for entry in shown if (base := truth_of(entry, factor).get("base_rate")) is not None]
            if bases:
                axes.plot(
                    [np.mean(bases)] * 2, [row - 0.42, row + 0.42], color=GREY, linewidth=1.2, linestyle=(0, (3, 2))
                )
            if row:
                axes.axhline(row - 0.5, color="#e4e4e4", linewidth=0.7)
        axes.set_yticks(range(len(rows)), [shortened(row) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("AUPRC of planted positions (dashes: base rate)")
        figure.legend(
            handles=keys(shown, style), loc="outside upper left", ncols=2, handletextpad=0.3, columnspacing=1.2
        )
        alt = f"AUPRC of the planted positions of {dataset.name} by attribution: " + "; ".join(
            f"{entry.name}: " + ", ".join(f"{factor} {number(truth_of(entry, factor).get('auprc'))}" for factor in rows)
            for entry in shown
        )
        svg = as_svg(figure, name, alt)
    return Figure(svg, "AUPRC of planted positions; dashes: what random attributions would have")


def grouped(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """Put the seeds of one label together, in order of appearance: models, baselines, ceiling, controls."""
    rank = {"model": 0, "baseline": 1, "ceiling": 2, "control": 3}
    groups: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: rank[entry.kind]):
        groups.setdefault(entry.label, []).append(entry)
    return list(groups.items())


def planted_factors(entries: Sequence[Entry]) -> list[str]:
    """Return what explanations were scored for: all factors together, then each."""
    factors = dict.fromkeys(factor for entry in entries for factor in (entry.truth or {}).get("factors", {}))
    return [ALL_FACTORS, *factors]


def truth_of(entry: Entry, factor: str) -> dict[str, float | None]:
    """Return how well an entry's attributions found the sites of one factor, or of all."""
    truth = entry.truth or {}
    found: dict[str, float | None] = (
        truth.get("overall") if factor == ALL_FACTORS else truth.get("factors", {}).get(factor)
    ) or {}
    return found


def points(entry: Entry, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Return grid and values, shape (targets, points), of an entry's ROC or precision-recall curves."""
    if entry.curves is None:
        raise ValueError(f"{entry.name} has no curves")
    if metric == "auroc":
        return entry.curves.false_positive_rate, entry.curves.true_positive_rate
    return entry.curves.recall, entry.curves.precision


def mean_over_targets(lines: np.ndarray) -> np.ndarray:
    """Average curves over the targets for which they are defined; NaN where there is none."""
    defined = lines[np.isfinite(lines).any(axis=1)]
    mean: np.ndarray = np.nanmean(defined, axis=0) if len(defined) else np.full(lines.shape[1], np.nan)
    return mean


def chance(dataset: DatasetResults, metric: str) -> float | None:
    """Return what a model without any knowledge scores, None where that is no one number.

    Of the AUPRC it is the median prevalence, of the accuracy the share of the largest class.
    """
    if not dataset.entries:
        return METRICS[metric].chance
    entry = dataset.entries[0]
    if metric == "auprc":
        return entry.summary("prevalence", "median")
    if metric in ("accuracy", "balanced_accuracy") and len(entry.metrics.get("whole_targets", [])) == 1:
        shares = entry.target_values("prevalence")
        return float(np.nanmax(shares) if metric == "accuracy" else 1 / len(shares))
    return METRICS[metric].chance


def level(dataset: DatasetResults) -> str:
    """Return the level of the intervals, as in ``95%``."""
    return f"{dataset.entries[0].metrics['interval']['level']:.0%}"


def described(entry: Entry, metric: str) -> str:
    """Say an entry's score in words."""
    bounds = interval(entry.summary(metric, "low"), entry.summary(metric, "high"))
    return f"{entry.name} {number(entry.summary(metric, 'median'))}" + (f" ({bounds})" if bounds else "")


def draw_interval(axes: Axes, y: float, entry: Entry, metric: str, style: Style) -> None:
    """Draw the median of an entry with its interval."""
    value, low, high = (entry.summary(metric, statistic) for statistic in ("median", "low", "high"))
    draw_point(axes, y, value, low, high, style)
