"""What a run asks for: checked before a job exists, and read where rules need it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lociflow.command import UserError
from lociflow.config import Configuration, attribution, check_schema, did_you_mean
from lociflow.genome.split_schemes import split_schemes
from lociflow.layout import split_label

# Splits in which a window of any length stays on its side: it ends with its contig.
WHOLE_CONTIGS = ("by_contig", "balanced_contigs", "contig_folds")
# Targets that are regions, and the kinds of labels that each origin of targets can give.
REGIONS = ("sheet", "files", "named", "annotation")
KINDS_OF = {
    "regions": ("binary", "class", "position_class"),
    "signal": ("real", "profile"),
    "columns": ("binary", "class", "real"),
}


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
            part, _, rest = key.partition(".")
            if part not in ("model", "training"):
                raise UserError(
                    f"variants.{name}: {override} changes {part}, which runs share; "
                    "a variant overrides model.… or training.…; for other data write another data set"
                )
            if not rest:
                raise UserError(f"variants.{name}: {override} replaces the whole {part}; override one of its keys")
            if part == "model" and rest.partition(".")[0] == "training":
                raise UserError(f"variants.{name}: {override} would change nothing; write {key[len('model.') :]}=…")
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
    for dataset in run.get("splits") or {}:
        if dataset not in run["datasets"]:
            raise UserError(
                f"splits: {dataset} is none of this run's data sets{did_you_mean(dataset, run['datasets'])}"
            )
    explained = run["models"] if run.get("interpret") is None else run["interpret"]
    for label in explained:
        if label not in run["models"]:
            raise UserError(f"interpret: {label} is none of this run's models{did_you_mean(label, run['models'])}")
    for dataset in run["datasets"]:
        config = configuration.dataset(dataset)
        check_dataset(config, configuration.names("dataset")[dataset])
        splits_of(run, config)
        if run["interpretation"]:
            interpretation = configuration.interpretation(dataset, run["interpretation"])
            for model in {split_label(label)[0] for label in explained}:
                attribution(interpretation, model, configuration.group("model", model).get("attribution") or {})


def check_dataset(config: Mapping[str, Any], path: Path) -> None:
    """Check what a schema cannot say of a data set.

    Raises
    ------
    UserError
        A contig is named for two sides of a split, two splits have one name, or the kind of the labels does not fit
        what the targets come from.
    """
    try:
        schemes = split_schemes(config)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    for settings in schemes.values():
        _check_sides(settings, path)
    kind = label_kind_of(config)
    origin = next(key for key in (*REGIONS, "signal", "columns") if key in config["targets"])
    kinds = KINDS_OF.get(origin, KINDS_OF["regions"])
    if kind not in kinds:
        raise UserError(f"{path}: labels.kind: found {kind}, expected {' or '.join(kinds)} for targets.{origin}")
    if (origin == "columns") != ("sequences" in config):
        raise UserError(f"{path}: targets: found {origin}, expected columns with sequences, and the others with genome")
    sequences = config["windows"]["_target_"].endswith(".whole_sequences")
    if sequences != ("sequences" in config):
        expected = "whole_sequences for sequences" if "sequences" in config else "a maker of bins on a genome"
        raise UserError(f"{path}: windows._target_: found {config['windows']['_target_']}, expected {expected}")


def label_kind_of(config: Mapping[str, Any]) -> str:
    """Return the kind of a data set's labels: binary unless it says otherwise, real for signal tracks."""
    default = "real" if "signal" in config["targets"] else "binary"
    return str((config.get("labels") or {}).get("kind") or default)


def check_trainable(config: Mapping[str, Any], input_length: int | None = None) -> None:
    """Refuse to train on what would give no score, or one that says nothing.

    Parameters
    ----------
    config
        The data set.
    input_length
        Bases that the model sees; None for baselines, which see what the data set says.

    Raises
    ------
    UserError
        The labels are not binary, or the model sees more bases than the splits and the audit have looked at, so that
        its test windows may share some with training.
    """
    kind = label_kind_of(config)
    if kind != "binary":
        raise UserError(
            f"dataset {config['name']}: has {kind} labels, and models and baselines are trained on binary ones; "
            "`snakemake audit` makes and audits its windows"
        )
    length = config["windows"]["length"]
    if input_length is None or input_length <= length or "sequences" in config:
        return
    for name, settings in split_schemes(config).items():
        if settings.get("_target_", "").rpartition(".")[2] not in (*WHOLE_CONTIGS, ""):
            raise UserError(
                f"dataset {config['name']}: the split {name} keeps windows of {length} bases apart, and a model reads "
                f"{input_length}, which may reach into training windows; set windows.length to {input_length}, or "
                "split by contigs"
            )


def _check_sides(settings: Mapping[str, Any], path: Path) -> None:
    seen: dict[str, str] = {}
    for name in ("train", "validation", "test"):
        contigs = settings.get(name)
        for contig in contigs if isinstance(contigs, list) else []:
            if contig in seen:
                raise UserError(
                    f"{path}: split: contig {contig} is named for {seen[contig]} and for {name}; name it once"
                )
            seen[contig] = name


def splits_of(run: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Return the names of the splits of a data set that a run uses, in order.

    Raises
    ------
    UserError
        The run names a split that the data set does not declare.
    """
    declared = list(split_schemes(config))
    wanted = (run.get("splits") or {}).get(config["name"])
    for split in wanted or []:
        if split not in declared:
            raise UserError(
                f"splits.{config['name']}: the data set has no split {split}{did_you_mean(split, declared)}; expected "
                f"some of {', '.join(declared)}"
            )
    return declared if wanted is None else list(wanted)


def overrides_of(run: Mapping[str, Any], label: str) -> tuple[str, ...]:
    """Return the overrides that the variant of ``model+variant`` declares in a run."""
    _, variant = split_label(label)
    return tuple(str(override) for override in run["variants"][variant]) if variant else ()


def is_control(config: Mapping[str, Any]) -> bool:
    """Tell whether a training is a control, from which nothing can be learnt: untrained, or on permuted labels."""
    return bool(config["training"].get("label_permutation")) or config["training"].get("max_epochs") == 0
