"""What the steps of a run are told and which files they read: configurations, and lists of paths."""

from itertools import product
from typing import Any

from lociflow import baselines, exports, layout, sources, track_requests, trainings, variant_effects, variants
from lociflow.explanation_plan import ExplanationPlan
from lociflow.genome.split_schemes import pooled_splits, split_schemes
from lociflow.masking import without_secrets
from lociflow.ranked_explanations import ranked, ranked_datasets


class Plan(ExplanationPlan):
    """A checked run: what it trains, scores and explains, its experiments, what leaves it, and its report."""

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
        tables = [
            f"{folder}/architectures.{kind}" for kind in ("tsv", "txt") if any(map(self.paired, self.run["datasets"]))
        ]
        return [*(f"{folder}/{name}.{kind}" for name, kind in product(asked, ("tsv", "svg"))), *tables]

    def effect_files(self) -> list[str]:
        """Return what is made of the run's variants, by the models of each data set's first split."""
        return variant_effects.effect_files(self.run, self.groups, self._shown_splits())

    def _shown_splits(self) -> dict[str, str]:
        return {name: self.folds_of(name, self.splits_of(name)[0])[0] for name in self.run["datasets"]}

    def manifest(self) -> dict[str, Any]:
        """Return what the report and the tables of experiments need to know of the run beside its files."""
        # Where files come from is no part of what a run is.
        shown = {key: value for key, value in self.run.items() if key not in ("mirror", "config_dirs")}
        return {
            "run": self.run["run"],
            "config": without_secrets(shown),
            "seeds": self.run["seeds"],
            "interpreted": self.explained(),
            "published": self.published,
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
