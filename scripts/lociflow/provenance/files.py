"""Which files a run consists of: those that its manifest names, what lies beside these, and where it began."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lociflow import layout
from lociflow.report.manifest import locate

# What the crate itself and its rule put into the folder of the run.
OWN = (Path(layout.CRATE).name, "Snakefile", "configuration")
SIMULATED = Path(layout.SOURCE.format(file=layout.SIMULATED.format(dataset="")))
RECORD = layout.SOURCE_RECORD.rpartition("}")[2]
CHECKPOINT = "model.ckpt"
# Steps that write several files, by the one of them that a manifest names.
WRITTEN_WITH = {
    "config.json": (CHECKPOINT, "history.csv"),
    CHECKPOINT: ("config.json", "history.csv"),
    "reconstruction.json": ("latent.parquet",),
    "windows.json": ("windows.parquet", "targets.npy", "targets.tsv", "control.npy", "removed.tsv"),
    "hits.tsv": ("hits.bed", "seqlets.bed"),
    "sites.tsv": ("genome.fa", "peaks.bed"),
}


class RunFiles(NamedTuple):
    """The files of a run, relative to the working directory and sorted."""

    results: list[Path]
    """Of the run's folder and of the folders of its data sets."""
    records: list[Path]
    """Of its sources, beside each source."""
    simulated: list[Path]
    """Sources that the workflow has made itself."""
    benchmarks: list[Path]
    """One of each step."""
    missing: list[str]
    """What the manifest names and is not there."""


def run_files(manifest: Mapping[str, Any], records: Iterable[Path] = ()) -> RunFiles:
    """Find the files of a run below the working directory.

    Parameters
    ----------
    manifest
        What ``rule write_manifest`` writes.
    records
        Of sources that no data set of the manifest has: files that the run itself names, and the sources of data sets
        on which only the weights were trained that others start from.
    """
    located = locate(manifest)
    named = set(_paths({key: value for key, value in located.items() if key != "benchmarks"}))
    # Of a fold, or of a model for one target, a manifest names what is read of it and not the training.
    named |= {f"{path}/{CHECKPOINT}" for path in {Path(path).parent for path in named} if (path / CHECKPOINT).is_file()}
    named |= {f"{Path(path).parent}/{other}" for path in named for other in WRITTEN_WITH.get(Path(path).name, ())}
    if manifest["config"].get("export"):
        named |= {str(Path(path).parent / "export") for path in named if Path(path).name == "config.json"}
    named |= set(_origins(Path(path) for path in named if Path(path).name == "config.json"))
    folder = Path(layout.RUN.format(run=manifest["run"]))
    results = {path for path in folder.rglob("*") if path.is_file() and not _is_written_later(path.relative_to(folder))}
    missing = []
    for name in named:
        path = Path(name)
        if path.is_dir():
            results |= {found for found in path.rglob("*") if found.is_file()}
        elif path.is_file():
            results.add(path)
        elif path.name != "export":
            missing.append(name)
    sources = {path for path in results if path.parts[0] == "resources"}
    simulated = {path for path in sources if path.is_relative_to(SIMULATED)}
    fetched = {path for path in sources - simulated if path.name.endswith(RECORD)}
    return RunFiles(
        results=sorted(results - sources),
        records=sorted({*fetched, *records}),
        simulated=sorted(simulated),
        benchmarks=[Path(path) for path in located["benchmarks"]],
        missing=sorted(missing),
    )


def _is_written_later(path: Path) -> bool:
    return path.parts[0] in OWN or any(part.startswith(".") for part in path.parts)


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith(("results/", "resources/")):
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _paths(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _paths(one)


def _origins(configs: Iterable[Path]) -> Iterator[str]:
    """Yield the files of the trainings from whose weights others start, however far back."""
    todo, seen = list(configs), set()
    while todo:
        path = todo.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        transfer = json.loads(path.read_text(encoding="utf-8")).get("training", {}).get("transfer") or {}
        if {"dataset", "split", "model", "seed"} <= set(transfer):
            folder = layout.TRAINED.format(**transfer)
            dataset = layout.DATASET.format(**transfer)
            yield from (f"{folder}/{name}" for name in ("config.json", *WRITTEN_WITH["config.json"]))
            yield from (f"{dataset}/{name}" for name in ("windows.json", *WRITTEN_WITH["windows.json"]))
            todo.append(Path(folder, "config.json"))
