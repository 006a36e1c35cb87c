"""How the models of a run are explained, and the files that explanations make."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from lociflow import explanations, layout, sources
from lociflow.command import UserError
from lociflow.training_plan import LABEL_FILES, TrainingPlan


class ExplanationPlan(TrainingPlan):
    """What a run trains and scores, and how it explains it."""

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
