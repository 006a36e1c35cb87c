"""Figures of the experiments with motifs: a map of insertions, curves over the spacing, bars of ablations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from lociflow.report.drawing import DARK, GREY, PALETTE, WIDTH, Figure, as_svg, canvas, literal, panels, shortened
from lociflow.report.results import SIGNIFICANT
from lociflow.report.tables import signed

UNIT = "output (log odds of a binary target)"
MOST_BARS = 16
LINES = {"++": ("→ →", "-", "o"), "+-": ("→ ←", "--", "s"), "-+": ("← →", "-.", "^"), "--": ("← ←", ":", "D")}


def insertion_map(rows: Sequence[Mapping[str, Any]], name: str, model: str) -> Figure:
    """Draw the effect of each motif beyond its shuffled self on each target.

    Parameters
    ----------
    rows
        As :func:`lociflow.interpretation.experiments.rows.insertions` returns them.
    name
        Of the figure.
    model
        What the page calls the model.
    """
    motifs = list(dict.fromkeys(row["motif"] for row in rows))
    targets = list(dict.fromkeys(row["target"] for row in rows))
    values, sure = np.zeros((len(motifs), len(targets))), np.zeros((len(motifs), len(targets)), bool)
    for row in rows:
        place = motifs.index(row["motif"]), targets.index(row["target"])
        values[place], sure[place] = row["excess"], row["q"] < SIGNIFICANT
    limit = float(np.abs(values).max()) or 1.0
    with canvas(name, (max(WIDTH, 1.7 + 0.62 * len(targets)), 1.3 + 0.32 * len(motifs))) as (figure, axes):
        image = axes.imshow(values, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            axes.text(
                column, row, signed(value, 1), ha="center", va="center", fontsize=8,
                color="white" if abs(value) > 0.65 * limit else DARK,
                fontweight="bold" if sure[row, column] else "normal",
            )  # fmt: skip
        axes.set_xticks(range(len(targets)), [shortened(target, 14) for target in targets], rotation=30, ha="right")
        axes.set_yticks(range(len(motifs)), [shortened(motif) for motif in motifs])
        axes.grid(visible=False)
        axes.set_xlabel("output")
        axes.set_ylabel("inserted motif")
        figure.colorbar(image, ax=axes, label="effect beyond the shuffled motif")
        best = sorted(rows, key=lambda row: -abs(row["excess"]))[:8]
        alt = f"Mean change of each output of {model} where a motif is inserted, less that of the shuffled motif: " + (
            "; ".join(f"{row['motif']} on {row['target']} {signed(row['excess'], 2)}" for row in best)
        )
        svg = as_svg(figure, name, alt)
    return Figure(
        svg, f"{model}: {UNIT}, mean over {rows[0]['sequences']} backgrounds; bold: not 0 at q < {SIGNIFICANT}"
    )


def spacing_curves(
    shown: Mapping[tuple[str, str, str], Sequence[Mapping[str, Any]]],
    rule: Mapping[str, Any] | None,
    name: str,
    model: str,
) -> Figure | None:
    """Draw interactions over the gap, a panel a pair and target, a curve an orientation; None without any.

    Parameters
    ----------
    shown
        Rows of :func:`lociflow.interpretation.experiments.rows.interactions` by first motif, second motif and target.
    rule
        ``simulation.pair`` of a simulated genome: its gaps are shaded.
    name, model
        As :func:`insertion_map`.
    """
    if not shown:
        return None
    told = []
    with panels(name, (WIDTH, 0.7 + 1.75 * len(shown)), 1, len(shown)) as (figure, axes):
        for each, ((first, second, target), rows) in zip(axes, shown.items(), strict=True):
            if rule and {first, second} == {rule["factor"], rule["partner"]}:
                each.axvspan(*rule["gap"], color="#e8e8e8", linewidth=0, zorder=0)
            each.axhline(0, color=GREY, linewidth=0.8)
            for colour, (strands, look) in zip(PALETTE, LINES.items(), strict=False):
                _draw_curve(each, [row for row in rows if row["orientation"] == strands], colour, *look)
            each.set_title(literal(f"{shortened(first)}, {shortened(second)}: output {shortened(target)}"))
            each.set_ylabel("interaction")
            top = max(rows, key=lambda row: abs(row["effect"]))
            told.append(
                f"{first} and {second} on {target}: largest interaction {signed(top['effect'], 2)} at gap "
                f"{top['gap']}, orientation {LINES[top['orientation']][0]}; not 0 at "
                f"{sum(row['q'] < SIGNIFICANT for row in rows)} of {len(rows)} places"
            )
        axes[-1].set_xlabel("bases between the motifs")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
        svg = as_svg(figure, name, f"Interaction of pairs of motifs in {model}. " + ". ".join(told))
    shaded = "; grey: planted gaps" if rule else ""
    return Figure(
        svg,
        f"{model}: both motifs less each alone plus none, with intervals; arrows: strands of the first and the second, "
        f"left to right; markers: not 0 at q < {SIGNIFICANT}{shaded}",
    )


def _draw_curve(axes: Axes, rows: Sequence[Mapping[str, Any]], colour: str, label: str, line: str, marker: str) -> None:
    curve = sorted(rows, key=lambda row: row["gap"])
    gaps = [row["gap"] for row in curve]
    low, high = ([np.nan if row[key] is None else row[key] for row in curve] for key in ("effect_low", "effect_high"))
    axes.fill_between(gaps, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(gaps, [row["effect"] for row in curve], line, color=colour, label=label, linewidth=1.2)
    sure = [row for row in curve if row["q"] < SIGNIFICANT]
    axes.plot([row["gap"] for row in sure], [row["effect"] for row in sure], marker, color=colour, markersize=3.5)


def ablation_bars(rows: Sequence[Mapping[str, Any]], name: str, model: str) -> Figure:
    """Draw the fall of the output where a motif's sites are replaced, beside that of as many bases elsewhere.

    Parameters
    ----------
    rows
        As :func:`lociflow.interpretation.experiments.rows.ablations` returns them, with an effect.
    name, model
        As :func:`insertion_map`.
    """
    best: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        # Of each motif the target in whose windows it stands most often.
        if row["motif"] not in best or row["sequences"] > best[row["motif"]]["sequences"]:
            best[row["motif"]] = row
    shown = list(best.values())[:MOST_BARS]
    with canvas(name, (WIDTH, 1.1 + 0.42 * len(shown))) as (figure, axes):
        for offset, part, colour, label in ((-0.19, "effect", PALETTE[0], "motif"), (0.19, "null", GREY, "elsewhere")):
            places = [row + offset for row in range(len(shown))]
            values = np.array([row[part] for row in shown])
            axes.barh(places, values, 0.36, color=colour, label=label)
            for place, row in zip(places, shown, strict=True):
                if row[f"{part}_low"] is not None:
                    axes.plot([row[f"{part}_low"], row[f"{part}_high"]], [place, place], color=DARK, linewidth=1.2)
        labels = [
            f"{shortened(row['motif'], 18)} in {shortened(row['target'], 18)} ({row['sequences']})" for row in shown
        ]
        axes.set_yticks(range(len(shown)), labels)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_xlabel(f"fall of the {UNIT}")
        figure.legend(loc="outside upper left", ncols=2)
        told = "; ".join(
            f"{row['motif']} in {row['sequences']} windows of {row['target']} {signed(row['effect'], 2)}, elsewhere "
            f"{signed(row['null'], 2)}"
            for row in shown
        )
        svg = as_svg(figure, name, f"Fall of the output of {model} where the sites of a motif are replaced: {told}")
    return Figure(
        svg, f"{model}: mean over the test windows with the label that hold a site (their number in brackets)"
    )
