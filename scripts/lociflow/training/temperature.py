"""Temperature scaling: one number by which a model's logits are divided, so that it is as sure as it is right.

Networks that were trained to a low loss are often surer than they are right; one temperature for each target, fitted on
the validation bins, mends most of that and leaves every ranking and every called class as they are (Guo et al. 2017,
ICML, arXiv:1706.04599).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import Tensor
from torch.utils.data import DataLoader

from lociflow.command import status
from lociflow.data.dataset import Sample
from lociflow.models.outputs import Outputs
from lociflow.training.module import TrainingModule
from lociflow.training.prior_correction import Calibration
from lociflow.training.spool import Spool
from lociflow.training.validation_logits import spool_logits

# Of the logarithm of the slope, which is 1 over the temperature: beyond it the validation bins say nothing.
WIDEST = 4.0


def scale_temperature(
    module: TrainingModule,
    weights: Mapping[str, Tensor],
    validation: DataLoader[Sample],
    outputs: Outputs,
    device: torch.device,
    folder: Path,
) -> Calibration:
    """Fit the temperature of each target on the validation bins.

    Parameters
    ----------
    module
        Of the training.
    weights
        That were kept; the model has them afterwards.
    validation
        Loader of the validation bins.
    outputs
        What the model is asked for: binary labels or classes.
    device
        On which the validation bins are predicted.
    folder
        For a scratch file.
    """
    status("fitting the temperature on the validation bins")
    slopes = np.ones(len(outputs.columns))
    with Spool(folder) as spool:
        spool_logits(spool, module, weights, validation, outputs, device)
        columns = spool.columns()
        for group in outputs.groups:
            found = [next(columns) for _ in range(group.start, group.stop)]
            label = found[0][1]
            slopes[group] = fit_slope(np.stack([column for column, _ in found], axis=1)[label >= 0], label[label >= 0])
    starts = zip(outputs.targets, outputs.groups, strict=True)
    told = ", ".join(f"{name} {1 / slopes[group.start]:.2f}" for name, group in starts)
    status(f"temperature: {told}" if len(outputs.targets) <= 10 else f"temperature: median {np.median(1 / slopes):.2f}")
    return Calibration(slopes, np.zeros(len(slopes)))


def fit_slope(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the factor on the logits that makes labels likeliest, 1 over the temperature.

    Parameters
    ----------
    logits
        Of one binary target, shape (n, 1), or of the classes of one target, shape (n, classes).
    labels
        1 or 0, or the class, shape (n,).

    Returns
    -------
    float
        Between exp(-4) and exp(4); 1 where all labels are alike, or nothing tells.
    """
    if not len(labels) or (labels == labels[0]).all():
        return 1.0
    # A logit is the difference to that of the other class, whose is 0.
    both = np.hstack([np.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits
    both = both.astype(np.float64)
    rows = np.arange(len(labels))

    def loss(logarithm: float) -> float:
        return float(-log_softmax(np.exp(logarithm) * both, axis=1)[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0
