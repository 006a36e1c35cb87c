"""Example loci: test windows with what each base contributes to the prediction of each explained model.

Coordinates are 0-based and half-open, of the forward strand; a window that was read from the other strand is turned,
so that it stands as a genome browser shows it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.data.targets import open_targets, read_target_names
from lociflow.evaluation.predictions import read_predictions
from lociflow.genome.simulation import read_sites
from lociflow.genome.window_table import about_windows, read_windows
from lociflow.interpretation.attributions import observed_contributions, read_attributions, read_explained
from lociflow.interpretation.truth import sites_of

LARGEST_TARGETS = 3
LARGEST_TRACKS = 4
CROP = 120  # bases: as many letters as can be told apart in the width of a page


class Window(NamedTuple):
    """The bases of a window, or of a stretch of it, and what each contributes."""

    codes: np.ndarray
    """``uint8``, shape ``(length,)``; all of them A, C, G or T."""
    contributions: np.ndarray
    """In log odds, ``float64``, same shape."""

    def forward(self) -> "Window":
        """Turn a window that was read from the other strand."""
        return Window((3 - self.codes)[::-1], self.contributions[::-1])

    def cut(self, offset: int, length: int) -> "Window":
        """Cut out a stretch, ``offset`` bases from the middle of the window, which is base ``length // 2``."""
        first = len(self.codes) // 2 + offset
        return Window(self.codes[first : first + length], self.contributions[first : first + length])


class Track(NamedTuple):
    """What the bases of a locus contribute to one model's prediction."""

    name: str
    probability: float
    """Predicted for the locus' target."""
    method: str
    """Of attribution."""
    bases: Window


class Site(NamedTuple):
    """A planted motif."""

    start: int
    end: int
    factor: str
    bound: bool
    """Whether its factor is bound here."""
    own: bool
    """Whether it is what the prediction for the locus' target should be explained by."""


class Locus(NamedTuple):
    """A stretch of a test window that is positive for a target."""

    target: str
    lowest: bool
    """Whether it was chosen as the window with the lowest probability; otherwise it has the highest."""
    choice: int
    """Explained windows among which it was chosen."""
    contig: str
    start: int
    end: int
    reverse: bool
    """Whether the models read the other strand."""
    bin: tuple[int, int]
    """The interval that carries the labels."""
    positives: tuple[str, ...]
    """Targets for which it is positive, its own first."""
    tracks: tuple[Track, ...]
    unseen: tuple[str, ...]
    """Explained models that are not among the tracks."""
    sites: tuple[Site, ...] | None
    """Planted motifs that lie in it, from left to right; None where none is known."""
    beyond: int
    """Planted motifs that should explain the prediction, in the window of every model but outside the stretch."""


class Choice(NamedTuple):
    """Which window is shown for which target."""

    column: int
    bin: int
    lowest: bool
    choice: int


class Scores:
    """Predictions of a model for some targets, by bin."""

    def __init__(self, path: Path, targets: Sequence[str]) -> None:
        self.path = path
        self.table = read_predictions(path, targets).set_index("bin")

    def of(self, index: int, target: str) -> float:
        """Look up the prediction for a bin.

        Raises
        ------
        UserError
            There is none.
        """
        if index not in self.table.index:
            raise UserError(
                f"{self.path}: has no prediction for bin {index}, expected one for each window that was explained; "
                "remove it and run snakemake again"
            )
        value: Any = self.table.at[index, target]
        return float(value)


def read_loci(dataset: Mapping[str, Any]) -> tuple[Locus, ...]:
    """Choose example windows of a data set and read what is drawn of them.

    Parameters
    ----------
    dataset
        Of the manifest: ``windows``, ``targets``, ``target_table``, ``entries`` with ``label``, ``kind``,
        ``predictions`` and, where they were explained, ``attributions``, and optionally ``sites``.

    Returns
    -------
    tuple[Locus, ...]
        As :func:`choose` orders them; empty where nothing was explained, or where labels are not binary.

    Raises
    ------
    UserError
        A file is missing or is something else, or a model has no prediction for a window that was explained.
    """
    entries = [entry for entry in dataset["entries"] if entry.get("attributions")]
    if not entries:
        return ()
    if (about_windows(Path(dataset["windows"])).get("labels") or {}).get("kind", "binary") != "binary":
        return ()
    # Stable: models in the order of the run, then controls.
    entries = sorted(entries, key=lambda entry: entry["kind"] == "control")
    names = read_target_names(Path(dataset["target_table"]))
    labels, common = shared_windows(
        {entry["label"]: windows_of(Path(entry["attributions"]), names) for entry in entries}
    )
    if not common:
        return ()
    shown = [entry for entry in entries if entry["label"] in labels]
    columns = sorted({column for column, _ in common})[:LARGEST_TARGETS]
    scores = [Scores(Path(entry["predictions"]), [names[column] for column in columns]) for entry in shown]
    chosen = choose(
        {
            column: {index: scores[0].of(index, names[column]) for of, index in sorted(common) if of == column}
            for column in columns
        }
    )
    bins = read_windows(Path(dataset["windows"]))
    labelled = open_targets(Path(dataset["targets"]), len(bins), len(names))
    sites = read_sites(Path(dataset["sites"])) if dataset.get("sites") else None
    # A file of attributions may be large: one at a time.
    explained = [explanations_of(Path(entry["attributions"]), chosen, names) for entry in shown]
    loci = []
    for number, choice in enumerate(chosen):
        row, target = bins.iloc[choice.bin], names[choice.column]
        contig, reverse = str(row["contig"]), str(row["strand"]) == "-"
        windows = [found[number].forward() if reverse else found[number] for _, found in explained]
        offset, length = crop([window.contributions for window in windows])
        middle = (int(row["start"]) + int(row["end"])) // 2
        start = middle + offset
        seen = min(len(window.codes) for window in windows)
        first = middle - seen // 2
        planted = () if sites is None else sites_in(sites, target, contig, first, first + seen)
        positive = [names[column] for column in np.flatnonzero(labelled[choice.bin] == 1) if column != choice.column]
        loci.append(
            Locus(
                target=target,
                lowest=choice.lowest,
                choice=choice.choice,
                contig=contig,
                start=start,
                end=start + length,
                reverse=reverse,
                bin=(int(row["start"]), int(row["end"])),
                positives=(target, *positive),
                tracks=tuple(
                    Track(entry["label"], score.of(choice.bin, target), method, window.cut(offset, length))
                    for entry, score, (method, _), window in zip(shown, scores, explained, windows, strict=True)
                ),
                unseen=tuple(entry["label"] for entry in entries if entry["label"] not in labels),
                sites=None
                if sites is None
                else tuple(site for site in planted if overlaps(site, start, start + length)),
                beyond=sum(site.own and not overlaps(site, start, start + length) for site in planted),
            )
        )
    return tuple(loci)


def windows_of(path: Path, names: Sequence[str]) -> set[tuple[int, int]]:
    """Return the (column among ``names``, bin) that a file of attributions explains.

    Contrasts have no prediction of their own and are left out.
    """
    bins, columns, outputs = read_explained(path)
    places = {column: names.index(output) for column, output in outputs.items() if output in names}
    pairs = zip(columns.tolist(), bins.tolist(), strict=True)
    return {(places[column], index) for column, index in pairs if column in places}


def shared_windows(explained: Mapping[str, set[tuple[int, int]]]) -> tuple[list[str], set[tuple[int, int]]]:
    """Return the models that can be shown together, and the windows that are explained for all of them.

    Parameters
    ----------
    explained
        Label → (target column, bin), in the order in which models are preferred.

    Returns
    -------
    labels : list[str]
        The first model and the next ones that share a window with all before them, ``LARGEST_TRACKS`` at most.
    common : set[tuple[int, int]]
        Target column and bin.
    """
    labels: list[str] = []
    common: set[tuple[int, int]] = set()
    for label, windows in explained.items():
        if windows and not labels:
            labels, common = [label], windows
        elif len(labels) < LARGEST_TRACKS and common & windows:
            labels, common = [*labels, label], common & windows
    return labels, common


def choose(candidates: Mapping[int, Mapping[int, float]]) -> list[Choice]:
    """Choose a window for each target by its probability, and one that is missed.

    Parameters
    ----------
    candidates
        Target column → bin → probability, of windows that are positive for the target.

    Returns
    -------
    list[Choice]
        Of each target in order the window with the highest probability, and after the first the one with its lowest;
        the lower bin where two are equal. A target with one window has no lowest.
    """
    chosen: list[Choice] = []
    for number, (column, scores) in enumerate(candidates.items()):
        best = min(scores, key=lambda index: (-scores[index], index))
        chosen.append(Choice(column, best, False, len(scores)))
        worst = min(scores, key=lambda index: (scores[index], index))
        if number == 0 and worst != best:
            chosen.append(Choice(column, worst, True, len(scores)))
    return chosen


def explanations_of(path: Path, chosen: Sequence[Choice], names: Sequence[str]) -> tuple[str, list[Window]]:
    """Read the method and the windows that were chosen, which the file is known to hold."""
    found = read_attributions(path)
    columns = {fact["target"]: fact["column"] for fact in found.meta["targets"]}
    rows = [
        int(np.flatnonzero((found.target == columns[names[one.column]]) & (found.bin == one.bin))[0]) for one in chosen
    ]
    codes = found.codes[rows]
    contributions = observed_contributions(codes, found.hypothetical[rows])
    return str(found.meta["method"]), [Window(*pair) for pair in zip(codes, contributions, strict=True)]


def crop(contributions: Sequence[np.ndarray], length: int = CROP) -> tuple[int, int]:
    """Find the stretch around the largest contributions of some models to one prediction.

    Parameters
    ----------
    contributions
        Of each model, shape ``(window,)``, all windows with the same middle.
    length
        Of the stretch.

    Returns
    -------
    offset : int
        Of the stretch's first base from the middle of the windows, which is base ``window // 2``.
    length : int
        Of the stretch; that of the shortest window where it is shorter.

    Notes
    -----
    Each model's absolute contributions are taken as shares of their sum, so that models on different scales count
    alike, and weighted with a triangle over the stretch, so that what contributes stands in the middle and not at an
    end. Of equal stretches the first.
    """
    shortest = min(map(len, contributions))
    length = min(length, shortest)
    shares = np.zeros(shortest)
    for values in contributions:
        within = np.abs(values[len(values) // 2 - shortest // 2 :][:shortest])
        if total := within.sum():
            shares += within / total
    places = np.arange(length)
    weights = 1.0 + np.minimum(places, places[::-1])
    # Rounded, so that the order of summation does not decide between equal stretches.
    first = int(np.argmax(np.round(np.correlate(shares, weights, mode="valid"), 9)))
    return first - shortest // 2, length


def sites_in(sites: pd.DataFrame, target: str, contig: str, start: int, end: int) -> tuple[Site, ...]:
    """Return the planted motifs that overlap an interval, from left to right.

    Parameters
    ----------
    sites
        As :func:`lociflow.genome.simulation.read_sites` gives them.
    target
        Whose prediction is explained.
    contig, start, end
        The interval.
    """
    own, _ = sites_of(sites, target)
    here = sites[(sites["contig"] == contig) & (sites["start"] < end) & (sites["end"] > start)].sort_values("start")
    return tuple(
        Site(int(row["start"]), int(row["end"]), str(row["factor"]), bool(row["bound"]), index in own.index)
        for index, row in here.iterrows()
    )


def overlaps(site: Site, start: int, end: int) -> bool:
    """Tell whether a motif lies in an interval, if only in part."""
    return site.start < end and site.end > start
