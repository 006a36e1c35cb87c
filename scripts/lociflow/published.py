"""The published numbers that a run can be compared with: read, checked, and chosen by its data sets and splits."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lociflow.command import UserError
from lociflow.config import Configuration, check_schema, did_you_mean, label_kind_of
from lociflow.evaluation.metrics import KIND_METRICS, METRICS
from lociflow.genome.split_schemes import pooled_splits, split_schemes
from lociflow.layout import split_label
from lociflow.run import splits_of
from lociflow.trainings import target_names

GROUP = "published"
# What an entry says of itself in place of what its file says.
SHARED = ("source", "data", "protocol", "dataset", "split", "tolerance", "not_comparable")


def published_entries(run: Mapping[str, Any], configuration: Configuration) -> list[dict[str, Any]]:
    """Return the published numbers that a run covers: those of its data sets and of the splits that it uses.

    Parameters
    ----------
    run
        The configuration of the run.
    configuration
        Where the files lie, in ``config/published`` and in the same folder of ``config_dirs``.

    Returns
    -------
    list of dict
        As :func:`read_published` returns them.

    Raises
    ------
    UserError
        A file is not what the schema says, or an entry of one of the run's data sets names a metric, model, split or
        target that there is not.
    """
    found = []
    for path in configuration.names(GROUP).values():
        for entry in read_published(path, configuration.schemas):
            dataset = entry["dataset"]
            if dataset not in run["datasets"]:
                _check_name(entry, path, configuration)
                continue
            check_entry(entry, path, configuration)
            if entry["split"] in splits_of(run, configuration.dataset(dataset)):
                found.append(entry)
    return found


def read_published(path: Path, schemas: Path) -> list[dict[str, Any]]:
    """Read one file of published numbers, what its entries share filled in.

    Returns
    -------
    list of dict
        One an entry, with all keys: ``id`` (FILE/NAME), ``method``, ``models``, ``metric``, ``target``, ``statistic``
        (None with a target), ``over``, ``value``, ``count``, ``trials``, ``exact``, ``source``, ``data``,
        ``protocol``, ``dataset``, ``split``, ``tolerance``, ``not_comparable`` and ``caveats``.

    Raises
    ------
    UserError
        The file is not what the schema says.
    """
    return list(_entries(_checked(path, schemas), path.stem))


def _checked(path: Path, schemas: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys and values, found {type(content).__name__}")
    check_schema(content, schemas / f"{GROUP}.schema.yaml", str(path))
    return content


def _entries(content: Mapping[str, Any], file: str) -> Iterator[dict[str, Any]]:
    for name, own in content["entries"].items():
        count, trials, target = own.get("count"), own.get("trials"), own.get("target")
        yield {
            "id": f"{file}/{name}",
            "method": own["method"],
            "models": own.get("models") or {},
            "metric": own["metric"],
            "target": target,
            "statistic": None if target else own.get("statistic", "median"),
            "over": own.get("over"),
            "value": own["value"] if count is None else count / trials,
            "count": count,
            "trials": trials,
            "exact": own.get("exact", False),
            **{key: own.get(key, content.get(key)) for key in SHARED},
            "caveats": [*(content.get("caveats") or []), *(own.get("caveats") or [])],
        }


def check_entry(entry: Mapping[str, Any], path: Path, configuration: Configuration) -> None:
    """Check what a schema cannot say of an entry.

    Raises
    ------
    UserError
        It names a data set, split, metric, model or target that there is not, or an impossible count.
    """
    where = _check_name(entry, path, configuration)
    if entry["metric"] not in METRICS:
        raise UserError(
            f"{where}.metric: there is no metric {entry['metric']}{did_you_mean(entry['metric'], METRICS)}; known: "
            f"{', '.join(METRICS)}"
        )
    if entry["count"] is not None and entry["count"] > entry["trials"]:
        raise UserError(f"{where}.count: found {entry['count']} of {entry['trials']} trials, expected no more than all")
    known = [*configuration.names("model"), *configuration.names("baseline")]
    for label in entry["models"]:
        model = split_label(label)[0]
        if model not in known:
            raise UserError(f"{where}.models: there is no model or baseline {model}{did_you_mean(model, known)}")
    if entry["exact"] and "faithful" not in entry["models"].values():
        raise UserError(f"{where}.exact: found no faithful model, expected the one that is the published predictions")
    if entry["dataset"] is None:
        return
    config = configuration.dataset(entry["dataset"])
    splits = [*split_schemes(config), *pooled_splits(config)]
    if entry["split"] not in splits:
        split = entry["split"]
        raise UserError(
            f"{where}.split: the data set {entry['dataset']} has no split {split}"
            f"{did_you_mean(str(split), splits)}; expected one of {', '.join(splits)}"
        )
    _check_measured(entry, where, config, target_names(entry["dataset"], configuration))


def _check_name(entry: Mapping[str, Any], path: Path, configuration: Configuration) -> str:
    """Refuse a data set that there is not; return how messages call the entry."""
    where, dataset = f"{path}: entries.{entry['id'].rpartition('/')[2]}", entry["dataset"]
    datasets = configuration.names("dataset")
    if dataset is not None and dataset not in datasets:
        raise UserError(f"{where}.dataset: there is no data set {dataset}{did_you_mean(dataset, datasets)}")
    return where


def _check_measured(entry: Mapping[str, Any], where: str, config: Mapping[str, Any], targets: Sequence[str]) -> None:
    """Refuse a metric that the labels do not have, or a target that is none of the data set's."""
    kind, metric, target = label_kind_of(config), entry["metric"], entry["target"]
    metrics = KIND_METRICS[kind]
    classes = metrics.targets
    with_threshold = kind == "binary" and (config.get("evaluation") or {}).get("threshold") is not None
    columns = (*metrics.columns, *(("error",) if with_threshold else ()))
    if metric not in (*columns, *classes):
        hint = "; set evaluation.threshold in its file to count errors" if metric == "error" else ""
        raise UserError(
            f"{where}.metric: found {metric}, expected one that {kind} labels of {entry['dataset']} have: "
            f"{', '.join((*columns, *classes))}{hint}"
        )
    # Of tracks the configuration tells no names, and classes may be left to the data.
    if target is None or not targets:
        return
    of_class = (config.get("labels") or {}).get("classes")
    if kind in ("class", "position_class") and metric not in classes:
        # The first class of a base is the background, which is not scored.
        scored = of_class[1 if kind == "position_class" else 0 :] if isinstance(of_class, list) else []
        known = [f"{name}:{each}" for name in targets for each in scored]
    else:
        known = list(targets)
    if known and target not in known:
        raise UserError(
            f"{where}.target: {entry['dataset']} has no {target}{did_you_mean(target, known)}; expected one of "
            f"{', '.join(known[:20])}"
        )
