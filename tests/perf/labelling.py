"""Label a simulated genome of human size with many peak files, the way training data are made, and with bedtools.

Only the contigs' lengths matter: the sequence is a sparse file of zeros, which reads as A and takes no disk.
"""

import hashlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import measure
import numpy as np
import pyarrow as pa
import pyarrow.csv

from lociflow.formats import stamp

# Lengths of hg38's contigs 1 to 22, X and Y in Mb, to the nearest: 3.1 Gb.
MEGABASES = (
    248, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80, 59, 64, 47, 51, 156, 57,
)  # fmt: skip
# Letters: in the order of the genome and of bedtools alike.
CONTIGS = {f"chr{letter}": size * 1_000_000 + 123 for letter, size in zip(ascii_uppercase, MEGABASES, strict=False)}
BIN = 200
FILES = 200
PEAKS = 50_000
MIN_OVERLAP = 0.5
THREADS = 2
# Files that bedtools intersects; its time for all of them is extrapolated.
BEDTOOLS_FILES = 3
LIMITS = {"seconds": 300, "total_mb": 4000}


def write_inputs(folder: Path) -> None:
    """Write the store, the peak files and, for bedtools, the bins and the contigs."""
    lengths = np.array(list(CONTIGS.values()))
    with (folder / "codes.npy").open("wb") as handle:
        np.lib.format.write_array_header_1_0(
            handle, {"descr": "|u1", "fortran_order": False, "shape": (int(lengths.sum()),)}
        )
        handle.truncate(handle.tell() + int(lengths.sum()))
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    contigs = [
        {"name": name, "length": int(length), "offset": int(offset), "md5": hashlib.md5(name.encode()).hexdigest()}
        for name, length, offset in zip(CONTIGS, lengths, offsets, strict=True)
    ]
    store = {
        **stamp("sequence store"),
        "name": "human_size",
        "alphabet": "dna",
        "soft_mask": False,
        "codes": "codes.npy",
        "contigs": contigs,
        "digest": "0" * 64,
    }
    (folder / "store.json").write_text(json.dumps(store))
    names = np.array(list(CONTIGS))
    for number in range(FILES):
        draws = np.random.Generator(np.random.Philox(key=number))
        contig = np.sort(draws.choice(len(lengths), PEAKS, p=lengths / lengths.sum()))
        start = (draws.random(PEAKS) * (lengths[contig] - 1000)).astype(np.int64)
        order = np.lexsort((start, contig))
        contig, start = contig[order], start[order]
        end = start + draws.integers(150, 401, PEAKS)
        write_bed(folder / f"peaks{number}.bed", names[contig], start, end)
    count = lengths // BIN
    start = np.concatenate([np.arange(number, dtype=np.int64) * BIN for number in count])
    write_bed(folder / "bins.bed", np.repeat(names, count), start, start + BIN)


def write_bed(path: Path, *columns: np.ndarray) -> None:
    table = pa.table(list(columns), names=[str(number) for number in range(len(columns))])
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    pyarrow.csv.write_csv(table, path, options)


def make_windows(folder: Path) -> tuple[float, dict[str, float]]:
    """Run the step that makes windows and labels; return its seconds and peak memory."""
    names = list(CONTIGS)
    config = {
        "targets": {"files": {f"target{number}": f"peaks{number}.bed" for number in range(FILES)}},
        "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": BIN, "stride": BIN},
        "labels": {"min_overlap": MIN_OVERLAP},
        "split": split_config(names[7], names[8]),
    }
    outputs = {"windows": "windows.parquet", "targets": "targets.npy", "target-table": "targets.tsv"}
    command = [sys.executable, str(measure.SCRIPTS / "make_windows.py")]
    command += ["--store", str(folder / "store.json"), "--config", json.dumps(config), "--sources", str(folder)]
    outputs |= {"counts": "windows.json", "control": "control.npy", "removed": "removed.tsv"}
    for flag, file in outputs.items():
        command += [f"--{flag}", str(folder / file)]
    _, seconds, peaks = measure.watch(command, THREADS)
    return seconds, peaks


def split_config(validation: str, test: str) -> dict[str, Any]:
    target = "lociflow.genome.splits.by_contig"
    return {"name": "holdout", "_target_": target, "validation": [validation], "test": [test]}


def intersect(folder: Path, number: int) -> tuple[float, float, bool]:
    """Mark the bins of one file with bedtools; return its seconds, its peak memory and whether the labels agree."""
    command = ["bedtools", "intersect", "-a", "bins.bed", "-b", f"peaks{number}.bed"]
    command += ["-f", str(MIN_OVERLAP), "-F", str(MIN_OVERLAP), "-e", "-u", "-sorted"]
    output, seconds, peaks = measure.watch(command, 1, folder)
    count = np.array(list(CONTIGS.values())) // BIN
    first = dict(zip(CONTIGS, np.cumsum(count) - count, strict=True))
    fields = (line.split("\t") for line in output.splitlines())
    rows = np.array([first[contig] + int(start) // BIN for contig, start, _ in fields])
    labels = np.load(folder / "targets.npy", mmap_mode="r")
    agree = len(labels) == count.sum() and np.array_equal(np.flatnonzero(np.asarray(labels[:, number]) == 1), rows)
    return seconds, peaks["total_mb"], agree


def benchmark() -> None:
    # 4 GB of labels and peaks: the folder of temporary files must have room.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin = time.perf_counter()
        write_inputs(folder)
        prepared = time.perf_counter() - begin
        seconds, memory = make_windows(folder)
        others = [intersect(folder, number) for number in range(BEDTOOLS_FILES)] if shutil.which("bedtools") else []
        other_seconds = sum(one[0] for one in others) / len(others) * FILES if others else None
        measure.row(
            "labelling",
            genome_bases=sum(CONTIGS.values()),
            windows=sum(length // BIN for length in CONTIGS.values()),
            targets=FILES,
            peaks_per_file=PEAKS,
            what="scripts/make_windows.py: peak files to windows.parquet and targets.npy",
            threads=THREADS,
            seconds=round(seconds, 1),
            seconds_to_write_the_inputs=round(prepared, 1),
            peak_memory=memory,
            limits=LIMITS,
            other="bedtools intersect -f 0.5 -F 0.5 -e -u -sorted, one file after the other",
            other_files_measured=len(others),
            other_seconds_each=[round(one[0], 1) for one in others],
            other_seconds=round(other_seconds) if other_seconds else None,
            other_peak_memory={"total_mb": max((one[1] for one in others), default=None)},
            ratio=round(other_seconds / seconds, 1) if other_seconds else None,
            equal=all(one[2] for one in others),
        )


if __name__ == "__main__":
    measure.main(benchmark, globals())
