"""Write down a finished run, so that others can check it and make it again: its crate and its configuration."""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lociflow import layout
from lociflow.command import LOGGER, atomic, status
from lociflow.file_digest import sha256_of
from lociflow.formats import read_stamped
from lociflow.provenance.configuration import RUN_FILE, names_used, write_configuration
from lociflow.provenance.content import column_digests, content_digest
from lociflow.provenance.crate import CODE, Record, RecordedFile, write_crate
from lociflow.provenance.files import RunFiles, run_files
from lociflow.provenance.machine import machine
from lociflow.provenance.weights import provenance_in
from lociflow.report.provenance import LOCIFLOW, commands, provenance_of

TRAINED_PARTS = len(Path(layout.TRAINED, "config.json").parts)
SOURCES = Path(layout.SOURCE.format(file=""))
PROGRAM = ("scripts", "workflow", "config")
PROGRAM_SUFFIXES = ("", ".py", ".smk", ".yaml", ".j2", ".tsv", ".rst")


def record(
    manifest: Mapping[str, Any],
    records: Sequence[Path],
    config_dirs: Sequence[Path],
    crate: Path,
    workflow: Path,
    configuration: Path,
) -> None:
    """Write the crate of a run, and what it takes to make the run again, into the run's folder.

    Parameters
    ----------
    manifest
        What ``rule write_manifest`` writes.
    records
        Of sources that no data set of the manifest has.
    config_dirs
        The user's own folders of configuration.
    crate
        ``ro-crate-metadata.json`` to write; the paths in it are relative to its folder.
    workflow
        Copy of ``workflow/Snakefile`` to write beside it, which the profile asks for.
    configuration
        Folder to write beside it: see :func:`lociflow.provenance.configuration.write_configuration`.

    Raises
    ------
    UserError
        A file of the run is damaged.
    """
    found = run_files(manifest, records)
    for name in found.missing:
        LOGGER.debug("%s: named by the manifest, and not there", name)
    trained = [path for path in found.results if path.name == "config.json" and len(path.parts) == TRAINED_PARTS]
    with atomic(workflow) as temporary:
        shutil.copyfile(LOCIFLOW / "workflow" / "Snakefile", temporary)
    written = write_configuration(manifest["config"], names_used(manifest, trained), config_dirs, configuration)
    here = provenance_of(manifest)
    usage, started = measured(found.benchmarks)
    files = [_recorded(path, crate.parent) for path in found.results]
    write_crate(
        Record(
            run=manifest["run"],
            config=manifest["config"],
            workflow=_recorded(workflow, crate.parent),
            configuration=[_recorded(path, crate.parent) for path in written],
            results=files,
            sources=[*(read_stamped(path, "source") for path in found.records), *map(_simulated, found.simulated)],
            digests={CODE: code_digest(LOCIFLOW), **dataset_digests(found)},
            versions=here.versions,
            commit=here.commit,
            commands=tuple(commands(Path(configuration.name, RUN_FILE), here.commit, "beside this file")),
            machine=machine(),
            trained_on=training_devices(path for path in found.results if path.suffix == ".ckpt"),
            usage=usage,
            started=min([file.modified for file in files] if started is None else [started]),
            ended=max(file.modified for file in files),
        ),
        crate,
    )
    left_out = f"; {len(found.missing)} that the manifest names are not there" if found.missing else ""
    status(f"recorded {len(files)} files and {len(found.records) + len(found.simulated)} sources{left_out}")


def _recorded(path: Path, folder: Path) -> RecordedFile:
    stat = path.stat()
    # Python 3.11 walks up only in os.path.
    place = Path(os.path.relpath(path, folder))
    return RecordedFile(place, sha256_of(path), stat.st_size, content_digest(path), stat.st_mtime)


def _simulated(path: Path) -> dict[str, Any]:
    return {
        "file": str(path.relative_to(SOURCES)),
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
        "from": [],
        "via": "simulation",
    }


def dataset_digests(found: RunFiles) -> dict[str, str]:
    """Return the digests of the windows, targets and splits of every data set of a run."""
    digests: dict[str, str] = {}
    for path in found.results:
        if path.name == "windows.json":
            told = json.loads(path.read_text(encoding="utf-8")).get("digests") or {}
            digests |= {f"{name} of {path.parent.name}": value for name, value in sorted(told.items())}
        elif path.name == "windows.parquet":
            columns = column_digests(path)
            digests |= {f"{name} of {path.parent.name}": columns[name] for name in columns if name.startswith("split:")}
    return digests


def training_devices(checkpoints: Iterable[Path]) -> dict[str, int]:
    """Count a run's trainings by the model of the GPU, or of the processor, that each checkpoint names.

    A checkpoint from before they named it counts by the type of its device, ``cuda`` or ``cpu``.
    """
    told = map(provenance_in, checkpoints)
    return dict(sorted(Counter(about.get("device_name") or about.get("device", "unknown") for about in told).items()))


def measured(benchmarks: Iterable[Path]) -> tuple[dict[str, dict[str, float]], float | None]:
    """Sum up what Snakemake has measured of a run's jobs.

    Returns
    -------
    tuple
        By step, in the order of the alphabet, the number of ``jobs``, their ``seconds`` together, and the ``megabytes``
        of the largest; when the first of them began, in seconds since 1970, None without any.
    """
    usage: dict[str, dict[str, float]] = {}
    begins = []
    for path in benchmarks:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            used = usage.setdefault(path.stem, {"jobs": 0, "seconds": 0.0, "megabytes": 0.0})
            used["jobs"] += 1
            used["seconds"] += row["s"]
            # What ended before it could be looked at has no memory.
            used["megabytes"] = max(used["megabytes"], row["max_rss"] if isinstance(row["max_rss"], int | float) else 0)
            begins.append(path.stat().st_mtime - row["s"])
    return dict(sorted(usage.items())), min(begins, default=None)


def code_digest(home: Path) -> str:
    """Return the SHA-256 of lociflow's own files: scripts, rules, schemas and the groups of ``config``."""
    digest = hashlib.sha256()
    paths = (path for folder in PROGRAM for path in sorted((home / folder).rglob("*")))
    for path in paths:
        if path.is_file() and path.suffix in PROGRAM_SUFFIXES and path.name[0] != ".":
            digest.update(f"{path.relative_to(home)} {sha256_of(path)}\n".encode())
    return digest.hexdigest()
