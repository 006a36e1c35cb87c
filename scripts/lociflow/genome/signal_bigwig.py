"""Signal tracks from bigWig files (Kent et al. 2010, Bioinformatics 26:2204), which stay on disk."""

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig

from lociflow.command import UserError
from lociflow.genome.signal_track import (
    SignalTrack,
    TrackSettings,
    check_finite,
    check_lengths,
    match_contigs,
    use_signs,
)  # fmt: skip
from lociflow.sequence.store import SequenceStore

# Bases that are read from a bigWig at once: 64 MB with the float64 copy.
BLOCK = 1 << 22

# What bbiFile.h of the UCSC tools lays down: bytes of the header and of a zoom level's, and what the trees begin with.
LITTLE_ENDIAN = b"\x26\xfc\x8f\x88"
HEADER = 64
ZOOM = 24
CONTIG_TREE = 0x78CA8C91
INDEX = 0x2468ACE0
LARGEST_BUFFER = 1 << 28


def open_bigwig(
    path: Path, store: SequenceStore, aliases: Mapping[str, str | None], settings: TrackSettings
) -> SignalTrack:
    """Open a bigWig and read it through once, in blocks, so that memory does not grow with the genome.

    Parameters and errors are those of :func:`lociflow.genome.signal.open_track`.
    """
    _check_layout(path)
    try:
        handle = pyBigWig.open(str(path))
        chroms = {str(name): int(length) for name, length in handle.chroms().items()}
        expected = int(handle.header()["nBasesCovered"])
        covered = [_covers(handle, name) for name in chroms]
    except RuntimeError:
        raise _broken(path) from None
    names = list(chroms)
    place, missing = match_contigs(path, names, covered, store, aliases, settings.missing_contigs)
    check_lengths(path, names, list(chroms.values()), place, store)
    called = {int(index): name for index, name in zip(place, names, strict=True) if index >= 0}
    fill = 0.0 if settings.missing == "zero" else np.nan
    absent = 0.0 if settings.missing_contigs == "zero" else np.nan

    def raw(name: str, start: int, end: int) -> np.ndarray:
        try:
            return np.asarray(handle.values(name, start, end, numpy=True), dtype=np.float64)
        except RuntimeError:
            raise _broken(path) from None

    def read(contig: int, start: int, end: int) -> np.ndarray:
        if contig not in called:
            return np.full(end - start, absent)
        values = raw(called[contig], start, end)
        if settings.magnitude:
            np.abs(values, out=values)
        if not np.isnan(fill):
            values[np.isnan(values)] = fill
        return values

    total, least, most, bases, negative = 0.0, np.inf, -np.inf, 0, 0
    excluded = 0
    for name, length in chroms.items():
        for start in range(0, length, BLOCK):
            values = raw(name, start, min(start + BLOCK, length))
            values = values[~np.isnan(values)]
            if name not in called.values():
                excluded += len(values)
                continue
            check_finite(path, name, values)
            bases += len(values)
            negative += int((values < 0).sum())
            total += float(values.sum())
            least, most = min(least, values.min(initial=np.inf)), max(most, values.max(initial=-np.inf))
    if bases + excluded < expected:
        raise _broken(path)
    total, least = use_signs(path, total, least, most, negative, settings.magnitude)
    counts = {
        "read": bases + excluded,
        "dropped": {"excluded_contig": excluded},
        "clipped": 0,
        "unit": "bases",
        "negative": negative,
        "contigs_without_data": missing,
    }
    return SignalTrack(path, read, total, least, counts)


def _check_layout(path: Path) -> None:
    """Refuse a file whose header points outside of it, on which libBigWig crashes instead of raising."""
    with path.open("rb") as handle:
        header = handle.read(HEADER)
        size = handle.seek(0, os.SEEK_END)
        order = "<" if header[:4] == LITTLE_ENDIAN else ">"
        if len(header) < HEADER:
            raise _broken(path)
        _, _, zooms, contigs, data, index, _, _, _, summary, buffer, _ = struct.unpack(order + "IHHQQQHHQQIQ", header)
        handle.seek(HEADER)
        levels = handle.read(ZOOM * zooms)
        if len(levels) < ZOOM * zooms or max(data, summary) >= size or buffer > LARGEST_BUFFER:
            raise _broken(path)
        indices = [(contigs, CONTIG_TREE), (index, INDEX)]
        indices += [(place, INDEX) for _, _, _, place in struct.iter_unpack(order + "IIQQ", levels)]
        for place, magic in indices:
            handle.seek(min(place, size))
            if handle.read(4) != struct.pack(order + "I", magic):
                raise _broken(path)


def _covers(handle: Any, name: str) -> bool:
    # The index tells: nothing is decompressed. A contig without any value gives [None].
    found = handle.stats(name, type="coverage")[0]
    return bool(found)


def _broken(path: Path) -> UserError:
    return UserError(f"{path}: a broken or incomplete bigWig file; fetch it again")
