"""What the filters of a model's first layer respond to, as position weight matrices."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lociflow.command import status
from lociflow.data.bins import bins_of_split, read_bins
from lociflow.data.targets import open_targets, read_target_names
from lociflow.data.views import sequence_view
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.window_table import about_windows
from lociflow.interpretation.labelled_bins import labels_as_read, other_strand, target_columns
from lociflow.interpretation.motifs.filter_influence import (
    Influence,
    filter_influence,
    filter_row,
    filter_table,
    scorer,
)
from lociflow.interpretation.motifs.meme import Motif, core, write_meme
from lociflow.interpretation.motifs.table import write_frame
from lociflow.interpretation.scalars import scalar_model
from lociflow.interpretation.settings import read_settings
from lociflow.models.checkpoint import LoadedModel, load_model
from lociflow.models.device import resolve_device
from lociflow.models.sequence_only import other_than_sequence
from lociflow.models.strand_pairs import PairedNormalization
from lociflow.sequence.one_hot import one_hot
from lociflow.sequence.store import open_store

# Windows whose activations are held at once.
BATCH = 128

# Sets these draws apart from others with the same seed.
PURPOSE = 0xF117


class FilterConfig(NamedTuple):
    """What ``config/interpretation/*.yaml`` says under ``filters``."""

    windows: int = 4000
    """Test windows that are looked at, at most."""
    threshold: float = 0.5
    """Share of a filter's maximum that a site must exceed."""
    min_sites: int = 10
    """Filters with fewer sites are left out."""
    pseudocount: float = 1.0
    """Added to the counts of each position, a quarter to each base."""
    core_bits: float = 0.5
    """What a matrix is trimmed by: ``bits`` of :func:`lociflow.interpretation.motifs.meme.core`."""
    influence_windows: int = 500
    """Test windows on which a filter's influence is measured, at most; 0: it is not."""
    seed: int = 1
    """Of the choice of windows."""
    threads: int = 1
    """Of torch."""


class Sites(NamedTuple):
    """Where filters respond."""

    counts: np.ndarray
    """``float64``, shape ``(filters, 4, width)``: bases at the sites."""
    support: np.ndarray
    """``int64``, shape ``(filters,)``: number of sites."""
    maximum: np.ndarray
    """``float32``, shape ``(filters,)``: highest activation anywhere."""


def extract_filters(
    store: Path,
    windows: Path,
    targets: Path,
    target_table: Path,
    checkpoint: Path,
    config: Mapping[str, Any],
    meme: Path,
    table: Path,
    device: str = "cpu",
) -> None:
    """Write the matrices of the first layer's filters, and how much the model's outputs depend on each.

    The windows are a seeded random sample of all test windows, positive or not. Filters that never respond, respond at
    too few sites, or to nothing in particular (no position reaches ``core_bits``) have no matrix and are counted. A
    model without a convolution that reads the bases, such as a recurrent one, has none, and the files hold no motif.

    Parameters
    ----------
    store, windows, targets, target_table, checkpoint
        Files of the data set and of the model.
    config
        As :class:`FilterConfig`.
    meme
        MEME file to write; names are ``filter_<channel>``.
    table
        Table to write, as :func:`lociflow.interpretation.motifs.table.filter_table`: all filters.
    device
        ``cpu``, ``cuda`` or ``auto``: where influence is measured.

    Raises
    ------
    UserError
        The configuration has an unknown key, a file cannot be read, or the model has a target that the data set lacks.
    """
    settings = read_settings(FilterConfig, "filters", config)
    torch.set_num_threads(settings.threads)
    loaded = load_model(checkpoint)
    convolution = first_convolution(loaded.model)
    if convolution is None:
        write_meme(meme, [])
        write_frame(table, filter_table([], None, ()))
        status("no filters: the model has no convolution over the four bases")
        return
    genome = open_store(store)
    bins = read_bins(windows, genome, loaded.config["dataset"]["split"])
    test = bins_of_split(bins, "test")
    order = np.random.Generator(np.random.Philox(key=[settings.seed, PURPOSE])).permutation(test)
    chosen = np.sort(order[: settings.windows])
    view = sequence_view(genome, bins, int(loaded.config["model"]["input_length"]))
    sites = find_sites(convolution, view(chosen, bins.reverse[chosen]), settings.threshold)
    motifs = motifs_of(sites, settings)
    few = np.sort(order[: settings.influence_windows])
    influence: Influence | None = None
    names: tuple[str, ...] = ()
    if len(few) and other_than_sequence(loaded) is None:
        every = read_target_names(target_table)
        columns = target_columns(loaded.outputs, every, checkpoint, target_table)
        other = other_strand(bins.reverse, about_windows(windows)["labels"]["reverse"])
        all_labels = open_targets(targets, len(bins), len(every), label_kind(loaded.outputs.kind))
        labels = labels_as_read(all_labels, few, columns, other)
        influence, names = measure_influence(loaded, view(few, bins.reverse[few]), labels, device)
    write_meme(meme, motifs)
    by_name = {motif.name: motif for motif in motifs}
    rows = [
        filter_row(name, by_name.get(name), int(support))
        for name, support in ((f"filter_{channel}", support) for channel, support in enumerate(sites.support))
    ]
    write_frame(table, filter_table(rows, influence, names))
    silent = int((sites.maximum <= 0).sum())
    rare = int(((sites.maximum > 0) & (sites.support < settings.min_sites)).sum())
    flat = len(sites.support) - len(motifs) - silent - rare
    status(
        f"{len(motifs)} of {len(sites.support)} filters on {len(chosen)} test windows; without a matrix: {silent} "
        f"never respond, {rare} at fewer than {settings.min_sites} sites, {flat} to nothing in particular; influence "
        f"measured on {len(few) if influence else 0} windows"
    )


def measure_influence(
    loaded: LoadedModel, codes: np.ndarray, labels: np.ndarray, device: str
) -> tuple[Influence | None, tuple[str, ...]]:
    """Measure what each filter of a trained model's first layer does to its scalars.

    Parameters
    ----------
    loaded
        The model; left as it is.
    codes
        Windows, ``uint8``, shape ``(n, length)``.
    labels
        Their labels, as :func:`lociflow.interpretation.labelled_bins.labels_as_read` returns them.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Returns
    -------
    influence : Influence or None
        None where the model does not call the layer as such.
    names : tuple of str
        Of the scalars.
    """
    layer = first_layer(loaded.model)
    assert layer is not None
    model, names = scalar_model(loaded)
    place = resolve_device(device)
    score = scorer(loaded.outputs, np.asarray(labels))
    found = filter_influence(model.to(place), layer.output, layer.convolution.out_channels, codes, score, place)
    return found, names


class FirstLayer(NamedTuple):
    """The first layer of a model that reads the four bases."""

    convolution: nn.Conv1d
    normalization: nn.BatchNorm1d | None
    """Right behind it."""
    output: nn.Module
    """What gives the layer's answer: the convolution, or the normalisation."""


def first_layer(model: nn.Module) -> FirstLayer | None:
    """Find the first convolution, in the order of the model's modules, that reads the four bases."""
    modules = list(model.modules())
    for module, following in zip(modules, [*modules[1:], None], strict=True):
        if isinstance(module, nn.Conv1d) and module.in_channels == 4 and module.groups == 1:
            if isinstance(following, PairedNormalization):
                return FirstLayer(module, following.folded, following)
            if isinstance(following, nn.BatchNorm1d):
                return FirstLayer(module, following, following)
            return FirstLayer(module, None, module)
    return None


def first_convolution(model: nn.Module) -> nn.Conv1d | None:
    """Return the first convolution, in the order of the model's modules, that reads the four bases.

    Batch normalisation right behind it is folded into a copy, so that what it puts out is what the model rectifies.
    """
    layer = first_layer(model)
    if layer is None or layer.normalization is None:
        return None if layer is None else layer.convolution
    return fuse_conv_bn_eval(layer.convolution, layer.normalization)


def find_sites(convolution: nn.Conv1d, codes: np.ndarray, threshold: float) -> Sites:
    """Count the bases where each filter's activation exceeds a share of its maximum over all windows.

    The rule of DeepBind, Basset and DanQ (Alipanahi 2015; Kelley 2016; Quang & Xie 2016), with half the maximum. Only
    whole sub-sequences count: the filter is laid on every position where it lies within the window, whatever padding
    and stride the layer itself has.

    Parameters
    ----------
    convolution
        On the CPU; activation means its output, bias included, where positive.
    codes
        ``uint8``, shape ``(n, length)``.
    threshold
        Between 0 and 1.
    """
    width = convolution.kernel_size[0]
    filters = convolution.out_channels
    # Filters whose length grows by dilation respond to bases some way apart; the matrix shows all between.
    span = convolution.dilation[0] * (width - 1) + 1
    maximum = torch.zeros(filters)
    with torch.no_grad():
        for batch in _batches(codes):
            maximum = torch.maximum(maximum, _activations(convolution, batch).amax(dim=(0, 2)))
        counts = torch.zeros(filters, 4 * span, dtype=torch.float64)
        support = torch.zeros(filters, dtype=torch.int64)
        for batch in _batches(codes):
            # Strictly greater: a filter that never responds has no sites.
            active = _activations(convolution, batch) > threshold * maximum[:, None]
            support += active.sum(dim=(0, 2))
            where = active.any(dim=1)
            words = batch.unfold(2, span, 1).permute(0, 2, 1, 3)[where].flatten(1)
            counts += (active.permute(1, 0, 2)[:, where].float() @ words).double()
    return Sites(counts.unflatten(1, (4, span)).numpy(), support.numpy(), maximum.numpy())


def _batches(codes: np.ndarray) -> Iterator[torch.Tensor]:
    for first in range(0, len(codes), BATCH):
        yield torch.from_numpy(one_hot(codes[first : first + BATCH]))


def _activations(convolution: nn.Conv1d, batch: torch.Tensor) -> torch.Tensor:
    return nn.functional.conv1d(batch, convolution.weight, convolution.bias, dilation=convolution.dilation)


def motifs_of(sites: Sites, settings: FilterConfig) -> list[Motif]:
    """Turn counts into matrices, trimmed, but for filters with too few sites or without an informative position."""
    motifs = []
    for channel, (counts, support, maximum) in enumerate(zip(*sites, strict=True)):
        if maximum <= 0 or support < settings.min_sites:
            continue
        # Unknown bases count for nothing, so columns may have different totals.
        pwm = (counts + settings.pseudocount / 4) / (counts.sum(axis=0) + settings.pseudocount)
        pwm = pwm[:, core(pwm, float(support), settings.core_bits)]
        if pwm.shape[1]:
            motifs.append(Motif(f"filter_{channel}", "filter", pwm, int(support)))
    return motifs
