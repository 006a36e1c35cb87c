"""A data set of random labels for benchmarks, and the loader that training would make of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lociflow.data.bins import bins_of_split, read_bins
from lociflow.data.dataset import WindowDataset, make_loader
from lociflow.data.sampler import TrainingSampler
from lociflow.data.targets import open_targets
from lociflow.data.views import make_views
from lociflow.genome.window_table import write_windows
from lociflow.sequence.store import SequenceStore, open_store

SPLIT = "holdout"
BIN = 200
SEED = 1
# Labels that are written at once.
CHUNK = 1 << 16


def write_data(folder: Path, store: SequenceStore, windows: int, targets: int, validation: float = 0.1) -> None:
    """Write ``windows.parquet``, ``targets.npy`` and ``targets.tsv``: tiles that begin every few bases, random labels.

    The last tenth is the test split, the ``validation`` part before it the validation split.
    """
    per_contig = -(-windows // len(store.names))
    contig = np.repeat(np.arange(len(store.names)), per_contig)[:windows]
    step = (int(store.lengths.min()) - 2_000) // per_contig
    start = 1_000 + np.tile(np.arange(per_contig, dtype=np.int64) * step, len(store.names))[:windows]
    share = np.arange(windows) / windows
    code = (share >= 0.9 - validation).astype(np.int8) + (share >= 0.9)
    split = pd.Categorical.from_codes(code, categories=["train", "validation", "test"])
    frame = pd.DataFrame(
        {
            "contig": pd.Categorical.from_codes(contig.astype(np.int32), categories=list(store.names)),
            "start": start,
            "end": start + BIN,
            "strand": pd.Categorical.from_codes(np.zeros(windows, np.int8), categories=["."]),
            "group": pd.Categorical.from_codes(np.full(windows, -1, np.int8), categories=[]),
            "shuffled": np.zeros(windows, dtype=bool),
            f"split:{SPLIT}": split,
        }
    )
    about = {"kind": "binary", "classes": None, "reverse": None, "stranded": False}
    write_windows(folder / "windows.parquet", frame, {"labels": about, "split_digests": {SPLIT: "of a benchmark"}})
    np.save(folder / "control.npy", np.empty((windows, 0), np.float32))
    labels = np.lib.format.open_memmap(folder / "targets.npy", mode="w+", dtype=np.int8, shape=(windows, targets))
    draws = np.random.default_rng(4)
    for first in range(0, windows, CHUNK):
        chunk = draws.integers(0, 256, (min(CHUNK, windows - first), targets), dtype=np.uint8)
        labels[first : first + CHUNK] = (chunk < 26).astype(np.int8) - (chunk > 250)
    labels.flush()
    names = "\n".join(f"target{number}" for number in range(targets))
    (folder / "targets.tsv").write_text(f"target\n{names}\n")


def training_loader(store: Path, folder: Path, length: int, batch: int, jitter: int, workers: int) -> Any:
    """Return the loader of the training split, as training makes it."""
    opened = open_store(store)
    bins = read_bins(folder / "windows.parquet", opened, SPLIT)
    names = (folder / "targets.tsv").read_text().splitlines()[1:]
    table = open_targets(folder / "targets.npy", len(bins.split), len(names))
    views = make_views(["sequence"], opened, bins, length)
    rows = bins_of_split(bins, "train")
    sampler = TrainingSampler(rows, batch, SEED, True, jitter)
    return make_loader(WindowDataset(views, bins.reverse, table), sampler, workers)
