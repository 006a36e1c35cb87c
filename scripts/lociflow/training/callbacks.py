"""What happens at the end of an epoch: history, early stopping, the state from which a killed training goes on."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar
from torch import Tensor

from lociflow.command import UserError, status
from lociflow.training.module import TrainingModule
from lociflow.training.parallel import Process, save_state

# The history's columns before and after the validation's own.
BEFORE = ("epoch", "train_loss")
AFTER = ("learning_rate", "seconds")


class Epochs(pl.Callback):
    """Keeps the history and the best weights, and stops early.

    Parameters
    ----------
    monitors
        What can be monitored, with whether a larger value is better.
    monitor
        One of these: the weights of the epoch with the best value are kept, however little better it is. None keeps the
        last epoch's.
    patience
        Epochs without a gain after which training stops.
    min_delta
        By how much a value must be better than at the last gain to be one.
    not_counted
        Epochs at the beginning that patience does not count, so that training does not stop in them: those with
        augmentation, after which the ones without are yet to come. Where there are such, what is kept is one of these:
        the best are counted anew.

    Raises
    ------
    UserError
        There is no such score.
    """

    def __init__(
        self,
        monitors: Mapping[str, bool],
        monitor: str | None,
        patience: int,
        min_delta: float,
        not_counted: int = 0,
    ) -> None:
        if monitor is not None and monitor not in monitors:
            raise UserError(
                f"training.early_stopping.monitor: found {monitor!r}, expected one of {', '.join(monitors)}"
            )
        self.monitors = monitors
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.not_counted = not_counted
        self.rows: list[dict[str, float | None]] = []
        self.best_epoch = 0
        self.best_score = -math.inf
        self.best_weights: dict[str, Tensor] = {}
        self.gain_epoch = 0
        self.gain_score = -math.inf
        self.stopped = False
        self.began = time.monotonic()
        self.left = TimeLeft()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the history."""
        return (*BEFORE, *self.monitors, *AFTER)

    def state_dict(self) -> dict[str, Any]:
        """Return what goes into the state for resuming."""
        names = ("rows", "best_epoch", "best_score", "best_weights", "gain_epoch", "gain_score", "stopped")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state of an earlier process."""
        for name, value in state_dict.items():
            setattr(self, name, value)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Do not train on where the earlier process had stopped early."""
        trainer.should_stop = self.stopped
        self.began = time.monotonic()
        self.left = TimeLeft(trainer.current_epoch)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record the epoch; Lightning has validated by then."""
        assert isinstance(pl_module, TrainingModule)
        epoch = trainer.current_epoch + 1
        now = time.monotonic()
        row: dict[str, float | None] = {
            "epoch": epoch,
            "train_loss": pl_module.train_loss.value(),
            **pl_module.validation,
            "learning_rate": max(float(group["lr"]) for group in trainer.optimizers[0].param_groups),
            "seconds": round(now - self.began, 3),
        }
        self.began = now
        check_finite(row, epoch)
        self.rows.append(row)
        self._compare(row, epoch, pl_module)
        if self.monitor is not None and epoch - max(self.gain_epoch, self.not_counted) >= self.patience:
            self.stopped = trainer.should_stop = True
        best = " (best)" if epoch == self.best_epoch else ""
        left = "" if trainer.should_stop else f", {self.left.tell(epoch, trainer.max_epochs or 0)}"
        status(f"epoch {epoch} of at most {trainer.max_epochs}: {describe(row)}{left}{best}")

    def _compare(self, row: dict[str, float | None], epoch: int, module: TrainingModule) -> None:
        score = float(epoch)
        if self.monitor is not None:
            value = row[self.monitor]
            if value is None:
                raise UserError(
                    f"training.early_stopping.monitor: {self.monitor} is undefined, no target has labels that differ "
                    "(for binary ones, a positive and a negative bin) in the validation split; choose other validation "
                    "contigs or monitor validation_loss"
                )
            score = value if self.monitors[self.monitor] else -value
        if epoch == self.not_counted + 1:
            self.best_score = self.gain_score = -math.inf
        if score > self.gain_score + self.min_delta:
            self.gain_epoch, self.gain_score = epoch, score
        if score > self.best_score:
            self.best_epoch, self.best_score = epoch, score
            self.best_weights = module.kept_weights()


class SaveState(pl.callbacks.Checkpoint):
    """Writes the state for resuming, last of all callbacks: Lightning calls checkpoint callbacks after the others."""

    def __init__(self, state: Path, process: Process) -> None:
        self.state = state
        self.process = process

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the whole state of the training, replacing that of the epoch before."""
        save_state(trainer, self.state, self.process)


class TimeLeft:
    """How long a training still takes at most, by the time of the epochs so far.

    Parameters
    ----------
    first
        Whole epochs that an earlier process has trained.
    """

    def __init__(self, first: float = 0) -> None:
        self.first = first
        self.began = time.monotonic()

    def tell(self, done: float, epochs: int) -> str:
        """Tell it in words after so many epochs, and parts of one."""
        trained = done - self.first
        if trained <= 0:
            return "time left unknown"
        seconds = round((time.monotonic() - self.began) / trained * (epochs - done))
        minutes, hours = seconds // 60, seconds // 3600
        if hours:
            return f"{hours} h {minutes % 60:02d} min left at most"
        return f"{minutes} min {seconds % 60:02d} s left at most" if minutes else f"{seconds} s left at most"


class ProgressBar(TQDMProgressBar):
    """Lightning's progress bar with the loss of the epoch so far, the last validation score and the time left.

    Parameters
    ----------
    shown
        The validation score.
    """

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.shown = shown
        self.left = TimeLeft()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin to measure the time."""
        super().on_train_start(trainer, pl_module)
        self.left = TimeLeft(trainer.current_epoch)

    def get_metrics(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Return what the bar shows at its end."""
        assert isinstance(pl_module, TrainingModule)
        value = pl_module.validation.get(self.shown)
        batches = max(float(trainer.num_training_batches), 1)
        done = trainer.current_epoch + min(trainer.fit_loop.batch_idx + 1, batches) / batches
        return {
            "loss": f"{pl_module.train_loss.value():.4f}",
            **({self.shown: f"{value:.4f}"} if value is not None else {}),
            "time": self.left.tell(done, trainer.max_epochs or 0),
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
                "the learning rate (training.schedule.max_lr under OneCycleLR, else training.optimizer.lr) or set "
                "training.gradient_clip to 1"
            )


def describe(row: dict[str, float | None]) -> str:
    """Tell an epoch in words."""
    told = {name: value for name, value in row.items() if name not in ("epoch", *AFTER) and value is not None}
    parts = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in told.items()]
    return f"{', '.join(parts)}, {row['seconds']:.1f} s"
