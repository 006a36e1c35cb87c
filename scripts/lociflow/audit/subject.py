"""The data set that an audit looks at, opened once for all checks."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.data.targets import open_targets, read_target_names
from lociflow.evaluation.evaluate import LARGE_GENOME, LONG_BLOCK, SHORT_BLOCK
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.placement import Placement, place_windows
from lociflow.genome.split_data import SPLITS, SplitData
from lociflow.genome.window_table import about_windows, read_windows
from lociflow.sequence.store import SequenceStore, open_store

# Labels that are read at once, in bytes.
BYTES = 1 << 27


class Outcomes(NamedTuple):
    """The labels in the one form that the checks of a label look at: a column an outcome.

    Binary targets are themselves; a class is an outcome (``target: class``) that a bin has or has not, and with labels
    per base a bin has every class that one of its bases has (the first, the background, is left out); a profile is its
    logarithm's sum, log(1 + counts of the bin).
    """

    names: list[str]
    values: np.ndarray
    """``int8`` 1, 0, -1 (unknown), or ``float32`` with NaN; shape (bins, outcomes)."""
    real: bool


class Subject:
    """Everything that the checks share about one data set.

    Parameters
    ----------
    store, windows, targets, target_table
        Files of the data set.
    config
        Its configuration.

    Raises
    ------
    UserError
        A file is missing, of another format, or they do not belong together.
    """

    def __init__(
        self, store: Path, windows: Path, targets: Path, target_table: Path, config: Mapping[str, Any]
    ) -> None:
        self.config = config
        self.about = about_windows(windows)
        self.windows_path = windows
        self.store: SequenceStore = open_store(store)
        self.windows = read_windows(windows)
        self.names = list(read_target_names(target_table))
        labels = self.about.get("labels") or {}
        self.kind = label_kind(labels.get("kind", "binary"))
        self.classes: list[list[str]] | None = labels.get("classes")
        self.labels: np.ndarray = open_targets(targets, len(self.windows), len(self.names), self.kind)
        self.place: Placement = place_windows(self.windows, self.store)
        self.length = _length(config, self.windows)

    @property
    def splits(self) -> list[str]:
        """Return the names of the splits."""
        return list(self.about["splits"])

    def split(self, name: str) -> pd.Categorical:
        """Return the side of each bin in a split."""
        column = read_windows(self.windows_path, name)["split"]
        return pd.Categorical(column, categories=list(SPLITS))

    @cached_property
    def data(self) -> SplitData:
        """The data set as the search for leaks takes it."""
        windows = self.windows
        if "published" not in windows:
            windows = windows.assign(published=pd.Categorical([None] * len(windows), categories=list(SPLITS)))
        return SplitData(windows, self.labels, self.kind.name, self.store, self.place, self.length)

    @cached_property
    def bin_length(self) -> np.ndarray:
        """Bases of each bin, ``int64``; of each whole sequence where there is no genome."""
        if not self.has_genome:
            return np.asarray(self.store.lengths[self.place.contig])
        return np.asarray(self.windows["end"].to_numpy() - self.windows["start"].to_numpy())

    @property
    def block(self) -> int:
        """Return the bases of a block, as the configuration's ``evaluation`` has it."""
        large = self.store.lengths.sum() >= LARGE_GENOME
        return int((self.config.get("evaluation") or {}).get("block") or (LONG_BLOCK if large else SHORT_BLOCK))

    @property
    def alphabet(self) -> str:
        """Return the name of the sequences' alphabet."""
        return self.store.alphabet.name

    @property
    def has_genome(self) -> bool:
        """Return whether the bins lie on a genome, where intervals can overlap, and not each on a sequence."""
        return not self.config.get("sequences")

    @cached_property
    def outcomes(self) -> Outcomes:
        """The labels as outcomes of whole bins."""
        return outcomes(self.labels, self.kind.name, self.names, self.classes)

    @property
    def noun(self) -> str:
        """Return what an outcome is called: a target, or a class where the classes of labels are outcomes."""
        return "class" if self.kind.name in ("class", "position_class") else "target"

    @property
    def background(self) -> int | None:
        """Return the outcome that stands for "nothing is here", None where there is none.

        Labels from regions have it as their first class; with labels per base it is no outcome.
        """
        return 0 if self.kind.name == "class" and self.has_genome else None

    @cached_property
    def parts(self) -> list[tuple[str, np.ndarray]]:
        """The classes in which bins are counted, as (name, which bins): positives and negatives, or the classes."""
        found = self.outcomes
        if not found.values.shape[1]:
            return []
        if found.real:
            if found.values.shape[1] > 1:
                return []
            values = found.values[:, 0]
            middle = np.nanmedian(values) if not np.isnan(values).all() else np.nan
            return [("value above the median", values > middle), ("value up to the median", values <= middle)]
        if self.kind.name in ("class", "position_class") and len(self.names) == 1:
            return [(name, found.values[:, number] == 1) for number, name in enumerate(found.names)]
        positive, negative = np.zeros(len(found.values), bool), np.zeros(len(found.values), bool)
        for rows in row_blocks(found.values):
            block = np.asarray(found.values[rows])
            positive[rows] = (block == 1).any(axis=1)
            negative[rows] = (block == 0).any(axis=1) & ~positive[rows]
        if found.values.shape[1] == 1:
            return [("positive", positive), ("negative", negative)]
        return [("positive for a target", positive), ("positive for no target", negative)]

    def name_of(self, row: int) -> str:
        """Return where a bin lies, ``contig:start-end``, or the name of its sequence."""
        bin_ = self.windows.iloc[int(row)]
        return f"{bin_['contig']}:{bin_['start']}-{bin_['end']}" if self.has_genome else str(bin_["contig"])


def outcomes(labels: np.ndarray, kind: str, names: list[str], classes: list[list[str]] | None) -> Outcomes:
    """Reduce labels of any kind to one column per outcome; see :class:`Outcomes`."""
    if kind == "binary":
        return Outcomes(names, np.asarray(labels), False)
    if kind == "real":
        return Outcomes(names, np.asarray(labels), True)
    if kind == "profile":
        found = np.empty((len(labels), labels.shape[-1]), np.float32)
        for rows in row_blocks(labels):
            block = np.asarray(labels[rows])
            lost = np.isnan(block).all(axis=1)
            found[rows] = np.where(lost, np.nan, np.log1p(np.maximum(np.nansum(block, axis=1), 0)))
        return Outcomes(names, found, True)
    columns, titles = [], []
    first = 1 if kind == "position_class" else 0
    for target, name in enumerate(names):
        own = classes[target] if classes else [str(number) for number in range(int(labels[..., target].max()) + 1)]
        for number in range(first, len(own)):
            column = np.empty(len(labels), np.int8)
            for rows in row_blocks(labels):
                block = np.asarray(labels[rows])[..., target]
                if block.ndim == 1:
                    column[rows] = np.where(block < 0, -1, block == number)
                else:
                    column[rows] = np.where((block < 0).all(axis=1), -1, (block == number).any(axis=1))
            columns.append(column)
            titles.append(own[number] if len(names) == 1 else f"{name}: {own[number]}")
    values = np.stack(columns, axis=1) if columns else np.empty((len(labels), 0), np.int8)
    return Outcomes(titles, values, False)


def row_blocks(labels: np.ndarray) -> list[slice]:
    """Cut the rows of an array of labels into slices that are small enough to be held."""
    step = max(1, BYTES // max(1, labels[:1].nbytes))
    return [slice(first, min(first + step, len(labels))) for first in range(0, len(labels), step)]


def _length(config: Mapping[str, Any], windows: pd.DataFrame) -> int:
    """Return the bases that a model sees: ``windows.length``, else the longest bin."""
    length = (config.get("windows") or {}).get("length")
    if isinstance(length, int) and not isinstance(length, bool) and length > 0:
        return length
    longest = (windows["end"] - windows["start"]).max() if len(windows) else 1
    return max(1, int(longest))
