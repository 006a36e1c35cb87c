"""What a run asks for: checked before a job exists, and read where rules need it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lociflow import baselines, variants
from lociflow.command import UserError
from lociflow.config import Configuration, check_schema, did_you_mean, label_kind_of
from lociflow.explanations import methods_of
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.split_schemes import pooled_splits, split_schemes
from lociflow.layout import split_label

# Splits in which a window of any length stays on its side: it ends with its contig.
WHOLE_CONTIGS = ("by_contig", "balanced_contigs", "contig_folds")
# Targets that are regions, and the kinds of labels that each origin of targets can give.
REGIONS = ("sheet", "files", "named", "annotation")
UNLABELLED = "none"
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
    for name, declared in (run.get("variants") or {}).items():
        for override in declared:
            variants.check_override(f"variants.{name}", str(override))
    models = [split_label(label)[0] for label in run["models"]]
    asked = {"dataset": run["datasets"], "baseline": baselines.named(run), "training": [run["training"]]}
    for group, names in {**asked, "model": models}.items():
        configuration.compose_together(group, names)
        for name in names:
            configuration.group(group, name)
    if run["interpretation"]:
        configuration.group("interpretation", run["interpretation"])
    elif run.get("importance"):
        raise UserError("importance: found true and interpretation null, expected an interpretation that says how")
    for label in run["models"]:
        variants.overrides(run, label)
    for dataset in run.get("splits") or {}:
        if dataset not in run["datasets"]:
            raise UserError(
                f"splits: {dataset} is none of this run's data sets{did_you_mean(dataset, run['datasets'])}"
            )
    explained = explained_models(run, configuration)
    for label in explained:
        if label not in run["models"]:
            raise UserError(f"interpret: {label} is none of this run's models{did_you_mean(label, run['models'])}")
        if is_unsupervised(configuration, label):
            raise UserError(f"interpret: {label} is trained without labels, expected a model with outputs to explain")
    for dataset in run["datasets"]:
        config = configuration.dataset(dataset)
        check_dataset(config, configuration.names("dataset")[dataset])
        splits_of(run, config)
        if run["interpretation"] and explained:
            interpretation = configuration.interpretation(dataset, run["interpretation"])
            for model in {split_label(label)[0] for label in explained}:
                methods_of(run, interpretation, model, configuration.group("model", model).get("attribution") or {})


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


def check_trainable(config: Mapping[str, Any], input_length: int, jitter: int = 0) -> None:
    """Refuse to train on what would give no score, or one that says nothing.

    Parameters
    ----------
    config
        The data set.
    input_length
        Bases that the model sees.
    jitter
        Bases by which a training window is moved at the most, to either side.

    Raises
    ------
    UserError
        The model sees fewer bases than have labels of their own, or it sees more than the splits and the audit have
        looked at, so that its test windows may share some with training.
    """
    kind, length = label_kind_of(config), config["windows"]["length"]
    labelled = config["windows"].get("bin") or length
    if label_kind(kind).positional and input_length < labelled:
        raise UserError(
            f"dataset {config['name']}: has a label for each of the {labelled} bases of a bin, and a model reads "
            f"{input_length}; set model.input_length to at least {labelled}, or windows.bin to at most {input_length}"
        )
    if label_kind(kind).positional and (input_length - labelled) % 2:
        # On one strand or the other, the bin's middle would be a base beside the window's.
        raise UserError(
            f"dataset {config['name']}: has a label for each of the {labelled} bases of a bin, and a model reads "
            f"{input_length}, an odd number more, which no crop shares out alike on both strands; set windows.length "
            "or windows.bin one base longer"
        )
    reach = input_length + 2 * jitter
    if reach <= length or "sequences" in config:
        return
    read = f"{input_length}, moved by up to {jitter} to either side by training.jitter" if jitter else f"{input_length}"
    for name, settings in split_schemes(config).items():
        if settings.get("_target_", "").rpartition(".")[2] not in (*WHOLE_CONTIGS, ""):
            raise UserError(
                f"dataset {config['name']}: the split {name} keeps windows of {length} bases apart, and a model reads "
                f"{read}, which may reach from training windows into those that are tested; set windows.length to "
                f"{reach}, or split by contigs"
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

    Folds that are made together stand under one name, under which their test bins are scored together, unless the run
    names folds itself.

    Raises
    ------
    UserError
        The run names a split that the data set does not declare.
    """
    declared, pooled = list(split_schemes(config)), pooled_splits(config)
    wanted = (run.get("splits") or {}).get(config["name"])
    if wanted is None:
        whole = {fold: name for name, folds in pooled.items() for fold in folds}
        return list(dict.fromkeys(whole.get(split, split) for split in declared))
    known = [*declared, *pooled]
    for split in wanted:
        if split not in known:
            raise UserError(
                f"splits.{config['name']}: the data set has no split {split}{did_you_mean(split, known)}; expected "
                f"some of {', '.join(known)}"
            )
    return list(wanted)


@cache
def is_unsupervised(configuration: Configuration, label: str) -> bool:
    """Tell whether a model is trained without labels."""
    return list(configuration.group("model", split_label(label)[0]).get("labels") or []) == [UNLABELLED]


def explained_models(run: Mapping[str, Any], configuration: Configuration) -> list[str]:
    """Return the labels of the models that a run explains: those that it names, or all that have outputs."""
    if not run["interpretation"]:
        return []
    if run.get("interpret") is not None:
        return list(run["interpret"])
    return [label for label in run["models"] if not is_unsupervised(configuration, label)]


def is_control(config: Mapping[str, Any]) -> bool:
    """Tell whether a training is a control, from which nothing can be learnt: untrained, or on permuted labels."""
    return bool(config["training"].get("label_permutation")) or config["training"].get("max_epochs") == 0
