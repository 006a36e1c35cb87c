"""What a run trains and scores: the configurations of these steps, and the files that they make."""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from itertools import product
from typing import Any

from lociflow import baselines, layout, run, sources, trainings
from lociflow.config import Configuration
from lociflow.genome.split_schemes import pooled_splits, split_schemes
from lociflow.published import published_entries

LABEL_FILES = ("windows.parquet", "targets.npy", "targets.tsv")
INTERVALS = {"block": None, "draws": 1000, "level": 0.95, "seed": 1}


class TrainingPlan:
    """The trainings, baselines and scores of a checked run.

    Parameters
    ----------
    asked
        The configuration of the run.
    groups
        Where data sets, models and the other groups are defined.
    """

    def __init__(self, asked: Mapping[str, Any], groups: Configuration) -> None:
        self.run = asked
        self.groups = groups
        self._resolved: dict[tuple[str, str], dict[str, Any]] = {}

    @cached_property
    def trained(self) -> list[tuple[str, str]]:
        """Every (data set, label) that is trained."""
        return sorted(trainings.all_trainings(self.run, self.groups))

    @cached_property
    def datasets(self) -> list[str]:
        """The run's data sets, then those that only give the weights that others start from."""
        return list(dict.fromkeys([*self.run["datasets"], *(name for name, _ in self.trained)]))

    @cached_property
    def published(self) -> list[dict[str, Any]]:
        """Published numbers of the run's data sets and splits."""
        return published_entries(self.run, self.groups)

    @property
    def all_splits(self) -> set[str]:
        """The names of every split of these data sets."""
        return {split for name in self.datasets for split in split_schemes(self.groups.dataset(name))}

    @cache  # noqa: B019  one plan lives as long as its process
    def splits_of(self, dataset: str) -> list[str]:
        """Return the names of the splits of a data set that the run uses; all callers share it and change nothing."""
        return run.splits_of(self.run, self.groups.dataset(dataset))

    def folds_of(self, dataset: str, split: str) -> list[str]:
        """Return the names of the splits that are trained for a split of the run: itself, or its folds."""
        return pooled_splits(self.groups.dataset(dataset)).get(split, [split])

    def supervised(self) -> list[str]:
        """Return the compared models that are trained on labels."""
        return [label for label in trainings.compared(self.run) if not run.is_unsupervised(self.groups, label)]

    def unsupervised(self) -> list[str]:
        """Return the models of the run that are trained without labels."""
        return [label for label in self.run["models"] if run.is_unsupervised(self.groups, label)]

    def explained(self) -> list[str]:
        """Return the models that are explained."""
        return run.explained_models(self.run, self.groups)

    def resolve(self, dataset: str, label: str) -> dict[str, Any]:
        """Return the resolved configuration of a training without split and seed, and how it may be explained."""
        if (dataset, label) not in self._resolved:
            self._resolved[dataset, label] = trainings.resolve(self.run, self.groups, dataset, label)
        return self._resolved[dataset, label]

    def origin(self, dataset: str, split: str, label: str, seed: int) -> trainings.Origin | None:
        """Return the training from whose weights one starts, or None."""
        recipe = self.resolve(dataset, label)["training"]["training"]
        return trainings.origin(self.groups, dataset, split, seed, recipe)

    def training_config(self, dataset: str, split: str, label: str, seed: int) -> dict[str, Any]:
        """Return the resolved configuration of a training, with what it starts from."""
        found = self.resolve(dataset, label)["training"]
        recipe, begun = found["training"], self.origin(dataset, split, label, seed)
        if begun:
            recipe = {**recipe, "transfer": {**recipe["transfer"], **begun._asdict()}}
        return {**found, "training": recipe, "dataset": {"name": dataset, "split": split}, "seed": seed}

    def evaluation(self, dataset: str) -> dict[str, Any]:
        """Return how the scores on a data set get their intervals."""
        return {**INTERVALS, **(self.groups.dataset(dataset).get("evaluation") or {})}

    def audit(self, dataset: str, windows: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an audit needs to know of a data set: its thresholds, and what a failed check does."""
        config = self.groups.dataset(dataset)
        audit = dict(config.get("audit") or {})
        if self.run.get("audit"):
            audit["on_failure"] = self.run["audit"]
        shared = {key: windows[key] for key in ("windows", "contig_aliases", "sequences") if key in windows}
        return {
            "name": dataset,
            "description": config["description"],
            "audit": audit,
            "evaluation": config.get("evaluation"),
            "folds": pooled_splits(config),
            **shared,
        }

    def training_files(self, dataset: str, models: Sequence[str], *files: str) -> list[str]:
        """Return files of every training of some models on a data set; of a cross-validation those of each fold."""
        return [
            f"{layout.TRAINED.format(dataset=dataset, split=fold, model=model, seed=seed)}/{file}"
            for file, split, model, seed in product(files, self.splits_of(dataset), models, self.run["seeds"])
            for fold in self.folds_of(dataset, split)
        ]

    def score_files(self, dataset: str, models: Sequence[str], *files: str) -> list[str]:
        """Return files of what is scored of some models on a data set; of a cross-validation all folds together."""
        return [
            f"{layout.TRAINED.format(dataset=dataset, split=split, model=model, seed=seed)}/{file}"
            for file, split, model, seed in product(files, self.splits_of(dataset), models, self.run["seeds"])
        ]

    def averaged(self, dataset: str) -> list[str]:
        """Return the models whose seeds' mean prediction is scored too: none with one seed, and no control."""
        if len(self.run["seeds"]) == 1:
            return []
        return [label for label in self.supervised() if not self.is_control(dataset, label)]

    def is_control(self, dataset: str, label: str) -> bool:
        """Tell whether a training is a control."""
        return run.is_control(self.resolve(dataset, label)["training"])

    def ensemble_files(self, dataset: str, *files: str) -> list[str]:
        """Return files of the mean prediction over seeds of every model that has several."""
        seeds = layout.joined(self.run["seeds"])
        return [
            f"{layout.ENSEMBLE.format(dataset=dataset, split=split, model=model, seeds=seeds)}/{file}"
            for file, split, model in product(files, self.splits_of(dataset), self.averaged(dataset))
        ]

    def compared_files(self) -> list[str]:
        """Return the bootstrap draws, predictions and labels by which a run's models and baselines are compared."""
        return [
            path
            for name in self.run["datasets"]
            for path in (
                *self.score_files(name, self.supervised(), "draws.npz", "predictions.parquet"),
                *self.baseline_files(name, "draws.npz", "predictions.parquet"),
                *(f"{layout.DATASET.format(dataset=name)}/{file}" for file in LABEL_FILES),
            )
        ]

    def baselines(self, dataset: str) -> list[str]:
        """Return the baselines of a data set; a simulated genome adds the best score that its truth allows."""
        simulated = sources.is_simulated(self.groups.dataset(dataset))
        return [*baselines.of_dataset(self.run, self.groups, dataset), *(["ceiling"] if simulated else [])]

    def baseline_files(self, dataset: str, *files: str) -> list[str]:
        """Return files of every baseline of a data set."""
        return [
            f"{layout.BASELINE.format(dataset=dataset, split=split, baseline=baseline)}/{file}"
            for file, split, baseline in product(files, self.splits_of(dataset), self.baselines(dataset))
        ]

    def scored_files(self) -> list[str]:
        """Return the metrics, curves and histories of everything that the run compares."""
        shared = ("history.csv", "config.json")
        return [
            path
            for name in self.run["datasets"]
            for path in (
                *self.score_files(name, self.supervised(), "metrics.json", "curves.npz"),
                *self.training_files(name, self.supervised(), *shared),
                *self.training_files(name, self.unsupervised(), "reconstruction.json", *shared),
                *self.baseline_files(name, "metrics.json", "curves.npz"),
                *self.ensemble_files(name, "metrics.json", "curves.npz"),
                *(f"{layout.DATASET.format(dataset=name)}/{file}" for file in ("windows.json", "targets.tsv")),
                f"{layout.DATASET.format(dataset=name)}/audit.json",
                *(layout.SOURCE_RECORD.format(file=file) for file in self.sources_of(name)),
            )
        ]

    def sources_of(self, dataset: str) -> dict[str, dict[str, Any]]:
        """Return the sources of a data set and of what its models' motifs are matched to, by their ``file``."""
        return sources.all_sources(self.groups, [dataset], self.run["interpretation"])

    def paired(self, dataset: str) -> dict[str, Any]:
        """Return the pair of factors with a spacing rule of a simulated genome, empty without one."""
        return dict((self.groups.dataset(dataset).get("simulation") or {}).get("pair") or {})
