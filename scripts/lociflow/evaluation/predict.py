"""Predict the bins that training has not learnt from."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from lociflow.command import UserError, status
from lociflow.data.bins import SPLITS, bins_of_split, read_bins
from lociflow.data.dataset import WindowDataset, from_other_strand, make_loader, views_from_other_strand
from lociflow.data.one_hot import OneHot
from lociflow.data.sampler import Request, SequentialSampler
from lociflow.data.targets import open_control
from lociflow.data.views import make_views
from lociflow.evaluation.answers import Answers, answer_function, column_arrays
from lociflow.evaluation.predictions import PredictedBatch, write_batches
from lociflow.genome.window_table import about_windows, split_digest
from lociflow.models.checkpoint import CALIBRATION, LoadedModel, load_model
from lociflow.models.device import resolve_device
from lociflow.models.outputs import UNLABELLED
from lociflow.sequence.store import SequenceStore, open_store


def predict(
    store: Path, windows: Path, control: Path, checkpoint: Path, predictions: Path, workers: int, device: str
) -> None:
    """Write a model's predictions for the bins of the validation and the test split, in the order of their labels.

    Labels along a bin go along the forward strand, also in bins on ``-``, and so do predictions.

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
        An input cannot be read, the model reads another alphabet, was trained on another split or has no outputs, or
        there is no GPU to use.
    """
    loaded = load_model(checkpoint)
    torch.set_num_threads(loaded.config["training"]["torch_threads"])
    sequence_store = open_store(store)
    check_alphabet(loaded, sequence_store, checkpoint)
    about = about_windows(windows)["labels"]
    if loaded.outputs.kind == UNLABELLED:
        raise UserError(
            f"{checkpoint}: was trained without labels, expected a model with outputs; predict with another"
        )
    config = loaded.config["model"]
    split = loaded.config["dataset"]["split"]
    bins, digest = read_bins(windows, sequence_store, split), check_split_of(loaded, windows, checkpoint)
    index = np.sort(np.concatenate([bins_of_split(bins, "validation"), bins_of_split(bins, "test")]))
    signal = open_control(control, len(bins))
    views = make_views(config["views"], sequence_store, bins, config["input_length"], signal, about["reverse"])
    place = resolve_device(device)
    status(f"predicting {len(index):,} bins with {config['name']} on {place.type}")
    names = np.asarray(SPLITS, dtype=object)
    columns = loaded.outputs.other_strand(loaded.provenance.get("other_strand", about["reverse"]))
    batches = (
        PredictedBatch(
            found,
            names[bins.split[found]],
            column_arrays(loaded.outputs, as_labelled(answers, bins.reverse[found], columns)),
        )
        for found, answers in predict_bins(
            loaded, WindowDataset(views, bins.reverse), index, workers, place, about["reverse"]
        )
    )
    write_batches(predictions, batches, digest)


def predict_bins(
    loaded: LoadedModel,
    dataset: WindowDataset,
    index: np.ndarray,
    workers: int,
    device: torch.device,
    order: Sequence[int] | None = None,
) -> Iterator[tuple[np.ndarray, Answers]]:
    """Yield predictions for some bins, a batch at a time, in the order in which their windows are read.

    The predictions of both strands are averaged, as DeepSEA's probabilities are (Zhou & Troyanskaya 2015), unless the
    model is strand-specific, its windows have a strand, or its training configuration turns
    ``reverse_complement.averaging`` off. Of an empty index there is one empty batch.

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
        The order of the data set's targets on the other strand; None: the same.

    Yields
    ------
    tuple
        The bins, ``int64``, and their predictions on the CPU, ``float32``.
    """
    sampler = SequentialSampler(index, loaded.config["training"]["evaluation_batch_size"])
    model, one_hot = loaded.model.to(device).eval(), OneHot(loaded.alphabet).to(device)
    answer = answer_function(loaded.outputs, loaded.config["training"], loaded.provenance.get(CALIBRATION))
    # The order of the model's own targets, which may be some of the data set's.
    columns = loaded.outputs.other_strand(loaded.provenance.get("other_strand", order))
    average = averages_strands(loaded)
    requests = make_loader(dataset, sampler, workers) if len(index) else [dataset[Request(index, index == -1)]]
    with torch.inference_mode():
        for batch in requests:
            views = one_hot({name: view.to(device) for name, view in batch.views.items()})
            answers = answer(model(views))
            if average:
                others = answer(model(views_from_other_strand(views, order)))
                answers = tuple(
                    (one + from_other_strand(other, columns)) / 2 for one, other in zip(answers, others, strict=True)
                )
            yield batch.bins.numpy(), tuple(one.float().cpu() for one in answers)


def as_labelled(answers: Answers, reverse: np.ndarray, order: Sequence[int] | None) -> Answers:
    """Bring predictions of windows that were read from the reverse strand into the order of the labels.

    Parameters
    ----------
    answers
        Shape ``(bins, columns)`` or ``(bins, positions, columns)`` each, as they were read.
    reverse
        Whether each bin was read from the reverse strand, ``bool``, shape ``(bins,)``.
    order
        The order of the columns on the other strand; None: the same.
    """
    other = torch.from_numpy(reverse)
    found = []
    for answer in answers:
        turned = answer.clone()
        turned[other] = from_other_strand(answer[other], order)
        found.append(turned)
    return tuple(found)


def check_split_of(loaded: LoadedModel, windows: Path, checkpoint: Path) -> str:
    """Refuse a model that was trained on another split, and return the digest of the split.

    Raises
    ------
    UserError
        See above.
    """
    split = loaded.config["dataset"]["split"]
    digest = split_digest(windows, split)
    if loaded.provenance.get("split_digest", digest) != digest:
        raise UserError(
            f"{checkpoint}: was trained when {windows} held other bins or had another split {split}, some of whose "
            "training bins may be tested now; train the model again"
        )
    return digest


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
