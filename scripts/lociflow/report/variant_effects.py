"""What a run has found about variants: counts, the largest effects, and heat maps of saturated regions."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lociflow.effects.region import heat_map_files

MOST_HEAT_MAPS = 3
# What the effect is, by the labels that have it; per-base labels have the larger of gain and loss.
SIGNED = ("difference", "log2_fold_change")


class ScoredFile(NamedTuple):
    """A file of variants."""

    name: str
    counts: Mapping[str, Any]
    """As :func:`lociflow.effects.annotate.score_variants` writes them."""


class HeatMap(NamedTuple):
    """Every substitution of a region, drawn for one target."""

    region: str
    """Its name."""
    place: str
    """``contig:start-end``, 1-based, both ends inside."""
    target: str
    largest: Mapping[str, Any]
    """The row of the table with the largest effect, which stands under ``effect``."""
    file: str
    """Name of the figure's file."""
    svg: str
    """What it holds."""


class VariantEffects(NamedTuple):
    """What one model says of the variants on one data set."""

    dataset: str
    split: str
    model: str
    seeds: tuple[int, ...]
    folder: str
    files: tuple[ScoredFile, ...]
    heat_maps: tuple[HeatMap, ...]
    targets: int
    """Targets of the saturated regions."""


def read_variant_effects(found: Mapping[str, Any], counts: Callable[[str], Mapping[str, Any]]) -> VariantEffects:
    """Read the effects that one entry of the manifest names.

    Parameters
    ----------
    found
        As :func:`lociflow.variant_effects.reported` returns it.
    counts
        Reads and checks the counts of a file of variants.
    """
    folder = Path(found["folder"])
    saturated = {name: _saturation(folder / f"saturation/{name}.tsv") for name in found["saturation"]}
    return VariantEffects(
        dataset=found["dataset"],
        split=found["split"],
        model=found["model"],
        seeds=tuple(found["seeds"]),
        folder=found["folder"],
        files=tuple(ScoredFile(name, counts(str(folder / f"{name}.json"))) for name in found["files"]),
        heat_maps=tuple(
            heat_map
            for name, place in found["saturation"].items()
            for heat_map in _heat_maps(name, place, saturated[name], folder / "saturation" / name)
        ),
        targets=max((table["target"].nunique() for table in saturated.values()), default=0),
    )


def _saturation(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, sep="\t", na_values=["."], keep_default_na=False, dtype={"target": str})
    signed = [name for name in SIGNED if name in table]
    table["effect"] = table[signed[0]] if signed else table[["gain", "loss"]].max(axis=1)
    return table


def _heat_maps(name: str, place: str, table: pd.DataFrame, figures: Path) -> list[HeatMap]:
    """Return the heat maps of the targets with the largest effects in a region, the largest first."""
    files = heat_map_files(table["target"].drop_duplicates().tolist())
    order = table["effect"].abs().sort_values(ascending=False, kind="stable").index
    largest = table.loc[order].drop_duplicates("target")[:MOST_HEAT_MAPS].to_dict("records")
    found = []
    for row in largest:
        target, shown = str(row["target"]), {str(key): value for key, value in row.items()}
        file = files[target]
        found.append(HeatMap(name, place, target, shown, file, (figures / file).read_text("utf-8")))
    return found
