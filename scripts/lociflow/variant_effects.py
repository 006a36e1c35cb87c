"""What a run asks about variants: files and regions, the models that score them, and what is made of them."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from lociflow import layout, run, sources
from lociflow.command import UserError
from lociflow.config import Configuration, did_you_mean
from lociflow.effects.region import parse_region
from lociflow.layout import split_label

KEY = "variant_effects"
# Of each file of variants, and of the background of a model.
SUFFIXES = ("vcf.gz", "vcf.gz.csi", "tsv.gz", "tsv.gz.csi", "json")
BACKGROUND = f"{layout.EFFECTS}/background.npz"
FILE = f"{layout.EFFECTS}/{{variants}}"
SATURATION = f"{layout.EFFECTS}/saturation/{{region}}"


def asked(asked_run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a run says of variants, nothing where it asks for none."""
    return asked_run.get(KEY) or {}


def check(asked_run: Mapping[str, Any], groups: Configuration) -> None:
    """Check what a schema cannot say.

    Raises
    ------
    UserError
        A model or data set is none of the run, has no outputs or no genome, reads more than the sequence; or a region
        is none.
    """
    found = asked(asked_run)
    if not found:
        return
    for key in ("models", "datasets"):
        for name in found.get(key) or []:
            if name not in asked_run[key]:
                raise UserError(f"{KEY}.{key}: {name} is none of this run's {key}{did_you_mean(name, asked_run[key])}")
    for label in found.get("models") or []:
        if run.is_unsupervised(groups, label):
            raise UserError(f"{KEY}.models: {label} is trained without labels, expected a model with outputs")
    for label in models(asked_run, groups):
        views = list(groups.group("model", split_label(label)[0])["views"])
        if views != ["sequence"]:
            raise UserError(
                f"{KEY}.models: {label} reads {', '.join(views)}, expected models of the sequence alone; name these"
            )
    for name in datasets(asked_run):
        if "genome" not in groups.dataset(name):
            raise UserError(
                f"{KEY}.datasets: {name} has no genome on which variants could lie, expected data sets that do; name "
                "these"
            )
    for region in (found.get("saturation") or {}).values():
        parse_region(region)


def models(asked_run: Mapping[str, Any], groups: Configuration) -> list[str]:
    """Return the labels of the models that score variants."""
    named = asked(asked_run).get("models")
    return list(named or (label for label in asked_run["models"] if not run.is_unsupervised(groups, label)))


def datasets(asked_run: Mapping[str, Any]) -> list[str]:
    """Return the data sets on whose genomes variants are scored."""
    return list(asked(asked_run).get("datasets") or asked_run["datasets"])


def file_sources(asked_run: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the source of each file of variants, filled in, by its name; ``background`` is that of a background.

    Raises
    ------
    UserError
        A source is wrong.
    """
    found = dict(asked(asked_run).get("files") or {})
    if source := (asked(asked_run).get("background") or {}).get("variants"):
        found["background"] = source
    return {name: sources.run_source(f"variants/{name}", source) for name, source in found.items()}


def settings(asked_run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the steps are told of variants: the keys of :class:`lociflow.effects.settings.EffectConfig`."""
    found = asked(asked_run)
    background = found.get("background") or {}
    return {
        **{key: found[key] for key in ("shifts", "reference_mismatch") if key in found},
        **{key: background[key] for key in ("snvs", "most", "seed") if key in background},
    }


def effect_files(asked_run: Mapping[str, Any], groups: Configuration, splits: Mapping[str, str]) -> list[str]:
    """Return everything that is made of a run's variants.

    Parameters
    ----------
    asked_run, groups
        The run, and where its models are defined.
    splits
        The split whose models score variants, by data set.
    """
    found = asked(asked_run)
    made: list[str] = []
    for place in _places(asked_run, groups, splits):
        for variants, suffix in product(found.get("files") or {}, SUFFIXES):
            made.append(f"{FILE.format(**place, variants=variants)}.{suffix}")
        for region in found.get("saturation") or {}:
            folder = SATURATION.format(**place, region=region)
            made += [f"{folder}.tsv", folder]
    return made


def reported(asked_run: Mapping[str, Any], groups: Configuration, splits: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the report needs to know, by data set and model; parameters as in :func:`effect_files`.

    Returns
    -------
    list of dict
        ``dataset``, ``split``, ``model``, ``seeds``, ``folder``, ``files`` (their names) and ``saturation`` (regions by
        their names).
    """
    found = asked(asked_run)
    return [
        {
            **place,
            "seeds": asked_run["seeds"],
            "folder": layout.EFFECTS.format(**place),
            "files": list(found.get("files") or {}),
            "saturation": dict(found.get("saturation") or {}),
        }
        for place in _places(asked_run, groups, splits)
    ]


def _places(asked_run: Mapping[str, Any], groups: Configuration, splits: Mapping[str, str]) -> list[dict[str, str]]:
    if not asked(asked_run):
        return []
    seeds = layout.joined(asked_run["seeds"])
    return [
        {"dataset": name, "split": splits[name], "model": model, "seeds": seeds}
        for name, model in product(datasets(asked_run), models(asked_run, groups))
    ]
