"""What the steps of a run are told and which files they read: configurations, and lists of paths."""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from itertools import product
from typing import Any

from lociflow import (
    baselines,
    explanations,
    exports,
    layout,
    run,
    sources,
    track_requests,
    trainings,
    variant_effects,
    variants,
)
from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.genome.split_schemes import pooled_splits, split_schemes
from lociflow.published import published_entries
from lociflow.ranked_explanations import ranked, ranked_datasets

LABEL_FILES = ("windows.parquet", "targets.npy", "targets.tsv")
INTERVALS = {"block": None, "draws": 1000, "level": 0.95, "seed": 1}


class Plan:
    """A checked run, with the groups that it names.

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

    def splits_of(self, dataset: str) -> list[str]:
        """Return the names of the splits of a data set that the run uses."""
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

    def interpretation(self, dataset: str) -> dict[str, Any]:
        """Return how the models of a data set are explained."""
        return self.groups.interpretation(dataset, self.run["interpretation"])

    def methods(self, dataset: str, label: str) -> list[str]:
        """Return the methods by which a model is explained; the motifs of the report are the first one's."""
        offered = self.resolve(dataset, label)["attribution"]
        return explanations.methods_of(self.run, self.interpretation(dataset), label, offered)

    def invalid_methods(self, dataset: str, label: str) -> dict[str, str]:
        """Return the methods of the run by which a model is not explained, each with the reason."""
        return explanations.left_out(self.run, self.resolve(dataset, label)["attribution"])

    def attends(self, dataset: str, label: str) -> bool:
        """Tell whether a model says what it looks at."""
        return bool(self.resolve(dataset, label)["attribution"].get("attention"))

    def interpretation_files(self, dataset: str, models: Sequence[str], *files: str) -> list[str]:
        """Return files of explained trainings that are of no method: each model with the first split and seed."""
        place = self.explained_place(dataset)
        return [
            f"{layout.INTERPRETATION.format(**place, model=model)}/{file}" for file, model in product(files, models)
        ]

    def explanation_files(self, dataset: str, models: Sequence[str], *files: str) -> list[str]:
        """Return files of each model's first method, of the first split and seed."""
        place = self.explained_place(dataset)
        return [
            f"{layout.EXPLANATION.format(**place, model=model, method=self.methods(dataset, model)[0])}/{file}"
            for file, model in product(files, models)
        ]

    def method_files(self, dataset: str, models: Sequence[str], *files: str) -> list[str]:
        """Return files of all methods of each model, of the first split and seed."""
        place = self.explained_place(dataset)
        return [
            f"{layout.EXPLANATION.format(**place, model=model, method=method)}/{file}"
            for file, model in product(files, models)
            for method in self.methods(dataset, model)
        ]

    def explained_place(self, dataset: str) -> dict[str, Any]:
        """Return which trainings of a data set are explained: those of the first split and seed."""
        first = self.folds_of(dataset, self.splits_of(dataset)[0])[0]
        return {"dataset": dataset, "split": first, "seed": self.run["seeds"][0]}

    def labelled_motifs(self, dataset: str) -> list[str]:
        """Return LABEL=FILE for each motif file of a data set, so that matches say whose motif they are of."""
        return [
            f"{model}/seed{self.run['seeds'][0]}/{kind}={path}"
            for model in self.explained()
            for kind, files in (("modisco", self.explanation_files), ("filters", self.interpretation_files))
            for path in files(dataset, [model], f"{kind}.meme")
        ]

    def labelled_checks(self, dataset: str) -> list[str]:
        """Return LABEL=FILE for the checks behind each model's motifs; controls are shown whatever they fail."""
        return [
            f"{model}/seed{self.run['seeds'][0]}/modisco={path}"
            for model in self.explained()
            if not self.is_control(dataset, model)
            for path in self.explanation_files(dataset, [model], "checks.json")
        ]

    def compared_explanations(self, dataset: str) -> dict[str, str]:
        """Return the attributions of the same windows by MODEL/seedSEED/METHOD.

        Those of every model by every method, and of some windows of the second seed by each model's first method.
        """
        place, (first, *others) = self.explained_place(dataset), self.run["seeds"]
        found = {}
        for model in self.explained():
            methods = self.methods(dataset, model)
            for method in methods:
                folder = layout.EXPLANATION.format(**place, model=model, method=method)
                found[f"{model}/seed{first}/{method}"] = f"{folder}/attributions.npz"
            for seed in others[:1]:
                folder = layout.EXPLANATION.format(**{**place, "seed": seed}, model=model, method=methods[0])
                found[f"{model}/seed{seed}/{methods[0]}"] = f"{folder}/few.npz"
        return found

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

    def motif_library(self, dataset: str) -> list[str]:
        """Return the file of the user's own motifs, none where there is none."""
        found = sources.motif_library(self.groups, dataset, self.run["interpretation"])
        return [layout.SOURCE.format(file=source["file"]) for source in found]

    def attention_track(self, dataset: str) -> str | None:
        """Return the name of the track that attention is held against: of a target, or of a file."""
        track = self.interpretation(dataset).get("attention_track")
        return self.attention_source(dataset)[0].rpartition("/")[2] if isinstance(track, dict) else track

    def attention_source(self, dataset: str) -> list[str]:
        """Return the file of that track, none where it is a target's or there is none."""
        found = sources.attention_source(self.groups, dataset, self.run["interpretation"])
        return [layout.SOURCE.format(file=source["file"]) for source in found]

    def exported(self, dataset: str) -> list[str]:
        """Return the models that the run takes out of lociflow."""
        return exports.exported(
            self.run, self.groups, trainings.compared(self.run), lambda label: self.is_control(dataset, label)
        )

    def export_folders(self) -> list[str]:
        """Return the folders with which others can use the run's models: of every split, fold and seed."""
        return [
            folder
            for name in self.run["datasets"]
            for folder in self.training_files(name, self.exported(name), "export")
        ]

    def about_export(self, dataset: str, label: str) -> dict[str, Any]:
        """Return what the model card of an exported model takes from configurations."""
        count = len(sources.all_sources(self.groups, [dataset]))
        return exports.about(self.groups, dataset, label, self.resolve(dataset, label)["attribution"], count)

    def ledger_files(self) -> list[str]:
        """Return the tables of published numbers beside the run's own, none where it covers no such number."""
        folder = layout.RUN.format(run=self.run["run"])
        return [f"{folder}/ledger.{kind}" for kind in ("tsv", "txt")] if self.published else []

    def explained_files(self) -> list[str]:
        """Return the explanations of the run: attributions with what they are of, motifs, their matches, scores."""
        models, files = self.explained(), []
        for name in self.run["datasets"] if models else []:
            of_all = self.interpretation(name).get("motifs_of") == "all"
            motifs = self.method_files if of_all else self.explanation_files
            files += motifs(name, models, "modisco.meme", "modisco.tsv", "seqlets.bed", "hits.bed", "hits.tsv")
            files += self.interpretation_files(name, models, "filters.meme", "filters.tsv")
            files += self.method_files(name, models, "attributions.npz", "checks.json")
            files += self.explanation_files(name, models, "prefixes.tsv")
            attending = [label for label in models if self.attends(name, label)]
            files += self.explanation_files(name, attending, "attention.npz")
            place = {"dataset": name, "split": self.splits_of(name)[0], "seed": self.run["seeds"][0]}
            files += [f"{layout.TRAINED.format(**place, model=model)}/predictions.parquet" for model in models]
            files += [f"{layout.DATASET.format(dataset=name)}/{file}" for file in LABEL_FILES]
            if sources.is_simulated(self.groups.dataset(name)):
                files += self.method_files(name, models, "truth.json")
                files.append(layout.SITES.format(dataset=name))
                files.append(layout.EXPLANATION_RANKING.format(run=self.run["run"], dataset=name))
            if self.run.get("importance"):
                files += self.interpretation_files(name, models, "importance.json")
                paired = {entry: path for entry, path in self.spacing_files().items() if entry.startswith(f"{name}/")}
                explained = {f"{name}/{place['split']}/{model}/seed{place['seed']}" for model in models}
                files += [path for entry, path in paired.items() if entry in explained]
            files += [
                pattern.format(run=self.run["run"], dataset=name)
                for pattern in (layout.MATCHES, layout.MATCHED_MOTIFS, layout.AGREEMENT)
            ]
        return files

    def importance_config(self, dataset: str) -> dict[str, Any]:
        """Return how models of a data set are asked about motifs.

        Raises
        ------
        UserError
            The interpretation does not say.
        """
        found = self.interpretation(dataset)
        if "importance" not in found:
            raise UserError(
                f"interpretation {self.run['interpretation']}: has no importance, which the run asks for; copy this "
                "group from config/interpretation/default.yaml, or set the run's importance to false"
            )
        jaspar = {key: found["jaspar"][key] for key in ("release", "collection", "tax_group")}
        simulation = self.groups.dataset(dataset).get("simulation")
        planted = {key: simulation.get(key) for key in ("release", "factors", "pair")} if simulation else None
        return {**found["importance"], "jaspar": jaspar, "simulation": planted}

    def trials(self, dataset: str, split: str, label: str, seed: int) -> dict[str, dict[str, Any]]:
        """Return what each trial of the search whose best one this label is sets, by the folder of its training."""
        return {
            layout.TRAINED.format(dataset=dataset, split=split, model=trial, seed=seed): values
            for trial, values in variants.trials(self.run, variants.chosen(self.run)[label]).items()
        }

    def learning_curve(self) -> list[dict[str, Any]]:
        """Return the trainings of the run's learning curves with their files."""
        return [
            {
                "dataset": name,
                "split": split,
                "model": point.of,
                "share": point.share,
                "seed": seed,
                "metrics": f"{place.format(split=split)}/metrics.json",
                "config": f"{place.format(split=self.folds_of(name, split)[0])}/config.json",
            }
            for name in self.run["datasets"]
            for split, (label, point), seed in product(
                self.splits_of(name), variants.shares(self.run).items(), self.run["seeds"]
            )
            for place in [layout.TRAINED.format(dataset=name, split="{split}", model=label, seed=seed)]
        ]

    def single_task(self) -> list[dict[str, Any]]:
        """Return, for each data set and split, what is learnt together and alone, with the predictions of all seeds."""
        return [self._single_task(name, split) for name in self.run["datasets"] for split in self.splits_of(name)]

    def _single_task(self, dataset: str, split: str) -> dict[str, Any]:
        folder = layout.DATASET.format(dataset=dataset)
        place = {"dataset": dataset, "split": split}
        targets = trainings.target_names(dataset, self.groups)

        def predictions(label: str) -> list[str]:
            trained = (layout.TRAINED.format(**place, model=label, seed=seed) for seed in self.run["seeds"])
            return [f"{training}/predictions.parquet" for training in trained]

        return {
            **place,
            "windows": f"{folder}/windows.parquet",
            "targets": f"{folder}/targets.npy",
            "target_table": f"{folder}/targets.tsv",
            "config": self.evaluation(dataset),
            "pairs": [
                {
                    "model": single.of,
                    "target": single.target,
                    "joint": predictions(single.of),
                    "single": predictions(label),
                }
                for label, single in variants.singles(self.run, targets).items()
            ],
        }

    def experiment_files(self) -> list[str]:
        """Return the tables and figures of the run's experiments."""
        folder = layout.RUN.format(run=self.run["run"])
        asked = [name for name in ("learning_curve", "single_task") if self.run.get(name)]
        tables = [f"{folder}/architectures.{kind}" for kind in ("tsv", "txt") if self.spacing_files()]
        return [*(f"{folder}/{name}.{kind}" for name, kind in product(asked, ("tsv", "svg"))), *tables]

    def effect_files(self) -> list[str]:
        """Return what is made of the run's variants, by the models of each data set's first split."""
        return variant_effects.effect_files(self.run, self.groups, self._shown_splits())

    def _shown_splits(self) -> dict[str, str]:
        return {name: self.folds_of(name, self.splits_of(name)[0])[0] for name in self.run["datasets"]}

    @cache  # noqa: B019  one Plan lives as long as its process
    def spacing_files(self) -> dict[str, str]:
        """Return where it is scored how well each entry knows the spacing rule of a simulated genome, by entry.

        All callers share it and change nothing.
        """
        found = {}
        for name in self.run["datasets"]:
            if not (self.groups.dataset(name).get("simulation") or {}).get("pair"):
                continue
            # Folds that are scored together have no bins of their own to look at.
            splits = [split for split in self.splits_of(name) if self.folds_of(name, split) == [split]]
            for split, model, seed in product(splits, self.supervised(), self.run["seeds"]):
                place = layout.TRAINED.format(dataset=name, split=split, model=model, seed=seed)
                found[f"{name}/{split}/{model}/seed{seed}"] = f"{place}/spacing.json"
            for split, baseline in product(splits, self.baselines(name)):
                place = layout.BASELINE.format(dataset=name, split=split, baseline=baseline)
                found[f"{name}/{split}/{baseline}"] = f"{place}/spacing.json"
        return found

    def manifest(self) -> dict[str, Any]:
        """Return what the report and the tables of experiments need to know of the run beside its files."""
        # Where files come from is no part of what a run is.
        shown = {key: value for key, value in self.run.items() if key not in ("mirror", "config_dirs")}
        return {
            "run": self.run["run"],
            "config": shown,
            "seeds": self.run["seeds"],
            "interpreted": self.explained(),
            "published": self.published,
            "spacing": self.spacing_files(),
            "explanations": {name: ranked(self, name) for name in ranked_datasets(self)},
            "learning_curve": self.learning_curve(),
            "variant_effects": variant_effects.reported(self.run, self.groups, self._shown_splits()),
            "tracks": track_requests.reported(self),
            "single_task": self.single_task() if self.run.get("single_task") else [],
            "datasets": [
                self._reported(name, split) for name in self.run["datasets"] for split in self.splits_of(name)
            ],
        }

    def _reported(self, dataset: str, split: str) -> dict[str, Any]:
        config, splits = self.groups.dataset(dataset), self.splits_of(dataset)
        explained = self.explained()
        return {
            "name": dataset,
            "description": config["description"],
            "split": split,
            "splits": len(splits),
            "clean_of": split_schemes(config).get(split, {}).get("clean_of"),
            "folds": pooled_splits(config).get(split, []),
            "explained": split == splits[0],
            "simulation": config.get("simulation"),
            "contigs_pinned": bool(config.get("genome", {}).get("contig_md5")),
            "models": [
                {
                    "label": label,
                    "control": self.is_control(dataset, label),
                    "methods": self.methods(dataset, label) if label in explained else [],
                    "attention": label in explained and self.attends(dataset, label),
                }
                for label in self.supervised()
            ],
            "averaged": self.averaged(dataset),
            "level": self.evaluation(dataset)["level"],
            "unsupervised": self.unsupervised(),
            "baselines": self.baselines(dataset),
            "to_beat": baselines.to_beat(self.run, self.groups, dataset),
            "sources": sorted(self.sources_of(dataset)),
        }
