"""The heat map of a saturated region: a row for each base, a column for each position, a logo of the mean above."""

from pathlib import Path
from typing import NamedTuple

import logomaker
import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lociflow.command import atomic
from lociflow.effects.region import Region

BASES = "ACGT"
# Inches a position: letters of a logo can be read down to some 6 points.
WIDTH, NARROWEST, WIDEST = 0.11, 6.0, 40.0
# Told apart by the colour-blind (Okabe & Ito 2008).
LETTER_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
DIVERGING = "RdBu_r"


class Drawn(NamedTuple):
    """What is drawn of a region."""

    effect: np.ndarray
    """Shape ``(4, positions)``, rows A, C, G, T; NaN at the reference base and where nothing is known."""
    letters: str
    """The region's bases."""
    region: Region
    target: str
    statistic: str
    """What the effects are called."""
    signed: bool
    """Whether an effect below 0 is a prediction that falls; else effects are sizes."""


def draw_saturation(drawn: Drawn, path: Path) -> None:
    """Draw the effects of every substitution of a region.

    Parameters
    ----------
    drawn
        The effects.
    path
        SVG to write, always with the same bytes for the same effects.
    """
    effect, letters, region, target, statistic, signed = drawn
    contig, start = region.contig, region.start
    positions = effect.shape[1]
    width = float(np.clip(WIDTH * positions + 1.6, NARROWEST, WIDEST))
    figure = Figure(figsize=(width, 3.2), layout="constrained")
    FigureCanvasSVG(figure)
    grid = figure.add_gridspec(2, 2, height_ratios=[1.2, 1], width_ratios=[1, 0.12 / width])
    above = figure.add_subplot(grid[0, 0])
    below = figure.add_subplot(grid[1, 0], sharex=above)
    # A base whose loss lowers the prediction speaks for it, and stands above the line.
    _draw_logo(above, -mean_effect(effect) if signed else mean_effect(effect), letters)
    above.set_ylabel("mean fall by\nsubstitution" if signed else "mean effect of\nsubstitution")
    above.tick_params(labelbottom=False)
    largest = float(np.nanmax(np.abs(effect))) if np.isfinite(effect).any() else 0.0
    image = below.imshow(
        effect, aspect="auto", cmap=DIVERGING, vmin=-(largest or 1), vmax=largest or 1, interpolation="none"
    )
    below.set_facecolor("#dddddd")
    for place, letter in enumerate(letters):
        if letter in BASES:
            below.plot(place, BASES.index(letter), marker=".", markersize=3, color="black", linestyle="none")
    below.set_yticks(range(len(BASES)), list(BASES))
    below.set_ylabel("substituted\nfor")
    below.xaxis.set_major_locator(MaxNLocator(nbins=max(3, int(width * 1.1)), integer=True))
    below.xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{int(place) + start + 1:,}"))
    below.set_xlabel(f"position on {contig} (bp, 1-based); dots mark the base of the genome")
    figure.colorbar(image, cax=figure.add_subplot(grid[1, 1]), label=statistic.replace("_", " "))
    above.set_title(
        f"{target}: effect of every substitution, {contig}:{start + 1:,}-{start + positions:,}",
        fontsize=9,
        parse_math=False,
    )
    alternative = (
        f"Heat map of {positions} positions by four bases of {contig}:{start + 1}-{start + positions}, {statistic} of "
        f"{target}; the largest absolute effect is {largest:.3g}."
    )
    # Ids of shapes are drawn at random unless they are salted, and the date would differ.
    with matplotlib.rc_context({"svg.hashsalt": "lociflow", "svg.fonttype": "none"}), atomic(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None, "Title": target, "Description": alternative})


def mean_effect(effect: np.ndarray) -> np.ndarray:
    """Return the mean effect of a position's substitutions, shape ``(positions,)``; 0 where there is none."""
    known = np.isfinite(effect)
    number = known.sum(axis=0)
    total = np.where(known, effect, 0).sum(axis=0)
    return np.asarray(np.divide(total, number, out=np.zeros(effect.shape[1]), where=number > 0))


def _draw_logo(axis: Axes, height: np.ndarray, letters: str) -> None:
    heights = pd.DataFrame(0.0, index=range(len(letters)), columns=list(BASES))
    for place, letter in enumerate(letters):
        if letter in BASES:
            heights.loc[place, letter] = height[place]
    logomaker.Logo(heights, ax=axis, color_scheme=LETTER_COLOURS, show_spines=True)
