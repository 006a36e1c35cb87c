"""A line on a model's logits by which its probabilities become those of the natural prevalence.

A classifier that has seen all positives and each negative with probability r learns the odds of that sample, which are
1 / r times those of the whole. Where every negative of a target had the same chance to be seen, whatever its sequence,
the correction is exact, r times the odds (King & Zeng 2001, Political Analysis 9:137): that is the ``offsets`` of a
:class:`lociflow.data.balancing.Balance`. It is not where negatives were matched, where rows were drawn for several
targets at once, or where a loss weighs positives: there slope and intercept of the logits are fitted anew on the
validation bins, which have the natural prevalence (Platt 1999). :func:`lociflow.training.calibrate.correct_prior` tells
one from the other.
"""

from typing import NamedTuple

import numpy as np

# Newton's method on a convex function of two variables: a handful of steps is enough.
STEPS = 50
TOLERANCE = 1e-10
# Strength of the pull towards the model's own logits; it decides only where labels are separable or very few.
RIDGE = 1e-3


class Calibration(NamedTuple):
    """A line on the logits of each target."""

    slope: np.ndarray
    """``float64``, shape ``(targets,)``, above 0: the order of the bins stays."""
    intercept: np.ndarray
    """``float64``, shape ``(targets,)``."""


def fit_calibration(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """Fit slope and intercept of each target's logits on bins of the natural prevalence.

    Maximises the likelihood with a slight pull towards slope 1 and the intercept that gives the prevalence; a target
    without positives or without negatives keeps slope 1 and intercept 0. A slope that would turn the order round is
    held at a small positive number.

    Parameters
    ----------
    logits
        Finite, shape ``(bins, targets)``.
    labels
        ``int8``, same shape: 1, 0, or -1 where missing.
    """
    slope, intercept = np.ones(logits.shape[1]), np.zeros(logits.shape[1])
    for target in range(logits.shape[1]):
        known = labels[:, target] >= 0
        truth = (labels[known, target] == 1).astype(np.float64)
        if 0 < truth.sum() < len(truth):
            slope[target], intercept[target] = _fit(logits[known, target].astype(np.float64), truth)
    return Calibration(slope, intercept)


def _fit(logits: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    # On standardised logits, so that the pull means the same for every model; a constant has no slope to fit.
    mean, spread = float(logits.mean()), float(logits.std())
    scale = spread if spread > 0 else 1.0
    design = np.stack([(logits - mean) / scale, np.ones(len(logits))])
    prior = np.array([scale, np.log(truth.mean()) - np.log1p(-truth.mean())])
    found = prior.copy()
    loss = _loss(found, design, truth, prior)
    for _ in range(STEPS):
        probability = (1 + np.tanh(found @ design / 2)) / 2
        gradient = design @ (probability - truth) + RIDGE * (found - prior)
        curvature = (design * (probability * (1 - probability))) @ design.T + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        # Newton's step may overshoot where probabilities are near 0 or 1: it is halved until the loss falls.
        for _ in range(STEPS):
            tried = found - step
            lower = _loss(tried, design, truth, prior)
            if lower <= loss:
                break
            step /= 2
        found, gain, loss = tried, loss - lower, lower
        if gain < TOLERANCE:
            break
    slope = max(float(found[0]) / scale, 1e-6)
    return slope, float(found[1]) - slope * mean


def _loss(found: np.ndarray, design: np.ndarray, truth: np.ndarray, prior: np.ndarray) -> float:
    logits = found @ design
    return float((np.logaddexp(0, logits) - truth * logits).sum() + RIDGE / 2 * ((found - prior) ** 2).sum())
