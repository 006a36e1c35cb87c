"""The figures of an audit, drawn from the JSON that its checks have written."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator, MultipleLocator, PercentFormatter

from lociflow.audit.verdicts import percent
from lociflow.report.drawing import DARK, GREY, PALETTE, WIDTH, Figure, as_svg, canvas

SIDE_COLOURS = {"train": PALETTE[0], "validation": PALETTE[4], "test": PALETTE[1]}
SIDE_LINES = {"train": "-", "validation": ":", "test": "--"}
WARN_COLOUR, FAIL_COLOUR = "#c58a00", "#9c2f00"


def draw(data: Mapping[str, Any], name: str) -> Figure | None:
    """Draw one figure of a check; None where there is nothing to see."""
    return _DRAWN[data["kind"]](data, name)


def sides(data: Mapping[str, Any], name: str) -> Figure | None:
    """Draw which fraction of each held-out side leaks, with the thresholds."""
    shares = data["shares"]
    largest = max(share for *_, share in shares)
    if largest == 0:
        return None
    limits = [(data["warn"], "warns", WARN_COLOUR, ":"), (data["fail"], "fails", FAIL_COLOUR, "--")]
    with canvas(name, (WIDTH, 1.5)) as (figure, axes):
        axes.barh(range(len(shares)), [share for *_, share in shares], color=PALETTE[1], height=0.55, zorder=3)
        axes.set_yticks(range(len(shares)), [f"{side} vs {source}" for side, source, _ in shares])
        axes.invert_yaxis()
        for row, (*_, share) in enumerate(shares):
            axes.annotate(percent(share), (share, row), (4, 0), textcoords="offset points", va="center", fontsize=8.5)
        axes.set_xlim(0, largest * 1.3)
        for limit, word, colour, line in limits:
            if limit and limit < largest * 1.3:
                axes.axvline(limit, color=colour, linestyle=line, linewidth=1.1, label=f"{word} above {percent(limit)}")
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.locator_params(axis="x", nbins=5)
        axes.grid(False, axis="y")
        axes.set_xlabel("share of the windows of the held-out side")
        if axes.get_legend_handles_labels()[1]:
            figure.legend(loc="outside upper right", ncols=2)
        alt = "; ".join(f"{side} against {source}: {percent(share)}" for side, source, share in shares)
        return Figure(as_svg(figure, name, alt), "Share of each held-out side that is concerned.")


def identity(data: Mapping[str, Any], name: str) -> Figure | None:
    """Draw how alike the nearest training windows are."""
    counts, edges = np.array(data["counts"]), np.array(data["edges"])
    if not counts.sum():
        return None
    with canvas(name, (WIDTH, 2.3)) as (figure, axes):
        near = edges[:-1] >= data["identity"] - 1e-9
        axes.bar(
            edges[:-1], counts, np.diff(edges), align="edge", color=np.where(near, PALETTE[1], "#b9bec5"),
            edgecolor="white", linewidth=0.6, zorder=3,
        )  # fmt: skip
        axes.axvline(data["identity"], color=DARK, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_xlim(max(0.5, float(edges[:-1][counts > 0].min()) - 0.02), 1.0)
        axes.xaxis.set_major_locator(MultipleLocator(0.05))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("identity with the nearest training window")
        axes.set_ylabel(f"{data['side']} windows")
        caption = (
            f"{int(counts[near].sum()):,} {data['side']} windows at or above {100 * data['identity']:.0f} % (orange); "
            f"{data['without']:,} have no neighbour that the search reports."
        )
        return Figure(as_svg(figure, name, caption), caption)


def shortcuts(data: Mapping[str, Any], name: str) -> Figure | None:
    """Draw how well each property predicts each target."""
    rows = [row for row in data["rows"] if row["values"]]
    if not rows:
        return None
    chance = 0.5 if data["metric"] == "AUROC" else 0.0
    several = len(rows[0]["values"]) > 1
    with canvas(name, (WIDTH, 0.9 + 0.36 * len(rows))) as (figure, axes):
        for place, row in enumerate(rows):
            colour = PALETTE[0] if row["judged"] else GREY
            if several:
                values = np.array(row["values"])
                spread = 0.16 * np.sin(np.arange(len(values)) * 2.399)  # the golden angle: even, and the same each time
                axes.plot(
                    values, place + spread, "o", color=colour, markersize=2.6, alpha=0.45, markeredgewidth=0, zorder=3
                )
            if row["low"] is not None:
                axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.6, zorder=3)
            axes.plot([row["median"]], [place], "D" if row["judged"] else "s", color=colour, markersize=6,
                      markeredgecolor="white", zorder=4)  # fmt: skip
        axes.axvline(chance, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        axes.axvline(data["threshold"], color=WARN_COLOUR, linewidth=1.2, linestyle=":", zorder=1)
        axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.75)
        # Words stand above the rows; what they mark is the line below them.
        axes.annotate(
            "chance", (chance, -0.72), (3, 0), textcoords="offset points", va="top", fontsize=8, color="#555555"
        )
        axes.annotate("warns", (data["threshold"], -0.72), (3, 0), textcoords="offset points", va="top", fontsize=8,
                      color="#7a5200")  # fmt: skip
        low = min(min(row["values"]) for row in rows)
        axes.set_xlim(min(low - 0.02, chance - 0.05), 1.02)
        axes.grid(False, axis="y")
        axes.set_xlabel(f"{data['metric']} on the test windows")
        caption = (
            f"Each dot is a {data['noun']}, the diamond the median." if several else "With the 95 % interval."
        ) + " Grey: k-mers can read motifs and are shown for comparison only."
        alt = "; ".join(f"{row['name']}: {row['median']:.2f}" for row in rows if row["median"] is not None)
        return Figure(as_svg(figure, name, alt), caption)


def positives(data: Mapping[str, Any], name: str) -> Figure | None:
    """Draw the positives of all targets by rank, a line a side."""
    counts = data["counts"]
    if not counts[0] or len(counts[0]) < 3:
        return None
    with canvas(name, (WIDTH, 2.4)) as (figure, axes):
        for label, values in zip(SIDE_COLOURS, counts, strict=True):
            shown = np.maximum(values, 0.7)
            axes.plot(np.arange(1, len(shown) + 1), shown, SIDE_LINES[label], color=SIDE_COLOURS[label], label=label)
        limit = f"warns below {data['least']:.0f}"
        axes.axhline(data["least"], color=WARN_COLOUR, linewidth=0.8, linestyle="-", label=limit)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")
        axes.minorticks_off()
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel(f"{data['noun']}, by rank in its side")
        axes.set_ylabel("positive windows")
        figure.legend(loc="outside upper right", ncols=2)
        caption = (
            f"Positive windows of each {data['noun']}, most to fewest, in each side of the split; a point below 1 "
            "stands for none."
        )
        return Figure(as_svg(figure, name, caption), caption)


def distributions(data: Mapping[str, Any], name: str) -> Figure | None:
    """Draw one property of several sets of windows."""
    edges = np.array(data["edges"])
    if len(data["series"]) < 2:
        return None
    with canvas(name, (WIDTH, 2.4)) as (figure, axes):
        for number, series in enumerate(data["series"]):
            colour = SIDE_COLOURS.get(series["name"], (PALETTE[2], PALETTE[3])[number % 2])
            line = SIDE_LINES.get(series["name"], ("-", "--")[number % 2])
            axes.stairs(
                100 * np.array(series["share"]),
                edges,
                color=colour,
                linestyle=line,
                linewidth=1.6,
                label=series["name"],
            )
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
        if data["property"] != "length":
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axes.set_ylim(0, 108 * max(max(series["share"]) for series in data["series"]))
        axes.set_xlabel(data["property"])
        axes.set_ylabel("share of the windows")
        figure.legend(loc="outside upper right", ncols=3)
        caption = (
            f"{data['property'].capitalize() if data['property'] == 'length' else data['property']}, {data['of']}."
        )
        return Figure(as_svg(figure, name, caption), caption)


_DRAWN: dict[str, Callable[[Mapping[str, Any], str], Figure | None]] = {
    "sides": sides,
    "identity": identity,
    "shortcuts": shortcuts,
    "positives": positives,
    "distributions": distributions,
}
