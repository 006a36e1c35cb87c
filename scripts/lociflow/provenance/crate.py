"""What a run consists of, as a Workflow Run RO-Crate: one JSON-LD file that other programs can read.

The profiles are Workflow Run Crate 0.5 and Process Run Crate 0.5 (https://w3id.org/ro/wfrun), Workflow RO-Crate 1.0
and RO-Crate 1.1; Leo et al. 2024, PLOS ONE 19(9): e0309210.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import uuid4

from rocrate.model.computationalworkflow import ComputationalWorkflow
from rocrate.model.contextentity import ContextEntity
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

from lociflow.command import write_json
from lociflow.masking import without_secrets

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
# Words that RO-Crate 1.1 does not have, spelled out: whoever reads a crate need not fetch a second context.
TERMS = {
    "sha256": "https://w3id.org/ro/terms/workflow-run#sha256",
    "resourceUsage": "https://w3id.org/ro/terms/workflow-run#resourceUsage",
}
CONTENT = "content-sha256:"
COMMIT = "commit"
CODE = "code digest"
ENCODINGS = {
    ".json": "application/json",
    ".tsv": "text/tab-separated-values",
    ".csv": "text/csv",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
    ".parquet": "application/vnd.apache.parquet",
    ".ckpt": "application/zip",
    ".npz": "application/zip",
    ".gz": "application/gzip",
    ".bed": "text/plain",
    ".meme": "text/plain",
    ".fasta": "text/plain",
    "": "text/plain",
}


class RecordedFile(NamedTuple):
    """A file with what tells it from others."""

    path: Path
    """Relative to the folder of the crate."""
    sha256: str
    size: int
    """Bytes."""
    content: str | None
    """As :func:`lociflow.provenance.content.content_digest`."""
    modified: float
    """Seconds since 1970."""


class Record(NamedTuple):
    """What is known of a run."""

    run: str
    config: Mapping[str, Any]
    """All keys of the run, filled in."""
    workflow: RecordedFile
    configuration: list[RecordedFile]
    results: list[RecordedFile]
    sources: list[dict[str, Any]]
    """``file``, ``sha256``, ``bytes``, ``from``, ``via``, ``pinned``, ``derived_from``."""
    digests: Mapping[str, str]
    """Of the code, of windows and of each split."""
    versions: Mapping[str, str]
    commit: str | None
    """With ``-dirty`` after it where files differed."""
    commands: tuple[str, ...]
    """That make the run again."""
    machine: Mapping[str, Any]
    """On which the record was written."""
    trained_on: Mapping[str, int]
    """Trainings by the model of their device."""
    usage: Mapping[str, Mapping[str, float]]
    """``jobs``, ``seconds`` and ``megabytes`` (the most that one took) by step."""
    started: float
    ended: float
    """Seconds since 1970."""


def write_crate(record: Record, path: Path) -> None:
    """Write the crate of a run: always in the folder of the run, to which its paths are relative.

    Passwords and tokens in addresses are masked, whatever entity they stand in.
    """
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    root = crate.root_dataset
    root["name"] = f"lociflow run {record.run}"
    root["description"] = (
        f"Data sets {', '.join(record.config['datasets'])}; models {', '.join(record.config['models'])}; "
        f"seeds {', '.join(map(str, record.config['seeds']))}"
    )
    root["datePublished"] = _time(record.ended)
    root["license"] = _add(
        crate,
        "#licence",
        "CreativeWork",
        name="No licence is stated",
        description="Who publishes these results names their licence; those of the data hold for what is made of them.",
    )
    workflow = _workflow(crate, record)
    action = _action(crate, record, workflow)
    root["mentions"] = action
    root["conformsTo"] = [
        _add(crate, uri, "CreativeWork", name=name, version=version) for uri, (name, version) in PROFILES.items()
    ]
    write_json(path, without_secrets(crate.metadata.generate()))


def _workflow(crate: ROCrate, record: Record) -> ComputationalWorkflow:
    packages = [
        _add(
            crate,
            _page(name, version),
            "SoftwareApplication",
            name=name,
            softwareVersion=version,
            url=_page(name, version),
        )
        for name, version in record.versions.items()
    ]
    workflow = crate.add_workflow(
        dest_path=record.workflow.path,
        main=True,
        lang="snakemake",
        lang_version=record.versions.get("snakemake"),
        properties={
            "name": "lociflow",
            "description": "From raw genomes and peaks to trained, evaluated, interpreted and audited models",
            "version": record.commit or "unknown",
            "license": "https://spdx.org/licenses/MIT",
            **_told(record.workflow),
        },
    )
    workflow["softwareRequirements"] = packages
    return workflow


def _page(package: str, version: str) -> str:
    if package == "python":
        return f"https://www.python.org/downloads/release/python-{version.replace('.', '')}/"
    return f"https://pypi.org/project/{package}/{version.partition('+')[0]}/"


def _action(crate: ROCrate, record: Record, workflow: ComputationalWorkflow) -> ContextEntity:
    values = _parameters(crate, record.config, workflow)
    sources = [_source(crate, source) for source in record.sources]
    configuration = [_file(crate, file) for file in record.configuration]
    results = [_file(crate, file) for file in record.results]
    told = {
        COMMIT: record.commit or "unknown",
        **record.digests,
        **{f"machine: {name}": value for name, value in record.machine.items()},
        **{f"trainings on {device}": count for device, count in record.trained_on.items()},
    }
    usage = {f"{step}: {name}": round(value, 3) for step, used in record.usage.items() for name, value in used.items()}
    return _add(
        crate,
        f"#{uuid4()}",
        "CreateAction",
        name=f"Run {record.run} of lociflow",
        # Not what was typed: a job on a node of a cluster does not see that, and a run may have taken several calls.
        description="\n".join(["How to make it again:", *record.commands]),
        instrument=workflow,
        object=[*configuration, *sources, *values],
        result=results,
        startTime=_time(record.started),
        endTime=_time(record.ended),
        actionStatus="http://schema.org/CompletedActionStatus",
        additionalProperty=_values(crate, "property", told),
        resourceUsage=_values(crate, "usage", usage),
    )


def _parameters(crate: ROCrate, config: Mapping[str, Any], workflow: ComputationalWorkflow) -> list[ContextEntity]:
    """Add the keys of the run as the workflow's parameters, and return their values."""
    values, parameters = [], []
    for key, value in sorted(config.items()):
        if value is None:
            continue
        value_id, parameter_id = f"#value/{quote(key)}", f"#parameter/{quote(key)}"
        parameters.append(
            _add(
                crate,
                parameter_id,
                "FormalParameter",
                name=key,
                additionalType=_kind(value),
                valueRequired=key in ("run", "datasets", "models", "seeds"),
                workExample={"@id": value_id},
            )
        )
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        values.append(_add(crate, value_id, "PropertyValue", name=key, value=text, exampleOfWork={"@id": parameter_id}))
    workflow["input"] = parameters
    return values


def _kind(value: Any) -> str:
    kinds = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}
    return kinds.get(type(value), "PropertyValue")


def _source(crate: ROCrate, source: Mapping[str, Any]) -> ContextEntity:
    """Add a source: outside the folder of results, and therefore under a name and not a path."""
    derived = source.get("derived_from")
    return _add(
        crate,
        source_id(source["file"]),
        "File",
        name=source["file"],
        description=f"Source, {'pinned' if source.get('pinned') else 'not pinned'}",
        disambiguatingDescription=source["via"],
        sha256=source["sha256"],
        contentSize=str(source["bytes"]),
        **({"contentUrl": list(source["from"])} if source["from"] else {}),
        **({"isBasedOn": derived if isinstance(derived, str) else json.dumps(derived)} if derived else {}),
    )


def source_id(file: str) -> str:
    """Return the identifier of a source in a crate."""
    return f"#source/{quote(file)}"


def _file(crate: ROCrate, file: RecordedFile) -> File:
    return crate.add(File(crate, dest_path=file.path, properties=_told(file)))


def _told(file: RecordedFile) -> dict[str, Any]:
    return {
        "sha256": file.sha256,
        "contentSize": str(file.size),
        "dateModified": _time(file.modified),
        "encodingFormat": ENCODINGS.get(file.path.suffix, "application/octet-stream"),
        **({"identifier": CONTENT + file.content} if file.content else {}),
    }


def _values(crate: ROCrate, kind: str, values: Mapping[str, Any]) -> list[ContextEntity]:
    return [
        _add(crate, f"#{kind}/{quote(name, safe='')}", "PropertyValue", name=name, value=value)
        for name, value in values.items()
    ]


def _add(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> ContextEntity:
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds")
