"""The files that data sets are made from: where they come from, and where they lie under resources/sources."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.download import check_address
from lociflow.genome.sample_sheet import read_sample_sheet
from lociflow.layout import SIMULATED

# A source's place under resources/sources: it reaches shell commands.
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+=-]*")
# Of a part of it: other files lie beside it that have its name and more.
LONGEST = 200
SOURCE_KEYS = ("file", "url", "path", "sha256", "derived_from")


def dataset_files(config: Mapping[str, Any], configuration: Configuration) -> dict[str, Any]:
    """Return a data set's configuration in which every source is filled in.

    Parameters
    ----------
    config
        The data set.
    configuration
        Where its sample sheet is looked for.

    Returns
    -------
    dict
        ``genome`` or ``sequences``, ``targets``, ``blacklist``, ``predictions``, ``genes`` and
        ``variants`` of the data set. Each
        source has ``file``, ``url``, ``path``, ``sha256`` and ``derived_from``; a genome has a list of them; a sample
        sheet has become ``files``.
    """
    name = config["name"]
    found: dict[str, Any] = {}
    if "genome" in config:
        genome = config["genome"]
        sources = genome["source"] if isinstance(genome["source"], list) else [genome["source"]]
        place = f"genomes/{genome['name']}"
        found["genome"] = {**genome, "source": [_source(config, place, source) for source in sources]}
    else:
        sequences = config["sequences"]
        key = "fasta" if "fasta" in sequences else "table"
        found["sequences"] = {**sequences, key: [_source(config, name, source) for source in sequences[key]]}
    found["targets"] = _target_sources(config, configuration)
    if config.get("blacklist"):
        found["blacklist"] = _source(config, name, config["blacklist"])
    found["predictions"] = {
        tool: [_source(config, f"{name}/{tool}", source) for source in sources]
        for tool, sources in (config.get("predictions") or {}).items()
    }
    found["genes"] = [_source(config, f"{name}/genes", config["genes"])] if config.get("genes") else []
    found["variants"] = [_source(config, f"{name}/variants", source) for source in config.get("variants") or []]
    return found


def _target_sources(config: Mapping[str, Any], configuration: Configuration) -> dict[str, Any]:
    targets, name = config["targets"], config["name"]
    if "named" in targets:
        return {**targets, "named": _source(config, name, targets["named"])}
    if "annotation" in targets:
        annotation = targets["annotation"]
        return {**targets, "annotation": {**annotation, "source": _source(config, name, annotation["source"])}}
    if "signal" in targets:
        signal = dict(targets["signal"])
        for key in ("tracks", "control"):
            if set(SOURCE_KEYS) & set(signal.get(key, {})):
                signal[key] = _source(config, f"{name}/{key}", signal[key])
            elif key in signal:
                signal[key] = {
                    track: _track(config, f"{name}/{_file_name(track)}", source)
                    for track, source in signal[key].items()
                }
        if "anchors" in signal:
            signal["anchors"] = _source(config, f"{name}/anchors", signal["anchors"])
        return {**targets, "signal": signal}
    if "columns" in targets:
        return dict(targets)
    if "files" in targets:
        files = targets["files"]
    else:
        rows = read_sample_sheet(configuration.beside(name, targets["sheet"]))
        files = {row.target: {key: value for key, value in row.source.items() if value} for row in rows}
    kept = {key: value for key, value in targets.items() if key != "sheet"}
    sources = {target: _peak_files(config, f"{name}/{_file_name(target)}", found) for target, found in files.items()}
    return {**kept, "files": sources}


def _peak_files(config: Mapping[str, Any], place: str, found: Any) -> Any:
    if isinstance(found, list):
        return [_source(config, f"{place}/{source['split']}", source) for source in found]
    return _source(config, place, found)


def _track(config: Mapping[str, Any], place: str, source: Mapping[str, Any]) -> dict[str, Any]:
    if "plus" in source:
        return {strand: _source(config, f"{place}/{strand}", source[strand]) for strand in ("plus", "minus")}
    return _source(config, place, source)


def sources_in(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every source inside what :func:`dataset_files` returned."""
    if isinstance(config, Mapping):
        if "derived_from" in config:
            yield {key: config[key] for key in SOURCE_KEYS}
        else:
            for value in config.values():
                yield from sources_in(value)
    elif isinstance(config, list):
        for value in config:
            yield from sources_in(value)


def files_only(config: Any) -> Any:
    """Return what :func:`dataset_files` returned with sources as a step reads them.

    Of each only ``file`` is left, and what is said beside the source: class, split.
    """
    if isinstance(config, Mapping):
        kept = {key: files_only(value) for key, value in config.items()}
        dropped = set(SOURCE_KEYS) - {"file"} if "derived_from" in config else set()
        return {key: value for key, value in kept.items() if key not in dropped}
    return [files_only(value) for value in config] if isinstance(config, list) else config


def has_places(sheet: Path) -> bool:
    """Tell whether a sample sheet names the place of every file itself."""
    return all(row.source["file"] for row in read_sample_sheet(sheet))


def is_simulated(config: Mapping[str, Any]) -> bool:
    """Tell whether a data set's genome and peaks are made by lociflow itself."""
    return bool(config.get("simulation"))


def store_name(config: Mapping[str, Any]) -> str:
    """Return the name of the sequence store on which a data set's windows lie."""
    return str(config["genome"]["name"] if "genome" in config else config["name"])


def _file_name(text: str) -> str:
    """Replace what a file's name should not hold."""
    return re.sub(r"[^A-Za-z0-9_.+=-]", "_", text)


def run_source(place: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in a source that a run names itself; what else stands beside it is dropped.

    Parameters
    ----------
    place
        Folder of its ``file`` where it names none.
    source
        What the run says.

    Raises
    ------
    UserError
        It has no address, or its ``file`` is no relative path.
    """
    said = {key: source[key] for key in SOURCE_KEYS if source.get(key) is not None}
    return _source({"name": place}, place, said)


def _source(config: Mapping[str, Any], place: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in a source's ``file``: its place under resources/sources and under a mirror."""
    name = config["name"]
    whole = {"url": None, "path": None, "sha256": None, "derived_from": None, **source}
    if whole["path"]:
        whole["path"] = str(Path(whole["path"]).expanduser())
    for address in [whole["url"]] if isinstance(whole["url"], str) else whole["url"] or []:
        check_address(address)
    if not whole.get("file"):
        address = whole["path"] or whole["url"]
        if not address:
            raise UserError(f"dataset {name}: found a source without url, path and file; give it a url or a path")
        if not isinstance(address, str):
            raise UserError(
                f"dataset {name}: a source with several addresses needs a file, the name of the joined file"
            )
        whole["file"] = f"{place}/{_file_name(re.split('[?#]', address)[0].rstrip('/').rpartition('/')[2])}"
    parts = whole["file"].split("/")
    if not FILE.fullmatch(whole["file"]) or {"", ".", ".."} & set(parts) or max(map(len, parts)) > LONGEST:
        raise UserError(
            f"dataset {name}: found the file {whole['file']!r} of a source, expected a relative path of letters, "
            f"digits and . _ + = - without .., each part of at most {LONGEST} characters"
        )
    if whole["file"].startswith(SIMULATED.format(dataset="")) and not is_simulated(config):
        raise UserError(f"dataset {name}: {whole['file']} is kept for simulated genomes; give the source another file")
    return whole


def motif_library(configuration: Configuration, dataset: str, interpretation: str | None) -> list[dict[str, Any]]:
    """Return the source of the motifs that a data set's are matched to beside JASPAR's, a list of one or none."""
    if interpretation is None:
        return []
    library = configuration.interpretation(dataset, interpretation)["jaspar"].get("library")
    return [_source(configuration.dataset(dataset), "motifs", library)] if library else []


def attention_source(configuration: Configuration, dataset: str, interpretation: str | None) -> list[dict[str, Any]]:
    """Return the source of the track that attention is held against, a list of one or none."""
    if interpretation is None:
        return []
    track = configuration.interpretation(dataset, interpretation).get("attention_track")
    return [_source(configuration.dataset(dataset), f"attention/{dataset}", track)] if isinstance(track, dict) else []


def all_sources(
    configuration: Configuration, datasets: Iterable[str], interpretation: str | None = None
) -> dict[str, dict[str, Any]]:
    """Return every source to fetch for some data sets, and for how they are interpreted, by its ``file``.

    Raises
    ------
    UserError
        A file is not there, or two sources claim the same ``file`` with different addresses or digests.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in datasets:
        files = dataset_files(configuration.dataset(name), configuration)
        explained = (
            source for of in (motif_library, attention_source) for source in of(configuration, name, interpretation)
        )
        for source in (*sources_in(files), *explained):
            if not source["file"].startswith(SIMULATED.format(dataset="")):
                claim(found, f"dataset {name}", source)
    return found


def claim(found: dict[str, dict[str, Any]], where: str, source: Mapping[str, Any]) -> None:
    """Add a source to those by their ``file``; one that says no more than ``file`` may be another's.

    Raises
    ------
    UserError
        Its ``path`` is not there, or the ``file`` is another source's with another address or digest.
    """
    if source["path"] and not Path(source["path"]).is_file():
        raise UserError(f"{where}: {source['path']}: no such file; relative paths are relative to where snakemake runs")
    other = found.setdefault(source["file"], dict(source))
    if other != source and any(source[key] for key in SOURCE_KEYS if key != "file"):
        raise UserError(
            f"{where}: source {source['file']} is also named by another source with another address or digest; give "
            "one of the two another file"
        )


def stores(configuration: Configuration, datasets: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what every sequence store of some data sets is made from, by its name.

    Returns
    -------
    dict
        For a genome ``name``, ``soft_mask``, ``contig_md5`` and ``source``; for labelled sequences ``name`` and
        ``sequences``.

    Raises
    ------
    UserError
        Two data sets mean different genomes by one name.
    """
    found: dict[str, dict[str, Any]] = {}
    for dataset in datasets:
        config = configuration.dataset(dataset)
        files, name = dataset_files(config, configuration), store_name(config)
        made = {"name": name, "sequences": files["sequences"]} if "sequences" in files else files["genome"]
        if is_simulated(config):
            made = {**made, "dataset": dataset}
        other = found.setdefault(name, made)
        if other != made:
            raise UserError(
                f"dataset {dataset}: genome {name} is another one in another data set of this run; rename one"
            )
    return found
