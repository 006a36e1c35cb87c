"""Explain a model's predictions on test windows: how much each base contributes to each of its outputs."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from lociflow.command import UserError, status
from lociflow.data.bins import bins_of_split, read_bins
from lociflow.data.targets import open_targets, read_target_names
from lociflow.data.views import View, sequence_view
from lociflow.evaluation.predict import averages_strands, check_alphabet
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.window_table import about_windows, split_digest
from lociflow.instantiate import instantiate
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.labelled_bins import (
    answers,
    contrast_rows,
    count_bins,
    other_strand,
    outputs_asked,
    target_columns,
)
from lociflow.interpretation.methods import Contributions
from lociflow.interpretation.scalar_names import scalar_names
from lociflow.interpretation.scalars import scalar_model
from lociflow.interpretation.settings import read_settings
from lociflow.models.checkpoint import load_model
from lociflow.models.device import resolve_device
from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.sequence.one_hot import one_hot
from lociflow.sequence.store import open_store

Method = Callable[[nn.Module, torch.Tensor, int, np.ndarray, int], Contributions]

# Windows that are explained in one call of a method: what the user sees of its progress, and what memory holds of its
# references.
CHUNK = 64

# Sets these draws apart from others with the same seed.
PURPOSE = 0xA77B

# What the scalars of each kind of labels are, see lociflow.interpretation.scalars.
EXPLAINED = {
    "binary": "logit",
    "class": "margin of the class's logit",
    "real": "output",
    "position_class": "margin of the class's logit, weighted over positions",
    "profile": "log counts, or logits of the profile, weighted over positions",
}


class AttributeConfig(NamedTuple):
    """What the step is told: the method, already found valid for the model, and what to apply it to."""

    method: str
    """Name of the method."""
    call: Mapping[str, Any]
    """How it is called: ``_target_`` and its own arguments."""
    targets: int | str | Sequence[str] = 6
    """That many outputs, those with the most test windows to explain; names of targets or outputs; or ``all``."""
    contrasts: Mapping[str, tuple[str, str]] | None = None
    """Name of each contrast to the two outputs of which it is the difference, explained beside the others."""
    windows_per_target: int = 200
    """Test windows explained per output, at most."""
    seed: int = 1
    """Of the choice of windows and of the references."""
    threads: int = 1
    """Of torch: part of the configuration, because it changes the last bits."""


def attribute(
    store: Path,
    windows: Path,
    targets: Path,
    target_table: Path,
    checkpoint: Path,
    config: Mapping[str, Any],
    attributions: Path,
    device: str = "cpu",
) -> None:
    """Explain some outputs of a model on test windows whose labels speak of them.

    What is explained is what is evaluated: where predictions average both strands, contributions are those to the mean
    of both strands' outputs. Outputs are :mod:`lociflow.interpretation.scalars`. Windows are a seeded random sample of
    an output's :mod:`~lociflow.interpretation.labelled_bins` and not those with the highest predictions: what the
    model makes of the positives that it misses belongs to what it has learned. Windows with a base other than A, C, G
    and T are passed over, because they have no shuffles, and counted. Each window is read from its bin's own strand.

    Parameters
    ----------
    store, windows, targets, target_table, checkpoint
        Files of the data set and of the model.
    config
        As :class:`AttributeConfig`.
    attributions
        File to write, as :mod:`lociflow.interpretation.attributions`.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        The model has a target that the data set lacks, the method is not valid for it, or a target or an output of a
        contrast does not exist.
    """
    settings = read_settings(AttributeConfig, "attribution", config)
    torch.set_num_threads(settings.threads)
    loaded = load_model(checkpoint)
    model_config = loaded.config["model"]
    method: Method = instantiate({"_partial_": True, **settings.call})
    names = read_target_names(target_table)
    target_columns(loaded.outputs, names, checkpoint, target_table)
    genome = open_store(store)
    check_alphabet(loaded, genome, checkpoint)
    contrasts = {name: (pair[0], pair[1]) for name, pair in (settings.contrasts or {}).items()}
    model, scalars = scalar_model(loaded, contrasts)
    plain = scalar_names(loaded.outputs)
    bins = read_bins(windows, genome, loaded.config["dataset"]["split"])
    labels = open_targets(targets, len(bins), len(names), label_kind(loaded.outputs.kind))
    test = bins_of_split(bins, "test")
    other = other_strand(bins.reverse, about_windows(windows)["labels"]["reverse"])
    view = sequence_view(genome, bins, int(model_config["input_length"]))
    model = model.to(resolve_device(device))
    asked = outputs_asked(settings.targets, plain, loaded.outputs)
    columns = choose_targets(asked, plain, count_bins(labels, test, loaded.outputs, names, other))
    parts, facts = [], []
    for chosen in (*columns, *range(len(plain), len(scalars))):
        start = time.monotonic()
        if chosen < len(plain):
            found_bins = answers(labels, test, loaded.outputs, names, chosen, other).yes
        else:
            pair = [plain.index(name) for name in contrasts[scalars[chosen]]]
            found_bins = contrast_rows(
                *(answers(labels, test, loaded.outputs, names, column, other) for column in pair)
            )
        positives = test[found_bins]
        index, codes, unknown = sample_windows(
            view, bins.reverse, positives, settings.windows_per_target, settings.seed, chosen
        )
        found = explain(model, method, codes, index, chosen, settings.seed)
        parts.append((index, np.full(len(index), chosen), codes, *(value.numpy() for value in found)))
        quality = summary(found)
        facts.append(
            {
                "target": scalars[chosen],
                "column": chosen,
                "windows": len(index),
                "positives": len(positives),
                "unknown_bases": unknown,
                "quality": quality,
            }
        )
        status(
            f"{scalars[chosen]}: {len(index)} of {len(positives)} positive test windows explained in "
            f"{time.monotonic() - start:.1f} s{described(quality)}"
            + (f"; {unknown} passed over for unknown bases" if unknown else "")
        )
    index, column, codes, hypothetical, gap, change = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    meta = {
        "model": loaded.config["model"].get("name"),
        "method": settings.method,
        "settings": dict(settings.call),
        "output": EXPLAINED[loaded.outputs.kind] + (", mean of both strands" if averages_strands(loaded) else ""),
        "contrasts": contrasts,
        "seed": settings.seed,
        "split_digest": split_digest(windows, loaded.config["dataset"]["split"]),
        "targets": facts,
    }
    write_attributions(attributions, Attributions(index, column, codes, hypothetical, meta, gap, change))


def choose_targets(wanted: int | str | Sequence[str], names: Sequence[str], positives: np.ndarray) -> list[int]:
    """Return the columns of the outputs to explain, ascending.

    Parameters
    ----------
    wanted
        A number: the outputs with the most test positives, ties in the order of the columns; ``all``; or names.
    names
        Of all outputs.
    positives
        Test positives of each. Outputs without any are only explained where they are named.

    Raises
    ------
    UserError
        A name is not that of an output, or nothing can be explained.
    """
    if isinstance(wanted, int) or wanted == "all":
        count = wanted if isinstance(wanted, int) else len(names)
        order = np.argsort(-positives, kind="stable")[:count]
        chosen = [int(column) for column in order if positives[column] > 0]
    else:
        asked = [wanted] if isinstance(wanted, str) else list(wanted)
        unknown = [name for name in asked if name not in names]
        if unknown:
            raise UserError(
                f"attribution.targets: found {', '.join(unknown)}, expected targets of the model or their outputs: "
                f"{', '.join(names[:10])}; name some of these"
            )
        chosen = [names.index(name) for name in asked]
    if not chosen:
        raise UserError("attribution.targets: no target has a positive test window, expected at least one")
    return sorted(set(chosen))


def sample_windows(
    view: View, reverse: np.ndarray, positives: np.ndarray, count: int, seed: int, column: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw windows at random among those that hold only A, C, G and T.

    Parameters
    ----------
    view
        Of the sequence.
    reverse
        Strand of every bin.
    positives
        Bin indices to draw from, ascending.
    count
        How many, at most.
    seed, column
        The draw is a function of these two and of ``positives``.

    Returns
    -------
    index : numpy.ndarray
        Bin indices, ``int64``, ascending, shape ``(n,)``.
    codes : numpy.ndarray
        ``uint8``, shape ``(n, length)``, without soft-mask bits.
    unknown : int
        Windows drawn before the last of these and passed over, because another base stands in them.
    """
    order = np.random.Generator(np.random.Philox(key=[seed, PURPOSE], counter=[0, 0, 0, column])).permutation(positives)
    indices, windows, missing, unknown = [], [], count, 0
    for first in range(0, len(order), max(count, 1)):
        part = order[first : first + count]
        codes = view(part, reverse[part]) & np.uint8(SOFT_MASK - 1)
        known = np.flatnonzero((codes < 4).all(axis=1))[:missing]
        # Those behind the last window that is needed were not drawn.
        drawn = len(part) if len(known) < missing else int(known.max(initial=-1)) + 1
        unknown += drawn - len(known)
        indices.append(part[known])
        windows.append(codes[known])
        missing -= len(known)
        if missing <= 0:
            break
    if not indices:
        empty = np.empty(0, dtype=np.int64)
        return empty, view(empty, np.empty(0, dtype=bool)), 0
    index, codes = np.concatenate(indices), np.concatenate(windows)
    ascending = np.argsort(index)
    return index[ascending], codes[ascending], unknown


def explain(
    model: nn.Module, method: Method, codes: np.ndarray, index: np.ndarray, column: int, seed: int
) -> Contributions:
    """Call a method chunk by chunk; the chunks change nothing but the memory."""
    parts = [method(model, torch.from_numpy(one_hot(part)), column, bins, seed) for part, bins in _chunks(codes, index)]
    if not parts:
        nothing = torch.empty(0)
        return Contributions(torch.empty((0, 4, codes.shape[1])), nothing, nothing)
    return Contributions(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _chunks(codes: np.ndarray, index: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for first in range(0, len(index), CHUNK):
        yield codes[first : first + CHUNK], index[first : first + CHUNK]


def summary(found: Contributions) -> dict[str, float | None]:
    """Return the quality figures of a target: mean ``gap``, mean ``change`` and ``relative_gap``, their ratio.

    None where the method promises no sum of its contributions.
    """
    if not len(found.gap) or bool(torch.isnan(found.gap).any()):
        return {"gap": None, "change": None, "relative_gap": None}
    gap, change = float(found.gap.double().mean()), float(found.change.double().mean())
    return {"gap": gap, "change": change, "relative_gap": gap / change if change > 0 else None}


def described(quality: Mapping[str, float | None]) -> str:
    """Say the gap in a status line."""
    return "" if quality["relative_gap"] is None else f", gap {quality['relative_gap']:.1%} of the change"
