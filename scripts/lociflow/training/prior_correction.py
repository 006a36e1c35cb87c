"""A line on a model's logits by which its probabilities become those of the natural prevalence.

A classifier that has seen all positives and each negative with probability r learns the odds of that sample, which are
1 / r times those of the whole. Where every negative of a target had the same chance to be seen, whatever its sequence,
the correction is exact, r times the odds (King & Zeng 2001, Political Analysis 9:137): that is the ``offsets`` of a
:class:`lociflow.data.balancing.Balance`. It is not where negatives were matched, where rows were drawn for several
targets at once, or where a loss weighs positives: there slope and intercept of the logits are fitted anew on the
validation bins, which have the natural prevalence (Platt 1999). :func:`lociflow.training.calibrate.correct_prior` tells
one from the other. From the natural prevalence to one that is stated the odds change in proportion, which is exact
where the sequences of each kind are alike in both (Saerens et al. 2002, Neural Computation 14:21).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lociflow.command import UserError
from lociflow.models.outputs import Outputs

# Newton's method on a convex function of two variables: a handful of steps is enough.
STEPS = 50
TOLERANCE = 1e-10
# Standard deviation of the slope before any label is seen; with hundreds of positives it no longer counts.
SLOPE_SPREAD = 0.5
# Of the intercept there is only as much of it as makes a solution certain.
INTERCEPT_RIDGE = 1e-3
# Shares of classes are typed with a few digits.
SUM_TOLERANCE = 1e-3


class Calibration(NamedTuple):
    """A line on the logits of each target."""

    slope: np.ndarray
    """``float64``, shape ``(targets,)``, above 0: the order of the bins stays."""
    intercept: np.ndarray
    """``float64``, shape ``(targets,)``."""


def stated_logarithms(stated: float | Mapping[str, float], outputs: Outputs) -> np.ndarray:
    """Return the log odds of each binary target, or the log share of each class, at a stated prevalence.

    Parameters
    ----------
    stated
        Share of positive bins, above 0 and below 1: one for all targets, or by target. Of classes the shares by class,
        which sum to 1.
    outputs
        What the model is asked for; classes of one target only.

    Returns
    -------
    np.ndarray
        ``float64``, shape ``(columns,)``; nan for a target that is not named.

    Raises
    ------
    UserError
        A target or class does not exist, a share is not one, or those of the classes do not sum to 1.
    """
    where = "training.prevalence"
    if outputs.classes and len(outputs.classes) > 1:
        raise UserError(f"{where}: found {len(outputs.classes)} targets with classes, expected one; set it to null")
    names = outputs.classes[0] if outputs.classes else outputs.targets
    shares = stated if isinstance(stated, Mapping) else dict.fromkeys(names, stated)
    if unknown := [name for name in shares if name not in names]:
        raise UserError(f"{where}: found {unknown[0]!r}, expected names out of {', '.join(names)}")
    for name, share in shares.items():
        if not 0 < share < 1:
            raise UserError(f"{where}: found {share} for {name}, expected a share above 0 and below 1")
    found = np.array([shares.get(name, np.nan) for name in names], dtype=np.float64)
    if not outputs.classes:
        odds: np.ndarray = np.log(found) - np.log1p(-found)
        return odds
    if not abs(found.sum() - 1) < SUM_TOLERANCE:
        raise UserError(f"{where}: found {stated}, expected a share for each of {', '.join(names)}, which sum to 1")
    logarithms: np.ndarray = np.log(found)
    return logarithms


def fit_calibration(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """Fit slope and intercept of each target's logits on bins of the natural prevalence.

    Maximises the likelihood, with the slope drawn towards 1 as if it were known to be that give or take
    :data:`SLOPE_SPREAD`: a handful of positives that are told apart make no certainty. The intercept is as good as
    free, so that the mean probability is the prevalence. A target without positives or without negatives keeps slope 1
    and intercept 0. A slope that would turn the order round is held at a small positive number.

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
    ridge = np.array([1 / (SLOPE_SPREAD * scale) ** 2, INTERCEPT_RIDGE])
    found = prior.copy()
    loss = _loss(found, design, truth, prior, ridge)
    for _ in range(STEPS):
        probability = (1 + np.tanh(found @ design / 2)) / 2
        gradient = design @ (probability - truth) + ridge * (found - prior)
        curvature = (design * (probability * (1 - probability))) @ design.T + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        # Newton's step may overshoot where probabilities are near 0 or 1: it is halved until the loss falls.
        for _ in range(STEPS):
            tried = found - step
            lower = _loss(tried, design, truth, prior, ridge)
            if lower <= loss:
                break
            step /= 2
        found, gain, loss = tried, loss - lower, lower
        if gain < TOLERANCE:
            break
    slope = max(float(found[0]) / scale, 1e-6)
    return slope, float(found[1]) - slope * mean


def _loss(found: np.ndarray, design: np.ndarray, truth: np.ndarray, prior: np.ndarray, ridge: np.ndarray) -> float:
    logits = found @ design
    return float((np.logaddexp(0, logits) - truth * logits).sum() + (ridge * (found - prior) ** 2).sum() / 2)
