"""What models with attention look at, beside what contributes to their predictions."""

import numpy as np
from matplotlib.axes import Axes

from lociflow.interpretation.attention import AttentionMaps
from lociflow.report.drawing import GREY, PALETTE, Figure, as_svg, panels
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
    """Draw attention and contributions of one window, each as a share of its largest value."""
    for values, label, colour, line in (
        (found.received[row], "attention", PALETTE[0], "-"),
        (found.contributions[row], "|contribution|", PALETTE[1], "--"),
    ):
        axes.plot(places, values / max(float(values.max()), np.finfo(np.float32).tiny), line, color=colour, label=label)
    axes.set_ylim(0, 1.35)
    axes.set_title("one window")
    axes.set_ylabel("share of the largest")
    axes.legend(loc="upper center", ncols=2, handlelength=1.6, columnspacing=1.0)


def agreement_of(found: AttentionMaps) -> str:
    """Say how far attention agrees with contributions."""
    known = found.agreement[np.isfinite(found.agreement)]
    if not len(known):
        return "rank correlation with contributions undefined"
    low, middle, high = np.percentile(known, (25, 50, 75))
    return (
        f"rank correlation with contributions {middle:.2f} in the median window (middle half {low:.2f} to {high:.2f})"
    )


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
