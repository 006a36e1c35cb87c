"""Predicting along a contig against a bare loop over the same windows, and the memory of short and long contigs.

The bare loop has its windows in memory as codes; it expands them, runs the model on both strands and keeps the mean.
The step reads the windows, counts what is unknown, and writes bigWig, table and index besides.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import measure
import numpy as np
import pyBigWig
import torch
from data_files import BIN, SPLIT, write_data
from genome_files import write_genome

from lociflow.config import Configuration
from lociflow.data.one_hot import OneHot, reverse_complement_one_hot
from lociflow.models.checkpoint import build_model, load_model, save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.sequence.store import gather, open_store
from lociflow.tracks.predict import predict_tracks

# Contigs of a quarter each: as long as chrIV of yeast, and ten times as long.
BASES = 6_127_680
LONG = 10 * BASES
TARGETS = 6
LENGTH = 500
REPEATS = 3
CONTIG = "contig0"
DATASET = """
description: Random labels.
genome: {name: random, source: {path: genome.fa}}
split: {name: holdout, _target_: lociflow.genome.splits.by_contig, validation: [contig2], test: [contig3]}
windows: {_target_: lociflow.genome.windows.tile_bins, bin: %d, length: %d}
targets: {files: {a: {path: a.bed}}}
labels: {kind: binary}
"""
TINY = {"_target_": "lociflow.models.deepbind.DeepBind", "detectors": 1, "kernel": 8, "pooling": ["max"], "hidden": 0}


def prepare(folder: Path, bases: int, architecture: dict[str, Any] | None) -> None:
    """Write a genome, a data set on it and a model with fresh weights."""
    folder.mkdir()
    _, store = write_genome(folder, bases)
    write_data(folder, open_store(store), 1_000, TARGETS)
    (folder / "own" / "dataset").mkdir(parents=True)
    (folder / "own" / "dataset" / "random.yaml").write_text(DATASET % (BIN, LENGTH))
    home = measure.HOME
    groups = Configuration(home / "config", home / "workflow" / "schemas", [folder / "own"])
    config = groups.trained("random", "deepsea_small", "default", ())["training"]
    config |= {"dataset": {"name": "random", "split": SPLIT}, "seed": 1}
    if architecture:
        config["model"]["architecture"] = architecture
    outputs = Outputs("binary", tuple(f"target{number}" for number in range(TARGETS)))
    torch.manual_seed(1)
    model = build_model(config["model"], outputs)
    save_checkpoint(folder / "model.ckpt", model.state_dict(), config, outputs, {"split_digest": "of a benchmark"})


def along(folder: str, device: str) -> float:
    """Predict a contig as the step does, and return the seconds."""
    place = Path(folder)
    begin = time.perf_counter()
    predict_tracks(
        place / "store.json",
        place / "windows.parquet",
        [place / "model.ckpt"],
        {"bin": BIN, "contigs": [CONTIG]},
        place / "bigwigs",
        place / "tracks.tsv.gz",
        place / "tracks.tsv.gz.csi",
        place / "tracks.json",
        device=device,
    )
    return time.perf_counter() - begin


def bare(folder: str, device: str) -> tuple[float, np.ndarray]:
    """Predict the same windows as briefly as PyTorch lets one write it; return the seconds and the predictions."""
    place, store = torch.device(device), open_store(Path(folder, "store.json"))
    loaded, expand = load_model(Path(folder, "model.ckpt")), OneHot().to(torch.device(device))
    model, batch = loaded.model.to(place), loaded.config["training"]["evaluation_batch_size"]
    length = int(store.lengths[0])
    start = np.minimum(np.arange(0, length, BIN), length - BIN) + BIN // 2 - LENGTH // 2
    codes = torch.from_numpy(gather(store, np.zeros(len(start), np.int64), start, LENGTH))
    begin = time.perf_counter()
    found = []
    with torch.inference_mode():
        for low in range(0, len(codes), batch):
            sequence = expand.expand(codes[low : low + batch].to(place))
            both = [model({"sequence": one}).sigmoid() for one in (sequence, reverse_complement_one_hot(sequence))]
            found.append(((both[0] + both[1]) / 2).cpu())
    return time.perf_counter() - begin, torch.cat(found).numpy()


def compare(folder: str, device: str) -> dict[str, Any]:
    """Run both sides in turn, in one process, so that what else the machine does falls on both."""
    torch.set_num_threads(1)
    ours, theirs, gap = [], [], 0.0
    for _ in range(REPEATS):
        ours.append(along(folder, device))
        seconds, expected = bare(folder, device)
        theirs.append(seconds)
    with pyBigWig.open(str(Path(folder, "bigwigs", "target0.bw"))) as handle:
        for start, _, value in handle.intervals(CONTIG):
            gap = max(gap, abs(value - float(expected[start // BIN, 0])))
    return {"seconds": ours, "other_seconds": theirs, "windows": len(expected), "largest_difference": gap}


def benchmark() -> None:
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder / "yeast", BASES, None)
        for device in devices:
            found, memory = measure.child(compare, folder=folder / "yeast", device=device)
            ours, theirs = median(found["seconds"]), median(found["other_seconds"])
            measure.row(
                "tracks",
                model="deepsea_small",
                device=device if device == "cpu" else torch.cuda.get_device_name(),
                threads=1,
                bases=BASES // 4,
                windows=found["windows"],
                length=LENGTH,
                step=BIN,
                targets=TARGETS,
                what="a contig as bigWigs, table and index, with loading of the model",
                other="a bare loop over codes in memory, both strands: no reading, no writing",
                seconds=[round(value, 3) for value in found["seconds"]],
                other_seconds=[round(value, 3) for value in found["other_seconds"]],
                windows_per_second=round(found["windows"] / ours),
                other_windows_per_second=round(found["windows"] / theirs),
                ratio=round(ours / theirs, 3),
                largest_difference=found["largest_difference"],
                peak_memory=memory,
            )
        for label, bases in (("short", BASES), ("long", LONG)):
            prepare(folder / label, bases, TINY)
            seconds, memory = measure.child(along, folder=folder / label, device="cpu")
            measure.row(
                "tracks, memory",
                model="one detector",
                bases=bases // 4,
                windows=-(-(bases // 4) // BIN),
                seconds=round(seconds, 2),
                peak_memory=memory,
            )
    print("tracks: anonymous memory of the long contig should be that of the short one", file=sys.stderr)


if __name__ == "__main__":
    measure.main(benchmark, globals())
