"""Whether the interactions of two motifs follow the spacing rule of a simulated genome."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lociflow.interpretation.experiments.mean_effects import MeanEffect, mean_effect
from lociflow.interpretation.experiments.spacing_effects import ORIENTATIONS

RECOVERED, PREFERRED, MISSED = "recovered", "preferred", "not recovered"


def planted_orientation(first: str, pair: Mapping[str, Any]) -> str:
    """Return the orientation, one of :data:`ORIENTATIONS`, in which a pair was planted.

    The factor stands 3' of its partner, on the strand that the rule asks for.

    Parameters
    ----------
    first
        The motif that stands to the left: the pair's ``factor`` or its ``partner``.
    pair
        ``simulation.pair`` of the data set.
    """
    same = pair["orientation"] == "same"
    if first == pair["partner"]:
        return "++" if same else "+-"
    # The pair read from the other strand: the factor to the left, both strands turned.
    return "--" if same else "+-"


def check_rule(
    values: np.ndarray, first: str, gaps: Sequence[int], pair: Mapping[str, Any], draws: int, level: float, seed: int
) -> dict[str, Any]:
    """Judge interactions by the rule that was planted.

    Parameters
    ----------
    values
        Interaction for the pair's factor on each background, shape ``(backgrounds, orientations, gaps)``.
    first
        The motif to the left.
    gaps
        Bases between the motifs.
    pair
        As :func:`planted_orientation`; ``gap``: the least and the greatest that are bound.
    draws, level, seed
        As :func:`lociflow.interpretation.experiments.mean_effects.mean_effect`.

    Returns
    -------
    dict
        ``within``, ``other_gaps``, ``other_orientations`` and ``difference``: the mean interaction at planted gaps in
        the planted orientation, at other gaps in this orientation, at planted gaps in the strongest of the other
        orientations, and the first less the mean of all other places, each with ``mean``, ``low`` and ``high`` (None
        without such a place or such an interval);
        ``verdict``: ``recovered`` where the interaction is above 0 within the rule and neither elsewhere,
        ``preferred`` where it is above 0 elsewhere too and larger within, else ``not recovered``. Above 0 means that
        the interval is.
    """
    row = ORIENTATIONS.index(planted_orientation(first, pair))
    inside = np.array([pair["gap"][0] <= gap <= pair["gap"][1] for gap in gaps])
    places = np.zeros(values.shape[1:], bool)
    places[row] = inside
    same = np.zeros_like(places)
    same[row] = ~inside
    # The strongest of the other orientations: a mean over all of them would hide one that the model takes for the rule.
    others = np.zeros_like(places)
    if inside.any():
        strength = values[:, :, inside].mean(axis=(0, 2))
        strength[row] = -np.inf
        others[strength.argmax()] = inside
    parts = {"within": places, "other_gaps": same, "other_orientations": others}
    found = {
        name: mean_effect(values[:, mask].mean(axis=1), draws, level, seed) if mask.any() else None
        for name, mask in parts.items()
    }
    found["difference"] = (
        mean_effect(values[:, places].mean(axis=1) - values[:, ~places].mean(axis=1), draws, level, seed)
        if places.any()
        else None
    )
    above = {name: effect is not None and bool(effect.low > 0) for name, effect in found.items()}
    verdict = MISSED
    if above["within"] and above["difference"]:
        verdict = PREFERRED if above["other_gaps"] or above["other_orientations"] else RECOVERED
    return {**{name: _told(effect) for name, effect in found.items()}, "verdict": verdict}


def _told(effect: MeanEffect | None) -> dict[str, float | None] | None:
    if effect is None:
        return None
    return {name: float(value) if np.isfinite(value) else None for name, value in effect._asdict().items()}
