"""How the figures of the page are drawn: colours, markers, labels, and inline SVG with a text alternative.

Text stays text (small files, selectable, sharp), ids that nothing refers to are removed, and no date is written: the
same results give the same bytes.
"""

import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lociflow.report.logos import letter_paths
from lociflow.report.results import Entry, RunResults

# Okabe & Ito (2008), the colours that all common kinds of colour vision tell apart; yellow is too pale on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "^", "D", "v", "P", "X", "h")
GREY, DARK = "#767676", "#1b1b1b"
WIDTH = 4.7  # inches; a phone shows such a figure at about three quarters of its size, which 9-point text survives
LARGEST_SCALE = 1.2
FIGURE_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "figure.constrained_layout.use": True,
}


class Style(NamedTuple):
    """How an entry is drawn, the same in every figure of the page."""

    colour: str
    marker: str
    filled: bool
    line: str


class Figure(NamedTuple):
    """A figure for the page."""

    svg: Markup
    caption: str


def styles(results: RunResults) -> dict[str, Style]:
    """Give every label of a run its colour, marker and line.

    Returns
    -------
    dict[str, Style]
        Models in colour, in order of appearance; what they are compared with in black and grey.
    """
    chosen: dict[str, Style] = {}
    models = controls = 0
    baselines = ("s", "p", "*", "H")
    dashes = ("-", "--", "-.")
    for entry in (entry for dataset in results.datasets for entry in dataset.entries):
        if entry.label in chosen:
            continue
        if entry.kind == "model":
            colour, marker = PALETTE[models % len(PALETTE)], MARKERS[models % len(MARKERS)]
            chosen[entry.label] = Style(colour, marker, True, dashes[models // len(PALETTE) % len(dashes)])
            models += 1
        elif entry.kind == "control":
            chosen[entry.label] = Style(GREY, MARKERS[controls % len(MARKERS)], False, ":")
            controls += 1
        elif entry.kind == "ceiling":
            chosen[entry.label] = Style(DARK, "|", True, "--")
        else:
            known = sum(style.colour == DARK and style.marker in baselines for style in chosen.values())
            chosen[entry.label] = Style(DARK, baselines[known % len(baselines)], True, dashes[known % len(dashes)])
    return chosen


def draw_point(axes: Axes, y: float, value: float | None, low: float | None, high: float | None, style: Style) -> None:
    """Draw a value with its interval, nothing where it is undefined."""
    if value is None:
        return
    if low is not None and high is not None:
        axes.plot([low, high], [y, y], color=style.colour, linewidth=1.4, zorder=3, solid_capstyle="butt")
    axes.plot(
        [value], [y], style.marker, color=style.colour, markersize=9 if style.marker == "|" else 5.5, zorder=4,
        markeredgewidth=2 if style.marker == "|" else 1.0, markerfacecolor=style.colour if style.filled else "white",
    )  # fmt: skip


def keys(entries: Sequence[Entry], style: Mapping[str, Style]) -> list[Line2D]:
    """Make a legend of markers."""
    return [
        Line2D(
            [], [], linestyle="", marker=look.marker, color=look.colour, label=two_lines(entry.label, entry.kind, " "),
            markerfacecolor=look.colour if look.filled else "white", markersize=9 if look.marker == "|" else 5.5,
            markeredgewidth=2 if look.marker == "|" else 1.0,
        )
        for entry, look in ((entry, style[entry.label]) for entry in entries)
    ]  # fmt: skip


def reference_line(axes: Axes, value: float | None) -> None:
    """Mark chance."""
    if value is not None:
        axes.axvline(value, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)


def plain_log_ticks(axis: Axis) -> None:
    """Mark a logarithmic axis at 1, 2, 5, 10, …, in plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def spread(count: int, width: float) -> np.ndarray:
    """Return offsets around zero for things drawn in one row."""
    return np.linspace(-width / 2, width / 2, count) if count > 1 else np.zeros(1)


def two_lines(label: str, kind: str, separator: str = "\n") -> str:
    """Break a label before its variant, and say what is not a model."""
    model, _, variant = label.partition("+")
    extra = [f"+ {shortened(variant)}"] if variant else []
    if kind == "baseline":
        extra.append("(baseline)")
    return literal(separator.join([shortened(model), *extra]))


def shortened(name: str, longest: int = 26) -> str:
    """Cut a long name; what the user calls a target is nobody's to forbid."""
    return literal(name if len(name) <= longest else f"{name[: longest - 1]}…")


def literal(text: str) -> str:
    """Keep a user's dollar signs from being read as mathematics."""
    return text.replace("$", r"\$") if r"\$" not in text else text


@contextmanager
def canvas(name: str, size: tuple[float, float]) -> Iterator[tuple[Canvas, Axes]]:
    """Open a figure in the page's style, and close it."""
    with panels(name, size, 1) as (figure, (axes,)):
        yield figure, axes


@contextmanager
def panels(
    name: str, size: tuple[float, float], columns: int, rows: int = 1, heights: Sequence[float] | None = None
) -> Iterator[tuple[Canvas, tuple[Axes, ...]]]:
    """Open a figure with panels side by side, row by row, in the page's style, and close it.

    ``heights`` are those of the rows, relative to each other; equal where they are not given.
    """
    # The salt makes ids those of this figure alone, so that figures on one page cannot share any.
    with matplotlib.rc_context({**FIGURE_STYLE, "svg.hashsalt": name}):
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, height_ratios=heights)
        try:
            yield figure, tuple(axes.ravel())
        finally:
            plt.close(figure)


def standalone(svg: str) -> str:
    """Turn an inline figure into the text of an SVG file, with the page's letters where it draws any."""
    opening = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    text = str(svg).replace("<svg ", opening, 1)
    return text.replace(">", f"><defs>{letter_paths()}</defs>", 1) if 'href="#logo-' in text else text


def as_svg(figure: Canvas, name: str, alt: str) -> Markup:
    """Write a figure as an inline ``<svg>`` that scales with its column, without the ids that nothing refers to.

    Parameters
    ----------
    figure
        What was drawn.
    name
        Its own on the page: the data set, ``/`` and what it is of. It names the file in which the figure is saved.
    alt
        The text alternative: what is to be seen, with its numbers.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inline(buffer.getvalue(), name, alt)


def inlined(svg: str, name: str, alt: str) -> Markup:
    """Take a figure that matplotlib has written to a file into the page, as :func:`as_svg` does with one just drawn.

    Parameters
    ----------
    svg
        Text of the file.
    name, alt
        As for :func:`as_svg`.
    """
    # Two files may have the same ids, which the page must not.
    own = hashlib.sha256(name.encode()).hexdigest()[:8]
    text = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{own}-", svg)
    return _inline(text, name, alt)


def _inline(text: str, name: str, alt: str) -> Markup:
    text = text[text.index("<svg") :]
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", text))
    text = re.sub(r' id="([^"]+)"', lambda match: match.group() if match.group(1) in used else "", text)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"\n\s*", "\n", text)
    opening = text[: text.index(">") + 1]
    viewbox = re.search(r'viewBox="\S+ \S+ (\S+) [^"]+"', opening)
    if viewbox is None:
        raise ValueError(f"{name}: matplotlib wrote no viewBox")
    width = float(viewbox.group(1)) * 96 / 72
    look = f"width:100%;max-width:{LARGEST_SCALE * width:.0f}px"
    return Markup(
        f'<svg {viewbox.group()} role="img" aria-label="{escape(alt)}" data-name="{escape(name)}" style="{look}">'
        + text[len(opening) :]
    )
