"""What a run wants predicted along the genome: checked before a job exists, and as paths and settings of steps."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lociflow import layout, sources
from lociflow.command import UserError
from lociflow.config import did_you_mean
from lociflow.explanation_plan import ExplanationPlan


class Request(NamedTuple):
    """One set of regions, predicted with one model of a data set."""

    dataset: str
    model: str
    """Its label."""
    regions: str
    """Name."""


def check_tracks(plan: ExplanationPlan) -> None:
    """Check what a run wants predicted along the genome.

    Raises
    ------
    UserError
        Regions name a data set or a model that the run does not have, a data set without a genome, a contig that a
        genome does not have, both a file and contigs or neither; a model reads a control.
    """
    if not plan.run.get("tracks"):
        return
    for name, regions in plan.run["tracks"]["regions"].items():
        where = f"tracks.regions.{name}"
        source = [key for key in sources.SOURCE_KEYS if regions.get(key) is not None]
        if bool(source) == ("contigs" in regions):
            found = "both a file and contigs" if source else "neither a file nor contigs"
            raise UserError(
                f"{where}: found {found}, expected path, url or file of regions, or contigs; give one of both"
            )
        for dataset in regions.get("datasets") or plan.run["datasets"]:
            _check_dataset(plan, dataset, regions, where)
    for label in plan.run["tracks"].get("models") or []:
        if label not in plan.supervised():
            close = did_you_mean(label, plan.supervised())
            raise UserError(f"tracks.models: {label} is none of this run's models that are trained on labels{close}")
    for dataset, label, _ in requests(plan):
        views = plan.resolve(dataset, label)["training"]["model"]["views"]
        if "control" in views:
            raise UserError(
                f"tracks.models: {label} reads {', '.join(views)}, and a control is only known on the bins of "
                f"{dataset}, expected a model of the sequence; name the others in tracks.models"
            )


def _check_dataset(plan: ExplanationPlan, dataset: str, regions: Mapping[str, Any], where: str) -> None:
    names = plan.run["datasets"]
    if dataset not in names:
        raise UserError(f"{where}.datasets: {dataset} is none of this run's data sets{did_you_mean(dataset, names)}")
    config = plan.groups.dataset(dataset)
    if "genome" not in config:
        raise UserError(
            f"{where}: the data set {dataset} is of sequences without a genome, expected one on a genome, along which "
            "there is something to predict; name those in datasets, or set tracks to null"
        )
    contigs, pinned = regions.get("contigs"), list(config["genome"].get("contig_md5") or {})
    for contig in contigs if isinstance(contigs, list) and pinned else []:
        if contig not in pinned:
            raise UserError(
                f"{where}.contigs: the genome of {dataset} has no contig {contig}{did_you_mean(contig, pinned)}; "
                f"expected some of {', '.join(pinned)}"
            )


def file_sources(run: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the source of each file of regions, filled in, by the name of the regions.

    Raises
    ------
    UserError
        A source is wrong.
    """
    regions = (run.get("tracks") or {}).get("regions") or {}
    return {
        name: sources.run_source(f"tracks/{name}", found) for name, found in regions.items() if "contigs" not in found
    }


def requests(plan: ExplanationPlan) -> Iterator[Request]:
    """Yield every set of regions with each data set and model for which a run wants it predicted."""
    asked = plan.run.get("tracks") or {"regions": {}}
    for name, regions in asked["regions"].items():
        for dataset in regions.get("datasets") or plan.run["datasets"]:
            for label in asked.get("models") or plan.supervised():
                yield Request(dataset, label, name)


def split_of(plan: ExplanationPlan, dataset: str) -> str:
    """Return the split whose models are shown: the first, of a cross-validation its first fold, as is explained."""
    return plan.folds_of(dataset, plan.splits_of(dataset)[0])[0]


def folder(plan: ExplanationPlan, request: Request) -> str:
    """Return where the tracks of a request lie."""
    return layout.TRACKS.format(
        dataset=request.dataset,
        split=split_of(plan, request.dataset),
        model=request.model,
        seeds=layout.joined(plan.run["seeds"]),
        regions=request.regions,
    )


def files(plan: ExplanationPlan) -> list[str]:
    """Return the files that make a run make all of its tracks."""
    return [f"{folder(plan, request)}/{file}" for request in requests(plan) for file in ("igv_session.xml", "hub.txt")]


def reported(plan: ExplanationPlan) -> list[dict[str, Any]]:
    """Return what the report needs to know of each request; see :mod:`lociflow.report.along_genome`."""
    return [
        {
            **request._asdict(),
            "split": split_of(plan, request.dataset),
            "folder": folder(plan, request),
            "explained": is_explained(plan, request.dataset, request.model),
        }
        for request in requests(plan)
    ]


def settings(plan: ExplanationPlan, dataset: str, regions: str, aliases: Any) -> dict[str, Any]:
    """Return what is predicted of some regions, as :class:`lociflow.tracks.predict.TrackConfig`."""
    asked, windows = plan.run["tracks"], plan.groups.dataset(dataset)["windows"]
    return {
        "bin": windows.get("bin") or windows["length"],
        "step": asked.get("step"),
        "contigs": asked["regions"][regions].get("contigs"),
        "contig_aliases": aliases,
    }


def is_explained(plan: ExplanationPlan, dataset: str, label: str) -> bool:
    """Tell whether a model has contributions to show beside its predictions."""
    return dataset in plan.run["datasets"] and label in plan.explained()


def observed(targets: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return name and place of each peak file or signal of a data set.

    Parameters
    ----------
    targets
        Of the data set, with every source filled in (:func:`lociflow.sources.dataset_files`).
    """
    signal = targets.get("signal") or {}
    named = targets.get("files") or signal.get("tracks")
    if not named or "derived_from" in named:
        named = {"targets": named or targets}
    return [
        {"name": str(name), "file": layout.SOURCE.format(file=source["file"])}
        for name, found in named.items()
        for source in sources.sources_in(found)
    ]
