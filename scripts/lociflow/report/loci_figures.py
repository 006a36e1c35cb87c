"""Example loci as figures: coordinates and labels on top, planted sites, then a track of letters for each model."""

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lociflow.report.drawing import DARK, GREY, Figure, as_svg, literal, panels, shortened
from lociflow.report.loci import Locus, Site, Track
from lociflow.report.logos import LETTERS, SMALLEST_LETTER, letter
from lociflow.report.results import DatasetResults
from lociflow.report.tables import number, plural

WIDTH = 8.0  # inches: 120 letters of about five points
LANE, TRACK = 0.2, 0.75  # inches: a row of labels or of sites, and a model
STRETCH = 12  # bases that the text alternative names: about a motif
MOST_NAMES = 8
LETTER = 1.3  # bases: width of a letter of a site's name
UNIT = "contribution (log odds)"
SITE = "#56B4E9"


def locus_figures(dataset: DatasetResults) -> list[Figure]:
    """Draw the example loci of a data set."""
    return [draw_locus(locus, dataset.name, number) for number, locus in enumerate(dataset.loci, 1)]


def draw_locus(locus: Locus, dataset: str, number: int) -> Figure:
    """Draw one locus, its letters by reference to :func:`lociflow.report.logos.letter_shapes`."""
    # A name is a path in the folder of figures, and a target may have any name.
    name = f"{dataset}/locus-{number}-{locus.target.replace('/', '_')}"
    rows = lanes(locus.sites or ())
    count = 1 + max(rows, default=-1) + 1
    heights = [LANE * count, *([TRACK] * len(locus.tracks))]
    with panels(name, (WIDTH, sum(heights) + 0.9 + 0.25 * len(locus.tracks)), 1, len(heights), heights) as (
        figure,
        axes,
    ):
        draw_lanes(axes[0], locus, rows, count)
        limits = contribution_limits(locus)
        for each, track in zip(axes[1:], locus.tracks, strict=True):
            draw_track(each, locus, track, limits)
        for each in axes:
            # People and genome browsers count from 1: base g, counted from 0, is drawn around g + 1.
            each.set_xlim(locus.start + 0.5, locus.end + 0.5)
            each.grid(visible=False)
        figure.supylabel(UNIT, fontsize=9)
        svg = as_svg(figure, name, text_alternative(locus, dataset))
        letters = "".join(
            drawn
            for each, track in zip(axes[1:], locus.tracks, strict=True)
            for drawn in draw_letters(figure, each, locus, track)
        )
    return Figure(Markup(svg.replace("</svg>", Markup(f"<g>{letters}</g></svg>"))), caption(locus))


def draw_lanes(axes: Axes, locus: Locus, rows: list[int], count: int) -> None:
    """Draw coordinates, the labelled interval and the planted sites."""
    axes.set_ylim(count, 0)
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.xaxis.tick_top()
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_title(literal(f"{place(locus)}: positive for {shortened(locus.target)}"))
    left, right = max(locus.bin[0], locus.start), min(locus.bin[1], locus.end)
    if right > left:
        axes.barh(0.5, right - left, 0.8, left + 0.5, color="#dddddd", linewidth=0)
    axes.text(locus.start + 1.5, 0.5, literal(f"positive: {listed(locus.positives)}"), va="center", fontsize=8.5)
    for site, row in zip(locus.sites or (), rows, strict=True):
        first, last = max(site.start, locus.start), min(site.end, locus.end)
        axes.barh(
            row + 1.5, last - first, 0.8, first + 0.5, facecolor=SITE if site.own else "white", edgecolor=DARK,
            linewidth=0.8, linestyle="-" if site.bound else ":",
        )  # fmt: skip
        axes.text(
            (first + last + 1) / 2,
            row + 1.5,
            shortened(site.factor),
            va="center",
            ha="center",
            fontsize=8,
            clip_on=True,
        )


def contribution_limits(locus: Locus) -> tuple[float, float]:
    """Return the ends of the axis of contributions, one for all tracks: log odds of one model are those of another."""
    values = np.concatenate([track.bases.contributions for track in locus.tracks])
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    room = 0.04 * (high - low) or 1.0
    return low - (room if low < 0 else 0), high + room


def draw_track(axes: Axes, locus: Locus, track: Track, limits: tuple[float, float]) -> None:
    """Draw the axes of a model's track, and where the planted sites lie; the letters come later."""
    axes.set_title(
        literal(f"{shortened(track.name, 60)}: probability {number(track.probability)}"),
        fontsize=8.5,
        fontweight="normal",
    )
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.spines["bottom"].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.axhline(0, color=GREY, linewidth=0.6)
    for site in locus.sites or ():
        if site.own:
            axes.axvspan(site.start + 0.5, site.end + 0.5, color=SITE, alpha=0.2, linewidth=0)
    axes.set_ylim(*limits)


def draw_letters(figure: Canvas, axes: Axes, locus: Locus, track: Track) -> list[str]:
    """Draw the bases of a track as letters, as high as what they contribute; below the line what lowers a prediction.

    Returns
    -------
    list[str]
        SVG in the points of a figure that was laid out; letters that are too low to be seen are left out.
    """
    width, height = figure.get_size_inches() * 72
    to_points = axes.transData + figure.transFigure.inverted()

    def point(x: float, y: float) -> tuple[float, float]:
        across, up = to_points.transform((x, y))
        return float(across * width), float((1 - up) * height)

    left, baseline = point(locus.start + 0.5, 0)
    right, unit_up = point(locus.start + 1.5, 1)
    step, unit = right - left, baseline - unit_up
    return [
        letter(int(code), 0.92 * step, float(value) * unit, left + (position + 0.04) * step, baseline)
        for position, (code, value) in enumerate(zip(track.bases.codes, track.bases.contributions, strict=True))
        if abs(value) * unit >= SMALLEST_LETTER
    ]


def lanes(sites: tuple[Site, ...]) -> list[int]:
    """Return a row for each site, so that neither boxes nor names lie on each other.

    Parameters
    ----------
    sites
        From left to right.
    """
    rows: list[int] = []
    ends: list[float] = []
    for site in sites:
        half = max(site.end - site.start, LETTER * len(shortened(site.factor))) / 2 + 0.5
        middle = (site.start + site.end) / 2
        row = next((row for row, end in enumerate(ends) if end <= middle - half), len(ends))
        ends[row : row + 1] = [middle + half]
        rows.append(row)
    return rows


def place(locus: Locus) -> str:
    """Name the place of a locus as genome browsers do: counted from 1, the last base included."""
    return f"{locus.contig}:{locus.start + 1:,}-{locus.end:,}"


def listed(names: tuple[str, ...]) -> str:
    """List names, not all of them where they are many."""
    shown = ", ".join(map(shortened, names[:MOST_NAMES]))
    return shown + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def text_alternative(locus: Locus, dataset: str) -> str:
    """Say what a figure shows: for each model where it finds what speaks most for the target, and the planted sites."""
    told = [
        f"Contribution of each base of {place(locus)} of {dataset} to the predictions for {locus.target}. "
        f"Positive for {listed(locus.positives)}."
    ]
    for track in locus.tracks:
        first, last, word, total = strongest(track)
        told.append(
            f"{track.name}: probability {number(track.probability)}, most from {word} at "
            f"{locus.start + first + 1:,}-{locus.start + last:,}, {total:+.2f} in sum."
        )
    if locus.sites is not None:
        sites = "; ".join(
            f"{site.factor}{'' if site.bound else ', not bound,'} at {site.start + 1:,}-{site.end:,}"
            for site in locus.sites
        )
        told.append(f"Planted motifs: {sites or 'none in this stretch'}.")
    return " ".join(told)


def strongest(track: Track) -> tuple[int, int, str, float]:
    """Find the stretch with the largest sum of contributions: first base, the one behind its last, bases and sum."""
    values = track.bases.contributions
    length = min(STRETCH, len(values))
    sums = np.convolve(values, np.ones(length), mode="valid")
    first = int(np.argmax(np.round(sums, 9)))
    word = "".join(LETTERS[code] for code in track.bases.codes[first : first + length])
    return first, first + length, word, float(sums[first])


def caption(locus: Locus) -> str:
    """Say how a window was chosen, what is drawn, and what is left out."""
    how = "lowest" if locus.lowest else "highest"
    several = len(locus.tracks) > 1
    methods: dict[str, list[str]] = {}
    for track in locus.tracks:
        methods.setdefault(track.method, []).append(track.name)
    by = [f"{method} ({', '.join(names)})" if len(methods) > 1 else method for method, names in methods.items()]
    parts = [
        f"The {how} probability of {locus.tracks[0].name} among the {plural(locus.choice, 'test window')} "
        f"positive for {locus.target} and explained{' for all models shown' if several else ''}",
        f"contributions by {' and '.join(by)}{', on one scale' if several else ''}",
    ]
    if locus.sites is not None:
        parts.append(planted(locus))
    if locus.reverse:
        parts.append("the models read the − strand, shown is the + strand")
    if locus.unseen:
        parts.append(f"explained but not shown: {', '.join(locus.unseen)}")
    return "; ".join(parts)


def planted(locus: Locus) -> str:
    """Say where the planted motifs lie that should explain the prediction, and what the others are."""
    sites = locus.sites or ()
    own = any(site.own for site in sites)
    told = [f"blue: planted sites of {locus.target}"] if own else []
    if not all(site.own for site in sites):
        told.append("white: other planted motifs, dotted where not bound")
    if locus.beyond:
        told.append(f"{plural(locus.beyond, 'planted site')} of {locus.target} in the window, outside this stretch")
    elif not own:
        told.append(f"no planted site of {locus.target} in the window")
    return "; ".join(told)
