"""The results of a run, as the table of scores and the page show them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.evaluation.metrics import KIND_METRICS, METRICS, KindMetrics
from lociflow.evaluation.pair_table import COLUMNS
from lociflow.interpretation.attention import AttentionMaps
from lociflow.report.along_bins import AlongBin
from lociflow.report.along_genome import GenomeTracks
from lociflow.report.loci import Locus
from lociflow.report.planted import Planted
from lociflow.report.variant_effects import VariantEffects

KINDS = ("model", "ensemble", "control", "baseline", "ceiling")
SIGNIFICANT = 0.05  # q-value, Benjamini-Hochberg over all queries and targets of a matching


class Curves(NamedTuple):
    """ROC and precision-recall curves of one entry, each target interpolated to common grids."""

    targets: list[str]
    false_positive_rate: np.ndarray
    """float, shape (points,): the grid of the ROC curves."""
    true_positive_rate: np.ndarray
    """float, shape (targets, points); NaN for a target without positives or without negatives."""
    recall: np.ndarray
    """float, shape (points,): the grid of the precision-recall curves."""
    precision: np.ndarray
    """float, shape (targets, points); NaN as above."""
    reliability: np.ndarray | None = None
    """float, shape (targets, 3, groups): see :func:`lociflow.evaluation.reliability.reliability_curve`."""


class Match(NamedTuple):
    """The best match of a motif in JASPAR."""

    identifier: str
    name: str
    families: tuple[str, ...]
    q: float
    strand: str
    """``-`` where the motif resembles the reverse complement of the matrix."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the families, or the factor's own name where JASPAR knows none, as of many fungi's."""
        return self.families or (self.name,)


class Motif(NamedTuple):
    """A motif that a model has learnt, with its best match."""

    name: str
    kind: str
    """``modisco``, ``negative`` (of TF-MoDISco too, but what lowers the prediction) or ``filter``."""
    target: str | None
    """Whose predictions it explains; None for a filter."""
    support: float | None
    """Seqlets or activating windows from which the motif was made."""
    pwm: np.ndarray
    """float, shape (4, length), rows A, C, G, T."""
    match: Match | None
    library_match: Match | None = None
    """The best match in the user's own library of motifs."""
    influence: float | None = None
    """Of a filter: the mean absolute change of the outputs without it."""
    score_change: float | None = None
    """Of a filter: the score with it less that without it."""
    hits: int | None = None
    """Of a discovered motif: places in the explained windows that read like it."""
    share_used: float | None = None
    """The share of them to which the model gives more than to 95 % of other places."""


@dataclass(frozen=True)
class Entry:
    """A row of the leaderboard: a model with its seed, a mean over seeds, a control, a baseline or the ceiling."""

    name: str
    """Label, with the seed where the data set has several of the same label."""
    label: str
    model: str
    variant: str | None
    seed: int | None
    kind: str
    metrics: Mapping[str, Any]
    curves: Curves | None
    history: pd.DataFrame | None
    config: Mapping[str, Any] | None
    motifs: tuple[Motif, ...]
    interpreted: bool
    truth: Mapping[str, Any] | None
    to_beat: bool = False
    """Whether gains are counted from this baseline where it is the best of them."""
    checks: tuple[Mapping[str, Any], ...] = ()
    """Of its explanations by each method, that of the motifs first."""
    failed_checks: tuple[str, ...] = ()
    """Those that the explanation behind its motifs has failed: the motifs of TF-MoDISco are then left out."""
    attention: AttentionMaps | None = None
    """What the model looks at in its explained windows, where it tells."""
    prefixes: pd.DataFrame | None = None
    """How scores build up along windows, as :func:`lociflow.interpretation.prefixes.score_prefixes` writes it."""
    fold_seconds: float | None = None
    """How long the epochs of the trainings on all folds took, where the scores are those of several folds together."""
    importance: Mapping[str, Any] | None = None
    """What the model has answered about motifs, as :mod:`lociflow.interpretation.experiments.importance` writes it."""

    @property
    def key(self) -> str:
        """Return label and seed, as in the paths of the results."""
        return self.label if self.seed is None else f"{self.label}/seed{self.seed}"

    @property
    def given_motifs(self) -> bool:
        """Say whether the model began with known motifs, which it then need not find."""
        return bool((self.config or {}).get("model", {}).get("given_motifs"))

    @property
    def spacing(self) -> Mapping[str, Any] | None:
        """Return how well predictions tell planted pairs from decoys, None without a spacing rule."""
        found: Mapping[str, Any] | None = self.metrics.get("spacing")
        return found

    def summary(self, metric: str, statistic: str) -> float | None:
        """Return a statistic over targets, None where it is undefined."""
        value: float | None = (self.metrics["summary"].get(metric) or {}).get(statistic)
        return value

    def target_values(self, key: str) -> np.ndarray:
        """Return a value of every target, float, shape (targets,), NaN where it is undefined."""
        found = [target.get(key) for target in self.metrics["targets"]]
        values = [value.get("value") if isinstance(value, Mapping) else value for value in found]
        return np.array([math.nan if value is None else value for value in values], dtype=float)


class Restored(NamedTuple):
    """How well a model that was trained without labels restores sequence, on the test bins."""

    label: str
    seed: int
    unit: str
    """What one guess is of: a base or a token."""
    accuracy: float | None
    bits: float | None
    """Cross-entropy of a guess."""
    composition: Mapping[str, float] | None
    """``accuracy`` and ``bits`` of guesses from the frequencies of the letters alone."""


@dataclass(frozen=True)
class DatasetResults:
    """Everything a run has found on one split of a data set."""

    name: str
    """What the page calls it: the data set, with its split where the run has several."""
    dataset: str
    description: str
    split: str
    clean_of: str | None
    """The split of which this one is the version without leaks."""
    is_first: bool
    """Whether no other split of the data set comes before it."""
    audit: Mapping[str, Any] | None
    counts: Mapping[str, Any]
    targets: pd.DataFrame
    sources: tuple[Mapping[str, Any], ...]
    """Records of the fetched files, as :func:`lociflow.fetch.fetch` writes them."""
    contigs_pinned: bool
    """Whether the digests of the genome's contigs stand in the configuration."""
    planted: Mapping[str, Planted] | None
    """Of a simulated genome, by factor."""
    entries: tuple[Entry, ...]
    matched: Mapping[str, np.ndarray]
    """JASPAR matrix id → probabilities (4, length), of the matrices that are shown."""
    folds: tuple[str, ...] = ()
    """The splits whose test bins are scored together under the name ``split``."""
    ensembles: tuple[Entry, ...] = ()
    """The mean predictions over seeds of the models that have several."""
    loci: tuple[Locus, ...] = ()
    """Example windows with the attributions of the explained models."""
    along: tuple[AlongBin, ...] = ()
    """Example bins with the outputs of the explained models, where labels are of bases."""
    restored: tuple[Restored, ...] = ()
    """Of the models that were trained without labels."""
    explanation_ranking: pd.DataFrame | None = None
    """Of a simulated genome, as :func:`lociflow.report.explanation_ranking.rank_explanations` returns it."""
    agreement: pd.DataFrame | None = None
    """Of explanations of the same windows, as :mod:`lociflow.interpretation.checks.agreement` writes it."""

    @property
    def label_kind(self) -> str:
        """Return the kind of the labels, a key of :data:`lociflow.evaluation.metrics.KIND_METRICS`."""
        found = self.entries[0].metrics if self.entries else self.counts
        return str(found.get("kind", "binary"))

    @property
    def kind_metrics(self) -> KindMetrics:
        """Return which metrics there are for the kind of the labels."""
        return KIND_METRICS[self.label_kind]

    @property
    def headline(self) -> str:
        """Return the metric by which entries are ranked."""
        return self.kind_metrics.headline

    @property
    def shown_metrics(self) -> tuple[str, ...]:
        """Return the metrics of the tables, in order; the share of wrong calls where it was counted."""
        counted = bool(self.entries) and "error" in self.entries[0].metrics["summary"]
        return (*self.kind_metrics.shown, *(("error",) if counted else ()))

    @property
    def target_metrics(self) -> tuple[str, ...]:
        """Return the metrics of a target or a class in tables and figures."""
        measured = [metric for metric in self.kind_metrics.columns if metric not in self.kind_metrics.further]
        return (*measured, *(("error",) if "error" in self.shown_metrics else ()))

    @property
    def audited_splits(self) -> tuple[str | None, ...]:
        """Return the splits of which the audit speaks for this one; None is what it says of the data set."""
        return (None, *(self.folds or (self.split,)))

    @property
    def best_baseline(self) -> Entry | None:
        """Return the baseline with the best headline score of those that are to be beaten, None without any."""
        known = [
            (value, entry)
            for entry in self.entries
            if entry.to_beat and (value := entry.summary(self.headline, "median")) is not None
        ]
        best = max if METRICS[self.headline].larger_is_better else min
        return best(known, key=lambda found: found[0])[1] if known else None

    @property
    def ceiling(self) -> Entry | None:
        """Return the best score that the planted truth allows, None for real data."""
        return next((entry for entry in self.entries if entry.kind == "ceiling"), None)

    @property
    def scored(self) -> tuple[Entry, ...]:
        """Return all that has scores: the entries, then the seed ensembles."""
        return (*self.entries, *self.ensembles)

    def of_kind(self, *kinds: str) -> tuple[Entry, ...]:
        """Return the entries of some kinds, in the order of the manifest."""
        return tuple(entry for entry in self.entries if entry.kind in kinds)


@dataclass(frozen=True)
class RunResults:
    """Everything a run has found."""

    name: str
    config: Mapping[str, Any]
    datasets: tuple[DatasetResults, ...]
    benchmarks: pd.DataFrame
    comparisons: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
    """Of all pairs of entries, as :func:`lociflow.evaluation.comparison.compare_entries` returns them."""
    published: tuple[Mapping[str, Any], ...] = ()
    """Published numbers that the run covers, as :func:`lociflow.published.read_published` returns them."""
    variant_effects: tuple[VariantEffects, ...] = ()
    """By model and data set."""
    tracks: tuple[GenomeTracks, ...] = ()
    """By set of regions, data set and model."""


def in_family(match: Match, planted: Planted) -> bool:
    """Say whether a match is the planted matrix or one of its family."""
    return match.identifier == planted.matrix or not set(match.families).isdisjoint(planted.families)
