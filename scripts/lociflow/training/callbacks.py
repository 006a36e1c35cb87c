"""What happens at the end of an epoch: history, early stopping, the state from which a killed training goes on."""

import math
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar
from torch import Tensor

from lociflow.command import UserError, atomic, status
from lociflow.training.module import TrainingModule

HISTORY = (
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_auroc",
    "validation_auprc",
    "learning_rate",
    "seconds",
)
# Whether a larger value of what can be monitored is better.
MONITORS = {"validation_loss": False, "validation_auroc": True, "validation_auprc": True}


class Epochs(pl.Callback):
    """Keeps the history and the best weights, and stops early.

    Parameters
    ----------
    monitor
        One of :data:`MONITORS`: the best epoch's weights are kept. None keeps the last epoch's.
    patience
        Epochs without a better value after which training stops.
    min_delta
        By how much a value must be better to count.
    """

    def __init__(self, monitor: str | None, patience: int, min_delta: float) -> None:
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.rows: list[dict[str, float | None]] = []
        self.best_epoch = 0
        self.best_score = -math.inf
        self.best_weights: dict[str, Tensor] = {}
        self.stopped = False
        self.began = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Return what goes into the state for resuming."""
        return {name: getattr(self, name) for name in ("rows", "best_epoch", "best_score", "best_weights", "stopped")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state of an earlier process."""
        for name, value in state_dict.items():
            setattr(self, name, value)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Do not train on where the earlier process had stopped early."""
        trainer.should_stop = self.stopped
        self.began = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record the epoch; Lightning has validated by then."""
        assert isinstance(pl_module, TrainingModule)
        epoch = trainer.current_epoch + 1
        now = time.monotonic()
        row: dict[str, float | None] = {
            "epoch": epoch,
            "train_loss": pl_module.train_loss.value(),
            **pl_module.validation,
            "learning_rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
            "seconds": round(now - self.began, 3),
        }
        self.began = now
        check_finite(row, epoch)
        self.rows.append(row)
        self._compare(row, epoch, pl_module)
        waited = epoch - self.best_epoch
        if self.monitor is not None and waited >= self.patience:
            self.stopped = trainer.should_stop = True
        status(f"epoch {epoch} of at most {trainer.max_epochs}: {describe(row)}{' (best)' if waited == 0 else ''}")

    def _compare(self, row: dict[str, float | None], epoch: int, module: TrainingModule) -> None:
        score = float(epoch)
        if self.monitor is not None:
            value = row[self.monitor]
            if value is None:
                raise UserError(
                    f"training.early_stopping.monitor: {self.monitor} is undefined, no target has both a positive and "
                    "a negative bin in the validation split; choose other validation contigs or monitor validation_loss"
                )
            score = value if MONITORS[self.monitor] else -value
        if score > self.best_score + (self.min_delta if self.best_weights else 0):
            self.best_epoch, self.best_score = epoch, score
            self.best_weights = {
                name: tensor.detach().cpu().clone() for name, tensor in module.model.state_dict().items()
            }


class SaveState(pl.callbacks.Checkpoint):
    """Writes the state for resuming, last of all callbacks: Lightning calls checkpoint callbacks after the others."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the whole state of the training, replacing that of the epoch before."""
        with atomic(self.state) as temporary:
            trainer.save_checkpoint(temporary)


class ProgressBar(TQDMProgressBar):
    """Lightning's progress bar with the loss of the epoch so far and the last validation scores."""

    def get_metrics(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Return what the bar shows at its end."""
        assert isinstance(pl_module, TrainingModule)
        shown = {name.replace("validation_", "val_"): value for name, value in pl_module.validation.items()}
        return {
            "loss": f"{pl_module.train_loss.value():.4f}",
            **{name: f"{value:.4f}" for name, value in shown.items() if value is not None},
        }


def check_finite(row: dict[str, float | None], epoch: int) -> None:
    """Stop when the loss is no number any more.

    Raises
    ------
    UserError
        A loss of this epoch is NaN or infinite.
    """
    for name in ("train_loss", "validation_loss"):
        value = row[name]
        if value is not None and not math.isfinite(value):
            raise UserError(
                f"training, epoch {epoch}: found a {name.replace('_', ' ')} of {value}, expected a number; lower "
                "training.optimizer.lr or set training.gradient_clip to 1"
            )


def describe(row: dict[str, float | None]) -> str:
    """Tell an epoch in words."""
    parts = [f"{name.replace('_', ' ')} {row[name]:.4f}" for name in HISTORY[1:5] if row[name] is not None]
    return f"{', '.join(parts)}, {row['seconds']:.1f} s"
