"""Predict probabilities for the bins that training has not learnt from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lociflow.command import status
from lociflow.data.bins import SPLITS, bins_of_split, read_bins
from lociflow.data.dataset import WindowDataset, make_loader
from lociflow.data.one_hot import OneHot, reverse_complement_one_hot
from lociflow.data.sampler import SequentialSampler
from lociflow.data.views import make_views
from lociflow.evaluation.predictions import prediction_table, write_predictions
from lociflow.models.checkpoint import LoadedModel, load_model
from lociflow.models.device import resolve_device
from lociflow.sequence.store import open_store


def predict(store: Path, windows: Path, checkpoint: Path, predictions: Path, workers: int, device: str) -> None:
    """Write a model's probabilities for the bins of the validation and the test split.

    Parameters
    ----------
    store, windows
        ``store.json`` and ``windows.parquet`` of the data set.
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
        An input cannot be read, or there is no GPU to use.
    """
    loaded = load_model(checkpoint)
    torch.set_num_threads(loaded.config["training"]["torch_threads"])
    sequence_store = open_store(store)
    bins = read_bins(windows, sequence_store)
    index = np.concatenate([bins_of_split(bins, "validation"), bins_of_split(bins, "test")])
    config = loaded.config["model"]
    dataset = WindowDataset(make_views(config["views"], sequence_store, bins, config["input_length"]), bins.reverse)
    place = resolve_device(device)
    status(f"predicting {len(index):,} bins with {config['name']} on {place.type}")
    scores = predict_bins(loaded, dataset, index, workers, place)
    splits = np.asarray(SPLITS, dtype=object)[bins.split[index]]
    write_predictions(predictions, prediction_table(index, splits, scores, loaded.targets))


def predict_bins(
    loaded: LoadedModel, dataset: WindowDataset, index: np.ndarray, workers: int, device: torch.device
) -> np.ndarray:
    """Return probabilities for some bins.

    The probabilities of both strands are averaged, as DeepSEA's are (Zhou & Troyanskaya 2015), unless the model is
    strand-specific or its training configuration turns ``reverse_complement.averaging`` off.

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

    Returns
    -------
    numpy.ndarray
        ``float32``, shape ``(len(index), targets)``.
    """
    sampler = SequentialSampler(index, loaded.config["training"]["evaluation_batch_size"])
    model, one_hot = loaded.model.to(device).eval(), OneHot().to(device)
    average = averages_strands(loaded.config)
    scores = np.empty((len(index), len(loaded.targets)), dtype=np.float32)
    done = 0
    with torch.inference_mode():
        for batch in make_loader(dataset, sampler, workers):
            views = one_hot({name: view.to(device) for name, view in batch.views.items()})
            probability = model(views).sigmoid()
            if average:
                other = {**views, "sequence": reverse_complement_one_hot(views["sequence"])}
                probability = (probability + model(other).sigmoid()) / 2
            scores[done : done + len(batch.bins)] = probability.float().cpu().numpy()
            done += len(batch.bins)
    return scores


def averages_strands(config: Mapping[str, Any]) -> bool:
    """Tell whether a resolved configuration averages the predictions of both strands."""
    return bool(config["training"]["reverse_complement"]["averaging"]) and not config["model"]["strand_specific"]
