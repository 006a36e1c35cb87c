"""Compose, resolve and check what users write: the run, and the Hydra groups that it names."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lociflow.command import UserError
from lociflow.genome.sample_sheet import read_sample_sheet
from lociflow.layout import SIMULATED, split_label

GROUPS = ("dataset", "model", "training", "interpretation", "baseline")
# What a reader of a configuration needs and a computation does not: editing it must rerun nothing.
PROSE = ("description", "paper", "doi", "licence", "citation")


class Configuration:
    """The Hydra groups of lociflow and of the user's own folders, each file composed once.

    Parameters
    ----------
    home
        lociflow's ``config`` folder.
    schemas
        Folder of the ``<group>.schema.yaml`` files.
    own
        The user's folders that hold the same groups (``config_dirs`` of a run).
    """

    def __init__(self, home: Path, schemas: Path, own: Iterable[Path] = ()) -> None:
        self.folders = [home.resolve(), *(folder.resolve() for folder in own)]
        self.schemas = schemas
        for folder in self.folders:
            if not folder.is_dir():
                raise UserError(
                    f"config_dirs: {folder} is no folder; correct the path, which is relative to where snakemake runs"
                )
        self._composed: dict[tuple[str, str], DictConfig] = {}

    @cache  # noqa: B019  one Configuration lives as long as its process
    def names(self, group: str) -> dict[str, Path]:
        """Return the names that a group offers, each with its file; a name that two folders define is refused."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted((folder / group).glob("*.yaml")):
                if path.stem in found:
                    raise UserError(
                        f"{path}: {group} {path.stem} is also defined in {found[path.stem]}; rename one of the two"
                    )
                found[path.stem] = path
        return found

    def group(self, group: str, name: str) -> DictConfig:
        """Compose one file of a group and check it against the group's schema.

        Raises
        ------
        UserError
            There is no such name, the file is not YAML, or a key or value is not what the schema says.
        """
        if (group, name) not in self._composed:
            self._composed[group, name] = self._compose(group, name)
        return self._composed[group, name]

    def _compose(self, group: str, name: str) -> DictConfig:
        names = self.names(group)
        if name not in names:
            raise UserError(
                f"{group} {name}: there is no such {group}{did_you_mean(name, names)}; known: {', '.join(names)}"
            )
        search = ",".join(f"file://{folder}" for folder in self.folders[1:])
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(config_dir=str(self.folders[0]), version_base="1.3"):
                composed = compose(overrides=[f"hydra.searchpath=[{search}]", f"+{group}={name}"])
        except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
            raise UserError(f"{names[name]}: cannot be read ({' '.join(str(error).split())})") from None
        config = composed.get(group)
        if not isinstance(config, DictConfig):
            raise UserError(f"{names[name]}: expected keys and values, found {type(config).__name__}")
        check_schema(OmegaConf.to_container(config), self.schemas / f"{group}.schema.yaml", str(names[name]))
        return config

    def dataset(self, name: str) -> dict[str, Any]:
        """Return a data set's configuration, resolved, with its ``name``."""
        return {
            "name": name,
            **_plain(
                OmegaConf.create({"dataset": self.group("dataset", name)}), "dataset", str(self.names("dataset")[name])
            ),
        }

    def interpretation(self, dataset: str, name: str) -> dict[str, Any]:
        """Return how a data set's models are interpreted: the group's file, then what the data set itself says."""
        merged = OmegaConf.merge(
            self.group("interpretation", name), self.group("dataset", dataset).get("interpretation") or {}
        )
        return _without_prose(_plain(OmegaConf.create({"interpretation": merged}), "interpretation", name))

    def baseline(self, dataset: str, name: str) -> dict[str, Any]:
        """Return a baseline's configuration, in which ``${dataset.…}`` stands for the data set's values."""
        whole = OmegaConf.create({"dataset": self.group("dataset", dataset), "baseline": self.group("baseline", name)})
        return _without_prose(_plain(whole, "baseline", name))

    @cache  # noqa: B019
    def trained(self, dataset: str, model: str, training: str, overrides: tuple[str, ...]) -> dict[str, Any]:
        """Return the resolved configuration of a training, without its seed: data set, model and training.

        The order of precedence, lowest first: the training group's file, the model's published recipe, the data
        set's own ``training``, the variant's overrides.
        """
        data_set = self.group("dataset", dataset)
        architecture = self.group("model", model)
        whole = OmegaConf.create(
            {"dataset": data_set, "model": architecture, "training": self.group("training", training)}
        )
        for recipe in (architecture.get("training"), data_set.get("training")):
            if recipe:
                for key in recipe:
                    # An optimiser or a loss is replaced whole: half of one recipe's arguments do not fit the other's.
                    whole.training[key] = recipe[key]
        for override in OverridesParser.create().parse_overrides(list(overrides)):
            OmegaConf.update(whole, override.key_or_group, override.value(), force_add=override.is_add())
        what = f"{dataset} with {model}"
        resolved = {part: _without_prose(_plain(whole, part, what)) for part in ("model", "training")}
        resolved["model"].pop("training", None)
        attribution = resolved["model"].pop("attribution", {})
        check_schema(resolved["training"], self.schemas / "training.schema.yaml", what)
        return {
            "training": {
                "dataset": {"name": dataset},
                "model": {"name": model, **resolved["model"]},
                "training": resolved["training"],
            },
            "attribution": attribution,
        }


def attribution(interpretation: Mapping[str, Any], model: str, offered: Mapping[str, Any]) -> dict[str, Any]:
    """Return how one model is explained: the interpretation's method, or else the model's own.

    Parameters
    ----------
    interpretation
        As :meth:`Configuration.interpretation` returns.
    model
        Name of the model, for messages.
    offered
        What the model's file says under ``attribution``: ``method``, ``valid`` and optionally ``reason``.

    Returns
    -------
    dict
        ``method``, ``call`` (its ``_target_`` and arguments) and the other keys of the interpretation's
        ``attribution``.

    Raises
    ------
    UserError
        There is no such method, or it is not valid for the model.
    """
    settings = dict(interpretation["attribution"])
    methods = settings.pop("methods")
    if not offered:
        raise UserError(
            f"model {model}: its file does not say how it may be explained; add, for example, "
            "attribution: {method: integrated_gradients, valid: [integrated_gradients, input_x_gradient]}"
        )
    name = settings.pop("method") or offered["method"]
    if name not in methods:
        raise UserError(f"interpretation: method {name}: there is no such method{did_you_mean(name, methods)}")
    if name not in offered["valid"]:
        reason = offered.get("reason", "its file leaves it out")
        raise UserError(
            f"interpretation: method {name} is not valid for model {model} ({reason}); choose one of "
            f"{', '.join(offered['valid'])}, or null for each model's own"
        )
    return {**settings, "method": name, "call": methods[name]}


def _plain(whole: DictConfig, part: str, where: str) -> dict[str, Any]:
    try:
        return OmegaConf.to_container(whole[part], resolve=True, throw_on_missing=True)  # type: ignore[return-value]
    except OmegaConfBaseException as error:
        raise UserError(f"{where}: cannot be resolved ({' '.join(str(error).split())})") from None


def _without_prose(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in PROSE}


def canonical(config: Any) -> str:
    """Return a configuration as JSON that is the same text for the same content."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X?`` where one of the known names is close, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


@cache
def read_schema(path: Path) -> dict[str, Any]:
    """Read a JSON Schema that is written as YAML."""
    schema: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return schema


def check_schema(found: Any, schema: Path, where: str) -> None:
    """Check a configuration against its JSON Schema.

    Raises
    ------
    UserError
        Names the file, the key, what was found and what was expected; for an unknown key, the known one that is
        nearest.
    """
    content = read_schema(schema)
    validator = jsonschema.Draft202012Validator(content)
    error = jsonschema.exceptions.best_match(validator.iter_errors(found))
    if error is None:
        return
    key = ".".join(str(part) for part in error.absolute_path)
    place = f"{where}: {key}" if key else where
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(str(name) for name in error.instance if name not in known)
        name = f"{key}.{unknown[0]}" if key else unknown[0]
        raise UserError(f"{where}: unknown key {name}{did_you_mean(unknown[0], known)}; known here: {', '.join(known)}")
    expected = error.schema.get("description", "") if key else ""
    raise UserError(
        f"{place}: {error.message}" + (f"; expected {expected[0].lower()}{expected[1:]}" if expected else "")
    )


# ----------------------------------------------------------------------------------------------------------------- run


def check_run(run: Mapping[str, Any], configuration: Configuration) -> None:
    """Check everything that a run asks for before a job exists.

    Raises
    ------
    UserError
        A key is unknown, a data set, model, variant or baseline does not exist, an override touches shared data.
    """
    check_schema(dict(run), configuration.schemas / "run.schema.yaml", "configuration of the run")
    variants = run.get("variants") or {}
    for name, overrides in variants.items():
        for override in overrides:
            key = str(override).partition("=")[0].lstrip("+~")
            if key.partition(".")[0] not in ("model", "training"):
                raise UserError(
                    f"variants.{name}: {override} changes {key.partition('.')[0]}, which runs share; "
                    "a variant overrides model.… or training.…; for other data write another data set"
                )
    for group, names in (("dataset", run["datasets"]), ("baseline", run["baselines"]), ("training", [run["training"]])):
        for name in names:
            configuration.group(group, name)
    if run["interpretation"]:
        configuration.group("interpretation", run["interpretation"])
    for label in run["models"]:
        model, variant = split_label(label)
        configuration.group("model", model)
        if variant and variant not in variants:
            near = did_you_mean(variant, variants)
            raise UserError(f"models: {label} names the variant {variant}{near}; declare it under variants")
    for label in run["interpret"] or []:
        if label not in run["models"]:
            raise UserError(f"interpret: {label} is none of this run's models{did_you_mean(label, run['models'])}")
    for dataset in run["datasets"]:
        check_dataset(configuration.dataset(dataset), configuration.names("dataset")[dataset])
        if run["interpretation"]:
            interpretation = configuration.interpretation(dataset, run["interpretation"])
            for model in {split_label(label)[0] for label in run["interpret"] or run["models"]}:
                attribution(interpretation, model, configuration.group("model", model).get("attribution") or {})


def check_dataset(config: Mapping[str, Any], path: Path) -> None:
    """Check what a schema cannot say of a data set: that its splits do not share a contig.

    Raises
    ------
    UserError
        A contig is named for two splits.
    """
    split = config["split"]
    seen: dict[str, str] = {}
    for name in ("train", "validation", "test"):
        contigs = split.get(name)
        for contig in contigs if isinstance(contigs, list) else []:
            if contig in seen:
                raise UserError(
                    f"{path}: split: contig {contig} is named for {seen[contig]} and for {name}; name it once"
                )
            seen[contig] = name


def overrides_of(run: Mapping[str, Any], label: str) -> tuple[str, ...]:
    """Return the overrides that the variant of ``model+variant`` declares in a run."""
    _, variant = split_label(label)
    return tuple(str(override) for override in run["variants"][variant]) if variant else ()


def is_control(config: Mapping[str, Any]) -> bool:
    """Tell whether a training is a control, from which nothing can be learnt: untrained, or on permuted labels."""
    return bool(config["training"].get("label_permutation")) or config["training"].get("max_epochs") == 0


# ------------------------------------------------------------------------------------------------------------- sources


def genome_source(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the genome's source of a data set, with its ``file`` filled in."""
    return _source(config["name"], config["genome"]["source"])


def blacklist_source(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the blacklist's source of a data set, or None."""
    return _source(config["name"], config["blacklist"]) if config.get("blacklist") else None


def target_sources(config: Mapping[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """Return the source of each file that holds a data set's peaks.

    Parameters
    ----------
    config
        The data set.
    folder
        Where its YAML file lies: a sample sheet's path is relative to it.

    Returns
    -------
    dict
        Source by target; a single file that names its targets in a column is under the empty name.
    """
    targets = config["targets"]
    if "named" in targets:
        return {"": _source(config["name"], targets["named"])}
    if "files" in targets:
        return {target: _source(config["name"], source) for target, source in targets["files"].items()}
    return {
        row.target: _source(config["name"], {key: value for key, value in row.source.items() if value})
        for row in read_sample_sheet(folder / targets["sheet"])
    }


def is_simulated(config: Mapping[str, Any]) -> bool:
    """Tell whether a data set's genome and peaks are made by lociflow itself."""
    return bool(config.get("simulation"))


def _source(dataset: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in a source's ``file``: its place under resources/sources and under a mirror."""
    whole = {"url": None, "path": None, "sha256": None, "derived_from": None, **source}
    if not whole.get("file"):
        address = whole["path"] or whole["url"]
        if not isinstance(address, str):
            raise UserError(
                f"dataset {dataset}: a source with several addresses needs a file, the name of the joined file"
            )
        whole["file"] = f"{dataset}/{re.split(r'[?#]', address)[0].rstrip('/').rpartition('/')[2]}"
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
        folder = configuration.names("dataset")[name].parent
        sources = [genome_source(config), blacklist_source(config), *target_sources(config, folder).values()]
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
