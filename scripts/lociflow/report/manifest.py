"""What a run consists of, as the workflow names it, and where each of its files lies."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lociflow import layout
from lociflow.command import check_files

CEILING = "ceiling"
ENSEMBLE = "ensemble"


def manifest_argument(path: str) -> dict[str, Any]:
    """Read the manifest that a command-line argument names: a file, since one argument ends at 128 kB on Linux."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise argparse.ArgumentTypeError(f"expected a file with a manifest as JSON ({error})") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{path}: found JSON of another kind, expected an object")
    return value


def locate(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the names of a run's parts into the paths of their files.

    Parameters
    ----------
    manifest
        ``run``, ``config``, ``seeds``, ``interpreted`` (labels, explained with the first seed) and ``datasets``, each
        with ``name``, ``description``, ``split``, ``splits`` (how many the run uses), ``clean_of``, ``explained``
        (whether this is the split whose models are), ``models`` (``label``, ``control`` and ``methods``, by which it is
        explained), ``baselines``, ``sources`` (files), ``simulation`` (its configuration, or null) and, optionally,
        ``contigs_pinned``, ``folds`` (the splits that are scored together as this one), ``averaged`` (labels of which
        the seeds' mean prediction is scored) and ``unsupervised`` (labels of models without outputs). Optional:
        ``commands``, ``commit``, ``versions``; ``learning_curve`` and ``single_task``, what the tables of
        these experiments are made from; ``published``, the published numbers that the run covers; ``variant_effects``
        and ``tracks``, with the folders of what was made of variants and along the genome. A data set that
        already has ``entries`` is left as it is.

    Returns
    -------
    dict
        As :func:`lociflow.report.results.read_results` takes it.

    Raises
    ------
    UserError
        One of the files is not what the step that made it wrote.
    """
    run = manifest["run"]
    datasets = [
        dataset if "entries" in dataset else locate_dataset(dataset, manifest) for dataset in manifest["datasets"]
    ]
    motifs = {"matches": layout.MATCHES, "matched_meme": layout.MATCHED_MOTIFS, "agreement": layout.AGREEMENT}
    places = {
        key: {
            dataset["name"]: pattern.format(run=run, dataset=dataset["name"])
            for dataset in datasets
            if dataset.get("explained", True)
        }
        for key, pattern in (motifs if manifest.get("interpreted") else {}).items()
    }
    located = {"benchmarks": benchmarks(manifest), **places, **manifest, "datasets": datasets}
    check_files(located)
    return located


def locate_dataset(dataset: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the names of one data set's models and baselines into paths; what ``explanations`` names has a ranking."""
    name, split = dataset["name"], dataset["split"]
    folder = layout.DATASET.format(dataset=name)
    entries = [trained(dataset, model, seed, manifest) for model in dataset["models"] for seed in manifest["seeds"]]
    for baseline in dataset["baselines"]:
        place = layout.BASELINE.format(dataset=name, split=split, baseline=baseline)
        entries.append(
            {
                "label": baseline,
                "model": baseline,
                "kind": CEILING if baseline == CEILING else "baseline",
                **_scored(place),
                "to_beat": baseline in (dataset.get("to_beat") or []),
            }
        )
    folds = dataset.get("folds") or []
    place = folds[0] if folds else split
    return {
        **dataset,
        "reconstructions": [
            {
                "label": label,
                "seed": seed,
                "reconstruction": f"{layout.TRAINED.format(dataset=name, split=place, model=label, seed=seed)}/"
                "reconstruction.json",
            }
            for label in dataset.get("unsupervised") or []
            for seed in manifest["seeds"]
        ],
        "ensembles": [
            {
                **_named(label),
                "kind": ENSEMBLE,
                **_scored(
                    layout.ENSEMBLE.format(
                        dataset=name, split=split, model=label, seeds=layout.joined(manifest["seeds"])
                    )
                ),
            }
            for label in dataset.get("averaged") or []
        ],
        "windows_counts": f"{folder}/windows.json",
        "audit": f"{folder}/audit.json",
        "windows": f"{folder}/windows.parquet",
        "targets": f"{folder}/targets.npy",
        "target_table": f"{folder}/targets.tsv",
        "sites": layout.SITES.format(dataset=name) if dataset.get("simulation") else None,
        "explanation_ranking": layout.EXPLANATION_RANKING.format(run=manifest["run"], dataset=name)
        if dataset.get("explained", True) and name in (manifest.get("explanations") or {})
        else None,
        "source_records": [layout.SOURCE_RECORD.format(file=file) for file in dataset.get("sources") or []],
        "entries": entries,
    }


def trained(
    dataset: Mapping[str, Any], model: Mapping[str, Any], seed: int, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Return where the files of one training lie; only the first seed of a model is explained."""
    label = model["label"]
    wildcards = {"dataset": dataset["name"], "split": dataset["split"], "model": label, "seed": seed}
    # What was trained lies with the folds where a split is all of them.
    folds = [layout.TRAINED.format(**{**wildcards, "split": fold}) for fold in dataset.get("folds") or []]
    explained_split = (dataset.get("folds") or [dataset["split"]])[0]
    place = layout.TRAINED.format(**wildcards)
    explained = layout.INTERPRETATION.format(**{**wildcards, "split": explained_split})
    methods = [f"{explained}/{method}" for method in model.get("methods") or []]
    pooled = (
        {
            "history": None,
            "fold_histories": [f"{fold}/history.csv" for fold in folds],
            "config": f"{folds[0]}/config.json",
        }
        if folds
        else {}
    )
    has_motifs = (
        dataset.get("explained", True) and label in (manifest.get("interpreted") or []) and seed == manifest["seeds"][0]
    )
    return {
        **_named(label),
        "seed": seed,
        "kind": "control" if model["control"] else "model",
        **{key: f"{place}/{file}" for key, file in TRAINED_FILES.items()},
        **pooled,
        "motifs": {
            kind: {"meme": f"{folder}/{kind}.meme", "table": f"{folder}/{kind}.tsv"}
            for kind, folder in (("modisco", methods[0]), ("filters", explained))
        }
        if has_motifs
        else None,
        "hits": f"{methods[0]}/hits.tsv" if has_motifs else None,
        "prefixes": f"{methods[0]}/prefixes.tsv" if has_motifs else None,
        "attention": f"{methods[0]}/attention.npz" if has_motifs and model.get("attention") else None,
        "attributions": f"{methods[0]}/attributions.npz" if has_motifs else None,
        "truth": f"{methods[0]}/truth.json" if has_motifs and dataset.get("simulation") else None,
        "checks": [f"{folder}/checks.json" for folder in methods] if has_motifs else [],
        "importance": f"{explained}/importance.json"
        if has_motifs and (manifest.get("config") or {}).get("importance")
        else None,
    }


SCORED_FILES = {
    "metrics": "metrics.json",
    "curves": "curves.npz",
    "draws": "draws.npz",
    "predictions": "predictions.parquet",
}
TRAINED_FILES = {**SCORED_FILES, "history": "history.csv", "config": "config.json"}


def compared(dataset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is compared on one split of a data set: its trained models, each with all seeds, and its baselines.

    Controls, from which nothing can be learnt, the best that the truth allows, and means over seeds are left out.

    Parameters
    ----------
    dataset
        Of :func:`locate`.

    Returns
    -------
    list of dict
        The fields of :class:`lociflow.evaluation.comparison.Compared`.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in dataset["entries"]:
        if entry["kind"] not in ("model", "baseline"):
            continue
        one = found.setdefault(entry["label"], {"label": entry["label"], "seeds": 0, "draws": [], "predictions": []})
        one["seeds"] += entry["kind"] == "model"
        for key in ("draws", "predictions"):
            one[key].append(Path(entry[key]))
    return list(found.values())


def _named(label: str) -> dict[str, Any]:
    name, variant = layout.split_label(label)
    return {"label": label, "model": name, "variant": variant}


def _scored(place: str) -> dict[str, str]:
    return {key: f"{place}/{file}" for key, file in SCORED_FILES.items()}


def benchmarks(manifest: Mapping[str, Any]) -> list[str]:
    """Find what Snakemake has measured of the run's jobs; what was not measured here is not missed."""
    patterns = [f"benchmarks/runs/{manifest['run']}/*.jsonl"]
    for dataset in manifest["datasets"]:
        if "entries" in dataset:
            continue
        patterns.append(f"benchmarks/{dataset['name']}/*.jsonl")
        labels = [*(model["label"] for model in dataset["models"]), *(dataset.get("unsupervised") or [])]
        for split in [dataset["split"], *(dataset.get("folds") or [])]:
            folder = f"benchmarks/{dataset['name']}/{split}"
            patterns += [f"{folder}/{label}/seed{seed}/*.jsonl" for label in labels for seed in manifest["seeds"]]
            patterns += [f"{folder}/baselines/{baseline}/*.jsonl" for baseline in dataset["baselines"]]
    return sorted(str(path) for pattern in patterns for path in Path().glob(pattern))
