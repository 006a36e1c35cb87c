"""Compose, resolve and check the Hydra groups: data sets, models, trainings, interpretations, baselines."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
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
from lociflow.layout import SIMULATED
from lociflow.training.recipe import SUPPORTED, UNLABELLED, check_rate, check_supported, settle

GROUPS = ("dataset", "model", "training", "interpretation", "baseline")
# A file's name becomes a folder's name, and reaches shell commands.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
# What a reader of a configuration needs and a computation does not: editing it must rerun nothing.
PROSE = ("description", "paper", "doi", "licence", "citation")
# Overrides that replace a mapping: half of what another one says does not fit it, as with every _target_.
REPLACED = ("training.transfer",)

# A configuration that somebody else wrote must not learn what stands in the environment, and could send it away.
OmegaConf.clear_resolver("oc.env")


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
            names = self.names(group)
            if not NAME.fullmatch(name):
                raise UserError(
                    f"{group} {name!r}: is no name of a file of {group}, expected at most 100 letters, digits and _ - "
                    ". that begin with a letter, a digit or _; rename the file"
                )
            if name not in names:
                raise UserError(
                    f"{group} {name}: there is no such {group}{did_you_mean(name, names)}; known: {', '.join(names)}"
                )
            try:
                composed = self._compose([f"+{group}={name}"])
            except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
                raise UserError(f"{names[name]}: cannot be read ({' '.join(str(error).split())})") from None
            self._composed[group, name] = self._checked(group, name, composed.get(group))
        return self._composed[group, name]

    def compose_together(self, group: str, names: Iterable[str]) -> None:
        """Compose several files of a group at once: Hydra takes longer to begin than to read a file.

        What cannot be composed like this is left to :meth:`group`, which says which file it is, and why.

        Raises
        ------
        UserError
            A key or value of a file is not what the schema says.
        """
        known = [name for name in dict.fromkeys(names) if NAME.fullmatch(name) and name in self.names(group)]
        known = [name for name in known if (group, name) not in self._composed]
        if not known:
            return
        try:
            composed = self._compose([f"+{group}@{group}._{place}={name}" for place, name in enumerate(known)])
        except (HydraException, OmegaConfBaseException, yaml.YAMLError):
            return
        found = composed.get(group) or {}
        for place, name in enumerate(known):
            # As if it stood alone: it may refer to its own values by its group's name.
            alone = OmegaConf.create({group: found.get(f"_{place}")})
            self._composed[group, name] = self._checked(group, name, alone.get(group))

    @cache  # noqa: B019
    def _content(self, group: str, name: str) -> dict[str, Any]:
        """Return a composed file in plain types, references unresolved; all callers share it and change nothing."""
        found: dict[str, Any] = OmegaConf.to_container(self.group(group, name))  # type: ignore[assignment]
        return found

    def _compose(self, overrides: list[str]) -> DictConfig:
        search = ",".join(_quoted(f"file://{folder}") for folder in self.folders[1:])
        GlobalHydra.instance().clear()
        with initialize_config_dir(config_dir=str(self.folders[0]), version_base="1.3"):
            return compose(overrides=[f"hydra.searchpath=[{search}]", *overrides])

    def _checked(self, group: str, name: str, config: Any) -> DictConfig:
        path = self.names(group)[name]
        if not isinstance(config, DictConfig):
            raise UserError(f"{path}: expected keys and values, found {type(config).__name__}")
        # The values of an interpretation refer to each other, and are checked once a data set's own are merged in.
        if group != "interpretation":
            check_schema(OmegaConf.to_container(config), self.schemas / f"{group}.schema.yaml", str(path))
        return config

    def beside(self, dataset: str, file: str) -> Path:
        """Find a file that a data set's YAML names: beside it, or beside the data sets that it may take over.

        Raises
        ------
        UserError
            There is no such file in any of these folders.
        """
        folders = [self.names("dataset")[dataset].parent, *(folder / "dataset" for folder in self.folders)]
        for folder in folders:
            if (folder / file).is_file():
                return folder / file
        raise UserError(f"{self.names('dataset')[dataset]}: {file}: no such file beside it")

    @cache  # noqa: B019
    def dataset(self, name: str) -> dict[str, Any]:
        """Return a data set's configuration, resolved, with its ``name``; all callers share it and change nothing."""
        group = self.group("dataset", name)
        config = _plain(OmegaConf.create({"dataset": group}), "dataset", str(self.names("dataset")[name]))
        if config.get("simulation"):
            # Its genome and peaks are its own, also where it takes over another simulated data set's file.
            folder = SIMULATED.format(dataset=name)
            config["genome"] = {**config["genome"], "name": name, "source": {"file": f"{folder}/genome.fa"}}
            config["targets"] = {**config["targets"], "named": {"file": f"{folder}/peaks.bed"}}
        return {"name": name, **config}

    @cache  # noqa: B019
    def interpretation(self, dataset: str, name: str) -> dict[str, Any]:
        """Return how a data set's models are interpreted: the group's file, then what the data set itself says.

        All callers share it and change nothing.
        """
        own = self.group("dataset", dataset).get("interpretation") or {}
        where = f"interpretation {name} with what {self.names('dataset')[dataset]} says of it"
        base = self.group("interpretation", name).copy()
        OmegaConf.set_struct(base, False)
        resolved = _plain(OmegaConf.create({"interpretation": OmegaConf.merge(base, own)}), "interpretation", where)
        check_schema(resolved, self.schemas / "interpretation.schema.yaml", where)
        return _without_prose(resolved)

    @cache  # noqa: B019
    def baseline(self, dataset: str, name: str) -> dict[str, Any]:
        """Return a baseline's configuration, in which ``${dataset.…}`` stands for the data set's values.

        All callers share it and change nothing.
        """
        own = self._content("baseline", name)
        whole = OmegaConf.create({"dataset": self._referred(dataset, own), "baseline": own})
        found = _without_prose(_plain(whole, "baseline", name))
        return {key: value for key, value in found.items() if key not in ("alphabets", "to_beat")}

    def _referred(self, dataset: str, *configs: Any) -> dict[str, Any]:
        """Return what configurations refer to of a data set: a grid has hundreds of pairs, and OmegaConf is slow."""
        text = json.dumps(configs)
        return {key: value for key, value in self.dataset(dataset).items() if f"dataset.{key}" in text}

    @cache  # noqa: B019
    def trained(self, dataset: str, model: str, training: str, overrides: tuple[str, ...]) -> dict[str, Any]:
        """Return the resolved configuration of a training, without its seed: data set, model and training.

        The order of precedence, lowest first: the training group's file, the model's published recipe, the data
        set's own ``training``, the variant's overrides.
        """
        data_set, architecture = self._content("dataset", dataset), self._content("model", model)
        # An optimiser or a loss is replaced whole: half of one recipe's arguments do not fit the other's.
        recipe = {**self._content("training", "default"), **self._content("training", training)}
        for own in (architecture.get("training") or {}, data_set.get("training") or {}):
            # Losses stand beside each other, one for each kind of labels.
            losses = {**recipe["losses"], **own.get("losses", {})} if recipe.get("losses") else own.get("losses")
            recipe = {**recipe, **own, **({"losses": losses} if losses else {})}
        # What a file leaves out is as everywhere: one view, both strands.
        whole_model = {"views": ["sequence"], "strand_specific": False, **architecture}
        parts = {"model": whole_model, "training": recipe}
        text = {part: json.dumps(config) for part, config in parts.items()}
        # A part that neither refers to others nor is referred to or changed stays as it is: OmegaConf is slow to make
        # objects, and a grid has hundreds of pairs.
        linked = [
            part
            for part, own in text.items()
            if overrides or "${" in own or "???" in own or any(f"${{{part}." in other for other in text.values())
        ]
        referred = self._referred(dataset, parts, overrides)
        whole = OmegaConf.create({"dataset": referred, **{part: parts[part] for part in linked}})
        what = f"{dataset} with {model}"
        changed: set[str] = set()
        try:
            for override in OverridesParser.create().parse_overrides(list(overrides)):
                if override.is_sweep_override():
                    raise UserError(
                        f"{what}: {override.input_line} names several values; declare a variant for each, or write a "
                        "list in brackets"
                    )
                key, value = override.key_or_group, override.value()
                whole_object = isinstance(value, Mapping) and ("_target_" in value or key in REPLACED)
                OmegaConf.update(whole, key, value, merge=not whole_object, force_add=override.is_add())
                changed.add(key)
        except (HydraException, OmegaConfBaseException) as error:
            told = f" with {', '.join(overrides)}" if overrides else ""
            raise UserError(f"{what}{told}: cannot be merged ({' '.join(str(error).split())})") from None
        plain = {part: _plain(whole, part, what) if part in linked else json.loads(text[part]) for part in parts}
        # Checked again: an override can name a key that no model has, which would change nothing without a word.
        check_schema(plain["model"], self.schemas / "model.schema.yaml", what)
        resolved = {part: _without_prose(config) for part, config in plain.items()}
        resolved["model"].pop("training", None)
        attribution = resolved["model"].pop("attribution", {})
        supported = resolved["model"].pop("labels", list(SUPPORTED))
        check_schema(resolved["training"], self.schemas / "training.schema.yaml", what)
        kind = label_kind_of(data_set)
        check_supported(kind, supported, dataset, model, self._models_for(kind))
        resolved["training"] = settle(resolved["training"], kind, supported, what)
        check_rate(changed, resolved["training"], what)
        return {
            "training": {
                "dataset": {"name": dataset},
                "model": {**resolved["model"], "name": model},
                "training": resolved["training"],
            },
            "attribution": attribution,
        }

    def supports(self, dataset: str, model: str) -> bool:
        """Tell whether a model can be trained on a data set's kind of labels, or needs none."""
        supported = list(self.group("model", model).get("labels") or SUPPORTED)
        return supported == [UNLABELLED] or label_kind_of(self.group("dataset", dataset)) in supported

    def _models_for(self, kind: str) -> Iterator[str]:
        """Yield the models that support a kind of labels."""
        return (name for name in self.names("model") if kind in (self.group("model", name).get("labels") or SUPPORTED))


def label_kind_of(config: Any) -> str:
    """Return the kind of a data set's labels: binary unless it says otherwise, real for signal tracks."""
    default = "real" if "signal" in config["targets"] else "binary"
    return str((config.get("labels") or {}).get("kind") or default)


def attribution(
    interpretation: Mapping[str, Any], model: str, offered: Mapping[str, Any], method: str | None = None
) -> dict[str, Any]:
    """Return how one model is explained: by the method that is asked for, the interpretation's or the model's own.

    Parameters
    ----------
    interpretation
        As :meth:`Configuration.interpretation` returns.
    model
        Name of the model, for messages.
    offered
        What the model's file says under ``attribution``: ``method``, ``valid`` and optionally ``reason``.
    method
        Name of a method; None for the interpretation's, or else the model's own.

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
    own = settings.pop("method") or offered["method"]
    name = method or own
    if name not in methods:
        raise UserError(f"interpretation: method {name}: there is no such method{did_you_mean(name, methods)}")
    if name not in offered["valid"]:
        raise UserError(
            f"interpretation: method {name} is not valid for model {model} ({not_valid(offered)}); choose one of "
            f"{', '.join(offered['valid'])}, or null for each model's own"
        )
    return {**settings, "method": name, "call": methods[name]}


def not_valid(offered: Mapping[str, Any]) -> str:
    """Say why a model cannot be explained by the methods that its file leaves out."""
    return str(offered.get("reason", "its file leaves it out"))


def _plain(whole: DictConfig, part: str, where: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = _text_keys(OmegaConf.to_container(whole[part], resolve=True, throw_on_missing=True))
    except OmegaConfBaseException as error:
        raise UserError(f"{where}: cannot be resolved ({' '.join(str(error).split())})") from None
    return found


def _text_keys(config: Any) -> Any:
    """Make every key text: YAML reads the contig name in ``1: chr1`` as a number."""
    if isinstance(config, dict):
        return {str(key): _text_keys(value) for key, value in config.items()}
    return [_text_keys(value) for value in config] if isinstance(config, list) else config


def _quoted(text: str) -> str:
    """Quote a value for Hydra, to whose grammar a comma, a bracket or a blank means something."""
    return "'" + text.replace("'", "\\'") + "'"


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


@cache
def _validator(schema: Path) -> Any:
    return _Validator(read_schema(schema))


def _pattern(_: Any, pattern: str, found: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    # As in JSON Schema, where $ is the end and nothing else; in Python it is also before a line end at the end.
    if isinstance(found, str) and not re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), found):
        yield jsonschema.ValidationError(f"{found!r} does not match {pattern!r}")


_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


def check_schema(found: Any, schema: Path, where: str) -> None:
    """Check a configuration against its JSON Schema.

    Raises
    ------
    UserError
        Names the file, the key, what was found and what was expected; for an unknown key, the known one that is
        nearest.
    """
    validator = _validator(schema)
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
