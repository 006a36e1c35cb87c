"""Train one model on one data set: windows and labels in, a checkpoint out."""

import csv
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from lociflow.command import UserError, atomic, status, write_json
from lociflow.data.augmentation import Augmentation, check_augmentation
from lociflow.data.balancing import make_balance
from lociflow.data.bins import bins_of_split, read_bins
from lociflow.data.dataset import WindowDataset, make_loader
from lociflow.data.draws import Purpose, permuted_rows, torch_seed
from lociflow.data.label_fraction import labelled_part
from lociflow.data.sampler import SequentialSampler, TrainingSampler
from lociflow.data.some_targets import SomeTargets, choose_targets
from lociflow.data.targets import open_control, open_targets, read_target_names
from lociflow.data.views import make_views
from lociflow.file_digest import sha256_of
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.window_table import about_windows, split_digest
from lociflow.instantiate import instantiate
from lociflow.models.checkpoint import CALIBRATION, build_model, save_checkpoint, weights_digest
from lociflow.models.device import device_name, resolve_device
from lociflow.models.heads import set_output_bias
from lociflow.models.layers import count_parameters
from lociflow.models.outputs import outputs_of
from lociflow.sequence.store import open_store
from lociflow.training.averaging import WeightAverage
from lociflow.training.beginning import begin_with, learn_vocabulary
from lociflow.training.calibrate import correct_prior
from lociflow.training.callbacks import Epochs
from lociflow.training.checks import check_recipe, check_strands, why_strands
from lociflow.training.fit import fit
from lociflow.training.labels import epoch_statistics, label_counts, label_statistics
from lociflow.training.module import TrainingModule
from lociflow.training.optimizers import make_optimizer, make_schedule
from lociflow.training.parallel import Process, ShareSampler, launch
from lociflow.training.prior_correction import stated_logarithms
from lociflow.training.provenance import kept_epoch, make_provenance
from lociflow.training.resume import remove_state, state_path, training_key
from lociflow.training.supervised import Supervised, make_objective
from lociflow.training.temperature import scale_temperature
from lociflow.training.transfer import INHERITED, has_fresh_output, read_transfer, readings
from lociflow.training.untrained import settle_normalisation


class Inputs(NamedTuple):
    """What a training reads."""

    store: Path
    windows: Path
    targets: Path
    control: Path
    target_table: Path
    start_from: Path | None


class Results(NamedTuple):
    """What it writes."""

    checkpoint: Path
    config_copy: Path
    history: Path
    resume: Path


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
    start_from: Path | None = None,
    devices: int = 1,
) -> None:
    """Train a model and write its checkpoint.

    Reads the bins of the training and the validation split; those of the test split are never touched. The result is a
    function of the inputs, the configuration and the machine with its number of devices; neither the number of workers
    nor an interruption changes it.

    Parameters
    ----------
    store, windows, targets, control, target_table
        The data set: ``store.json``, ``windows.parquet``, ``targets.npy``, ``control.npy`` and ``targets.tsv``.
    config
        The resolved configuration: ``dataset``, ``model``, ``training``, ``seed``.
    checkpoint, config_copy, history
        Outputs: the checkpoint; the configuration with the numbers of ``parameters``, ``training_bins``,
        ``epoch_windows`` (windows that pass in an epoch), ``kept_epoch`` (whose weights were kept, from 1) and those of
        :func:`lociflow.training.labels.label_counts`, as JSON; one line per epoch, as CSV.
    resume
        Folder for the state from which a killed training goes on; removed on success.
    workers
        Loader processes of each device; 0 loads in the training process.
    device
        "auto", "cpu" or "cuda".
    start_from
        Checkpoint whose weights the model begins with, as ``training.transfer`` says; None where it says nothing.
    devices
        GPUs, or processes on a CPU, which share every batch (:mod:`lociflow.training.parallel`).

    Raises
    ------
    UserError
        An input does not fit, a split is empty, there are not so many devices, or the loss is no number any more.
    """
    inputs = Inputs(store, windows, targets, control, target_table, start_from)
    results = Results(checkpoint, config_copy, history, resume)
    launch(functools.partial(train_share, inputs, results, config, workers, device), devices, device)


def train_share(
    inputs: Inputs, results: Results, config: Mapping[str, Any], workers: int, device: str, process: Process
) -> None:
    """Train in one of the processes that share every batch; the first one writes the results.

    Parameters
    ----------
    inputs, results, config, workers, device
        As in :func:`train`.
    process
        Which of them this is.
    """
    store, windows, targets, control, target_table, start_from = inputs
    recipe, seed = config["training"], int(config["seed"])
    about = about_windows(windows)["labels"]
    kind = label_kind(about["kind"])
    torch.set_num_threads(recipe["torch_threads"])
    place = resolve_device(device)
    check_recipe(recipe, None if recipe.get("objective") else kind, place)
    sequence_store = open_store(store)
    alphabet = sequence_store.alphabet
    bins = read_bins(windows, sequence_store, config["dataset"]["split"])
    names = read_target_names(target_table)
    table = open_targets(targets, len(bins), len(names), kind)
    train_bins, validation_bins = bins_of_split(bins, "train"), bins_of_split(bins, "validation")
    for split, found in (("training", train_bins), ("validation", validation_bins)):
        if not len(found):
            raise UserError(f"{windows}: the {split} split has no bins, expected some; correct the data set's split")

    columns, order = choose_targets(names, recipe.get("targets"), about["reverse"])
    labels = table if recipe.get("targets") is None else SomeTargets(table, columns)
    outputs = outputs_of(about, names, table.shape, bool(recipe.get("objective"))).only(columns)
    whole_split = len(train_bins)
    train_bins = labelled_part(seed, train_bins, recipe.get("label_fraction", 1.0), labels, kind).bins
    # As many steps as with all labels: a fraction is to tell what labels are worth, not what steps are.
    passes = max(1, round(whole_split / len(train_bins)))
    rows = permuted_rows(seed, len(bins), (train_bins, validation_bins)) if recipe["label_permutation"] else None
    balance = make_balance(recipe.get("balance"), train_bins, labels, kind, outputs.targets, outputs.classes, rows)
    torch.manual_seed(torch_seed(seed, Purpose.WEIGHTS))
    channels, input_length = len(alphabet.channels), config["model"]["input_length"]
    model = build_model(config["model"], outputs, channels)
    why = why_strands(about["stranded"], order)
    if why and not (kind.positional or recipe.get("objective")):
        check_strands(model, config["model"]["name"], config["model"]["views"], input_length, channels, why)
    augmentation: Augmentation | None = instantiate(recipe["augmentation"]) if recipe.get("augmentation") else None
    if augmentation is not None:
        labelled = None if recipe.get("objective") else kind
        views_read = config["model"]["views"]
        check_augmentation(augmentation, labelled, views_read, input_length, channels, recipe["max_epochs"])
    stated = stated_logarithms(recipe["prevalence"], outputs) if recipe.get("prevalence") else None
    statistics = label_statistics(labels, train_bins, outputs)
    seen = statistics if balance is None else epoch_statistics(balance, labels, outputs, rows)
    objective = make_objective(recipe, seen)
    transfer = read_transfer(recipe.get("transfer") or {})
    where = split_digest(windows, config["dataset"]["split"])
    origin = begin_with(model, recipe, transfer, start_from, sequence_store, bins, outputs, where)
    learn_vocabulary(model, sequence_store, bins, train_bins, input_length, seed)
    if recipe["prior_output_bias"] and isinstance(objective, Supervised) and has_fresh_output(model, transfer.skip):
        set_output_bias(model, objective.criterion.first_outputs())
    status(
        f"training {config['model']['name']} ({count_parameters(model):,} parameters) on {len(train_bins):,} bins with "
        f"{len(outputs.targets)} targets, validated on {len(validation_bins):,}, on "
        f"{place.type if process.world == 1 else f'{process.world} {place.type} devices'}"
    )

    views = make_views(
        config["model"]["views"],
        sequence_store,
        bins,
        input_length,
        open_control(control, len(bins)),
        about["reverse"],
    )
    dataset = WindowDataset(views, bins.reverse, labels, rows, kind, order)
    one_strand = config["model"]["strand_specific"] or about["stranded"]
    both_strands = recipe["reverse_complement"]["augmentation"] and not one_strand
    sampler = TrainingSampler(train_bins, recipe["batch_size"], seed, both_strands, recipe["jitter"], balance, passes)
    digests = {
        "windows": sha256_of(windows),
        "targets": sha256_of(targets),
        "control": sha256_of(control),
        "target_table": sha256_of(target_table),
        "store": sequence_store.digest,
        **({"start_from": sha256_of(start_from)} if start_from else {}),
    }
    module = TrainingModule(
        model,
        objective,
        functools.partial(make_optimizer, recipe),
        functools.partial(make_schedule, recipe["schedule"]) if recipe["schedule"] else None,
        total_steps=-(-len(sampler) // recipe.get("accumulate_batches", 1)) * recipe["max_epochs"],
        seed=seed,
        alphabet=alphabet,
        frozen=transfer.freeze,
        average=WeightAverage(recipe["weight_average"]) if recipe.get("weight_average") else None,
        augmentation=augmentation,
        process=process,
        batch_sizes=sampler.batch_sizes,
    )
    state = state_path(results.resume, training_key(config, digests, place.type, process.world))
    stopping = recipe["early_stopping"] or {"monitor": None, "patience": 0, "min_delta": 0.0}
    augmented = 0 if augmentation is None else recipe["max_epochs"] - augmentation.clean_epochs
    epochs = Epochs(objective.monitors, **stopping, not_counted=augmented)
    validation = make_loader(dataset, SequentialSampler(validation_bins, recipe["evaluation_batch_size"]), workers)
    if recipe["max_epochs"] > 0:
        share = ShareSampler(sampler, process)
        fit(module, make_loader(dataset, share, workers), share, validation, epochs, recipe, place, state)
    elif start_from is None:
        settle_normalisation(module, make_loader(dataset, sampler, workers), seed)
    if not process.first:
        return
    weights = epochs.best_weights or model.state_dict()
    calibration = None
    if recipe.get("correct_prior"):
        calibration = correct_prior(module, weights, validation, balance, statistics, stated, place, state.parent)
    elif recipe.get("temperature"):
        calibration = scale_temperature(module, weights, validation, outputs, place, state.parent)
    write_config_and_history(
        {
            **config,
            "parameters": count_parameters(model),
            "training_bins": len(train_bins),
            "epoch_windows": int(sampler.batch_sizes.sum()),
            "kept_epoch": epochs.best_epoch,
            **({} if recipe.get("objective") else label_counts(statistics)),
        },
        results.config_copy,
        epochs,
        results.history,
    )
    sides = {"train": train_bins, "validation": validation_bins}
    provenance = {
        **make_provenance(sequence_store, about, bins, sides, order, input_length),
        **{f"{name}_sha256": digest for name, digest in digests.items()},
        **({CALIBRATION: [part.tolist() for part in calibration]} if calibration else {}),
        **kept_epoch(epochs),
        "device": place.type,
        "device_name": device_name(place, process.world),
        "devices": process.world,
        "split_digest": where,
        INHERITED: readings(origin),
    }
    save_checkpoint(results.checkpoint, weights, config, outputs, provenance)
    remove_state(state)
    status(f"kept epoch {epochs.best_epoch} of {len(epochs.rows)}; weights {weights_digest(weights)}")


def write_config_and_history(config: Mapping[str, Any], config_copy: Path, epochs: Epochs, history: Path) -> None:
    """Write the configuration as JSON and the history as CSV, a line per epoch; what is undefined stays empty."""
    write_json(config_copy, config)
    with atomic(history) as temporary, temporary.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, epochs.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(epochs.rows)
