"""Sequence logos as small SVG, drawn from four letter shapes that a page defines once.

A page holds hundreds of logos. One matplotlib figure each would cost half a second and 50 kB; four ``<path>``
definitions, referred to by ``<use>``, cost microseconds and about 4 kB.
"""

from functools import lru_cache

import numpy as np
from markupsafe import Markup, escape

from lociflow.interpretation.motifs.meme import consensus, information

LETTERS = "ACGT"
# Okabe & Ito's colour-blind-safe palette in the customary assignment: A green, C blue, G orange, T red.
COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
COLUMN_WIDTH = 16
COLUMN_HEIGHT = 64
AXIS_WIDTH = 20
MARGIN = 5
MAXIMUM_BITS = 2
NUMBERS = 'fill="#555" font-family="sans-serif" font-size="10" text-anchor="end"'
SMALLEST_LETTER = 0.6  # px: lower letters cannot be seen, and leaving them out halves the file


def reverse_complement(pwm: np.ndarray) -> np.ndarray:
    """Turn a motif to the other strand; shape ``(4, length)``, rows A, C, G, T."""
    return pwm[::-1, ::-1]


def letter_shapes() -> Markup:
    """Define the four letters; a page must hold this once, before its logos.

    Returns
    -------
    markupsafe.Markup
        A hidden ``<svg>`` whose paths ``logo-A`` … ``logo-T`` fill the unit square, baseline at y = 0, growing to
        y = -1.
    """
    return Markup(
        '<svg width="0" height="0" style="position:absolute" aria-hidden="true" focusable="false"><defs>'
        f"{letter_paths()}</defs></svg>"
    )


@lru_cache(maxsize=1)
def letter_paths() -> str:
    """Return the paths of :func:`letter_shapes`, without the picture around them."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    paths = []
    for letter in LETTERS:
        outline = TextPath((0, 0), letter, size=100, prop=FontProperties(family="DejaVu Sans", weight="bold"))
        box = outline.get_extents()
        commands = []
        for vertices, code in outline.iter_segments(simplify=False):
            points = np.asarray(vertices).reshape(-1, 2)
            x = (points[:, 0] - box.x0) / box.width
            y = -(points[:, 1] - box.y0) / box.height
            commands.append(
                {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}[int(code)]
                + ("" if code == 79 else " ".join(f"{a:.3g} {b:.3g}" for a, b in zip(x, y, strict=True)))
            )
        paths.append(f'<path id="logo-{letter}" fill="{COLOURS[letter]}" d="{"".join(commands)}"/>')
    return "".join(paths)


def letter(base: int, width: float, height: float, left: float, baseline: float) -> str:
    """Refer to a letter of :func:`letter_shapes`; with a negative height it hangs from the baseline, upside down."""
    matrix = f"{width:.4g} 0 0 {height:.4g} {left:.5g} {baseline:.4g}"
    return f'<use href="#logo-{LETTERS[base]}" transform="matrix({matrix})"/>'


def logo(pwm: np.ndarray, name: str, *, before: int = 0, width: int | None = None) -> Markup:
    """Draw a motif as an information-content logo.

    Parameters
    ----------
    pwm
        Base probabilities, shape ``(4, length)``, rows A, C, G, T.
    name
        What the motif is called, for the text alternative; escaped here.
    before
        Empty columns to the left of the motif, so that two logos can be drawn one above the other, aligned.
    width
        Columns of the whole picture; ``before`` + length where it is not given.

    Returns
    -------
    markupsafe.Markup
        One ``<svg>`` of about 4 kB that refers to :func:`letter_shapes`.

    Raises
    ------
    ValueError
        ``pwm`` does not have four rows.
    """
    if pwm.ndim != 2 or pwm.shape[0] != 4:
        raise ValueError(f"expected a motif of shape (4, length), found {pwm.shape}")
    length = pwm.shape[1]
    columns = max(width or 0, before + length)
    total_width = AXIS_WIDTH + columns * COLUMN_WIDTH + MARGIN
    base = MARGIN + COLUMN_HEIGHT
    unit = COLUMN_HEIGHT / MAXIMUM_BITS
    uses = []
    for position, (column, bits) in enumerate(zip(pwm.T, information(pwm), strict=True)):
        left = AXIS_WIDTH + (before + position) * COLUMN_WIDTH
        y = float(base)
        for row in np.argsort(column, kind="stable"):
            height = float(column[row] * bits * unit)
            if height < SMALLEST_LETTER:
                continue
            uses.append(letter(int(row), COLUMN_WIDTH - 1.5, height, left + 0.75, y))
            y -= height
    text = f"Logo of {name}: {consensus(pwm)}"
    ticks = "".join(f'<path d="M{AXIS_WIDTH - 4} {base - bits * unit:g}h3"/>' for bits in (0, 1, 2))
    numbers = "".join(
        f'<text x="{AXIS_WIDTH - 6}" y="{base - bits * unit + 3.5:g}">{bits}</text>' for bits in (0, 1, 2)
    )
    return Markup(
        f'<svg class="logo" viewBox="0 0 {total_width} {base + MARGIN}" width="{total_width}" '
        f'height="{base + MARGIN}" preserveAspectRatio="xMinYMid" role="img" aria-label="{escape(text)}">'
        f'<g fill="none" stroke="#777">{ticks}<path d="M{AXIS_WIDTH - 1} {MARGIN}V{base}H{total_width - MARGIN}"/></g>'
        f"<g {NUMBERS}>{numbers}</g>"
        f"{''.join(uses)}</svg>"
    )


def align(pwm: np.ndarray, match: np.ndarray) -> int:
    """Find where a motif and its match fit best, for drawing one above the other.

    Motif matching aligns only a part of a motif, chosen by its own settings; what is drawn is the whole. So the place
    with the largest covariance of base probabilities is looked for again, which ends at the same place.

    Parameters
    ----------
    pwm, match
        Base probabilities, shapes ``(4, length)`` and ``(4, match length)``, on the same strand.

    Returns
    -------
    int
        Position of the match on which the motif's first column lies; negative where the motif begins earlier.
    """
    # Rows: positions of the motif; columns: positions of the match. An offset is a diagonal.
    similarity = (pwm - 0.25).T @ (match - 0.25)
    offsets = range(1 - pwm.shape[1], match.shape[1])
    return max(offsets, key=lambda offset: float(similarity.trace(offset)))


def placement(length: int, match_length: int, offset: int) -> tuple[int, int, int]:
    """Place a motif and its match one above the other.

    Parameters
    ----------
    length, match_length
        Positions of the motif and of its match.
    offset
        As :func:`align` returns it.

    Returns
    -------
    tuple[int, int, int]
        Empty columns before the motif, before the match, and the columns of the whole picture.
    """
    before, match_before = max(0, offset), max(0, -offset)
    return before, match_before, max(before + length, match_before + match_length)
