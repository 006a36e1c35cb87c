"""Training batches: lociflow's loader against a Dataset that reads and encodes item by item behind a DataLoader.

Both shuffle, draw strand and jitter for every window, and give float one-hot batches with their labels.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pysam
import torch
from data_files import training_loader, write_data
from genome_files import write_genome
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lociflow.data.one_hot import OneHot
from lociflow.genome.window_table import read_windows
from lociflow.sequence.store import open_store

BASES = 20_000_000
WINDOWS = 50_000
TARGETS = 200
LENGTH = 1_000
BATCH = 128
JITTER = 50
REPEATS = 3
# Batches of which every base and label is compared.
COMPARED = 50


class Items(Dataset[tuple[Tensor, Tensor]]):
    """Windows read with pysam and encoded one at a time, by a table: what a careful user would write."""

    def __init__(self, fasta: str, folder: str) -> None:
        frame = read_windows(Path(folder, "windows.parquet"))
        self.contig = frame["contig"].astype(str).to_numpy()
        self.centre = ((frame["start"] + frame["end"]) // 2).to_numpy()
        self.train = np.arange(int(len(frame) * 0.8))
        self.labels = np.load(Path(folder, "targets.npy"), mmap_mode="r")
        self.fasta = fasta
        self.opened: pysam.FastaFile | None = None
        self.table = np.zeros((256, 4), dtype=np.float32)
        for channel, letters in enumerate(("Aa", "Cc", "Gg", "Tt")):
            self.table[[ord(letter) for letter in letters], channel] = 1

    def __len__(self) -> int:
        return len(self.train)

    def read(self, row: int, reverse: bool, shift: int) -> Tensor:
        """Return a window as ``float32`` of shape ``(4, length)``."""
        # Opened where it is used: a worker cannot share its parent's handle.
        self.opened = self.opened or pysam.FastaFile(self.fasta)
        start = int(self.centre[row]) - LENGTH // 2 + shift
        letters = self.opened.fetch(self.contig[row], start, start + LENGTH)
        channels = self.table[np.frombuffer(letters.encode(), dtype=np.uint8)].T
        if reverse:
            channels = channels[::-1, ::-1]
        return torch.from_numpy(np.ascontiguousarray(channels))

    def __getitem__(self, item: int) -> tuple[Tensor, Tensor]:
        row = self.train[item]
        shift = int(torch.randint(-JITTER, JITTER + 1, (1,)))
        reverse = bool(torch.randint(2, (1,)))
        return self.read(row, reverse, shift), torch.from_numpy(np.array(self.labels[row]))


def ours(store: str, folder: str, workers: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    loader = training_loader(Path(store), Path(folder), LENGTH, BATCH, JITTER, workers)
    expand = OneHot()

    def epoch(number: int) -> int:
        loader.sampler.set_epoch(number)
        return sum(len(expand(batch.views)["sequence"]) for batch in loader)

    return timed(epoch)


def item_by_item(fasta: str, folder: str, workers: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    loader = DataLoader(Items(fasta, folder), BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    return timed(lambda number: sum(len(channels) for channels, _ in loader))


def timed(epoch: Any) -> dict[str, Any]:
    """Run one epoch to warm up, then time some: windows a second, the fastest first."""
    epoch(0)
    rates = []
    for number in range(1, REPEATS + 1):
        begin = time.perf_counter()
        windows = epoch(number)
        rates.append(windows / (time.perf_counter() - begin))
    return {"windows_per_second": sorted(rates, reverse=True)}


def compare(fasta: str, store: str, folder: str) -> bool:
    """Hold the loader's first batches against the reference, base by base and label by label."""
    loader = training_loader(Path(store), Path(folder), LENGTH, BATCH, JITTER, workers=0)
    items, expand, equal = Items(fasta, folder), OneHot(), True
    requests = list(loader.sampler)[:COMPARED]
    for request, batch in zip(requests, loader, strict=False):
        shifts = getattr(request, "shift", None)
        shifts = np.zeros(len(request.bins), int) if shifts is None else shifts
        expected = torch.stack([items.read(*one) for one in zip(request.bins, request.reverse, shifts, strict=True)])
        equal &= torch.equal(expand(batch.views)["sequence"], expected)
        labels = torch.from_numpy(np.array(items.labels[request.bins]))
        equal &= torch.equal(torch.where(batch.mask, batch.targets, -1), labels)
    return bool(equal)


def benchmark() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fasta, store = write_genome(folder, BASES)
        write_data(folder, open_store(store), WINDOWS, TARGETS)
        equal, _ = measure.child(compare, fasta=fasta, store=store, folder=folder)
        # Training loads in its own process: handing batches over takes longer than making them.
        one, our_memory = measure.child(ours, store=store, folder=folder, workers=0)
        for workers in (0, 2):
            other, their_memory = measure.child(item_by_item, fasta=fasta, folder=folder, workers=workers)
            rate, other_rate = one["windows_per_second"][0], other["windows_per_second"][0]
            measure.row(
                "loader",
                windows=int(WINDOWS * 0.8),
                length=LENGTH,
                targets=TARGETS,
                batch=BATCH,
                jitter=JITTER,
                what="shuffled float32 one-hot (batch, 4, length) from random strands, with labels; one CPU thread",
                workers=0,
                threads=1,
                windows_per_second=round(rate),
                windows_per_second_all=[round(value) for value in one["windows_per_second"]],
                seconds=round(WINDOWS * 0.8 / rate, 3),
                peak_memory=our_memory,
                other="pysam.FastaFile.fetch and one-hot by table, per item, in a DataLoader",
                other_workers=workers,
                other_windows_per_second=round(other_rate),
                other_windows_per_second_all=[round(value) for value in other["windows_per_second"]],
                other_seconds=round(WINDOWS * 0.8 / other_rate, 3),
                other_peak_memory=their_memory,
                ratio=round(rate / other_rate, 2),
                wanted_ratio=10.0,
                equal=equal,
            )


if __name__ == "__main__":
    measure.main(benchmark, globals())
