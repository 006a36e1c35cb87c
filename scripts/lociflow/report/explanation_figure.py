"""The figure of which explanation to trust: architectures by methods, the AUPRC of planted positions in each cell."""

import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from lociflow.report.drawing import DARK, GREY, as_svg, panels, shortened, two_lines
from lociflow.report.explanation_ranking import AS_GOOD, BEST, FAILED, MODEL, architectures, methods, records
from lociflow.report.tables import number

# Rises evenly in lightness for every kind of colour vision (Nuñez et al. 2018).
COLOURS = "cividis"
CELL = (1.02, 0.52)  # inches
LABELS, ABOVE, BELOW = 1.9, 1.0, 1.45
LIGHT = 0.5  # of the colour scale: text is dark above
ORANGE = "#D55E00"
DASHED = (0.0, (2.0, 1.5))
FRAMES: Mapping[str, tuple[float, Any]] = {BEST: (2.2, "-"), AS_GOOD: (1.4, DASHED)}


def ranking_figure(table: pd.DataFrame, dataset: str) -> Markup:
    """Draw the ranking of explanations.

    Rows are architectures, the one with the best explanation first, controls last below a gap; columns are methods, the
    one with the highest mean over trained architectures first. A cell holds the AUPRC of planted positions, and below
    it, where motifs were looked for, how many planted motifs were recovered and how many motifs are false. The
    architecture's best method has a frame, methods that cannot be told from it a dashed one. What is not valid for an
    architecture is hatched; what has failed a check is crossed out; what was not asked for is empty.

    Parameters
    ----------
    table
        As :func:`lociflow.report.explanation_ranking.rank_explanations` gives it.
    dataset
        Name of the data set.
    """
    rows, columns = architectures(table), methods(table)
    kinds = table.drop_duplicates("model").set_index("model")["kind"]
    gap = 0.35 if {MODEL} < set(kinds) else 0.0
    places = {model: row + (gap if kinds[model] != MODEL else 0.0) for row, model in enumerate(rows)}
    base = float(table["base_rate"].astype(float).mean())
    scale = Normalize(0, max(float(table["auprc"].astype(float).max()), 2 * base) if table["valid"].any() else 1.0)
    size = (LABELS + CELL[0] * len(columns), ABOVE + BELOW + CELL[1] * (len(rows) + gap))
    name = f"{dataset}/explanation-ranking"
    with panels(name, (max(size[0], 4.7), size[1]), 1) as (figure, (axes,)):
        for row in records(table):
            _draw_cell(axes, columns.index(row["method"]), places[row["model"]], row, scale)
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(len(rows) - 0.5 + gap, -0.5)
        axes.set_xticks(range(len(columns)), [_worded(method) for method in columns])
        axes.set_yticks(list(places.values()), [two_lines(model, kinds[model]) for model in rows])
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("method of explanation")
        axes.set_ylabel("architecture")
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(
            ScalarMappable(scale, COLOURS),
            ax=axes,
            orientation="horizontal",
            location="bottom",
            aspect=40,
            pad=0.02,
            shrink=0.9,
        )
        bar.ax.axvline(base, color="white", linewidth=1.4, linestyle=(0, (3, 2)))
        bar.set_label(f"AUPRC of planted positions, mean over factors\n(dashes: base rate, {number(base, 3)})")
        figure.legend(handles=_keys(table), loc="outside lower left", ncols=1, handlelength=2.0)
        return as_svg(figure, name, described(table, dataset))


def _draw_cell(axes: Axes, x: int, y: float, row: Mapping[str, Any], scale: Normalize) -> None:
    corner = (x - 0.47, y - 0.46)
    if not row["valid"]:
        axes.add_patch(Rectangle(corner, 0.94, 0.92, facecolor="white", edgecolor=GREY, hatch="////", linewidth=0.6))
        return
    value = row["auprc"]
    if value is None:
        axes.add_patch(Rectangle(corner, 0.94, 0.92, facecolor="#eeeeee", edgecolor=GREY, linewidth=0.6))
        axes.text(x, y, "undefined", ha="center", va="center", fontsize=8, color=DARK)
        return
    level = float(scale(float(value)))
    axes.add_patch(Rectangle(corner, 0.94, 0.92, facecolor=colormaps[COLOURS](level), edgecolor="none"))
    colour = DARK if level > LIGHT else "white"
    found = _motifs(row)
    axes.text(
        x, y - (0.16 if found else 0), number(float(value)), ha="center", va="center", fontsize=9.5, color=colour,
        fontweight="bold",
    )  # fmt: skip
    if found:
        axes.text(x, y + 0.22, found, ha="center", va="center", fontsize=7.5, color=colour)
    if row["verdict"] == FAILED:
        axes.plot([x - 0.47, x + 0.47], [y + 0.46, y - 0.46], color=ORANGE, linewidth=1.2, zorder=3)
    if row["verdict"] in FRAMES and row["kind"] == MODEL:
        width, line = FRAMES[str(row["verdict"])]
        axes.add_patch(
            Rectangle(corner, 0.94, 0.92, fill=False, edgecolor=ORANGE, linewidth=width, linestyle=line, zorder=3)
        )


def _motifs(row: Mapping[str, Any]) -> str:
    if row["motifs_recovered"] is None:
        return ""
    recovered, planted, false = (int(row[of]) for of in ("motifs_recovered", "motifs_planted", "false_motifs"))
    return f"{recovered}/{planted}, {false} false"


def _worded(method: str) -> str:
    return textwrap.fill(shortened(method, 40).replace("_", " "), 12)


def _keys(table: pd.DataFrame) -> list[Patch | Line2D]:
    best = Patch(fill=False, edgecolor=ORANGE, linewidth=2.2, label="the architecture's best method")
    told: list[Patch | Line2D] = [best]
    if (table["verdict"] == AS_GOOD).any():
        told.append(
            Patch(
                fill=False, edgecolor=ORANGE, linewidth=1.4, linestyle=DASHED,
                label="not told apart from it (interval of the difference holds 0)",
            )
        )  # fmt: skip
    if (table["verdict"] == FAILED).any():
        told.append(Line2D([], [], color=ORANGE, linewidth=1.2, label="has failed a check (the table says which)"))
    if not table["valid"].all():
        told.append(
            Patch(
                facecolor="white", edgecolor=GREY, hatch="////", linewidth=0.6,
                label="not valid for the architecture (the table says why)",
            )
        )  # fmt: skip
    if table["motifs_recovered"].notna().any():
        told.append(Patch(alpha=0, label="below the AUPRC: planted motifs recovered, found motifs that are false"))
    return told


def described(table: pd.DataFrame, dataset: str) -> str:
    """Return the text alternative: every number of the figure."""
    parts = []
    for model in architectures(table):
        cells = []
        for row in records(table[table["model"] == model]):
            if not row["valid"]:
                cells.append(f"{row['method']} not valid")
                continue
            value = "undefined" if row["auprc"] is None else number(row["auprc"])
            found = _motifs(row)
            wrong = " failed a check" if row["verdict"] == FAILED else ""
            cells.append(f"{row['method']} {value}" + (f" ({found})" if found else "") + wrong)
        parts.append(f"{model}: " + ", ".join(cells))
    return f"AUPRC of the planted positions of {dataset} by architecture and method. " + "; ".join(parts)
