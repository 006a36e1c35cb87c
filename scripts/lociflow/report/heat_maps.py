"""The heat maps of saturated regions, which lie in files of their own, as figures of the page."""

from lociflow.report.drawing import Figure, inlined
from lociflow.report.tables import signed
from lociflow.report.variant_effects import HeatMap, VariantEffects


def heat_map_figures(effects: VariantEffects) -> list[Figure]:
    """Return the heat maps of one model."""
    return [_figure(effects, heat_map) for heat_map in effects.heat_maps]


def _figure(effects: VariantEffects, heat_map: HeatMap) -> Figure:
    row = heat_map.largest
    largest = f"{row['ref']} to {row['alt']} at {row['contig']}:{int(row['position']):,}, {signed(row['effect'])}"
    # A name is a path in the folder of figures, and a target may have any name.
    part = f"saturation-{effects.model}-{heat_map.region}-{heat_map.file.removesuffix('.svg')}"
    alternative = (
        f"Heat map of every substitution of {heat_map.place} by {effects.model}, for {heat_map.target}: largest effect "
        f"{largest}."
    )
    caption = (
        f"{heat_map.region} ({heat_map.place}), {heat_map.target}, {effects.model} on {effects.dataset}. Largest "
        f"effect: {largest}."
    )
    return Figure(inlined(heat_map.svg, f"{effects.dataset}/{part}", alternative), caption)
