"""A small set of configuration groups, for tests of what users write."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.sources import all_sources

SCHEMAS = Path(__file__).parents[2] / "workflow" / "schemas"
DIGEST = "0" * 64
DATASET: dict[str, Any] = {
    "description": "A toy.",
    "citation": "Nobody 2020",
    "genome": {"name": "toy1", "source": {"url": "https://a.org/toy1.fa.gz?raw=true"}},
    "targets": {"files": {"A": {"url": "https://a.org/A.bed"}, "B": {"url": "https://a.org/B.bed"}}},
    "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 10, "length": 30},
    "labels": {"min_overlap": 0.5},
    "split": {"name": "holdout", "_target_": "lociflow.genome.splits.by_contig", "validation": ["c2"], "test": ["c3"]},
}
MODEL: dict[str, Any] = {
    "name": "Net",
    "description": "A toy.",
    "paper": "Nobody 2020",
    "doi": "10.1/1",
    "input_length": "${dataset.windows.length}",
    "views": ["sequence"],
    "strand_specific": False,
    "architecture": {"_target_": "torch.nn.Linear", "in_features": 3},
    "attribution": {"method": "gradient", "valid": ["gradient"], "reason": "the others need a reference"},
}
TRAINING: dict[str, Any] = {
    "torch_threads": 1,
    "batch_size": 8,
    "evaluation_batch_size": 8,
    "max_epochs": 5,
    "jitter": 0,
    "early_stopping": {"monitor": "validation_loss", "patience": 5, "min_delta": 0.0},
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.001, "eps": 0.1},
    "schedule": None,
    "label_permutation": False,
}
INTERPRETATION: dict[str, Any] = {
    "description": "A toy.",
    "targets": 6,
    "seed": 1,
    "attribution": {
        "targets": "${..targets}",
        "seed": "${..seed}",
        "method": None,
        "methods": {"gradient": {"_target_": "a.gradient"}, "shap": {"_target_": "a.shap", "shuffles": 3}},
    },
    "motifs": {"region": 20},
    "filters": {"windows": 10, "seed": "${..seed}"},
    "jaspar": {"release": "JASPAR2024", "collection": "CORE", "tax_group": "vertebrates"},
}
BASELINE: dict[str, Any] = {
    "_target_": "lociflow.evaluation.kmer.fit_predict",
    "description": "A toy.",
    "window_length": "${dataset.windows.length}",
}
NO_SOURCE = {"url": None, "path": None, "sha256": None, "derived_from": None}
RUN: dict[str, Any] = {
    "run": "toy",
    "datasets": ["toy"],
    "models": ["net"],
    "seeds": [1],
    "training": "default",
    "baselines": ["kmer"],
    "interpretation": "default",
    "interpret": None,
    "variants": {"long": ["training.max_epochs=50", "+training.gradient_clip=1.0"]},
}


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Copy a mapping with other values; ``a__b`` is the key b in a, and None removes a key."""
    whole = copy.deepcopy(base)
    for path, value in changes.items():
        *parents, key = path.split("__")
        place = whole
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is None:
            place.pop(key, None)
        else:
            place[key] = value
    return whole


def write(folder: Path, group: str, name: str, content: Any) -> Path:
    path = folder / group / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return path


def write_groups(folder: Path) -> Path:
    write(folder, "dataset", "toy", DATASET)
    write(folder, "model", "net", MODEL)
    write(folder, "training", "default", TRAINING)
    write(folder, "interpretation", "default", INTERPRETATION)
    write(folder, "baseline", "kmer", BASELINE)
    return folder


def refusal(function, *args) -> str:
    with pytest.raises(UserError) as caught:
        function(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_genome(source: dict[str, Any]) -> dict[str, Any]:
    return {"name": "toy", "genome": {"name": "toy1", "source": source}}


def trained(groups: Path | Configuration, *overrides: str) -> dict[str, Any]:
    configuration = Configuration(groups, SCHEMAS) if isinstance(groups, Path) else groups
    return configuration.trained("toy", "net", "default", overrides)


# ---------------------------------------------------------------------------------------------------- names and groups


def shipped() -> Configuration:
    """Return the groups that come with lociflow."""
    return Configuration(SCHEMAS.parents[1] / "config", SCHEMAS)


def starts_from_downloads(groups: Configuration, dataset: str) -> bool:
    """Tell whether a data set has a source whose digest is only known once it was downloaded."""
    return any(source["url"] and not source["sha256"] for source in all_sources(groups, [dataset]).values())
