"""Losses on classes, of bins or of bases."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.training.labels import LabelStatistics, log_shares
from lociflow.training.losses import MaskedLoss, TargetWeights, effective_weights


class CrossEntropy(MaskedLoss):
    """Cross-entropy over each target's classes, averaged over the known labels of a batch.

    Parameters
    ----------
    labels
        Of the bins that are trained on.
    label_smoothing
        Share of each label that is spread evenly over all classes (Szegedy et al. 2016, arXiv:1512.00567), from 0 to
        below 1.
    class_weights
        By class name, 1 where not named.
    imbalance_exponent
        A class weighs (labels of its target / classes / labels of its own) to this exponent: 0 is plain, 1 gives every
        class the same say.
    target_weights
        See :class:`~lociflow.training.losses.MaskedLoss`.

    Raises
    ------
    UserError
        A class does not exist, or a number is out of range.
    """

    kinds = ("class", "position_class")
    class_weight: Tensor

    def __init__(
        self,
        labels: LabelStatistics,
        label_smoothing: float = 0.0,
        class_weights: Mapping[str, float] | None = None,
        imbalance_exponent: float = 0.0,
        target_weights: TargetWeights | None = None,
    ) -> None:
        super().__init__(labels, target_weights)
        if not 0 <= label_smoothing < 1:
            raise UserError(f"training.loss.label_smoothing: found {label_smoothing}, expected 0 to below 1")
        self.label_smoothing = label_smoothing
        self.groups = labels.outputs.groups
        weight = _named_weights(labels, class_weights or {}) * _balance(labels) ** imbalance_exponent
        self.register_buffer("class_weight", torch.from_numpy(weight).float(), persistent=False)
        self.calibrated = label_smoothing == 0 and bool((weight == 1).all())
        self.start = log_shares(labels)

    def each(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of each label, with any number where one is missing."""
        return torch.stack(
            [
                self._of_target(outputs[..., columns], targets[..., target].long(), self.class_weight[columns])
                for target, columns in enumerate(self.groups)
            ],
            dim=-1,
        )

    def _of_target(self, logits: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        found = nn.functional.cross_entropy(
            logits.flatten(0, -2),
            truth.clamp(min=0).flatten(),
            weight=weight,
            reduction="none",
            label_smoothing=self.label_smoothing,
        )
        return found.view(truth.shape)

    def first_outputs(self) -> np.ndarray:
        """Return the logarithm of each class's share."""
        return self.start


class ClassBalancedCrossEntropy(CrossEntropy):
    """Cross-entropy weighted by effective numbers of samples (Cui et al. 2019, arXiv:1901.05555).

    A class weighs ``(1 - beta) / (1 - beta ** n)`` with n labels in an epoch, scaled so that the weights of a
    target's classes add up to their number.

    Parameters
    ----------
    labels, target_weights
        See :class:`~lociflow.training.losses.MaskedLoss`.
    beta
        From 0 (plain) to below 1 (towards inverse frequency).
    """

    def __init__(
        self, labels: LabelStatistics, beta: float = 0.999, target_weights: TargetWeights | None = None
    ) -> None:
        super().__init__(labels, target_weights=target_weights)
        weight = effective_weights(labels.counts, beta)
        for columns in self.groups:
            weight[columns] *= (columns.stop - columns.start) / weight[columns].sum()
        self.class_weight.copy_(torch.from_numpy(weight))


def _named_weights(labels: LabelStatistics, weights: Mapping[str, float]) -> np.ndarray:
    names = [name for classes in labels.outputs.classes for name in classes]
    if unknown := sorted(set(weights) - set(names)):
        raise UserError(
            f"training.loss.class_weights: {unknown[0]} is no class, expected some of "
            f"{', '.join(dict.fromkeys(names))}; correct the name"
        )
    return np.array([float(weights.get(name, 1.0)) for name in names])


def _balance(labels: LabelStatistics) -> np.ndarray:
    found = np.ones(len(labels.counts))
    for target, columns in enumerate(labels.outputs.groups):
        even = max(int(labels.known[target]), 1) / (columns.stop - columns.start)
        found[columns] = even / np.maximum(labels.counts[columns], 1)
    return found
