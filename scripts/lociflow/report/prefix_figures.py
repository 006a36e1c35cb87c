"""How the outputs of the explained models build up along example windows."""

import pandas as pd

from lociflow.report.drawing import GREY, PALETTE, Figure, as_svg, literal, panels, shortened
from lociflow.report.results import DatasetResults, Entry

WIDTH, HEIGHT = 2.7, 2.4  # inches, of a panel
LARGEST_TARGETS = 3
LOOKS = {"forward": (PALETTE[0], "-", "from the left"), "backward": (PALETTE[1], "--", "from the right")}


def prefix_figures(dataset: DatasetResults) -> list[Figure]:
    """Draw a figure for each model whose scores were taken along windows; controls are left out."""
    return [
        draw_prefixes(entry, entry.prefixes, dataset.name)
        for entry in dataset.of_kind("model")
        if entry.prefixes is not None and len(entry.prefixes)
    ]


def draw_prefixes(entry: Entry, table: pd.DataFrame, dataset: str) -> Figure:
    """Draw the score of one window of each of the first targets against how far the window is read.

    Parameters
    ----------
    entry
        Whose scores they are.
    table
        As :func:`lociflow.interpretation.prefixes.score_prefixes` writes it.
    dataset
        Name of the data set.
    """
    name = f"{dataset}/along-{entry.key.replace('/', '-')}"
    firsts = table.drop_duplicates("target").head(LARGEST_TARGETS)
    length = int(table["read"].max())
    told = []
    with panels(name, (WIDTH * len(firsts) + 0.4, HEIGHT + 0.3), len(firsts)) as (figure, axes):
        for each, (target, window) in zip(axes, zip(firsts["target"], firsts["bin"], strict=True), strict=True):
            rows = table[(table["target"] == target) & (table["bin"] == window)]
            for direction, (colour, line, label) in LOOKS.items():
                curve = rows[rows["direction"] == direction].sort_values("read")
                read = curve["read"].to_numpy()
                place = read if direction == "forward" else length - read
                score, deviation = curve["score"].to_numpy(), curve["deviation"].to_numpy()
                each.fill_between(place, score - deviation, score + deviation, color=colour, alpha=0.15, linewidth=0)
                each.plot(place, score, line, color=colour, label=label)
                if direction == "forward":
                    each.axhline(score[-1], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
                    told.append(f"{target}, bin {window}: from {score[0]:.2f} to {score[-1]:.2f}")
            each.set_title(literal(f"{shortened(str(target), 18)}, bin {window}"))
            each.set_xlabel("read up to base")
        axes[0].set_ylabel("score of the target")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        svg = as_svg(figure, name, f"Scores of {entry.name} along windows. " + "; ".join(told))
    return Figure(svg, f"{entry.name}; dashed: the whole window")
