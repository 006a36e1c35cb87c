"""How well a few features predict the labels: linear models, their scores on the test set, and intervals."""

from typing import NamedTuple

import numpy as np

from lociflow.evaluation.intervals import draw_blocks
from lociflow.evaluation.logistic import fit_path, predict_logits, whiten_basis
from lociflow.evaluation.metrics import MISSING, rank, score

DRAWS = 200
LEVEL = 0.95
STRENGTH = 1.0
# Labels (rows times outcomes) that a fit takes.
MOST_LABELS = 4_000_000
# Fewer known labels in training teach nothing.
LEAST_KNOWN = 10


class Scores(NamedTuple):
    """Scores of one property on the test set, an entry an outcome; NaN where undefined."""

    value: np.ndarray
    """AUROC, or Pearson's correlation of real labels."""
    second: np.ndarray
    """AUPRC, or R² of real labels."""
    low: np.ndarray
    """Lower end of the 95 % interval of ``value``, by the block bootstrap."""
    high: np.ndarray


def standardised(train: np.ndarray, test: np.ndarray, squares: bool) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale features by the training rows, with their squares where asked for (extremes at both ends)."""
    centre, spread = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 1e-12, 1 / np.maximum(spread, 1e-12), 0)
    # A test value far outside of what was seen says no more than the most extreme one that was seen.
    found = [np.clip((part - centre) * scale, -8, 8).astype(np.float32) for part in (train, test)]
    if squares:
        middle = (found[0] ** 2).mean(axis=0)
        found = [np.concatenate([part, part**2 - middle], axis=1) for part in found]
    return found[0], found[1]


def fit_binary(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Fit a logistic regression per outcome; return the test rows' log odds, shape (test rows, outcomes)."""
    eigenvalues, rotation = whiten_basis(train)
    weights = fit_path(train @ rotation, eigenvalues, labels, [STRENGTH])[0]
    return predict_logits(test @ rotation, weights)


def fit_real(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Fit a ridge regression per outcome on its known labels; return the test rows' predictions."""
    predicted = np.full((len(test), labels.shape[1]), np.nan)
    for outcome in range(labels.shape[1]):
        known = ~np.isnan(labels[:, outcome])
        if known.sum() < LEAST_KNOWN:
            continue
        x, y = train[known].astype(np.float64), labels[known, outcome].astype(np.float64)
        centre = x.mean(axis=0)
        gram = (x - centre).T @ (x - centre) + STRENGTH * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, (x - centre).T @ (y - y.mean()))
        predicted[:, outcome] = (test - centre) @ weights + y.mean()
    return predicted


def score_binary(labels: np.ndarray, predicted: np.ndarray, blocks: np.ndarray, seed: int, most: int = 10) -> Scores:
    """Score log odds against labels; only the ``most`` best outcomes get an interval, which costs the most."""
    count = int(blocks.max()) + 1 if len(blocks) else 1
    outcomes = labels.shape[1]
    value, second, low, high = (np.full(outcomes, np.nan) for _ in range(4))
    one, whole = np.zeros(len(labels), np.int64), np.ones((1, 1))
    for outcome in range(outcomes):
        found = score(rank(labels[:, outcome], predicted[:, outcome], one, 1), whole)
        value[outcome], second[outcome] = found.auroc[0], found.auprc[0]
    drawn = draw_blocks(count, DRAWS, seed)
    for outcome in np.argsort(-np.nan_to_num(value, nan=-1.0), kind="stable")[:most]:
        if np.isnan(value[outcome]):
            continue
        again = score(rank(labels[:, outcome], predicted[:, outcome], blocks, count), drawn).auroc
        low[outcome], high[outcome] = _ends(again)
    return Scores(value, second, low, high)


def score_real(labels: np.ndarray, predicted: np.ndarray, blocks: np.ndarray, seed: int) -> Scores:
    """Correlate predictions with labels, and give R², the share of the variance that is explained."""
    count = int(blocks.max()) + 1 if len(blocks) else 1
    drawn = draw_blocks(count, DRAWS, seed)
    outcomes = labels.shape[1]
    value, second, low, high = (np.full(outcomes, np.nan) for _ in range(4))
    for outcome in range(outcomes):
        known = ~np.isnan(labels[:, outcome]) & ~np.isnan(predicted[:, outcome])
        y, p = labels[known, outcome].astype(np.float64), predicted[known, outcome]
        if len(y) < LEAST_KNOWN or _constant(y) or _constant(p):
            continue
        second[outcome] = 1 - ((y - p) ** 2).mean() / y.var()
        y, p = (y - y.mean()) / y.std(), (p - p.mean()) / p.std()
        sums = np.stack(
            [np.bincount(blocks[known], part, count) for part in (np.ones(len(y)), y, p, y * y, p * p, y * p)]
        )
        value[outcome] = (y * p).mean()
        n, sy, sp, syy, spp, syp = sums @ drawn
        with np.errstate(divide="ignore", invalid="ignore"):
            again = (n * syp - sy * sp) / np.sqrt((n * syy - sy**2) * (n * spp - sp**2))
        low[outcome], high[outcome] = _ends(again)
    return Scores(value, second, low, high)


def _constant(values: np.ndarray) -> bool:
    # The mean of equal numbers can differ from them in the last digit, and so their deviation from nothing.
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def _ends(values: np.ndarray) -> tuple[float, float]:
    defined = values[~np.isnan(values)]
    if len(defined) * 2 <= len(values):
        return np.nan, np.nan
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def prevalences(labels: np.ndarray) -> np.ndarray:
    """Return the share of positives among the known labels of each outcome; NaN without a known one."""
    known = (labels != MISSING).sum(axis=0)
    return np.divide((labels == 1).sum(axis=0), known, out=np.full(labels.shape[1], np.nan), where=known > 0)
