"""Training on labels: an objective for each kind."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.data.dataset import Sample
from lociflow.instantiate import instantiate
from lociflow.models.heads import ProfileOutput
from lociflow.models.outputs import Outputs
from lociflow.training import score_names, scores
from lociflow.training.labels import LabelStatistics
from lociflow.training.losses import MaskedLoss, make_loss
from lociflow.training.objectives import Loss, Objective
from lociflow.training.value_losses import MultinomialAndCounts, log_profile


class Supervised(Objective):
    """What the kinds have in common.

    Parameters
    ----------
    criterion
        The loss.
    outputs
        What the model is asked for.
    """

    kind: str

    def __init__(self, criterion: MaskedLoss | MultinomialAndCounts, outputs: Outputs) -> None:
        super().__init__()
        self.criterion = criterion
        self.outputs = outputs
        self.scores = score_names.directions(score_names.SCORES[self.kind].scores)
        self.headline = score_names.SCORES[self.kind].headline

    def loss(self, model: nn.Module, batch: Sample) -> Loss:
        """Return the loss of the labels."""
        return self._loss(model(batch.views), batch)

    def _loss(self, outputs: Any, batch: Sample) -> Loss:
        return Loss(self.criterion(outputs, batch.targets, batch.mask), self.criterion.count(batch.mask))

    def judge(self, model: nn.Module, batch: Sample) -> tuple[Loss, tuple[np.ndarray, ...]]:
        """Return the loss, and what the scores are made of."""
        outputs = model(batch.views)
        return self._loss(outputs, batch), self.told(outputs, batch)

    @abstractmethod
    def told(self, outputs: Any, batch: Sample) -> tuple[np.ndarray, ...]:
        """Return what the scores are made of: arrays of shape ``(batch, …, columns)``."""


class Binary(Supervised):
    """One yes or no per bin and target."""

    kind = "binary"

    def told(self, outputs: Tensor, batch: Sample) -> tuple[np.ndarray, ...]:
        """Return logits, labels and whether they are known."""
        return _array(outputs), batch.targets.cpu().numpy(), batch.mask.cpu().numpy()

    def summarise(self, columns: Iterable[Sequence[np.ndarray]]) -> dict[str, float | None]:
        """Return AUROC and AUPRC, the means over the targets."""
        return scores.ranking_scores(columns)


class Classes(Supervised):
    """One of several classes per bin and target."""

    kind = "class"

    def told(self, outputs: Tensor, batch: Sample) -> tuple[np.ndarray, ...]:
        """Return the classes' logits, ``(batch, most classes, targets)``, -inf where a target has fewer; and labels."""
        groups = self.outputs.groups
        logits, most = _array(outputs), max(group.stop - group.start for group in groups)
        padded = np.full((len(logits), most, len(groups)), -np.inf, np.float32)
        for target, group in enumerate(groups):
            padded[:, : group.stop - group.start, target] = logits[:, group]
        return padded, batch.targets.cpu().numpy()

    def summarise(self, columns: Iterable[Sequence[np.ndarray]]) -> dict[str, float | None]:
        """Return accuracy, and AUROC and AUPRC of each class against the rest: means over classes, then targets."""
        return scores.class_scores(columns)


class RealValues(Supervised):
    """One number per bin and target."""

    kind = "real"

    def told(self, outputs: Tensor, batch: Sample) -> tuple[np.ndarray, ...]:
        """Return predictions in the unit of the labels, labels, and whether they are known."""
        predicted = cast(MaskedLoss, self.criterion).prediction(outputs.float())
        return _array(predicted), batch.targets.cpu().numpy(), batch.mask.cpu().numpy()

    def summarise(self, columns: Iterable[Sequence[np.ndarray]]) -> dict[str, float | None]:
        """Return correlations and mean squared error, the means over the targets."""
        return scores.value_scores(columns)


class PositionClasses(Supervised):
    """One of several classes per base of a bin and target."""

    kind = "position_class"

    def told(self, outputs: Tensor, batch: Sample) -> tuple[np.ndarray, ...]:
        """Return log odds, ``float16``, and labels (1, 0, -1 where missing) of each class but the background."""
        odds, labels = [], []
        for target, group in enumerate(self.outputs.groups):
            log_share = outputs[..., group].float().log_softmax(dim=-1)
            truth = batch.targets[..., target]
            for number in range(1, group.stop - group.start):
                own = log_share[..., number]
                odds.append(_array(own - (1 - own.exp()).clamp(min=1e-12).log()).astype(np.float16))
                found = (truth == number).to(truth.dtype)
                labels.append(found.masked_fill(~batch.mask[..., target], -1).cpu().numpy().astype(np.int8))
        return np.stack(odds, axis=-1), np.stack(labels, axis=-1)

    def summarise(self, columns: Iterable[Sequence[np.ndarray]]) -> dict[str, float | None]:
        """Return AUPRC over all bases, the mean over all classes but each target's first, the background."""
        return scores.position_scores(columns)


class Profiles(Supervised):
    """A signal along the bin."""

    kind = "profile"

    def told(self, outputs: ProfileOutput, batch: Sample) -> tuple[np.ndarray, ...]:
        """Return the profiles' divergence and predicted and observed log counts, NaN where missing."""
        signal = np.where(batch.mask.cpu().numpy(), batch.targets.cpu().numpy(), np.nan)
        profile = _array(log_profile(outputs.profile)).astype(np.float64)
        divergence = scores.jensen_shannon(np.exp(profile), signal)
        observed = np.log1p(np.maximum(signal, 0).sum(axis=1))
        return divergence.astype(np.float32), _array(outputs.counts), observed.astype(np.float32)

    def summarise(self, columns: Iterable[Sequence[np.ndarray]]) -> dict[str, float | None]:
        """Return the Jensen-Shannon divergence and the correlation of log counts, the means over the targets."""
        return scores.profile_scores(columns)


OBJECTIVES: dict[str, type[Supervised]] = {
    found.kind: found for found in (Binary, Classes, RealValues, PositionClasses, Profiles)
}


def make_objective(recipe: Mapping[str, Any], statistics: LabelStatistics) -> Objective:
    """Build what a training minimises: the recipe's ``objective``, or the ``loss`` of the labels.

    Raises
    ------
    UserError
        The loss is for other kinds of labels.
    """
    outputs = statistics.outputs
    if recipe.get("objective"):
        found = instantiate(recipe["objective"])
        if not isinstance(found, Objective):
            raise UserError(
                f"training.objective: found {type(found).__name__}, expected an objective such as "
                "lociflow.training.masked.MaskedTokens"
            )
        return found
    return OBJECTIVES[outputs.kind](make_loss(recipe, statistics), outputs)


def _array(values: Tensor) -> np.ndarray:
    found: np.ndarray = values.float().cpu().numpy()
    return found
