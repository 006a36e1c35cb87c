"""The LightningModule: what one step of training and of validation is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from lociflow.data.dataset import Sample
from lociflow.data.draws import Purpose, torch_seed
from lociflow.data.one_hot import OneHot
from lociflow.sequence.alphabet import DNA, Alphabet
from lociflow.training.scores import mean_scores
from lociflow.training.spool import Spool


class RunningMean:
    """A mean of batches' means, weighted by how many numbers each stands for; summed on the device, in ``float64``."""

    def __init__(self) -> None:
        self.total: Tensor | None = None
        self.count: Tensor | None = None

    def add(self, mean: Tensor, count: Tensor) -> None:
        """Take in a batch."""
        weighted = mean.double() * count
        self.total = weighted if self.total is None else self.total + weighted
        self.count = count if self.count is None else self.count + count

    def value(self) -> float:
        """Return the mean so far; 0 where nothing was counted."""
        return 0.0 if self.total is None or self.count is None else float(self.total / self.count.clamp(min=1))


class TrainingModule(pl.LightningModule):
    """A model with its loss and its optimiser.

    Parameters
    ----------
    model
        From one-hot views to logits.
    loss
        From (logits, targets, mask) to the mean over the known labels.
    optimizer
        From parameters to an optimiser.
    schedule
        From (optimiser, ``total_steps=``) to a learning-rate schedule that is stepped after every batch; or None.
    total_steps
        Batches of the whole training.
    seed
        Dropout in a batch is a pure function of (seed, epoch, batch).
    alphabet
        Of the sequences.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        optimizer: Callable[..., torch.optim.Optimizer],
        schedule: Callable[..., torch.optim.lr_scheduler.LRScheduler] | None,
        total_steps: int,
        seed: int,
        alphabet: Alphabet = DNA,
    ) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.one_hot = OneHot(alphabet)
        self.make_optimizer = optimizer
        self.make_schedule = schedule
        self.total_steps = total_steps
        self.seed = seed
        self.validation: dict[str, float | None] = {}
        self.train_loss = RunningMean()
        self._validation_loss = RunningMean()
        self._validated: Spool | None = None
        self._finite = True

    def forward(self, views: dict[str, Tensor]) -> Tensor:
        """Map views as they are loaded to logits, ``(batch, targets)``."""
        return self.model(self.one_hot(views))

    def on_train_batch_start(self, batch: Sample, batch_idx: int) -> None:
        """Begin the batch's own stream of random draws, and with the first batch the epoch's mean loss."""
        if batch_idx == 0:
            self.train_loss = RunningMean()
        torch.manual_seed(torch_seed(self.seed, Purpose.STEP, self.current_epoch, batch_idx))

    def training_step(self, batch: Sample, batch_idx: int) -> Tensor:
        """Return the loss of one batch."""
        loss = self.loss(self(batch.views), batch.targets, batch.mask)
        self.train_loss.add(loss.detach(), batch.mask.sum())
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the validation before."""
        self._validation_loss = RunningMean()
        self._finite = True
        if self._validated is not None:
            self._validated.close()
        self._validated = Spool(Path(self.trainer.default_root_dir))

    def validation_step(self, batch: Sample, batch_idx: int) -> None:
        """Keep logits and labels, so that every score is one over the whole split and not a mean over batches.

        They go to the disk where they are many: training takes no more memory for more bins.
        """
        assert self._validated is not None
        logits = self(batch.views)
        self._validation_loss.add(self.loss(logits, batch.targets, batch.mask), batch.mask.sum())
        logits = logits.float().cpu()
        self._finite &= bool(logits.isfinite().all())
        self._validated.append(logits.numpy(), batch.targets.cpu().numpy(), batch.mask.cpu().numpy())

    def on_validation_epoch_end(self) -> None:
        """Score the validation split; a network that has diverged has a loss and no scores."""
        assert self._validated is not None
        with self._validated as validated:
            scores = mean_scores(validated.columns()) if self._finite else {"auroc": None, "auprc": None}
        self.validation = {
            "validation_loss": self._validation_loss.value(),
            **{f"validation_{name}": value for name, value in scores.items()},
        }

    def configure_optimizers(self) -> Any:
        """Return the optimiser of the trained parameters and its schedule."""
        optimizer = self.make_optimizer([parameter for parameter in self.parameters() if parameter.requires_grad])
        if self.make_schedule is None:
            return optimizer
        schedule = self.make_schedule(optimizer, total_steps=self.total_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
