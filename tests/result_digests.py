"""Digests of what a run must give again, wherever and however it ran."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import torch

from lociflow.models.checkpoint import weights_digest


def result_digests(folder: Path) -> dict[str, str]:
    """Return the digests of all windows, targets, weights, predictions, metrics and motifs below a folder.

    They are of the content and not of the file's bytes, so that a checkpoint that names another device still has the
    same weights. Reports, logs, benchmark files and manifests carry times and are left out.

    Parameters
    ----------
    folder
        Where snakemake ran, or any folder of results.

    Returns
    -------
    dict
        SHA-256 by path relative to ``folder``, in the order of the paths.
    """
    return {
        str(path.relative_to(folder)): READERS[path.name](path)
        for path in sorted(folder.rglob("*"))
        if path.name in READERS and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Return a line for each result that is missing, not expected, or another one."""
    told = {
        **dict.fromkeys(expected.keys() - found.keys(), "is missing"),
        **dict.fromkeys(found.keys() - expected.keys(), "was not expected"),
        **{name: "differs" for name in expected.keys() & found.keys() if expected[name] != found[name]},
    }
    return [f"{name} {what}" for name, what in sorted(told.items())]


def table_digest(path: Path) -> str:
    """Digest a Parquet table: metadata, columns, types and values, whatever its row groups and its compression."""
    table = pq.read_table(path)
    digest = hashlib.sha256(repr(sorted((table.schema.metadata or {}).items())).encode())
    for name, column in zip(table.column_names, table.columns, strict=True):
        digest.update(f"\n{name} {column.type} {len(column)}\n".encode())
        digest.update(repr(column.to_pylist()).encode())
    return digest.hexdigest()


def array_digest(path: Path) -> str:
    """Digest an array: type, shape and values."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    digest = hashlib.sha256(f"{array.dtype} {array.shape}\n".encode())
    digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def checkpoint_digest(path: Path) -> str:
    """Digest a checkpoint's weights."""
    return weights_digest(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])


def json_digest(path: Path) -> str:
    """Digest a JSON file's value."""
    return hashlib.sha256(json.dumps(json.loads(path.read_text()), sort_keys=True).encode()).hexdigest()


def hdf5_digest(path: Path) -> str:
    """Digest the arrays and attributes of an HDF5 file, which itself may carry times."""
    told: dict[str, str] = {}

    def tell(name: str, item: h5py.Group | h5py.Dataset) -> None:
        attributes = sorted((key, repr(value)) for key, value in item.attrs.items())
        told[name] = f"{attributes}"
        if isinstance(item, h5py.Dataset):
            values = np.asarray(item[()])
            held = repr(values.tolist()).encode() if values.dtype.hasobject else values.tobytes()
            told[name] += f" {values.dtype} {values.shape} {hashlib.sha256(held).hexdigest()}"

    with h5py.File(path) as file:
        tell("/", file)
        file.visititems(tell)
    return hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()


def text_digest(path: Path) -> str:
    """Digest a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


READERS: dict[str, Callable[[Path], str]] = {
    "windows.parquet": table_digest,
    "targets.npy": array_digest,
    "model.ckpt": checkpoint_digest,
    "predictions.parquet": table_digest,
    "metrics.json": json_digest,
    "modisco.h5": hdf5_digest,
    "modisco.meme": text_digest,
    "modisco.tsv": text_digest,
    "filters.meme": text_digest,
}
