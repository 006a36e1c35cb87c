"""What a model that was trained without labels makes of sequence: its codes, and how well it restores sequence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import torch
from torch import nn

from lociflow.command import UserError, status, write_json
from lociflow.data.bins import SPLITS, bins_of_split, read_bins
from lociflow.data.dataset import WindowDataset, make_loader
from lociflow.data.one_hot import OneHot
from lociflow.data.sampler import SequentialSampler
from lociflow.data.targets import open_control
from lociflow.data.views import make_views
from lociflow.evaluation.predict import check_alphabet
from lociflow.evaluation.predictions import SCORED
from lociflow.formats import stamp
from lociflow.genome.window_table import about_windows, split_digest
from lociflow.instantiate import instantiate
from lociflow.models.checkpoint import LoadedModel, load_model
from lociflow.models.device import resolve_device
from lociflow.parquet_tables import write_parquet
from lociflow.sequence.store import open_store
from lociflow.training.masked import MaskedTokens
from lociflow.training.reconstruction import Denoising, EvidenceLowerBound

Unsupervised = MaskedTokens | Denoising | EvidenceLowerBound


class Tally:
    """Guesses of a split, added up batch by batch.

    Parameters
    ----------
    letters
        Number of letters that can be guessed: bases, or words of a vocabulary.
    """

    def __init__(self, letters: int) -> None:
        self.seen = np.zeros(letters, dtype=np.int64)
        """How often each letter was the right one."""
        self.right = 0
        self.nats = 0.0

    def add(self, logits: torch.Tensor, truth: torch.Tensor) -> None:
        """Take in guesses: logits, ``(guesses, letters)``, and right letters, ``(guesses,)``."""
        self.seen += np.bincount(truth.cpu().numpy(), minlength=len(self.seen))
        self.right += int((logits.argmax(dim=1) == truth).sum())
        self.nats += float(nn.functional.cross_entropy(logits.double(), truth, reduction="sum"))

    def scores(self) -> dict[str, float | int | None]:
        """Return guesses, accuracy, cross-entropy in bits per guess and its perplexity; None without guesses."""
        guesses = int(self.seen.sum())
        bits = self.nats / guesses / np.log(2) if guesses else None
        return {
            "guesses": guesses,
            "accuracy": self.right / guesses if guesses else None,
            "bits": bits,
            "perplexity": None if bits is None else float(2**bits),
        }


def encode_latent(
    store: Path,
    windows: Path,
    control: Path,
    checkpoint: Path,
    latent: Path,
    reconstruction: Path,
    workers: int,
    device: str,
) -> None:
    """Write the codes of the validation and the test split, and how well the model restores them.

    Windows are read from the strand of their bin. An autoencoder restores clean windows from their code (the mean code
    of a variational one); a language model guesses tokens that are hidden in each bin by fixed draws.

    Parameters
    ----------
    store, windows, control
        ``store.json``, ``windows.parquet`` and ``control.npy`` of the data set.
    checkpoint
        Of a model that was trained without labels.
    latent
        Output, Parquet: ``bin`` (int64), ``split``, and a float32 column for each number of the code; sorted by bin.
    reconstruction
        Output, JSON: scores of both splits, and of the test split the scores of two guesses that see no sequence, each
        letter with the frequency that it has in the validation split, and all letters alike.
    workers
        Loader processes; 0 loads in this process.
    device
        "auto", "cpu" or "cuda".

    Raises
    ------
    UserError
        An input cannot be read, the model was trained on labels or reads another alphabet, or there is no GPU to use.
    """
    loaded = load_model(checkpoint)
    objective = unsupervised_objective(loaded, checkpoint)
    torch.set_num_threads(loaded.config["training"]["torch_threads"])
    sequence_store = open_store(store)
    check_alphabet(loaded, sequence_store, checkpoint)
    config, split = loaded.config["model"], loaded.config["dataset"]["split"]
    bins = read_bins(windows, sequence_store, split)
    order = about_windows(windows)["labels"]["reverse"]
    tracks = open_control(control, len(bins))
    views = make_views(config["views"], sequence_store, bins, config["input_length"], tracks, order)
    dataset = WindowDataset(views, bins.reverse)
    index = {name: bins_of_split(bins, name) for name in SCORED}
    place = resolve_device(device)
    status(f"encoding {sum(map(len, index.values())):,} bins with {config['name']} on {place.type}")
    codes, tallies = {}, {}
    for name, rows in index.items():
        codes[name], tallies[name] = encode_bins(loaded, objective, dataset, rows, workers, place)
    digest = split_digest(windows, split)
    write_latent(latent, np.concatenate(list(index.values())), np.concatenate(list(codes.values())), bins.split, digest)
    unit = "token" if isinstance(objective, MaskedTokens) else "base"
    about = {"unit": unit, "code": codes["test"].shape[1], "split_digest": digest}
    write_json(reconstruction, {**stamp("reconstruction"), **about, **reconstruction_scores(tallies)})


def encode_bins(
    loaded: LoadedModel,
    objective: Unsupervised,
    dataset: WindowDataset,
    index: np.ndarray,
    workers: int,
    device: torch.device,
) -> tuple[np.ndarray, Tally]:
    """Encode some bins, and let the model restore them.

    Returns
    -------
    tuple
        Codes, ``float32`` of shape ``(len(index), code)``, and the guesses.
    """
    sampler = SequentialSampler(index, loaded.config["training"]["evaluation_batch_size"])
    model, one_hot = loaded.model.to(device).eval(), OneHot(loaded.alphabet).to(device)
    # A split may have no bins.
    found = [np.empty((0, code_size(loaded, device)), dtype=np.float32)]
    tally: Tally | None = None
    with torch.inference_mode():
        for batch in make_loader(dataset, sampler, workers):
            views = one_hot({name: view.to(device) for name, view in batch.views.items()})
            found.append(cast(Any, model).encode(views).float().cpu().numpy())
            guesses = objective.guess(model, batch._replace(views=views, bins=batch.bins.to(device)))
            tally = tally or Tally(guesses.logits.shape[1])
            tally.add(guesses.logits, guesses.truth)
    return np.concatenate(found), tally or Tally(1)


def code_size(loaded: LoadedModel, device: torch.device) -> int:
    """Return how many numbers a model's code has."""
    shape = (1, len(loaded.alphabet.channels), loaded.config["model"]["input_length"])
    with torch.inference_mode():
        return int(cast(Any, loaded.model.eval()).encode({"sequence": torch.zeros(shape, device=device)}).shape[1])


def unsupervised_objective(loaded: LoadedModel, checkpoint: Path) -> Unsupervised:
    """Return the objective that a model was trained with.

    Raises
    ------
    UserError
        It was trained on labels.
    """
    config = loaded.config["training"].get("objective")
    objective = instantiate(config) if config else None
    if not isinstance(objective, Unsupervised):
        raise UserError(
            f"{checkpoint}: found a model that was trained on labels, expected one with labels: [none] and a "
            "training.objective; choose a model that is trained without labels"
        )
    return objective


def reconstruction_scores(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """Return the scores of both splits, and what guesses without sequence reach on the test split.

    Parameters
    ----------
    tallies
        Of "validation" and "test".

    Returns
    -------
    dict
        ``validation`` and ``test``: see :meth:`Tally.scores`; ``composition``: ``accuracy`` of always guessing the
        validation split's most frequent letter, and ``bits`` of guessing with its frequencies, half a letter added to
        each; ``uniform``: the same of guessing all letters alike.
    """
    scores: dict[str, Any] = {name: tally.scores() for name, tally in tallies.items()}
    seen, test = tallies["validation"].seen, tallies["test"].seen
    if not (seen.sum() and test.sum()):
        return {**scores, "composition": None, "uniform": None}
    frequency = (seen + 0.5) / (seen + 0.5).sum()
    shares = test / test.sum()
    composition = {"accuracy": float(shares[seen.argmax()]), "bits": float(-(shares * np.log2(frequency)).sum())}
    uniform = {"accuracy": 1 / len(seen), "bits": float(np.log2(len(seen)))}
    return {**scores, "composition": composition, "uniform": uniform}


def write_latent(path: Path, bins: np.ndarray, codes: np.ndarray, splits: np.ndarray, split_digest: str) -> None:
    """Write codes as Parquet.

    Parameters
    ----------
    path
        The file.
    bins
        Row numbers in the table of windows, shape ``(n,)``.
    codes
        ``float32``, shape ``(n, code)``.
    splits
        Of all bins of the data set: index into :data:`~lociflow.data.bins.SPLITS`.
    split_digest
        Of the split; goes into the schema's metadata, beside format and version.
    """
    order = np.argsort(bins, kind="stable")
    names = [SPLITS[number] for number in splits[bins[order]]]
    columns = {
        "bin": pa.array(bins[order].astype(np.int64)),
        "split": pa.array(names, pa.string()).dictionary_encode(),
        **{f"latent{number}": pa.array(values) for number, values in enumerate(codes[order].T)},
    }
    metadata = {key: str(value) for key, value in {**stamp("latent"), "split_digest": split_digest}.items()}
    write_parquet(path, pa.table(columns).replace_schema_metadata(metadata))
