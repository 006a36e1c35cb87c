"""Predict tiles along the genome with a trained model, as bigWig and as a table."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pysam
import torch

from lociflow.command import UserError, atomic, status, write_json
from lociflow.data.bins import NO_SPLIT, SPLITS, Bins, read_bins
from lociflow.data.dataset import WindowDataset, from_other_strand
from lociflow.data.views import make_views
from lociflow.evaluation.answers import Answers
from lociflow.evaluation.predict import check_alphabet, check_split_of, predict_bins
from lociflow.evaluation.strands import names_by_strand, strands_apart
from lociflow.file_names import file_names
from lociflow.formats import stamp
from lociflow.genome.contig_names import read_aliases
from lociflow.genome.place_index import INTERVALS, index_places
from lociflow.genome.placement import Placement, mostly_unknown, window_codes, window_start
from lociflow.genome.window_table import about_windows
from lociflow.models.checkpoint import LoadedModel, load_model
from lociflow.models.device import resolve_device
from lociflow.models.outputs import UNLABELLED
from lociflow.sequence.store import SequenceStore, open_store
from lociflow.tracks.bigwig import add_bases, add_pieces, open_bigwigs
from lociflow.tracks.sides import NONE, Sides, side_names
from lociflow.tracks.tiles import Tiles, count_tiles, read_regions_to_predict, tile_chunks, whole_contigs
from lociflow.tracks.values import UNITS, track_names, track_values

KIND = "tracks"
# Tiles that are predicted between two writes, and the numbers that memory holds of them at most.
CHUNK = 4096
NUMBERS = 1 << 22
# Bases that a browser opens at.
LOCUS = 50_000
# Seconds between two lines that tell how far it is.
TOLD = 30.0


class TrackConfig(NamedTuple):
    """What to predict."""

    bin: int
    """Bases of a bin of the data set."""
    step: int | None = None
    """Bases from one tile to the next; None: as many as a bin has."""
    contigs: Sequence[str] | str | None = None
    """Whole contigs, or ``all``; None: the regions of a file."""
    contig_aliases: Any = None
    """What the file calls contigs, as in the data set."""


class Model(NamedTuple):
    """The trained seeds of a model, and how their data set reads windows."""

    seeds: Sequence[LoadedModel]
    order: Sequence[int] | None
    """The order of the targets on the other strand; None: the same."""
    device: torch.device

    @property
    def first(self) -> LoadedModel:
        """The seed that stands for all in what they share."""
        return self.seeds[0]

    @property
    def length(self) -> int:
        """Bases that the model sees."""
        return int(self.first.config["model"]["input_length"])

    @property
    def strands(self) -> Mapping[str, bool]:
        """Name of each strand whose predictions have a track of their own, and whether it is the reverse one."""
        return strands_apart(self.first.provenance.get("stranded"))

    @property
    def tracks(self) -> list[str]:
        """Names of the tracks."""
        return names_by_strand(track_names(self.first.outputs), self.strands)


def predict_tracks(
    store: Path,
    windows: Path,
    checkpoints: Sequence[Path],
    config: Mapping[str, Any],
    bigwigs: Path,
    table: Path,
    index: Path,
    about: Path,
    regions: Path | None = None,
    device: str = "cpu",
) -> None:
    """Predict tiles along regions or whole contigs with the mean over a model's seeds.

    Probabilities, values, profiles and log counts of the seeds are averaged as they are, as
    :func:`lociflow.evaluation.seed_ensemble.average_seeds` does. Where the data set's bins have a strand there is a
    track for each strand, else predictions are those of both strands' mean wherever the test bins' are.

    Parameters
    ----------
    store, windows
        ``store.json`` and ``windows.parquet`` of the data set.
    checkpoints
        Of each seed.
    config
        As :class:`TrackConfig`.
    bigwigs
        Folder to write one file a track to.
    table
        ``.tsv.gz`` to write, with bgzip: contig, start, end, split (the side of the
        bins with which the tile's window shares sequence) and the mean of each track over the tile; NaN where the
        window is mostly unknown.
    index
        Index of the table for tabix to write, CSI.
    about
        JSON to write: what the tracks are, and counts.
    regions
        BED or another file of regions; None where ``config`` names contigs.
    device
        ``auto``, ``cpu`` or ``cuda``.

    Raises
    ------
    UserError
        An input is bad, checkpoint and data set do not fit, or there is nothing to predict.
    """
    settings = TrackConfig(**config)
    step = settings.step or settings.bin
    genome = open_store(store)
    model = _load(checkpoints, genome, windows, device)
    if model.first.outputs.positions not in (0, settings.bin):
        raise UserError(
            f"{checkpoints[0]}: predicts {model.first.outputs.positions} bases of a bin, expected {settings.bin} as "
            "the data set's bins have; train the model again"
        )
    if regions is None:
        wanted = whole_contigs(genome, settings.contigs or [])
    else:
        wanted = read_regions_to_predict(regions, genome, read_aliases(settings.contig_aliases))
    split = model.first.config["dataset"]["split"]
    bins = read_bins(windows, genome, split)
    sides = Sides(genome, bins, model.length)
    total = int(count_tiles(wanted, step).sum())
    status(
        f"predicting {total:,} tiles on {wanted['contig'].nunique()} contigs with {len(checkpoints)} seeds of "
        f"{model.first.config['model']['name']} on {model.device.type}"
    )
    names = model.tracks
    files = file_names(names, ".bw")
    counts = {"tiles": 0, "padded": 0, "unknown": 0}
    by_contig: dict[str, dict[str, int]] = {}
    begin = told = time.monotonic()
    with open_bigwigs(bigwigs, files, genome) as handles, atomic(table) as temporary:
        with pysam.BGZFile(str(temporary), "wb", None) as rows:
            rows.write(("\t".join(["#contig", "start", "end", "split", *names]) + "\n").encode())
            for tiles in tile_chunks(genome, wanted, settings.bin, step, chunk_size(model, settings.bin)):
                found = predict_tiles(model, genome, tiles, settings.bin)
                centre = tiles.bin_start + settings.bin // 2
                side = side_names(sides.of(tiles.contig, centre))
                means = _write(handles, genome, tiles, found.values)
                rows.write(_rows(genome, tiles, side, means).encode())
                counts["tiles"] += len(tiles.start)
                counts["padded"] += found.padded
                counts["unknown"] += found.unknown
                _count(by_contig, genome, tiles, side)
                if time.monotonic() - told > TOLD:
                    told = time.monotonic()
                    status(f"{counts['tiles']:,} of {total:,} tiles in {told - begin:.0f} s")
        index_places(temporary, index, INTERVALS)
    seconds = time.monotonic() - begin
    write_json(
        about,
        {
            **stamp(KIND),
            "model": model.first.config["model"]["name"],
            "seeds": [one.config["seed"] for one in model.seeds],
            "dataset": model.first.config["dataset"]["name"],
            "split": split,
            "genome": genome.name,
            "bin": settings.bin,
            "step": step,
            "unit": UNITS[model.first.outputs.kind],
            "tracks": [{"name": name, "file": file} for name, file in zip(names, files, strict=True)],
            **counts,
            "locus": _locus(wanted),
            "contigs": by_contig,
            "bins": _bins_by_side(genome, bins, list(by_contig)),
        },
    )
    status(
        f"{counts['tiles']:,} tiles in {seconds:.1f} s ({counts['tiles'] / max(seconds, 1e-9):,.0f} a second); "
        f"{counts['padded']:,} windows reach beyond a contig's end, {counts['unknown']:,} are mostly unknown and have "
        "no value"
    )
    for contig, number in by_contig.items():
        told_of = ", ".join(f"{many:,} {what}" for what, many in number.items() if many)
        status(f"{contig}: tiles by the side of {split} with whose bins they share sequence: {told_of}")


class Predicted(NamedTuple):
    """The values of some tiles."""

    values: np.ndarray
    """``float32``, shape (n, tracks), or (n, span, tracks) where there is a number for each base of a tile; NaN where
    there is none."""
    padded: int
    """Windows that reach beyond their contig's end."""
    unknown: int
    """Windows that are mostly unknown, which have no value."""


def predict_tiles(model: Model, store: SequenceStore, tiles: Tiles, bin_length: int) -> Predicted:
    """Predict the bins of some tiles, and take of each what lies on its tile."""
    place = Placement(tiles.contig.astype(np.int32), tiles.bin_start + bin_length // 2)
    every = np.arange(len(tiles.start))
    unknown = mostly_unknown(store, window_codes(store, place, every, model.length))
    start = window_start(place, every, model.length)
    padded = int(((start < 0) | (start + model.length > store.lengths[tiles.contig])).sum())
    known = np.flatnonzero(~unknown)
    parts = [_of_strand(model, store, place, known, reverse) for reverse in model.strands.values()]
    found = np.concatenate(parts, axis=-1)
    if found.ndim == 3:
        found = _on_tiles(found, tiles.rows(known))
    values = np.full((len(every), *found.shape[1:]), np.nan, np.float32)
    values[known] = found
    return Predicted(values, padded, int(unknown.sum()))


def chunk_size(model: Model, bin_length: int) -> int:
    """Return how many tiles are predicted at once."""
    numbers = len(model.tracks) * (bin_length if model.first.outputs.positions else 1)
    return max(1, min(CHUNK, NUMBERS // numbers))


def _load(checkpoints: Sequence[Path], store: SequenceStore, windows: Path, device: str) -> Model:
    seeds = [load_model(path) for path in checkpoints]
    torch.set_num_threads(seeds[0].config["training"].get("torch_threads", 1))
    for path, loaded in zip(checkpoints, seeds, strict=True):
        check_alphabet(loaded, store, path)
        check_split_of(loaded, windows, path)
        name = loaded.config["model"]["name"]
        if loaded.outputs.kind == UNLABELLED:
            raise UserError(
                f"{path}: was trained without labels, expected a model with outputs; leave {name} out of tracks"
            )
        if "control" in loaded.config["model"]["views"]:
            raise UserError(
                f"{path}: {name} reads the control, which is only known on the data set's bins, expected a model of "
                "the sequence; leave it out of tracks.models"
            )
        if loaded.outputs != seeds[0].outputs:
            raise UserError(
                f"{path}: found other targets than in {checkpoints[0]}, expected the same; train both again"
            )
    return Model(seeds, about_windows(windows)["labels"]["reverse"], resolve_device(device))


def _of_strand(model: Model, store: SequenceStore, place: Placement, rows: np.ndarray, reverse: bool) -> np.ndarray:
    """Return the values of some bins, read from one strand, along the genome's plus strand."""
    bins = Bins(place, np.full(len(place.position), reverse), np.full(len(place.position), NO_SPLIT, np.uint8))
    sums: list[np.ndarray] = []
    for loaded in model.seeds:
        views = make_views(loaded.config["model"]["views"], store, bins, model.length, None, model.order)
        batches = predict_bins(loaded, WindowDataset(views, bins.reverse), rows, 0, model.device, model.order)
        answers = _joined([found for _, found in batches])
        if reverse:
            columns = loaded.outputs.other_strand(loaded.provenance.get("other_strand", model.order))
            answers = tuple(from_other_strand(one, columns) for one in answers)
        added = [one.double().numpy() for one in answers]
        sums = [total + one for total, one in zip(sums, added, strict=True)] if sums else added
    means = tuple(torch.from_numpy(total / len(model.seeds)) for total in sums)
    return track_values(model.first.outputs, means)


def _joined(batches: Sequence[Answers]) -> Answers:
    return tuple(torch.cat(parts) for parts in zip(*batches, strict=True))


def _on_tiles(values: np.ndarray, tiles: Tiles) -> np.ndarray:
    """Take of each bin's values along it those on its tile; NaN behind the end of a tile that is clipped."""
    length = tiles.end - tiles.start
    base = np.arange(int(length.max(initial=0)))
    place = (tiles.start - tiles.bin_start)[:, None] + base
    found = np.take_along_axis(values, np.minimum(place, values.shape[1] - 1)[..., None], axis=1)
    found[base >= length[:, None]] = np.nan
    return found


def _write(handles: Sequence[Any], store: SequenceStore, tiles: Tiles, values: np.ndarray) -> np.ndarray:
    """Add values to the tracks, and return their means over each tile, shape (n, tracks)."""
    if values.ndim == 2:
        for column, handle in enumerate(handles):
            add_pieces(handle, store, tiles.contig, tiles.start, tiles.end, values[:, column])
        return values
    span = values.shape[1]
    contig = np.repeat(tiles.contig, span)
    base = (tiles.start[:, None] + np.arange(span)).ravel()
    for column, handle in enumerate(handles):
        add_bases(handle, store, contig, base, values[..., column].ravel())
    known = ~np.isnan(values)
    # A tile without any value has the mean NaN, and none to warn of.
    number = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    return np.asarray(np.where(known, values, 0).sum(axis=1, dtype=np.float64) / number)


def _rows(store: SequenceStore, tiles: Tiles, side: np.ndarray, means: np.ndarray) -> str:
    keys = pd.DataFrame(
        {"contig": np.array(store.names, object)[tiles.contig], "start": tiles.start, "end": tiles.end, "split": side}
    )
    frame = pd.concat([keys, pd.DataFrame(means)], axis=1)
    return frame.to_csv(sep="\t", header=False, index=False, float_format="%.6g", na_rep="NaN", lineterminator="\n")


def _count(by_contig: dict[str, dict[str, int]], store: SequenceStore, tiles: Tiles, side: np.ndarray) -> None:
    for code in np.unique(tiles.contig).tolist():
        counted = by_contig.setdefault(store.names[code], dict.fromkeys((*SPLITS, NONE), 0))
        for name, number in zip(*np.unique(side[tiles.contig == code].astype(str), return_counts=True), strict=True):
            counted[str(name)] += int(number)


def _locus(regions: pd.DataFrame) -> str:
    first = regions.iloc[0]
    return f"{first['contig']}:{first['start'] + 1}-{min(first['end'], first['start'] + LOCUS)}"


def _bins_by_side(store: SequenceStore, bins: Bins, contigs: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many bins of each side every contig has: whether the model was trained on it at all."""
    found = {}
    for name in contigs:
        sides = bins.split[bins.place.contig == store.names.index(name)]
        found[name] = {side: int((sides == number).sum()) for number, side in enumerate(SPLITS)}
    return found
