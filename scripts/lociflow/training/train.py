"""Train one model on one data set: windows and labels in, a checkpoint out."""

import contextlib
import csv
import logging
import platform
import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from torch.utils.data import DataLoader

from lociflow.command import UserError, atomic, status, write_json
from lociflow.data.bins import bins_of_split, read_bins
from lociflow.data.dataset import Sample, WindowDataset, make_loader
from lociflow.data.draws import Purpose, permuted_rows, torch_seed
from lociflow.data.sampler import SequentialSampler, TrainingSampler
from lociflow.data.targets import open_targets, read_target_names
from lociflow.data.views import make_views
from lociflow.genome.label_kinds import LabelKind, label_kind
from lociflow.genome.window_table import about_windows, split_digest
from lociflow.instantiate import instantiate
from lociflow.models.checkpoint import build_model, save_checkpoint, weights_digest
from lociflow.models.device import resolve_device
from lociflow.models.heads import set_output_bias
from lociflow.models.layers import count_parameters
from lociflow.sequence.store import open_store
from lociflow.training.callbacks import HISTORY, MONITORS, Epochs, ProgressBar, SaveState
from lociflow.training.labels import count_labels, prevalence
from lociflow.training.module import TrainingModule
from lociflow.training.resume import file_digest, find_state, remove_state, state_path, training_key

COUNTS = ("batch_size", "evaluation_batch_size", "torch_threads")


def train(
    store: Path,
    windows: Path,
    targets: Path,
    control: Path,
    target_table: Path,
    config: Mapping[str, Any],
    checkpoint: Path,
    config_copy: Path,
    history: Path,
    resume: Path,
    workers: int,
    device: str,
) -> None:
    """Train a model and write its checkpoint.

    Reads the bins of the training and the validation split; those of the test split are never touched. The result is a
    function of the inputs, the configuration and the machine; neither the number of workers nor an interruption
    changes it.

    Parameters
    ----------
    store, windows, targets, control, target_table
        The data set: ``store.json``, ``windows.parquet``, ``targets.npy``, ``control.npy`` and ``targets.tsv``.
    config
        The resolved configuration: ``dataset``, ``model``, ``training``, ``seed``.
    checkpoint, config_copy, history
        Outputs: the checkpoint; the configuration with the number of ``parameters``, as JSON; one line per epoch, as
        CSV.
    resume
        Folder for the state from which a killed training goes on; removed on success.
    workers
        Loader processes; 0 loads in the training process.
    device
        "auto", "cpu" or "cuda".

    Raises
    ------
    UserError
        An input does not fit, a split is empty, or the loss is no number any more.
    """
    recipe, seed = config["training"], int(config["seed"])
    about = about_windows(windows)["labels"]
    kind = label_kind(about["kind"])
    check_recipe(recipe, kind)
    torch.set_num_threads(recipe["torch_threads"])
    place = resolve_device(device)
    sequence_store = open_store(store)
    alphabet = sequence_store.alphabet
    bins = read_bins(windows, sequence_store, config["dataset"]["split"])
    names = read_target_names(target_table)
    table = open_targets(targets, len(bins), len(names), kind)
    train_bins, validation_bins = bins_of_split(bins, "train"), bins_of_split(bins, "validation")
    for split, found in (("training", train_bins), ("validation", validation_bins)):
        if not len(found):
            raise UserError(f"{windows}: the {split} split has no bins, expected some; correct the data set's split")

    torch.manual_seed(torch_seed(seed, Purpose.WEIGHTS))
    model = build_model(config["model"], len(names), len(alphabet.channels))
    labels = count_labels(table, train_bins)
    if recipe["prior_output_bias"]:
        set_output_bias(model, prevalence(labels))
    status(
        f"training {config['model']['name']} ({count_parameters(model):,} parameters) on {len(train_bins):,} bins with "
        f"{len(names)} targets, validated on {len(validation_bins):,}, on {place.type}"
    )

    views = make_views(
        config["model"]["views"],
        sequence_store,
        bins,
        config["model"]["input_length"],
        np.load(control, mmap_mode="r"),
        about["reverse"],
    )
    rows = None
    if recipe["label_permutation"]:
        rows = permuted_rows(seed, len(bins), (train_bins, validation_bins))
    dataset = WindowDataset(views, bins.reverse, table, rows, kind, about["reverse"])
    one_strand = config["model"]["strand_specific"] or about["stranded"]
    both_strands = recipe["reverse_complement"]["augmentation"] and not one_strand
    sampler = TrainingSampler(train_bins, recipe["batch_size"], seed, both_strands, recipe["jitter"])
    digests = {
        "windows": file_digest(windows),
        "targets": file_digest(targets),
        "control": file_digest(control),
        "target_table": file_digest(target_table),
        "store": sequence_store.digest,
    }
    module = TrainingModule(
        model,
        instantiate(recipe["loss"], **labels._asdict()),
        instantiate(recipe["optimizer"]),
        instantiate(recipe["schedule"]) if recipe["schedule"] else None,
        total_steps=len(sampler) * recipe["max_epochs"],
        seed=seed,
        alphabet=alphabet,
    )
    state = state_path(resume, training_key(config, digests, place.type))
    stopping = recipe["early_stopping"] or {"monitor": None, "patience": 0, "min_delta": 0.0}
    epochs = Epochs(**stopping)
    if recipe["max_epochs"] > 0:
        fit(
            module,
            make_loader(dataset, sampler, workers),
            make_loader(dataset, SequentialSampler(validation_bins, recipe["evaluation_batch_size"]), workers),
            epochs,
            recipe,
            place,
            state,
        )
    weights = epochs.best_weights or model.state_dict()
    write_config_and_history({**config, "parameters": count_parameters(model)}, config_copy, epochs.rows, history)
    provenance = {
        **{f"{name}_sha256": digest for name, digest in digests.items()},
        "epoch": epochs.best_epoch,
        "epochs": len(epochs.rows),
        "device": place.type,
        "genome": sequence_store.name,
        "alphabet": alphabet.name,
        "stranded": about["stranded"],
        "split_digest": split_digest(windows, config["dataset"]["split"]),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pytorch_lightning": pl.__version__,
    }
    save_checkpoint(checkpoint, weights, config, names, provenance)
    remove_state(state)
    status(f"kept epoch {epochs.best_epoch} of {len(epochs.rows)}; weights {weights_digest(weights)}")


def fit(
    module: TrainingModule,
    training: DataLoader[Sample],
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
    training, validation
        Loaders.
    epochs
        Holds history and best weights afterwards.
    recipe
        The configuration's ``training``.
    device
        Where to train.
    state
        The file for resuming.
    """
    terminal = sys.stderr.isatty()
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    # Advice on workers, and what its own code does that other libraries deprecate.
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    trainer = pl.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        max_epochs=recipe["max_epochs"],
        callbacks=[epochs, SaveState(state), *([ProgressBar()] if terminal else [])],
        # Inside a Slurm job Lightning would otherwise requeue the job behind Snakemake's back.
        plugins=[LightningEnvironment()],
        gradient_clip_val=recipe["gradient_clip"],
        deterministic=True,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        logger=False,
        enable_progress_bar=terminal,
        enable_model_summary=False,
        default_root_dir=state.parent,
    )
    found = find_state(state)
    if found is not None:
        status(f"going on from the last whole epoch of an interrupted training ({found})")
    try:
        # The progress bar writes to stdout, where a user who redirects output would lose it.
        with contextlib.redirect_stdout(sys.stderr):
            trainer.fit(module, training, validation, ckpt_path=found, weights_only=True)
    except SystemExit as stop:
        # After SIGTERM, Lightning leaves with an exit status of success.
        raise SystemExit(stop.code or 128 + signal.SIGTERM) from None


def check_recipe(recipe: Mapping[str, Any], kind: LabelKind) -> None:
    """Refuse a recipe that asks for what does not exist, or does not fit the kind of the labels.

    Raises
    ------
    UserError
        The sentence names the key.
    """
    monitor = recipe["early_stopping"]["monitor"] if recipe["early_stopping"] else None
    if monitor is not None and monitor not in MONITORS:
        raise UserError(f"training.early_stopping.monitor: found {monitor!r}, expected one of {', '.join(MONITORS)}")
    if recipe["jitter"] and kind.positional:
        raise UserError(
            f"training.jitter: found {recipe['jitter']}, expected 0: {kind.name} labels belong to the bases of the "
            "bin, which a moved window would leave"
        )
    for key, least in (*(("jitter", 0), ("max_epochs", 0)), *((key, 1) for key in COUNTS)):
        if not isinstance(recipe[key], int) or recipe[key] < least:
            raise UserError(f"training.{key}: found {recipe[key]!r}, expected a whole number of at least {least}")


def write_config_and_history(
    config: Mapping[str, Any], config_copy: Path, rows: Sequence[Mapping[str, float | None]], history: Path
) -> None:
    """Write the configuration as JSON and the history as CSV, a line per epoch; what is undefined stays empty."""
    write_json(config_copy, config)
    with atomic(history) as temporary, temporary.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, HISTORY, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
