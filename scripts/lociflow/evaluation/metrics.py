"""Which metrics each kind of labels has; and those of rankings of one target, with missing labels and weights.

Rankings are judged from one table of counts (:class:`Ranking`): bins are sorted once by score, and what lies between
two positives is summed by block. A weight per block, such as the number of times that a bootstrap has drawn it, then
costs one small sparse product and no new sort. Weights that are whole numbers are summed without rounding.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

MISSING = -1
# Elements of one table of (thresholds, draws); bounds the memory of a batch of draws at a few times 8 bytes each.
BATCH = 2_000_000


class Metric(NamedTuple):
    """What a metric is called, and how to read it."""

    title: str
    larger_is_better: bool
    chance: float | None = None
    """What a model without any knowledge scores, where that is one number."""
    undefined: str = "no positives or no negatives"
    """Why a target can be without it."""
    raised_by_chance: bool = False
    """Whether bins score higher for being drawn anew, so that the draws are brought to the observed value."""


CONSTANT = "constant, or fewer than two labels"
UNCHOSEN = "no positives or no negatives among the test bins, or among the validation bins that choose the threshold"
METRICS: Mapping[str, Metric] = {
    "auroc": Metric("AUROC", True, 0.5),
    "auprc": Metric("AUPRC", True),
    "recall_fdr5": Metric("recall at 5 % FDR", True),
    "recall_fdr10": Metric("recall at 10 % FDR", True),
    "recall_fdr25": Metric("recall at 25 % FDR", True),
    "f1": Metric("F1", True, None, UNCHOSEN),
    "mcc": Metric("MCC", True, 0.0, UNCHOSEN),
    "ece": Metric("calibration error", False, None, "no labels, or scores that are no probabilities", True),
    "error": Metric("error", False, None, "no labels"),
    "accuracy": Metric("accuracy", True, None, "no labels"),
    "balanced_accuracy": Metric("balanced accuracy", True, None, "no labels"),
    "top_2": Metric("top-2 accuracy", True, None, "no labels, or two classes"),
    "class_error": Metric("error in the class", False, None, "no bin of the class"),
    "top_k": Metric("top-k accuracy", True),
    "pearson": Metric("Pearson r", True, 0.0, CONSTANT),
    "spearman": Metric("Spearman rho", True, 0.0, CONSTANT),
    "r2": Metric("R²", True, 0.0, CONSTANT),
    "mse": Metric("mean squared error", False, None, "no labels"),
    "jsd": Metric("JSD", False, None, "no bin with counts"),
    "jsd_uniform": Metric("JSD of a flat profile", False, None, "no bin with counts"),
    "jsd_average": Metric("JSD of the average profile", False, None, "no bin with counts"),
    "jsd_smoothed": Metric("JSD of the smoothed profile itself", False, None, "no bin with counts"),
    "count_pearson": Metric("Pearson r of log counts", True, 0.0, CONSTANT),
}


class KindMetrics(NamedTuple):
    """Which metrics labels of one kind have."""

    headline: str
    """The one by which models are ranked."""
    columns: tuple[str, ...]
    """Of every column of the predictions: a target, or a class of one."""
    targets: tuple[str, ...] = ()
    """Of every target with classes, over all of its classes."""
    shown: tuple[str, ...] = ()
    """In tables of models, in this order."""
    further: tuple[str, ...] = ()
    """In a second table of models, and in no table or figure of targets."""
    ranked: bool = False
    """Whether a column is a yes or no that scores rank, so that it has a prevalence and curves."""


DECIDED = ("recall_fdr5", "recall_fdr10", "recall_fdr25", "f1", "mcc", "ece")
PROFILE = ("jsd", "jsd_uniform", "jsd_average", "jsd_smoothed", "count_pearson")
KIND_METRICS: Mapping[str, KindMetrics] = {
    "binary": KindMetrics(
        "auprc", ("auroc", "auprc", *DECIDED), shown=("auroc", "auprc"), further=DECIDED, ranked=True
    ),
    "class": KindMetrics(
        "accuracy",
        ("auroc", "auprc", "class_error"),
        ("accuracy", "balanced_accuracy", "top_2", "ece"),
        shown=("accuracy", "balanced_accuracy", "auroc", "auprc"),
        further=("top_2", "ece"),
        ranked=True,
    ),
    "position_class": KindMetrics("auprc", ("auroc", "auprc", "top_k"), shown=("auroc", "auprc", "top_k"), ranked=True),
    "real": KindMetrics("pearson", ("pearson", "spearman", "r2", "mse"), shown=("pearson", "spearman", "r2", "mse")),
    "profile": KindMetrics("jsd", PROFILE, shown=PROFILE),
}
HEADLINES = {kind: metrics.headline for kind, metrics in KIND_METRICS.items()}


class Ranking(NamedTuple):
    """Counts of bins, in descending order of score, one row per score that a positive has and one column per block.

    All three have the shape (distinct scores of positives, blocks). ``total_negatives`` has the shape (blocks,).
    """

    positives: sparse.csr_array
    """Positives with exactly this score."""
    negatives: sparse.csr_array
    """Negatives with this score or more, and less than the score of the row before."""
    tied: sparse.csr_array
    """Negatives with exactly this score."""
    total_negatives: np.ndarray


class Scores(NamedTuple):
    """One value for each draw (or weighting); NaN where positives or negatives are absent."""

    auroc: np.ndarray
    auprc: np.ndarray


def rank(labels: np.ndarray, scores: np.ndarray, blocks: np.ndarray, count: int) -> Ranking:
    """Sort the bins of one target by score and count them by threshold and block.

    Parameters
    ----------
    labels
        1, 0, or -1 for a missing label, which is left out; shape (n,).
    scores
        Finite numbers, higher for likelier positives, shape (n,).
    blocks
        Block of each bin, in [0, count), shape (n,).
    count
        Number of blocks.
    """
    known = labels != MISSING
    positive, score, block = labels[known] == 1, scores[known], blocks[known]
    thresholds = np.unique(score[positive])[::-1]
    negative_score, negative_block = score[~positive], block[~positive]
    # The first threshold (in descending order) that is not above a score: those below every threshold get the row
    # ``len(thresholds)``, which no positive needs.
    row = len(thresholds) - np.searchsorted(thresholds[::-1], negative_score, side="right")
    inside = row < len(thresholds)
    row, row_score, row_block = row[inside], negative_score[inside], negative_block[inside]
    equal = thresholds[row] == row_score if len(thresholds) else np.zeros(0, bool)
    shape = (len(thresholds), count)
    positive_row = len(thresholds) - 1 - np.searchsorted(thresholds[::-1], score[positive])
    return Ranking(
        _count(positive_row, block[positive], shape),
        _count(row, row_block, shape),
        _count(row[equal], row_block[equal], shape),
        np.bincount(negative_block, minlength=count).astype(np.float64),
    )


def score(ranking: Ranking, weights: np.ndarray) -> Scores:
    """Compute both areas for one or many weightings of the blocks.

    AUROC is the probability that a positive scores above a negative, ties counting one half. AUPRC is average
    precision, the sum over thresholds of precision times the gain in recall, without interpolation, as
    ``sklearn.metrics.average_precision_score`` has it.

    Parameters
    ----------
    ranking
        Counts from :func:`rank`.
    weights
        Not negative, shape (blocks, draws).
    """
    draws = weights.shape[1]
    auroc, auprc = np.full(draws, np.nan), np.full(draws, np.nan)
    step = max(1, BATCH // max(1, ranking.positives.shape[0]))
    for first in range(0, draws, step):
        part = np.ascontiguousarray(weights[:, first : first + step], dtype=np.float64)
        gain = ranking.positives @ part
        true_positives = np.cumsum(gain, axis=0)
        false_positives = np.cumsum(ranking.negatives @ part, axis=0)
        negatives = ranking.total_negatives @ part
        positives = true_positives[-1] if len(gain) else np.zeros(part.shape[1])
        below = negatives - false_positives + 0.5 * (ranking.tied @ part)
        called = true_positives + false_positives
        precision = np.divide(true_positives, called, out=np.zeros_like(called), where=called > 0)
        defined = (positives > 0) & (negatives > 0)
        chosen = np.flatnonzero(defined)
        gain = gain[:, chosen]
        auroc[first + chosen] = (gain * below[:, chosen]).sum(axis=0) / (positives * negatives)[chosen]
        auprc[first + chosen] = (gain * precision[:, chosen]).sum(axis=0) / positives[chosen]
    return Scores(auroc, auprc)


def top_k(ranking: Ranking, weights: np.ndarray) -> np.ndarray:
    """Compute top-k accuracy for one or many weightings of the blocks.

    The share of positives among the ``k`` that score highest, where ``k`` is the number of positives (Jaganathan et al.
    2019, Cell 176:535): precision and recall at the threshold where both are equal. Where the threshold falls among
    equal scores, positives count in the proportion that they have there.

    Parameters
    ----------
    ranking
        Counts from :func:`rank`.
    weights
        Not negative, shape (blocks, draws).

    Returns
    -------
    numpy.ndarray
        Shape (draws,), NaN where positives or negatives are absent.
    """
    draws = weights.shape[1]
    found = np.full(draws, np.nan)
    if not ranking.positives.shape[0]:
        return found
    step = max(1, BATCH // ranking.positives.shape[0])
    for first in range(0, draws, step):
        part = np.ascontiguousarray(weights[:, first : first + step], dtype=np.float64)
        gain, passed, tied = ranking.positives @ part, ranking.negatives @ part, ranking.tied @ part
        true_positives = np.cumsum(gain, axis=0)
        called = true_positives + np.cumsum(passed, axis=0)
        wanted = true_positives[-1]
        row, draw = np.argmax(called >= wanted, axis=0), np.arange(part.shape[1])
        share = gain[row, draw] + tied[row, draw]
        room = np.clip(wanted - (called[row, draw] - share), 0, None)
        before = true_positives[row, draw] - gain[row, draw]
        taken = before + gain[row, draw] * np.divide(room, share, out=np.zeros_like(room), where=share > 0)
        defined = (wanted > 0) & (ranking.total_negatives @ part > 0)
        chosen = np.flatnonzero(defined)
        found[first + chosen] = taken[chosen] / wanted[chosen]
    return found


def recall_at_fdr(ranking: Ranking, weights: np.ndarray, rates: Sequence[float]) -> np.ndarray:
    """Compute the highest recall that a threshold reaches without more than a share of false calls.

    The largest share of positives that are called where at most the given share of all calls is false, over all
    thresholds; 0 where no threshold is that precise.

    Parameters
    ----------
    ranking
        Counts from :func:`rank`.
    weights
        Not negative, shape (blocks, draws).
    rates
        False discovery rates, in (0, 1).

    Returns
    -------
    numpy.ndarray
        Shape (rates, draws), NaN where positives or negatives are absent.
    """
    draws, thresholds = weights.shape[1], ranking.positives.shape[0]
    found = np.full((len(rates), draws), np.nan)
    if not thresholds:
        return found
    step = max(1, BATCH // thresholds)
    for first in range(0, draws, step):
        part = np.ascontiguousarray(weights[:, first : first + step], dtype=np.float64)
        true_positives = np.cumsum(ranking.positives @ part, axis=0)
        false_positives = np.cumsum(ranking.negatives @ part, axis=0)
        called, positives = true_positives + false_positives, true_positives[-1]
        defined = (positives > 0) & (ranking.total_negatives @ part > 0)
        chosen = np.flatnonzero(defined)
        for row, rate in enumerate(rates):
            kept = np.where(false_positives <= rate * called, true_positives, 0)[:, chosen]
            found[row, first + chosen] = kept.max(axis=0) / positives[chosen]
    return found


def auroc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the area under the ROC curve of one target, NaN without a positive and a negative.

    Parameters
    ----------
    labels
        1, 0, or -1 for a missing label, shape (n,).
    scores
        Shape (n,).
    weights
        Weight of each bin, shape (n,); 1 where not given.
    """
    return float(_score_bins(labels, scores, weights).auroc[0])


def auprc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the average precision of one target, NaN without a positive and a negative.

    Parameters are those of :func:`auroc`. The value that a random ranking gives is the prevalence.
    """
    return float(_score_bins(labels, scores, weights).auprc[0])


def prevalence(labels: np.ndarray) -> float:
    """Return the fraction of positives among the labels that are not missing, NaN where all are."""
    known = int((labels != MISSING).sum())
    return int((labels == 1).sum()) / known if known else float("nan")


def lift(auprc: float, prevalence: float) -> float:
    """Return how many times better than a random ranking an average precision is, NaN where undefined."""
    return auprc / prevalence if prevalence > 0 else float("nan")


def _score_bins(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None) -> Scores:
    """Score one target with a weight per bin."""
    if weights is None:
        return score(rank(labels, scores, np.zeros(len(labels), np.int64), 1), np.ones((1, 1)))
    return score(rank(labels, scores, np.arange(len(labels)), len(labels)), weights[:, np.newaxis])


def _count(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Count the occurrences of each (row, column)."""
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
