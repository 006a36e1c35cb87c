"""The array of labels on disk: written a part of a contig at a time, counted, and cut to the bins that stay."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lociflow.command import atomic
from lociflow.genome.label_kinds import LabelKind, known
from lociflow.genome.target_labels import Labeller, TargetLabels
from lociflow.sequence.mapped import let_go

# Labels that are held in memory at once, in bytes, and bins that are labelled at once.
BLOCK = 1 << 27
ROWS = 1 << 22


def write_labels(path: Path, bins: pd.DataFrame, found: TargetLabels, labeller: Labeller | None = None) -> None:
    """Write the labels of all bins; memory holds a block of them.

    A shuffled bin has lost whatever stood at its place: it is negative for binary targets and of the first class, the
    background, for classes; other kinds do not know it and get a missing label.

    Parameters
    ----------
    path
        ``.npy`` to write.
    bins
        All bins: ``contig``, ``start``, ``end``, ``strand``, ``shuffled``, sorted.
    found
        The targets.
    labeller
        What to write instead of the labels, such as the control; in ``float32``.
    """
    label = labeller or found.label
    first = label(bins.iloc[:1])
    dtype = found.label_kind.dtype if labeller is None else np.dtype(np.float32)
    shape = (len(bins), *first.shape[1:])
    shuffled = bins["shuffled"].to_numpy(bool)
    absent = 0 if found.kind in ("binary", "class", "position_class") else found.label_kind.missing
    most = min(ROWS, max(1, BLOCK // max(1, dtype.itemsize * int(np.prod(shape[1:])))))
    contig = bins["contig"].cat.codes.to_numpy(np.int64) if found.by_contig else np.zeros(len(bins), np.int64)
    with atomic(path) as temporary:
        array = _create(temporary, dtype, shape)
        if array.size:
            held = 0
            for rows in _blocks(contig, most):
                block = label(bins.iloc[rows])
                block[shuffled[rows]] = absent
                array[rows] = block
                held += block.nbytes
                if held >= BLOCK:
                    let_go(array)
                    held = 0
            array.flush()
        del array


def _create(path: Path, dtype: np.dtype, shape: tuple[int, ...]) -> np.memmap:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    # A map reserves no place: a disk that is full would kill the process at the first page that has none.
    if hasattr(os, "posix_fallocate"):
        with path.open("rb+") as handle:
            os.posix_fallocate(handle.fileno(), 0, path.stat().st_size)
    return array


def _blocks(contig: np.ndarray, most: int) -> Iterator[slice]:
    border = np.flatnonzero(np.diff(contig)) + 1
    for low, high in zip([0, *border], [*border, len(contig)], strict=True):
        for start in range(low, high, most):
            yield slice(start, min(start + most, high))


def rows_at_once(array: np.ndarray) -> Iterator[slice]:
    """Yield slices of an array's rows of up to :data:`BLOCK` bytes each."""
    most = max(1, BLOCK // max(1, array.itemsize * int(np.prod(array.shape[1:]))))
    for start in range(0, len(array), most):
        yield slice(start, min(start + most, len(array)))
        let_go(array)


def keep_rows(path: Path, kept: np.ndarray) -> None:
    """Leave only some rows of an array on disk; ``kept`` is ``bool``, one for each."""
    array = np.load(path, mmap_mode="r")
    with atomic(path) as temporary:
        shorter = _create(temporary, array.dtype, (int(kept.sum()), *array.shape[1:]))
        done = 0
        for rows in rows_at_once(array) if shorter.size else ():
            part = array[rows][kept[rows]]
            shorter[done : done + len(part)] = part
            done += len(part)
        shorter.flush()
        del shorter
    del array


def digest_array(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's shape, type and values."""
    digest = hashlib.sha256(json.dumps([list(array.shape), array.dtype.str]).encode())
    for rows in rows_at_once(array):
        digest.update(np.ascontiguousarray(array[rows]).tobytes())
    return digest.hexdigest()


def summarise(
    array: np.ndarray, kind: LabelKind, classes: list[list[str]] | None, chosen: np.ndarray
) -> dict[str, Any]:
    """Count the labels of some bins.

    Parameters
    ----------
    array
        Labels.
    kind
        Theirs.
    classes
        Names of each target's classes.
    chosen
        ``bool``: the bins to count.

    Returns
    -------
    dict
        ``known`` and ``missing``: a number per target; for binary ``positives`` per target; for classes ``classes``, a
        number for each class of each target; for numbers ``mean`` and ``sd`` per target, None without any known one.
    """
    targets = array.shape[-1]
    count, lost, positives = (np.zeros(targets, np.int64) for _ in range(3))
    total, squares = np.zeros(targets), np.zeros(targets)
    most = max((len(names) for names in classes or []), default=0)
    by_class = np.zeros((targets, most), np.int64)
    for rows in rows_at_once(array):
        part = np.asarray(array[rows])[chosen[rows]].reshape(-1, targets)
        present = known(part, kind)
        count += present.sum(axis=0)
        lost += (~present).sum(axis=0)
        if kind.name == "binary":
            positives += (part == 1).sum(axis=0)
        elif classes is not None:
            for number in range(most):
                by_class[:, number] += (part == number).sum(axis=0)
        else:
            values = np.where(present, part, 0).astype(np.float64)
            total += values.sum(axis=0)
            squares += np.square(values).sum(axis=0)
    found: dict[str, Any] = {"known": count.tolist(), "missing": lost.tolist()}
    if kind.name == "binary":
        return {**found, "positives": positives.tolist()}
    if classes is not None:
        return {
            **found,
            "classes": [
                dict(zip(names, row[: len(names)], strict=True))
                for names, row in zip(classes, by_class.tolist(), strict=True)
            ],
        }
    mean = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    return {
        **found,
        "mean": [value if number else None for value, number in zip(mean.tolist(), count, strict=True)],
        "sd": [value if number else None for value, number in zip(spread.tolist(), count, strict=True)],
    }
