"""The disk and the memory that a run will need, estimated from its inputs."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import psutil

from lociflow.layout import SOURCE
from lociflow.preflight.finding import ERROR, OK, WARN, Finding
from lociflow.sources import is_simulated, sources_in

# A gzip file of bases or regions grows by about this much.
UNPACKED = 4
# Bytes of a line of a BED file, and of a base with its share of the line end.
LINE_BYTES = 30
LABEL_BYTES = {"binary": 1, "class": 2, "real": 4, "position_class": 1, "profile": 4}
PREDICTION_BYTES = 4
CHECKPOINT_BYTES = 20_000_000
# What a process takes before it holds any data, and for each bin while windows are made (measured: tests/perf).
PROCESS_BYTES = 700_000_000
BIN_BYTES = 150
# The same of the audit, whose search for similar sequences is what takes most (measured with 50,000 to 800,000 bins of
# 500 bases; at 1,000 bases it is no more).
AUDIT_BYTES = 1_000_000_000
AUDIT_BIN_BYTES = 2_100
# Share of the free disk from which on a user should look.
TIGHT = 0.8


class Needs(NamedTuple):
    """Bytes, all data sets together for the disk, the largest of them for memory; and what could not be told."""

    disk: int = 0
    memory: int = PROCESS_BYTES
    unknown: tuple[str, ...] = ()

    def __add__(self, other: Any) -> Self:
        return type(self)(
            self.disk + other.disk, max(self.memory, other.memory), tuple(dict.fromkeys(self.unknown + other.unknown))
        )


def needs_of(config: Mapping[str, Any], here: Mapping[str, Path], sizes: Mapping[str, int], trainings: int) -> Needs:
    """Estimate what one data set needs.

    Parameters
    ----------
    config
        The data set, its sources filled in (:func:`lociflow.sources.dataset_files`).
    here
        Path of each source that is on this machine.
    sizes
        Bytes of each source that told them.
    trainings
        Models times seeds.
    """
    simulated = is_simulated(config)
    sources = {source["file"] for source in sources_in(config) if not simulated}
    fetched = sum(sizes.get(file, 0) for file in sources if not _is_fetched(file, here))
    unknown = tuple(sorted(file for file in sources if file not in sizes))
    bases = sum(config["simulation"]["contigs"].values()) if simulated else _unpacked(_of(config, "genome"), sizes)
    bases += _unpacked(_of(config, "sequences"), sizes)
    windows = config["windows"]
    peaks = _unpacked(_of(config, "targets"), sizes) // LINE_BYTES
    stride = windows.get("stride") or windows.get("bin")
    is_tiled = str(windows.get("_target_", "")).endswith("tile_bins") and stride
    bins = bases // stride if is_tiled else 2 * peaks or bases // max(1, windows.get("length") or 200)
    kind = (config.get("labels") or {}).get("kind", "binary")
    width = _targets(config) * ((windows.get("bin") or 1) if kind in ("position_class", "profile") else 1)
    labels = bins * width * LABEL_BYTES.get(kind, 4)
    predictions = bins * width * PREDICTION_BYTES
    disk = fetched + bases + labels + trainings * (CHECKPOINT_BYTES + predictions)
    windows_step = PROCESS_BYTES + bins * BIN_BYTES + peaks * 40
    return Needs(disk, max(windows_step, AUDIT_BYTES + bins * AUDIT_BIN_BYTES), unknown)


def _is_fetched(file: str, here: Mapping[str, Path]) -> bool:
    return file in here and here[file] == Path(SOURCE.format(file=file))


def _of(config: Mapping[str, Any], key: str) -> list[str]:
    return [source["file"] for source in sources_in(config.get(key) or {})]


def _unpacked(files: list[str], sizes: Mapping[str, int]) -> int:
    return sum(sizes.get(file, 0) * (UNPACKED if file.endswith((".gz", ".bgz")) else 1) for file in set(files))


def _targets(config: Mapping[str, Any]) -> int:
    targets = config["targets"]
    for key in ("files", "names", "columns"):
        if targets.get(key):
            return len(targets[key])
    signal = (targets.get("signal") or {}).get("tracks") or {}
    return max(1, sum(2 if "plus" in track else 1 for track in signal.values()))


def check_disk(needs: Needs, folder: Path) -> Finding:
    """Compare what will be written with what is free where the run writes."""
    free = shutil.disk_usage(folder).free
    told = f"about {size(needs.disk)} will be written, {size(free)} are free"
    if needs.unknown:
        told += f" (without {len(needs.unknown)} sources of unknown size)"
    if needs.disk > free:
        return Finding("disk", ERROR, f"{told}; free some, or run in another folder with snakemake --directory")
    return Finding("disk", WARN if needs.disk > TIGHT * free else OK, told)


def check_memory(needs: Needs) -> Finding:
    """Compare the memory of the hungriest step with the machine's."""
    total = psutil.virtual_memory().total
    told = f"the largest step takes about {size(needs.memory)}, the machine has {size(total)}"
    if needs.memory > total:
        return Finding("memory", WARN, f"{told}; take a machine with more, or a cluster's profile")
    return Finding("memory", OK, told)


def size(number: float) -> str:
    """Tell bytes in the unit that suits: ``3.1 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit in ("bytes", "kB") else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
