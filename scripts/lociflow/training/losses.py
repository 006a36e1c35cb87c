"""Losses that know missing labels."""

import numpy as np
import torch
from torch import Tensor, nn


class MaskedBinaryCrossEntropy(nn.Module):
    """Binary cross-entropy on logits, averaged over the known labels of a batch.

    With an exponent of 0 this is the plain loss, whose probabilities are calibrated to the natural prevalence; together
    with output biases that begin at the prior log odds it copes with rare positives without weighting, and ranking
    (AUROC, AUPRC) gains little from weights. A larger exponent weighs the positives of each target by
    ``(negatives / positives) ** exponent``, counted on the training split: 1 balances both classes, which moves all
    probabilities up.

    Parameters
    ----------
    positives, negatives
        Known labels of each kind in the training split, shape ``(targets,)``.
    imbalance_exponent
        From 0 (plain) to 1 (balanced).
    """

    weight: Tensor

    def __init__(self, positives: np.ndarray, negatives: np.ndarray, imbalance_exponent: float = 0.0) -> None:
        super().__init__()
        ratio = np.maximum(negatives, 1) / np.maximum(positives, 1)
        self.register_buffer("weight", torch.from_numpy(ratio**imbalance_exponent).float(), persistent=False)

    def forward(self, logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        logits
            ``(batch, targets)``.
        targets
            ``int8``, ``(batch, targets)``; what is missing may be any number.
        mask
            ``bool``, ``(batch, targets)``: False where missing.
        """
        known = mask.to(logits.dtype)
        total = nn.functional.binary_cross_entropy_with_logits(
            logits, (targets > 0).to(logits.dtype), weight=known, pos_weight=self.weight, reduction="sum"
        )
        return total / known.sum().clamp(min=1)
