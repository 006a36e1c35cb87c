"""Predict probabilities for the bins that training has not learnt from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lociflow.command import UserError, status
from lociflow.data.bins import SPLITS, bins_of_split, read_bins
from lociflow.data.dataset import WindowDataset, from_other_strand, make_loader, views_from_other_strand
from lociflow.data.one_hot import OneHot
from lociflow.data.sampler import SequentialSampler
from lociflow.data.views import make_views
from lociflow.evaluation.predictions import prediction_table, write_predictions
from lociflow.genome.window_table import about_windows, split_digest
from lociflow.models.checkpoint import LoadedModel, load_model
from lociflow.models.device import resolve_device
from lociflow.sequence.store import SequenceStore, open_store


def predict(
    store: Path, windows: Path, control: Path, checkpoint: Path, predictions: Path, workers: int, device: str
) -> None:
    """Write a model's probabilities for the bins of the validation and the test split.

    Parameters
    ----------
    store, windows, control
        ``store.json``, ``windows.parquet`` and ``control.npy`` of the data set.
    checkpoint
        Of the model.
    predictions
        Output, see :mod:`lociflow.evaluation.predictions`.
    workers
        Loader processes; 0 loads in this process.
    device
        "auto", "cpu" or "cuda".

    Raises
    ------
    UserError
        An input cannot be read, the model reads another alphabet, or there is no GPU to use.
    """
    loaded = load_model(checkpoint)
    torch.set_num_threads(loaded.config["training"]["torch_threads"])
    sequence_store = open_store(store)
    check_alphabet(loaded, sequence_store, checkpoint)
    about = about_windows(windows)["labels"]
    bins = read_bins(windows, sequence_store, loaded.config["dataset"]["split"])
    index = np.concatenate([bins_of_split(bins, "validation"), bins_of_split(bins, "test")])
    config = loaded.config["model"]
    views = make_views(
        config["views"],
        sequence_store,
        bins,
        config["input_length"],
        np.load(control, mmap_mode="r"),
        about["reverse"],
    )
    dataset = WindowDataset(views, bins.reverse)
    place = resolve_device(device)
    status(f"predicting {len(index):,} bins with {config['name']} on {place.type}")
    scores = predict_bins(loaded, dataset, index, workers, place, about["reverse"])
    splits = np.asarray(SPLITS, dtype=object)[bins.split[index]]
    table = prediction_table(index, splits, scores, loaded.targets)
    write_predictions(predictions, table, split_digest(windows, loaded.config["dataset"]["split"]))


def predict_bins(
    loaded: LoadedModel,
    dataset: WindowDataset,
    index: np.ndarray,
    workers: int,
    device: torch.device,
    order: Sequence[int] | None = None,
) -> np.ndarray:
    """Return probabilities for some bins.

    The probabilities of both strands are averaged, as DeepSEA's are (Zhou & Troyanskaya 2015), unless the model is
    strand-specific, its windows have a strand, or its training configuration turns ``reverse_complement.averaging``
    off.

    Parameters
    ----------
    loaded
        The model with its configuration.
    dataset
        The bins.
    index
        Those to predict.
    workers
        Loader processes.
    device
        Where to compute.
    order
        The order of the targets on the other strand; None: the same.

    Returns
    -------
    numpy.ndarray
        ``float32``, shape ``(len(index), targets)``.
    """
    sampler = SequentialSampler(index, loaded.config["training"]["evaluation_batch_size"])
    model, one_hot = loaded.model.to(device).eval(), OneHot(loaded.alphabet).to(device)
    average = averages_strands(loaded)
    scores = np.empty((len(index), len(loaded.targets)), dtype=np.float32)
    done = 0
    with torch.inference_mode():
        for batch in make_loader(dataset, sampler, workers):
            views = one_hot({name: view.to(device) for name, view in batch.views.items()})
            probability = model(views).sigmoid()
            if average:
                other = model(views_from_other_strand(views, order)).sigmoid()
                probability = (probability + from_other_strand(other, order)) / 2
            scores[done : done + len(batch.bins)] = probability.float().cpu().numpy()
            done += len(batch.bins)
    return scores


def averages_strands(loaded: LoadedModel) -> bool:
    """Tell whether a model's predictions are the mean over both strands: never where sequences have only one."""
    config = loaded.config
    both = loaded.alphabet.complement is not None and not loaded.provenance.get("stranded")
    asked = config["training"]["reverse_complement"]["averaging"] and not config["model"]["strand_specific"]
    return bool(both and asked)


def check_alphabet(loaded: LoadedModel, store: SequenceStore, checkpoint: Path) -> None:
    """Refuse a model that reads other letters than a store holds.

    Raises
    ------
    UserError
        See above.
    """
    if loaded.alphabet.name != store.alphabet.name:
        raise UserError(
            f"{checkpoint}: reads {loaded.alphabet.name}, expected {store.alphabet.name} as {store.path} holds it; "
            "train the model on this data set"
        )
