"""Every training of a run: the models that it compares, and what its experiments and transfers train besides."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from lociflow import baselines, variants
from lociflow.command import UserError
from lociflow.config import Configuration, did_you_mean, label_kind_of
from lociflow.genome.split_schemes import pooled_splits, split_schemes
from lociflow.layout import split_label
from lociflow.run import check_trainable, is_unsupervised, splits_of
from lociflow.sources import dataset_files
from lociflow.training.search import common_monitor


class Origin(NamedTuple):
    """The training whose weights another one starts from."""

    dataset: str
    split: str
    model: str
    """Its label."""
    seed: int


def compared(run: Mapping[str, Any]) -> list[str]:
    """Return the labels that a run reports beside each other: those that it names, and its searches' best trials."""
    return [*run["models"], *variants.chosen(run)]


@cache
def target_names(dataset: str, configuration: Configuration) -> tuple[str, ...]:
    """Return the names of a data set's targets as far as its configuration tells them; of tracks it tells none."""
    targets = dataset_files(configuration.dataset(dataset), configuration)["targets"]
    named = targets.get("names") or targets.get("files") or targets.get("columns")
    found = map(str, named or targets.get("annotation", {}).get("features", []))
    without = set(map(str, targets.get("negative_only") or []))
    return tuple(name for name in found if name not in without)


def labels_on(run: Mapping[str, Any], targets: Sequence[str]) -> list[str]:
    """Return the label of everything that a run trains on a data set with these targets, each once."""
    made = (variants.shares(run), variants.singles(run, targets), variants.trials(run))
    return list(dict.fromkeys([*compared(run), *(label for labels in made for label in labels)]))


def resolve(run: Mapping[str, Any], configuration: Configuration, dataset: str, label: str) -> dict[str, Any]:
    """Return the resolved configuration of a training without split and seed, and how the model may be explained.

    The best trial of a search is resolved as the model that is searched: which trial it is shows when all are trained.
    """
    model, _ = split_label(label)
    told = label.rpartition("+")[0] if label in variants.chosen(run) else label
    targets = target_names(dataset, configuration)
    return configuration.trained(dataset, model, run["training"], variants.overrides(run, told, targets))


def origin(
    configuration: Configuration, dataset: str, split: str, seed: int, training: Mapping[str, Any]
) -> Origin | None:
    """Return the training from whose weights a training starts, None where it starts from fresh ones.

    Parameters
    ----------
    configuration
        The groups.
    dataset, split, seed
        Of the training. Its origin has the same, unless ``training.transfer`` says otherwise; on another data set
        without this split, that one's first.
    training
        The resolved configuration's ``training``.

    Raises
    ------
    UserError
        The origin's data set, split or model does not exist.
    """
    transfer = training.get("transfer")
    if not transfer:
        return None
    name = transfer.get("dataset") or dataset
    schemes = list(split_schemes(configuration.dataset(name)))
    wanted = transfer.get("split") or (split if split in schemes else schemes[0])
    if wanted not in schemes:
        raise UserError(
            f"training.transfer.split: dataset {name} has no split {wanted}{did_you_mean(wanted, schemes)}; expected "
            f"one of {', '.join(schemes)}"
        )
    configuration.group("model", split_label(transfer["model"])[0])
    from_seed = transfer.get("seed")
    return Origin(name, wanted, str(transfer["model"]), seed if from_seed is None else int(from_seed))


def origins(run: Mapping[str, Any], configuration: Configuration, dataset: str, label: str) -> Iterator[Origin]:
    """Yield the training from whose weights a training of a run starts, then that one's own, and so on.

    Raises
    ------
    UserError
        One starts, over others, from itself.
    """
    name, of, path = dataset, label, {(dataset, label)}
    while configuration.supports(name, split_label(of)[0]):
        training = resolve(run, configuration, name, of)["training"]["training"]
        found = origin(configuration, name, next(iter(split_schemes(configuration.dataset(name)))), 0, training)
        if found is None:
            return
        name, of = found.dataset, found.model
        if (name, of) in path:
            raise UserError(f"training.transfer: {of} on {name} would start from itself")
        path.add((name, of))
        yield found


def all_trainings(run: Mapping[str, Any], configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield (data set, label) of every training of a run and of those that they start from, each once.

    Raises
    ------
    UserError
        A training starts, over others, from itself.
    """
    seen: set[tuple[str, str]] = set()
    for dataset in run["datasets"]:
        for label in labels_on(run, target_names(dataset, configuration)):
            begun = ((found.dataset, found.model) for found in origins(run, configuration, dataset, label))
            for place in itertools.chain([(dataset, label)], begun):
                if place in seen:
                    break
                seen.add(place)
                yield place


def check_experiments(run: Mapping[str, Any], configuration: Configuration) -> None:
    """Check a run's learning curves, single targets, searches and transfers.

    Raises
    ------
    UserError
        One of them names a model, target, data set or key that does not exist, or asks for what cannot be scored.
    """
    for key in ("learning_curve", "single_task"):
        for label in (run.get(key) or {}).get("models", []):
            if label not in run["models"]:
                raise UserError(
                    f"{key}.models: {label} is none of this run's models{did_you_mean(label, run['models'])}"
                )
            if is_unsupervised(configuration, label):
                raise UserError(
                    f"{key}.models: {label} is trained without labels, expected a model with scores; name one that "
                    "starts from it"
                )
            for name in run["datasets"]:
                _check_origins(run, configuration, key, name, label)
    for search, asked in (run.get("search") or {}).items():
        configuration.group("model", split_label(asked["model"])[0])
        if is_unsupervised(configuration, asked["model"]):
            raise UserError(
                f"search.{search}.model: {asked['model']} is trained without labels, expected a model with scores"
            )
        for key in asked["grid"]:
            variants.check_override(f"search.{search}.grid", f"{key}=")
            if "_target_" in key.split("."):
                raise UserError(
                    f"search.{search}.grid: {key} names another architecture or function, expected a setting of one; "
                    "compare them as models of the run"
                )
        for name in run["datasets"]:
            if not configuration.supports(name, split_label(asked["model"])[0]):
                continue
            labels = variants.trials(run, search)
            common_monitor([resolve(run, configuration, name, label)["training"]["training"] for label in labels])
    targets = {name: target_names(name, configuration) for name in run["datasets"]}
    known = sorted({target for names in targets.values() for target in names})
    for target in (run.get("single_task") or {}).get("targets") or []:
        if target not in known:
            raise UserError(
                f"single_task.targets: {target} is no target of this run's data sets{did_you_mean(target, known)}"
            )
    if run.get("single_task"):
        asked = run["single_task"].get("targets")
        for name in run["datasets"]:
            kind = label_kind_of(configuration.dataset(name))
            if not set(targets[name]) & set(asked or targets[name]):
                told = f"none of {', '.join(asked)}" if asked and targets[name] else "no targets by name"
                raise UserError(
                    f"single_task: dataset {name} has {told}, expected some to be learnt alone; name those of its file "
                    "under the data set's targets.names, or leave it out of the run"
                )
            if kind != "binary":
                raise UserError(f"single_task: dataset {name} has {kind} labels, expected binary ones; leave it out")
            trained = split_schemes(configuration.dataset(name))
            for split in splits_of(run, configuration.dataset(name)):
                if split not in trained:
                    raise UserError(
                        f"single_task: the split {split} of dataset {name} is all folds of a cross-validation, "
                        f"expected a split of its own; name one under splits, for instance {split}1"
                    )
    names = dict.fromkeys(name for name, _ in all_trainings(run, configuration))
    whole = {split: name for name in names for split in pooled_splits(configuration.dataset(name))}
    for name in names:
        for split in split_schemes(configuration.dataset(name)):
            if split in whole:
                raise UserError(
                    f"dataset {name}: its split {split} has the name of all folds of dataset {whole[split]} in the "
                    "same run; rename one of the two"
                )


def _check_origins(run: Mapping[str, Any], configuration: Configuration, key: str, dataset: str, label: str) -> None:
    """Refuse a model of an experiment that starts from labels of which it is to learn from a part.

    Raises
    ------
    UserError
        See above.
    """

    def learnt(of: str) -> set[str]:
        named = resolve(run, configuration, dataset, of)["training"]["training"].get("targets")
        # Targets without names are all the same to the configuration.
        return set(named or target_names(dataset, configuration) or [""])

    for begun in origins(run, configuration, dataset, label):
        labelled = begun.dataset == dataset and not is_unsupervised(configuration, begun.model)
        if labelled and learnt(label) & learnt(begun.model):
            raise UserError(
                f"{key}.models: {label} starts from {begun.model}, which is trained on labels of {dataset}, so that "
                "none of its trainings would know only the part that it is given; expected an origin that is trained "
                "without labels, on other targets or on another data set"
            )


def check_learnable(run: Mapping[str, Any], configuration: Configuration) -> None:
    """Refuse models, baselines and explanations that are not for a data set's kind of labels, or not for its windows.

    It is asked where a run is to be trained, and not where data sets are only made and audited.

    Raises
    ------
    UserError
        See above.
    """
    for name in run["datasets"]:
        config = configuration.dataset(name)
        kind = label_kind_of(config)
        for baseline in baselines.named(run):
            kinds = baselines.kinds_of(configuration, baseline)
            if kind not in kinds:
                raise UserError(
                    f"baselines: {baseline} predicts {' and '.join(kinds)} labels, and dataset {name} has {kind} ones; "
                    "leave it out of the run's baselines"
                )
            tool = configuration.baseline(name, baseline).get("tool")
            if tool and tool not in (config.get("predictions") or {}):
                raise UserError(
                    f"baselines: {baseline} reads scores of {tool}, and dataset {name} has none; name their files "
                    f"under the data set's predictions.{tool}, or leave it out of the run's baselines"
                )
            if tool and len(targets := target_names(name, configuration)) > 1:
                raise UserError(
                    f"baselines: {baseline} reads one score for each bin, and dataset {name} has {len(targets)} "
                    "targets; leave it out of the run's baselines"
                )
    for name, label in all_trainings(run, configuration):
        found = resolve(run, configuration, name, label)["training"]
        check_trainable(configuration.dataset(name), int(found["model"]["input_length"]), found["training"]["jitter"])
