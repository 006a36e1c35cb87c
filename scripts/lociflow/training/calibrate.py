"""The correction of a trained model's probabilities to the natural prevalence, or to one that is stated."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lociflow.command import UserError, status
from lociflow.data.balancing import Balance
from lociflow.data.dataset import Sample
from lociflow.models.outputs import Outputs
from lociflow.training.labels import LabelStatistics, log_odds, log_shares
from lociflow.training.module import TrainingModule
from lociflow.training.prior_correction import Calibration, fit_calibration
from lociflow.training.spool import Spool
from lociflow.training.validation_logits import spool_logits


def correct_prior(
    module: TrainingModule,
    weights: Mapping[str, Tensor],
    validation: DataLoader[Sample],
    balance: Balance | None,
    statistics: LabelStatistics,
    stated: np.ndarray | None,
    device: torch.device,
    folder: Path,
) -> Calibration:
    """Return slope and intercept of each output: those of the balance where they are exact, else fitted.

    They are exact for a loss that weighs all labels alike; one that does not moves the odds by itself. The natural
    prevalence is that of the training split where they are exact, else that of the validation split.

    Parameters
    ----------
    module
        Of the training.
    weights
        That were kept; the model has them afterwards.
    validation
        Loader of the validation bins.
    balance
        Of the epochs; None: they had all bins.
    statistics
        Of the labels of all training bins.
    stated
        Log odds or log shares of the columns at the prevalence that is asked for, as
        :func:`lociflow.training.prior_correction.stated_logarithms` gives them; None or nan: the natural one.
    device
        On which the validation bins are predicted.
    folder
        For a scratch file.

    Raises
    ------
    UserError
        The model says classes, and no balance tells their correction.
    """
    outputs = statistics.outputs
    criterion = getattr(module.objective, "criterion", None)
    exact_at_all = balance is not None and getattr(criterion, "calibrated", False)
    offsets = balance.offsets if balance and exact_at_all else np.full(len(outputs.columns), np.nan)
    if not np.isnan(offsets).any():
        natural = log_shares(statistics) if outputs.classes else log_odds(statistics)
        return Calibration(np.ones(len(offsets)), offsets + _shift(stated, natural))
    if outputs.classes:
        raise UserError(
            "training.correct_prior: found classes of which the balance tells no exact correction, expected "
            "training.balance to name lociflow.data.balancing.ClassesAlike for a data set with one target; set "
            "training.correct_prior to false"
        )
    status("fitting probabilities on the validation bins")
    fitted, natural = _fit(module, weights, validation, outputs, device, folder)
    exact = ~np.isnan(offsets)
    if untold := [
        name for name, odds, known in zip(outputs.targets, natural, exact, strict=True) if np.isnan(odds) and not known
    ]:
        status(
            f"probabilities of {', '.join(untold)} stay as they are: without positive or without negative validation "
            "bins nothing tells their correction"
        )
    natural = np.where(exact | np.isnan(natural), log_odds(statistics), natural)
    intercept = np.where(exact, offsets, fitted.intercept) + _shift(stated, natural)
    return Calibration(np.where(exact, 1.0, fitted.slope), intercept)


def _shift(stated: np.ndarray | None, natural: np.ndarray) -> np.ndarray:
    return np.zeros_like(natural) if stated is None else np.nan_to_num(stated - natural)


def _fit(
    module: TrainingModule,
    weights: Mapping[str, Tensor],
    validation: DataLoader[Sample],
    outputs: Outputs,
    device: torch.device,
    folder: Path,
) -> tuple[Calibration, np.ndarray]:
    """Fit slope and intercept of each target's logits on the validation bins, one target in memory at a time.

    Their log odds there come with them, nan for a target whose labels there are all of one kind.
    """
    found: list[Calibration] = []
    natural: list[float] = []
    with Spool(folder) as spool:
        spool_logits(spool, module, weights, validation, outputs, device)
        for column in spool.columns():
            logits_of_one, labels_of_one = column
            found.append(fit_calibration(logits_of_one[:, None], labels_of_one[:, None]))
            positives, negatives = ((labels_of_one == value).sum() for value in (1, 0))
            natural.append(np.log(positives / negatives) if positives and negatives else np.nan)
    return Calibration(*(np.concatenate(parts) for parts in zip(*found, strict=True))), np.array(natural)
