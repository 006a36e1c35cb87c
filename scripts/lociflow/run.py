"""What a run asks for: checked before a job exists, and read where rules need it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lociflow.command import UserError
from lociflow.config import Configuration, attribution, check_schema, did_you_mean
from lociflow.layout import split_label


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
    explained = run["models"] if run.get("interpret") is None else run["interpret"]
    for label in explained:
        if label not in run["models"]:
            raise UserError(f"interpret: {label} is none of this run's models{did_you_mean(label, run['models'])}")
    for dataset in run["datasets"]:
        check_dataset(configuration.dataset(dataset), configuration.names("dataset")[dataset])
        if run["interpretation"]:
            interpretation = configuration.interpretation(dataset, run["interpretation"])
            for model in {split_label(label)[0] for label in explained}:
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
