"""Losses on binary labels that know missing ones, and what all losses share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.instantiate import instantiate, trusted_object
from lociflow.training.labels import LabelStatistics, log_odds

TargetWeights = Mapping[str, float] | Sequence[float]


class MaskedLoss(nn.Module, ABC):
    """A mean over the known labels of a batch, in which targets may have weights.

    Parameters
    ----------
    labels
        Of the bins that are trained on.
    target_weights
        By target name (those that are not named have 1), or one for each target in order.

    Raises
    ------
    UserError
        A weight is negative, of no target, or they are not as many as the targets.
    """

    kinds: ClassVar[tuple[str, ...]] = ()
    """The kinds of labels that it is for."""
    target_weight: Tensor

    calibrated = False
    """Whether the loss is least at the probabilities of the sample that it is computed on: no kind of label weighs more
    than another."""

    def __init__(self, labels: LabelStatistics, target_weights: TargetWeights | None = None) -> None:
        super().__init__()
        weights = target_weight_list(labels.outputs.targets, target_weights)
        self.register_buffer("target_weight", torch.tensor(weights, dtype=torch.float32), persistent=False)

    def forward(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        outputs
            What the model gives: ``(batch, columns)``, or ``(batch, positions, columns)``.
        targets
            ``(batch, targets)``, or ``(batch, positions, targets)``; what is missing may be any number.
        mask
            ``bool``, the shape of ``targets``: False where missing.
        """
        known = self.known(mask)
        # In mixed precision the outputs have half of it: too little for a sum.
        each = self.each(outputs.float(), targets)
        return (torch.where(known > 0, each, 0) * known).sum() / known.sum().clamp(min=1)

    def known(self, mask: Tensor) -> Tensor:
        """Return the weight of each label: that of its target, 0 where missing; the shape of ``mask``."""
        return mask * self.target_weight

    @abstractmethod
    def each(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each label, the shape of ``targets``."""

    def count(self, mask: Tensor) -> Tensor:
        """Return the weight of the labels that :meth:`forward` is the mean of."""
        return self.known(mask).sum()

    @abstractmethod
    def first_outputs(self) -> np.ndarray:
        """Return the outputs without which no sequence says anything yet: ``float64``, shape ``(columns,)``."""

    @staticmethod
    def prediction(outputs: Tensor) -> Tensor:
        """Return what real-valued outputs mean, in the unit of the labels."""
        return outputs


def target_weight_list(names: Sequence[str], weights: TargetWeights | None) -> list[float]:
    """Return a weight for each target.

    Raises
    ------
    UserError
        See :class:`MaskedLoss`.
    """
    where = "training.loss.target_weights"
    if weights is None:
        return [1.0] * len(names)
    if isinstance(weights, Mapping):
        if unknown := sorted(set(weights) - set(names)):
            raise UserError(
                f"{where}: {unknown[0]} is no target, expected some of {', '.join(names[:10])}; correct the name"
            )
        found = [float(weights.get(name, 1.0)) for name in names]
    else:
        if len(weights) != len(names):
            raise UserError(f"{where}: found {len(weights)} weights, expected {len(names)}, one for each target")
        found = [float(weight) for weight in weights]
    if min(found, default=0.0) < 0 or not any(found):
        raise UserError(f"{where}: found {found}, expected numbers of at least 0 and not all 0; correct the weights")
    return found


class MaskedBinaryCrossEntropy(MaskedLoss):
    """Binary cross-entropy on logits, averaged over the known labels of a batch.

    With an exponent of 0 this is the plain loss, whose probabilities are calibrated to the natural prevalence; together
    with output biases that begin at the prior log odds it copes with rare positives without weighting, and ranking
    (AUROC, AUPRC) gains little from weights. A larger exponent weighs the positives of each target by
    ``(negatives / positives) ** exponent``, counted on the bins of an epoch: 1 balances both classes, which moves all
    probabilities up.

    Parameters
    ----------
    labels
        Of the bins that are trained on.
    imbalance_exponent
        From 0 (plain) to 1 (balanced).
    pos_weight
        Weight of the positives of every target; instead of an exponent.
    target_weights
        See :class:`MaskedLoss`.

    Raises
    ------
    UserError
        Both an exponent and a weight are given, or the weight is not above 0.
    """

    kinds = ("binary",)
    weight: Tensor

    def __init__(
        self,
        labels: LabelStatistics,
        imbalance_exponent: float = 0.0,
        pos_weight: float | None = None,
        target_weights: TargetWeights | None = None,
    ) -> None:
        super().__init__(labels, target_weights)
        if pos_weight is not None and (imbalance_exponent or pos_weight <= 0):
            raise UserError(
                f"training.loss.pos_weight: found {pos_weight} with imbalance_exponent {imbalance_exponent}, expected "
                "a number above 0 and no exponent; leave one of the two out"
            )
        ratio = np.maximum(labels.negatives, 1) / np.maximum(labels.positives, 1)
        weight = ratio**imbalance_exponent if pos_weight is None else np.full(len(ratio), pos_weight)
        self.register_buffer("weight", torch.from_numpy(weight).float(), persistent=False)
        self.calibrated = bool((weight == 1).all())
        self.start = log_odds(labels)

    def each(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of each label."""
        return binary_cross_entropy(outputs, targets, self.weight)

    def first_outputs(self) -> np.ndarray:
        """Return each target's log odds."""
        return self.start


class Focal(MaskedLoss):
    """Focal loss (Lin et al. 2017, arXiv:1708.02002): what is already right weighs little.

    The cross-entropy of a label whose probability is p is multiplied by ``(1 - p) ** gamma``, and by ``alpha`` where it
    is positive and ``1 - alpha`` where it is negative. The paper divides by the number of objects, here it is the mean
    over the known labels. Probabilities are no longer calibrated.

    Parameters
    ----------
    labels
        Of the bins that are trained on.
    gamma
        At least 0, where it is the plain cross-entropy; 2 in the paper.
    alpha
        Between 0 and 1, 0.25 in the paper; None: both kinds of labels weigh 1.
    target_weights
        See :class:`MaskedLoss`.

    Raises
    ------
    UserError
        ``gamma`` is negative or ``alpha`` not between 0 and 1.
    """

    kinds = ("binary",)

    def __init__(
        self,
        labels: LabelStatistics,
        gamma: float = 2.0,
        alpha: float | None = 0.25,
        target_weights: TargetWeights | None = None,
    ) -> None:
        super().__init__(labels, target_weights)
        if gamma < 0 or (alpha is not None and not 0 < alpha < 1):
            raise UserError(
                f"training.loss: found gamma {gamma} and alpha {alpha}, expected gamma of at least 0 and alpha between "
                "0 and 1 or null"
            )
        self.gamma = gamma
        self.alpha = alpha
        self.start = log_odds(labels)

    def each(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the focal loss of each label."""
        sign = (targets > 0).to(outputs.dtype) * 2 - 1
        # log p and 1 - p from the signed logit: exact also where p is all but 1.
        found = -nn.functional.logsigmoid(sign * outputs) * torch.sigmoid(-sign * outputs) ** self.gamma
        return found if self.alpha is None else found * torch.where(targets > 0, self.alpha, 1 - self.alpha)

    def first_outputs(self) -> np.ndarray:
        """Return each target's log odds."""
        return self.start


class ClassBalanced(MaskedLoss):
    """Binary cross-entropy weighted by effective numbers of samples (Cui et al. 2019, arXiv:1901.05555).

    Each kind of a target's labels weighs ``(1 - beta) / (1 - beta ** n)`` with n of them in an epoch, scaled
    so that the weights of both kinds add up to 2.

    Parameters
    ----------
    labels
        Of the bins that are trained on.
    beta
        From 0 (plain) to below 1 (towards inverse frequency).
    target_weights
        See :class:`MaskedLoss`.

    Raises
    ------
    UserError
        ``beta`` is out of range.
    """

    kinds = ("binary",)
    weights: Tensor

    def __init__(
        self, labels: LabelStatistics, beta: float = 0.999, target_weights: TargetWeights | None = None
    ) -> None:
        super().__init__(labels, target_weights)
        each = effective_weights(np.stack([labels.negatives, labels.positives]), beta)
        self.register_buffer("weights", torch.from_numpy(2 * each / each.sum(axis=0)).float(), persistent=False)
        self.start = log_odds(labels)

    def each(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the weighted cross-entropy of each label."""
        negative, positive = self.weights
        return binary_cross_entropy(outputs, targets) * torch.where(targets > 0, positive, negative)

    def first_outputs(self) -> np.ndarray:
        """Return each target's log odds."""
        return self.start


def binary_cross_entropy(logits: Tensor, targets: Tensor, pos_weight: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of each label, which is positive where above 0."""
    return nn.functional.binary_cross_entropy_with_logits(
        logits, (targets > 0).to(logits.dtype), pos_weight=pos_weight, reduction="none"
    )


def effective_weights(counts: np.ndarray, beta: float) -> np.ndarray:
    """Return ``(1 - beta) / (1 - beta ** n)`` for each number of samples n, 0 counting as 1.

    Raises
    ------
    UserError
        ``beta`` is not from 0 to below 1.
    """
    if not 0 <= beta < 1:
        raise UserError(f"training.loss.beta: found {beta}, expected a number from 0 to below 1")
    return (1 - beta) / (1 - beta ** np.maximum(counts, 1).astype(np.float64))


def make_loss(recipe: Mapping[str, Any], statistics: LabelStatistics) -> MaskedLoss:
    """Build the loss that a recipe names.

    Parameters
    ----------
    recipe
        The configuration's ``training``.
    statistics
        Of the labels of an epoch.

    Raises
    ------
    UserError
        It is for other kinds of labels, or its arguments do not fit.
    """
    target = recipe["loss"]["_target_"]
    check_kinds(target, getattr(trusted_object(target), "kinds", ()), statistics.outputs.kind)
    found: MaskedLoss = instantiate(recipe["loss"], labels=statistics)
    return found


def check_kinds(target: str, kinds: Sequence[str], kind: str) -> None:
    """Refuse a loss that is for other labels.

    Raises
    ------
    UserError
        See above.
    """
    if kind not in kinds:
        expected = f"one for {kind} labels"
        raise UserError(
            f"training.loss: found {target}, which is for {' or '.join(kinds) or 'no'} labels, expected {expected}; "
            "set training.loss to null for the kind's own"
        )
