"""The configuration of a run as files with which it can be made again: its configfile and the user's own groups."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lociflow.layout import split_label
from lociflow.masking import without_secrets

RUN_FILE = "run.yaml"
OWN_GROUPS = "groups"
GROUPS = ("dataset", "model", "training", "interpretation", "baseline", "published")


def write_configuration(
    config: Mapping[str, Any], names: Mapping[str, Iterable[str]], folders: Sequence[Path], output: Path
) -> list[Path]:
    """Write the configuration of a run into a folder.

    Of the user's own folders only those files are taken that the run uses: the groups that it names, those that these
    take over by ``defaults``, the tables that lie beside them and that they name, and published numbers. Passwords and
    tokens in addresses are masked.

    Parameters
    ----------
    config
        The run as checked, all keys filled in, without ``mirror`` and ``config_dirs``.
    names
        What the run uses of each of :data:`GROUPS`, as :func:`names_used` returns it.
    folders
        ``config_dirs`` of the run, relative to the working directory.
    output
        Folder to write: ``run.yaml``, and ``groups`` where the run has own groups. It is replaced.

    Returns
    -------
    list of pathlib.Path
        The files, sorted.
    """
    own = {
        path: Path(OWN_GROUPS, path.relative_to(folder))
        for folder in folders
        for group in GROUPS
        for path in _used(folder / group, names.get(group))
    }
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    for path, place in own.items():
        (output / place).parent.mkdir(parents=True, exist_ok=True)
        (output / place).write_text(without_secrets(path.read_text(encoding="utf-8")), encoding="utf-8")
    dirs = {"config_dirs": [f"{output.name}/{OWN_GROUPS}"]} if own else {}
    told = yaml.safe_dump(without_secrets({**config, **dirs}), sort_keys=False, allow_unicode=True)
    (output / RUN_FILE).write_text(f"# The run with every key filled in.\n{told}", encoding="utf-8")
    return sorted(path for path in output.rglob("*") if path.is_file())


def names_used(manifest: Mapping[str, Any], trained: Iterable[Path]) -> dict[str, set[str]]:
    """Return which data sets, models and other groups a run uses; of published numbers all are taken.

    Parameters
    ----------
    manifest
        What ``rule write_manifest`` writes.
    trained
        The ``config.json`` of every training, as :data:`lociflow.layout.TRAINED` places it.
    """
    places = [path.parts[-5:-1] for path in trained]
    config = manifest["config"]
    return {
        "dataset": {*config["datasets"], *(dataset for dataset, *_ in places)},
        "model": {split_label(label)[0] for _, _, label, _ in places},
        "training": {config["training"]},
        "interpretation": {str(config["interpretation"])},
        "baseline": {name for dataset in manifest["datasets"] for name in dataset["baselines"]},
    }


def _used(folder: Path, names: Iterable[str] | None) -> Iterator[Path]:
    """Yield the files of one group that some names need; None stands for all."""
    todo = [path.stem for path in folder.glob("*.yaml")] if names is None else sorted(names)
    seen: set[Path] = set()
    while todo:
        path = folder / f"{todo.pop()}.yaml"
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        yield path
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        todo += [name.partition("@")[0] for name in content.get("defaults") or [] if isinstance(name, str)]
        for table in {folder / text for text in _texts(content) if Path(text).name == text}:
            if table not in seen and table.is_file() and table.suffix != ".yaml":
                seen.add(table)
                yield table


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value and "\n" not in value and len(value) < 256:
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
