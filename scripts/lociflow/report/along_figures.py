"""What models with an answer for every base say along example bins, beside the labels."""

import numpy as np

from lociflow.report.along_bins import AlongBin
from lociflow.report.drawing import GREY, PALETTE, Figure, as_svg, literal, panels, shortened
from lociflow.report.results import DatasetResults

WIDTH, HEIGHT = 7.2, 1.7  # inches, of a panel
LINES = ("-", "--", ":", "-.")


def along_figures(dataset: DatasetResults) -> list[Figure]:
    """Draw the example bins of a data set in one figure, none where there is none."""
    return [draw_along(dataset.along, dataset.name)] if dataset.along else []


def draw_along(found: tuple[AlongBin, ...], dataset: str) -> Figure:
    """Draw a panel for each output: the label in grey, a line for each model.

    Parameters
    ----------
    found
        At least one.
    dataset
        Name of the data set.
    """
    name = f"{dataset}/outputs-along-bins"
    told = []
    with panels(name, (WIDTH, HEIGHT * len(found) + 0.4), 1, len(found)) as (figure, axes):
        for each, along in zip(axes, found, strict=True):
            place = np.arange(along.start, along.end) + 1
            each.fill_between(place, along.label, step="mid", color=GREY, alpha=0.35, linewidth=0, label="label")
            for number, (model, values) in enumerate(along.predicted.items()):
                each.plot(place, values, LINES[number], color=PALETTE[number], label=literal(model), linewidth=1.2)
                most = int(values.argmax())
                told.append(f"{along.output} of {model}: most, {values[most]:.2f}, at base {along.start + most + 1}")
            strand = ", read from the other strand" if along.reverse else ""
            each.set_title(
                literal(f"{shortened(along.output, 24)}, {along.contig}:{along.start + 1:,}-{along.end:,}{strand}")
            )
            each.ticklabel_format(axis="x", style="plain", useOffset=False)
        axes[-1].set_xlabel("base (counted from 1)")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        svg = as_svg(figure, name, "Outputs along example bins. " + "; ".join(told) + ".")
    counts = ", ".join(f"{along.candidates} of {along.output}" for along in found)
    return Figure(svg, f"the median test bin of {next(iter(found[0].predicted))}, among {counts}")
