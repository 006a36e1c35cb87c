"""The epochs of a training, from the last whole one where a process was killed."""

import contextlib
import copy
import logging
import signal
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from torch.utils.data import DataLoader

from lociflow.command import UserError, status
from lociflow.data.dataset import Sample
from lociflow.data.sampler import Request
from lociflow.training.callbacks import Epochs, ProgressBar, SaveState
from lociflow.training.module import TrainingModule
from lociflow.training.parallel import ShareSampler, tell_differences, trainer_options
from lociflow.training.resume import find_state, whole_epochs
from lociflow.training.score_names import PREFIX


def fit(
    module: TrainingModule,
    training: DataLoader[Sample],
    sampler: ShareSampler,
    validation: DataLoader[Sample],
    epochs: Epochs,
    recipe: Mapping[str, Any],
    device: torch.device,
    state: Path,
) -> None:
    """Train until the epochs are over or validation gets no better, from the last whole epoch where there is one.

    Parameters
    ----------
    module
        Is trained in place; its weights are those of the last epoch afterwards, the best are in ``epochs``.
    training, sampler, validation
        Loaders, and what gives the training's batches.
    epochs
        Holds history and best weights afterwards.
    recipe
        The configuration's ``training``.
    device
        Where to train.
    state
        The file for resuming.

    Raises
    ------
    UserError
        As :func:`check_shares`, or the loss is no number any more.
    """
    process = module.process
    if device.type == "cpu":
        check_shares(module, training, sampler)
    terminal = sys.stderr.isatty() and process.first
    shown = epochs.monitor or PREFIX + module.objective.headline
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    # Advice on workers and on srun, and what its own code does that other libraries deprecate.
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
    trainer = pl.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        max_epochs=recipe["max_epochs"],
        callbacks=[epochs, SaveState(state, process), *([ProgressBar(shown)] if terminal else [])],
        # Inside a Slurm job Lightning would otherwise requeue the job behind Snakemake's back.
        plugins=[LightningEnvironment()],
        gradient_clip_val=recipe["gradient_clip"],
        accumulate_grad_batches=recipe.get("accumulate_batches", 1),
        precision=recipe.get("precision", "32"),
        deterministic=True,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        logger=False,
        enable_progress_bar=terminal,
        enable_model_summary=False,
        default_root_dir=state.parent,
        **trainer_options(process, device),
    )
    tell_differences(module.model, process, device)
    found = find_state(state)
    if found is not None:
        # Loader workers are asked for their first batches before Lightning tells the sampler the epoch.
        sampler.set_epoch(whole_epochs(found))
        status(f"going on from the last whole epoch of an interrupted training ({found})")
    try:
        # The progress bar writes to stdout, where a user who redirects output would lose it.
        with contextlib.redirect_stdout(sys.stderr):
            trainer.fit(module, training, validation, ckpt_path=found, weights_only=True)
    except SystemExit as stop:
        # After SIGTERM, Lightning leaves with an exit status of success.
        raise SystemExit(stop.code or 128 + signal.SIGTERM) from None


def check_shares(module: TrainingModule, training: DataLoader[Sample], sampler: ShareSampler) -> None:
    """Refuse, on a CPU, batches of which a process would get a single bin where the model normalises over bins.

    Raises
    ------
    UserError
        See above.
    """
    whole, world = sampler.sampler, sampler.process.world
    smallest = int(whole.batch_sizes.min())
    if world == 1 or smallest // world > 1:
        return
    sample = training.dataset[Request(whole.bins[:1], np.zeros(1, dtype=bool))]
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            copy.deepcopy(module.model).train()(module.one_hot(sample.views))
    except ValueError:
        raise UserError(
            f"training.batch_size: {whole.batch_size} leaves a batch of {smallest} bins for {world} processes, "
            "expected at least two for each, as the model normalises over them; choose another batch size or fewer "
            "devices"
        ) from None
