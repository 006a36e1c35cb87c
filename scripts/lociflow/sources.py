"""The files that data sets are made from: where they come from, and where they lie under resources/sources."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.genome.sample_sheet import read_sample_sheet
from lociflow.layout import SIMULATED

# A source's place under resources/sources: it reaches shell commands.
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+=-]*")


def genome_source(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the genome's source of a data set; without a ``file`` of its own it is shared by the genome's name."""
    return _source(config, f"genomes/{config['genome']['name']}", config["genome"]["source"])


def blacklist_source(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the blacklist's source of a data set, or None."""
    return _source(config, config["name"], config["blacklist"]) if config.get("blacklist") else None


def target_sources(config: Mapping[str, Any], configuration: Configuration) -> dict[str, dict[str, Any]]:
    """Return the source of each file that holds a data set's peaks.

    Parameters
    ----------
    config
        The data set.
    configuration
        Where its sample sheet is looked for.

    Returns
    -------
    dict
        Source by target; a single file that names its targets in a column is under the empty name.
    """
    targets, name = config["targets"], config["name"]
    if "named" in targets:
        return {"": _source(config, name, targets["named"])}
    if "files" in targets:
        sources = targets["files"]
    else:
        rows = read_sample_sheet(configuration.beside(name, targets["sheet"]))
        sources = {row.target: {key: value for key, value in row.source.items() if value} for row in rows}
    return {target: _source(config, f"{name}/{_file_name(target)}", source) for target, source in sources.items()}


def is_simulated(config: Mapping[str, Any]) -> bool:
    """Tell whether a data set's genome and peaks are made by lociflow itself."""
    return bool(config.get("simulation"))


def _file_name(text: str) -> str:
    """Replace what a file's name should not hold."""
    return re.sub(r"[^A-Za-z0-9_.+=-]", "_", text)


def _source(config: Mapping[str, Any], place: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in a source's ``file``: its place under resources/sources and under a mirror."""
    name = config["name"]
    whole = {"url": None, "path": None, "sha256": None, "derived_from": None, **source}
    if whole["path"]:
        whole["path"] = str(Path(whole["path"]).expanduser())
    if not whole.get("file"):
        address = whole["path"] or whole["url"]
        if not address:
            raise UserError(f"dataset {name}: found a source without url, path and file; give it a url or a path")
        if not isinstance(address, str):
            raise UserError(
                f"dataset {name}: a source with several addresses needs a file, the name of the joined file"
            )
        whole["file"] = f"{place}/{_file_name(re.split('[?#]', address)[0].rstrip('/').rpartition('/')[2])}"
    if not FILE.fullmatch(whole["file"]) or ".." in whole["file"].split("/"):
        raise UserError(
            f"dataset {name}: found the file {whole['file']!r} of a source, expected a relative path of letters, "
            "digits and . _ + = - without .."
        )
    if whole["file"].startswith(SIMULATED.format(dataset="")) and not is_simulated(config):
        raise UserError(f"dataset {name}: {whole['file']} is kept for simulated genomes; give the source another file")
    return whole


def all_sources(configuration: Configuration, datasets: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return every source to fetch for some data sets, by its ``file``.

    Raises
    ------
    UserError
        Two sources claim the same ``file`` with different addresses or digests.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in datasets:
        config = configuration.dataset(name)
        sources = [genome_source(config), blacklist_source(config), *target_sources(config, configuration).values()]
        for source in sources:
            if source is None or source["file"].startswith(SIMULATED.format(dataset="")):
                continue
            if source["path"] and not Path(source["path"]).is_file():
                raise UserError(
                    f"dataset {name}: {source['path']}: no such file; relative paths are relative to where snakemake "
                    "runs"
                )
            other = found.setdefault(source["file"], source)
            if other != source:
                raise UserError(
                    f"dataset {name}: source {source['file']} is also named by another source with another address or "
                    "digest; give one of the two another file"
                )
    return found


def genomes(configuration: Configuration, datasets: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return every genome of some data sets, by its name.

    Raises
    ------
    UserError
        Two data sets mean different genomes by one name.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in datasets:
        config = configuration.dataset(name)
        genome = {
            **config["genome"],
            "source": genome_source(config),
            "dataset": name if is_simulated(config) else None,
        }
        other = found.setdefault(genome["name"], genome)
        if other != genome:
            raise UserError(
                f"dataset {name}: genome {genome['name']} is another one in another data set of this run; rename one"
            )
    return found
