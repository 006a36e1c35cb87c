"""What models with attention look at, beside what contributes to their predictions."""

import numpy as np
from matplotlib.axes import Axes

from lociflow.interpretation.attention import AttentionMaps
from lociflow.report.drawing import GREY, PALETTE, Figure, as_svg, literal, panels, shortened
from lociflow.report.results import DatasetResults, Entry

WIDTH = 8.0  # inches


def attention_figures(dataset: DatasetResults) -> list[Figure]:
    """Draw a figure for each entry that tells what it looks at."""
    return [draw_attention(entry, entry.attention, dataset.name) for entry in dataset.entries if entry.attention]


def draw_attention(entry: Entry, found: AttentionMaps, dataset: str) -> Figure:
    """Draw the mean attention by position, one example window and, where positions look at each other, the mean map."""
    name = f"{dataset}/attention-{entry.key.replace('/', '-')}"
    is_map = len(found.mean) > 0
    places = position_centres(found)
    with panels(name, (WIDTH if is_map else 0.7 * WIDTH, 2.6), 3 if is_map else 2) as (figure, axes):
        mean = found.received.mean(axis=0) * found.received.shape[1]
        axes[0].plot(places, mean, color=PALETTE[0])
        axes[0].axhline(1, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        axes[0].set_title("mean over windows")
        axes[0].set_ylabel("attention (1: even)")
        example = example_row(found)
        draw_example(axes[1], found, example, places)
        if is_map:
            edges = found.meta["length"] / 2
            drawn = axes[2].imshow(
                found.mean * found.mean.shape[1], cmap="cividis", extent=(-edges, edges, edges, -edges),
                interpolation="nearest", aspect="auto", vmin=0,
            )  # fmt: skip
            axes[2].grid(visible=False)
            axes[2].set_title("mean map")
            axes[2].set_ylabel("position that looks (bases)")
            figure.colorbar(drawn, ax=axes[2], label="attention (1: even)")
        for each in axes:
            each.set_xlabel("from the window’s middle (bases)")
        svg = as_svg(figure, name, text_alternative(entry, found, mean, places))
    return Figure(svg, caption(entry, found))


def position_centres(found: AttentionMaps) -> np.ndarray:
    """Return where the middle of each position lies, in bases from the middle of the window."""
    positions, length = found.received.shape[1], int(found.meta["length"])
    return np.asarray((np.arange(positions) + 0.5) * length / positions - length / 2)


def example_row(found: AttentionMaps) -> int:
    """Return the window whose agreement is the median one, so that the example is neither the best nor the worst."""
    known = np.flatnonzero(np.isfinite(found.agreement))
    if not len(known):
        return 0
    return int(known[np.argsort(found.agreement[known], kind="stable")[len(known) // 2]])


def draw_example(axes: Axes, found: AttentionMaps, row: int, places: np.ndarray) -> None:
    """Draw attention, contributions and track of one window, each as a share of its largest value."""
    lines = [
        (found.received[row], "attention", PALETTE[0], "-"),
        (found.contributions[row], "|contribution|", PALETTE[1], "--"),
    ]
    if found.meta["track"] is not None:
        # Values of a minus strand and logarithms may lie below 0.
        lines.append((np.abs(found.track[row]), literal(shortened(found.meta["track"], 18)), PALETTE[2], ":"))
    for values, label, colour, line in lines:
        largest = max(float(np.nanmax(values, initial=0)), np.finfo(np.float32).tiny)
        axes.plot(places, values / largest, line, color=colour, label=label)
    axes.set_ylim(0, 1.35 if len(lines) == 2 else 1.5)
    axes.set_title("one window")
    axes.set_ylabel("share of the largest")
    axes.legend(loc="upper center", ncols=2, handlelength=1.6, columnspacing=1.0)


def agreement_of(found: AttentionMaps) -> str:
    """Say how far attention agrees with contributions and, where there is one, with the track."""
    told = f"rank correlation with contributions {median_of(found.agreement)}"
    track = found.meta["track"]
    if track is None:
        return told
    return (
        f"{told}; with {track} {median_of(found.track_agreement)}, where contributions have "
        f"{median_of(found.track_contributions)}"
    )


def median_of(correlations: np.ndarray) -> str:
    """Say what the median and the middle half of the windows are, and how many have none."""
    known = correlations[np.isfinite(correlations)]
    if not len(known):
        return "undefined"
    low, middle, high = np.percentile(known, (25, 50, 75))
    missing = len(correlations) - len(known)
    told = f"; undefined in {missing:,} of {len(correlations):,}" if missing else ""
    return f"{middle:.2f} in the median window (middle half {low:.2f} to {high:.2f}{told})"


def caption(entry: Entry, found: AttentionMaps) -> str:
    """Say whose attention it is, of how many heads and windows, and how far it agrees with contributions."""
    heads, windows = found.meta["heads"], len(found.received)
    return f"{entry.name}: {heads} heads, {windows:,} windows; {agreement_of(found)}"


def text_alternative(entry: Entry, found: AttentionMaps, mean: np.ndarray, places: np.ndarray) -> str:
    """Say in words what the figure shows."""
    most = int(mean.argmax())
    return (
        f"Attention of {entry.name} over {len(mean)} positions of {len(found.received)} windows: on average most, "
        f"{mean[most]:.2f} times an even share, {places[most]:+.0f} bases from the middle; {agreement_of(found)}."
    )
