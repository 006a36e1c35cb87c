"""L2-regularised logistic regression of many targets on the same features, all targets at once.

The solution is the one of ``sklearn.linear_model.LogisticRegression`` (its ``C``, its unpenalised intercept). What is
gained is time: the products of the feature matrix with all targets' weights are one matrix product, and the targets
share one preconditioner, because every target's Hessian at its base rate is a multiple of the same covariance. In the
eigenvectors of that covariance it is diagonal, and limited-memory BFGS (Nocedal & Wright 2006, algorithm 7.4), run for
each target by itself, needs some ten steps.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

ROWS = 4096
MEMORY = 8
ARMIJO = 1e-4


def whiten_basis(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors of the features' covariance.

    Parameters
    ----------
    features
        Centred, float32, shape (n, features).

    Returns
    -------
    tuple of numpy.ndarray
        float64 of shape (features,) and float32 of shape (features, features), a column each.
    """
    covariance = np.zeros((features.shape[1],) * 2)
    for rows in batches(len(features)):
        covariance += features[rows].T @ features[rows]
    values, vectors = np.linalg.eigh(covariance / max(1, len(features)))
    return np.maximum(values, 0.0), vectors.astype(np.float32)


def batches(count: int, size: int = ROWS) -> list[slice]:
    """Cut ``count`` rows into slices of at most ``size``."""
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]


def fit_path(
    features: np.ndarray,
    eigenvalues: np.ndarray,
    labels: np.ndarray,
    regularisation: Sequence[float],
    tolerance: float = 1e-6,
    max_steps: int = 200,
) -> list[np.ndarray]:
    """Fit every target for each of several strengths of regularisation, each starting from the one before.

    Minimises, for each target, ``C`` times the sum of the log losses of its labelled rows plus half the squared norm
    of its weights; the intercept is free.

    Parameters
    ----------
    features
        float32, shape (n, p), centred and rotated to the eigenvectors of its covariance.
    eigenvalues
        Variance of each column of ``features``, shape (p,).
    labels
        int8, shape (n, targets): 1, 0 or -1 for missing.
    regularisation
        Values of ``C``; ascending order is the quick one.
    tolerance
        A target is done when its next step would lower the objective by less than this fraction of the objective of
        the base rate alone.
    max_steps
        Steps for one value of ``C``.

    Returns
    -------
    list of numpy.ndarray
        For each ``C`` float64 of shape (p + 1, targets), the intercept last. A target without a positive or without a
        negative has zero weights and its base rate (with half a count added to each class) as intercept.
    """
    known = (labels >= 0).sum(axis=0).astype(np.float64)
    positives = (labels == 1).sum(axis=0).astype(np.float64)
    rate = (positives + 0.5) / (known + 1.0)
    weights = np.zeros((features.shape[1] + 1, labels.shape[1]))
    weights[-1] = np.log(rate / (1 - rate))
    base_loss = -(positives * np.log(rate) + (known - positives) * np.log1p(-rate))
    fitted = np.flatnonzero((positives > 0) & (positives < known))
    path = []
    for strength in regularisation:
        # Everything is divided by C, so that the loss keeps its scale along the path.
        penalty = np.append(np.full(features.shape[1], 1.0 / strength), 0.0)
        curvature = np.append(eigenvalues, 1.0)[:, np.newaxis] * (known * rate * (1 - rate))
        preconditioner = 1.0 / (curvature + penalty[:, np.newaxis])
        weights = weights.copy()
        weights[:, fitted] = _minimise(
            features,
            np.ascontiguousarray(labels[:, fitted]),
            weights[:, fitted],
            penalty,
            preconditioner[:, fitted],
            tolerance * base_loss[fitted],
            max_steps,
        )
        path.append(weights)
    return path


def predict_logits(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return float32 log odds, shape (n, targets), for weights whose last row is the intercept."""
    return features @ weights[:-1].astype(np.float32) + weights[-1].astype(np.float32)


def _minimise(
    features: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    penalty: np.ndarray,
    preconditioner: np.ndarray,
    tolerance: np.ndarray,
    max_steps: int,
) -> np.ndarray:
    """Run preconditioned L-BFGS on every target, and leave a target out once it has converged."""
    weights = weights.copy()
    logits = predict_logits(features, weights)
    loss, gradient = _loss_and_gradient(features, labels, logits, weights, penalty)
    history: list[tuple[np.ndarray, np.ndarray]] = []
    result = weights.copy()
    active = np.arange(weights.shape[1])
    for _ in range(max_steps):
        direction = -_apply_inverse_hessian(gradient, history, preconditioner)
        slope = (direction * gradient).sum(axis=0)
        going = -slope / 2 > tolerance
        if not going.all():
            result[:, active[~going]] = weights[:, ~going]
            active, direction, slope = active[going], direction[:, going], slope[going]
            if not len(active):
                return result
            weights, gradient, loss = weights[:, going], gradient[:, going], loss[going]
            preconditioner, tolerance = preconditioner[:, going], tolerance[going]
            labels, logits = np.ascontiguousarray(labels[:, going]), np.ascontiguousarray(logits[:, going])
            history = [(step[:, going], change[:, going]) for step, change in history]
        along = predict_logits(features, direction)
        length = _step_lengths(labels, logits, along, weights, direction, penalty, loss, slope)
        step = direction * length
        logits += along * length.astype(np.float32)
        weights = weights + step
        loss, new_gradient = _loss_and_gradient(features, labels, logits, weights, penalty)
        history = [*history[1 - MEMORY :], (step, new_gradient - gradient)]
        gradient = new_gradient
    result[:, active] = weights
    return result


def _apply_inverse_hessian(
    gradient: np.ndarray, history: list[tuple[np.ndarray, np.ndarray]], preconditioner: np.ndarray
) -> np.ndarray:
    """Multiply each target's gradient by its estimate of the inverse Hessian (the two-loop recursion)."""
    vector = gradient.copy()
    kept = []
    for step, change in reversed(history):
        product = (step * change).sum(axis=0)
        # A step of length 0 teaches nothing; its curvature is 0 and its share is left out.
        inverse = np.divide(1.0, product, out=np.zeros_like(product), where=product > 0)
        share = inverse * (step * vector).sum(axis=0)
        vector -= share * change
        kept.append((step, change, inverse, share))
    if history:
        step, change = history[-1]
        product, norm = (step * change).sum(axis=0), (change * preconditioner * change).sum(axis=0)
        vector *= np.where(product > 0, product / np.maximum(norm, 1e-300), 1.0)
    vector *= preconditioner
    for step, change, inverse, share in reversed(kept):
        vector += (share - inverse * (change * vector).sum(axis=0)) * step
    return vector


def _loss_and_gradient(
    features: np.ndarray, labels: np.ndarray, logits: np.ndarray, weights: np.ndarray, penalty: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each target's objective (divided by C) and its gradient."""
    loss = 0.5 * (penalty[:, np.newaxis] * weights**2).sum(axis=0)
    gradient = penalty[:, np.newaxis] * weights
    for rows in batches(len(features)):
        loss += _log_loss(labels[rows], logits[rows])
        residual = np.where(labels[rows] < 0, np.float32(0), expit(logits[rows]) - labels[rows])
        gradient[:-1] += features[rows].T @ residual
        gradient[-1] += residual.sum(axis=0, dtype=np.float64)
    return loss, gradient


def _log_loss(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return the sum over labelled rows of the log loss of each target."""
    softplus = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    return np.where(labels < 0, np.float32(0), softplus - labels * logits).sum(axis=0, dtype=np.float64)


def _step_lengths(
    labels: np.ndarray,
    logits: np.ndarray,
    along: np.ndarray,
    weights: np.ndarray,
    direction: np.ndarray,
    penalty: np.ndarray,
    loss: np.ndarray,
    slope: np.ndarray,
) -> np.ndarray:
    """Halve each target's step until its objective has dropped enough (Armijo's rule)."""
    length = np.ones(len(loss))
    waiting = np.arange(len(loss))
    for _ in range(20):
        tried = weights[:, waiting] + direction[:, waiting] * length[waiting]
        value = 0.5 * (penalty[:, np.newaxis] * tried**2).sum(axis=0)
        scale = length[waiting].astype(np.float32)
        for rows in batches(len(logits)):
            value += _log_loss(labels[rows][:, waiting], logits[rows][:, waiting] + along[rows][:, waiting] * scale)
        # float32 logits: a rise below their rounding is no rise.
        bound = loss[waiting] + ARMIJO * length[waiting] * slope[waiting] + 1e-7 * np.abs(loss[waiting])
        waiting = waiting[value > bound]
        if not len(waiting):
            return length
        length[waiting] /= 2
    length[waiting] = 0.0
    return length
