"""Digests of what a run must give again, wherever and however it ran."""

import hashlib
from pathlib import Path

import h5py
import numpy as np

from lociflow.provenance.content import content_digest

RESULTS = (
    "windows.parquet",
    "targets.npy",
    "model.ckpt",
    "predictions.parquet",
    "metrics.json",
    "modisco.h5",
    "modisco.meme",
    "modisco.tsv",
    "filters.meme",
)


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
        str(path.relative_to(folder)): hdf5_digest(path) if path.suffix == ".h5" else str(content_digest(path))
        for path in sorted(folder.rglob("*"))
        if path.name in RESULTS and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Return a line for each result that is missing, not expected, or another one."""
    told = {
        **dict.fromkeys(expected.keys() - found.keys(), "is missing"),
        **dict.fromkeys(found.keys() - expected.keys(), "was not expected"),
        **{name: "differs" for name in expected.keys() & found.keys() if expected[name] != found[name]},
    }
    return [f"{name} {what}" for name, what in sorted(told.items())]


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
