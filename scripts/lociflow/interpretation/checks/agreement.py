"""Measure whether explanations of the same windows agree: between seeds of a model, between methods, between models."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status
from lociflow.interpretation.attributions import Attributions, observed_contributions, read_attributions
from lociflow.interpretation.checks.window_means import pearson, spearman, window_mean

COLUMNS = ("first", "second", "differs", "windows", "pearson", "low", "high", "spearman")
PARTS = ("model", "seed", "method")


class Explanation(NamedTuple):
    """Contributions of one model by one method."""

    label: str
    """``MODEL/seedSEED/METHOD``."""
    windows: dict[tuple[int, str], int]
    """Bin index and name of the target, to the row."""
    codes: np.ndarray
    """``uint8``, shape ``(n, length)``."""
    contributions: np.ndarray
    """Of the bases that stand there, shape ``(n, length)``."""


def measure_agreement(explanations: Sequence[tuple[str, Path]], agreement: Path, seed: int = 1) -> None:
    """Correlate every two explanations of a data set over the windows that both explain.

    Parameters
    ----------
    explanations
        Label, ``MODEL/seedSEED/METHOD``, and file of the attributions of each.
    agreement
        Table to write (TSV) with a row for each pair: ``first``, ``second``; ``differs``, what tells them apart, of
        model, seed and method; ``windows``, that both explain; ``pearson``, the mean over windows of the correlation of
        contributions along the window, with ``low`` and ``high``, its 95 % bootstrap interval; ``spearman``, the mean
        correlation of their ranks.
    seed
        Of the bootstrap.

    Raises
    ------
    UserError
        A file cannot be read, or a label is given twice or is of another form.
    """
    labels = [label for label, _ in explanations]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise UserError(f"--attributions: found {', '.join(twice)} twice, expected each label once")
    if wrong := [label for label in labels if label.count("/") != 2]:
        raise UserError(f"--attributions: found label {wrong[0]}, expected MODEL/seedSEED/METHOD")
    found = [explanation_of(label, read_attributions(path)) for label, path in explanations]
    table = compare_explanations(found, seed)
    with atomic(agreement) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.6g")
    for kind in ("seed", "method"):
        values = table.loc[table["differs"] == kind, "pearson"].dropna()
        if len(values):
            status(
                f"{len(values)} pairs that differ in the {kind}: correlation {values.min():.2f} to {values.max():.2f}"
            )


def explanation_of(label: str, found: Attributions) -> Explanation:
    """Find the windows of attributions by bin and name of the target."""
    names = {target["column"]: target["target"] for target in found.meta["targets"]}
    keys = [(int(index), names[int(column)]) for index, column in zip(found.bin, found.target, strict=True)]
    windows = {key: row for row, key in enumerate(keys)}
    return Explanation(label, windows, found.codes, observed_contributions(found.codes, found.hypothetical))


def compare_explanations(found: Sequence[Explanation], seed: int) -> pd.DataFrame:
    """Return the table of :func:`measure_agreement`; values are missing where two explain no window in common."""
    rows = []
    for one, other in combinations(found, 2):
        left, right = shared(one, other)
        mean = window_mean(pearson(left, right), seed)
        ranks = window_mean(spearman(left, right), seed, draws=1).value
        rows.append((one.label, other.label, differs(one.label, other.label), len(left), *mean, ranks))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def differs(one: str, other: str) -> str:
    """Say what tells two labels apart, for example ``seed`` or ``model, method``."""
    parts = zip(PARTS, one.split("/"), other.split("/"), strict=True)
    return ", ".join(name for name, first, second in parts if first != second)


def shared(one: Explanation, other: Explanation) -> tuple[np.ndarray, np.ndarray]:
    """Return the contributions of both to the windows that both explain, for the bases that both read.

    Windows lie around the middles of their bins, so that of the longer the middle is taken; where it is a base further
    on, because the window is read from the other strand, the bases tell.

    Returns
    -------
    numpy.ndarray, numpy.ndarray
        Shape ``(n, length)`` each, of the shorter length.
    """
    lengths = one.codes.shape[1], other.codes.shape[1]
    short = min(lengths)
    left, right = [], []
    for key in sorted(one.windows.keys() & other.windows.keys()):
        first, second = one.windows[key], other.windows[key]
        middle = [length // 2 - short // 2 for length in lengths]
        from_end = [length - short - start for length, start in zip(lengths, middle, strict=True)]
        for starts in (middle, from_end):
            parts = [slice(start, start + short) for start in starts]
            if np.array_equal(one.codes[first, parts[0]], other.codes[second, parts[1]]):
                left.append(one.contributions[first, parts[0]])
                right.append(other.contributions[second, parts[1]])
                break
    if not left:
        return np.empty((0, short)), np.empty((0, short))
    return np.stack(left), np.stack(right)
