"""Which motifs of a model the page shows, and each as a card: logo, best match in JASPAR, its logo, q-value."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from lociflow.interpretation.motifs.meme import consensus
from lociflow.report.logos import align, logo, placement, reverse_complement
from lociflow.report.motif_matrix import significant
from lociflow.report.results import Entry, Motif

# Cards per model and kind; what one kind leaves free the others may use, and negative motifs have no more than that.
LARGEST = {"modisco": 8, "negative": 0, "filter": 4}
FEWEST = 3  # shown even without a significant match
KIND_NAMES = {"modisco": "TF-MoDISco", "negative": "TF-MoDISco (negative)", "filter": "first-layer filter"}


class Card(NamedTuple):
    """One motif as the page shows it."""

    motif: Motif
    kind: str
    consensus: str
    logo: Markup
    match_logo: Markup | None
    significant: bool


class Cards(NamedTuple):
    """The motifs of one entry."""

    entry: Entry
    cards: list[Card]
    counts: dict[str, tuple[int, int]]
    """By name of the kind: motifs with a significant match, and all."""


def cards(entry: Entry, matched: Mapping[str, np.ndarray]) -> Cards:
    """Choose the motifs of an entry to show and draw them.

    Parameters
    ----------
    entry
        With its motifs.
    matched
        JASPAR matrix id → probabilities, shape ``(4, length)``, for the logos of the matches.

    Returns
    -------
    Cards
        TF-MoDISco before filters; of either significant matches first, one for each matrix before further ones; those
        of TF-MoDISco by q, filters by their influence.
    """
    counts, chosen = {}, []
    ranked = {kind: ranking([motif for motif in entry.motifs if motif.kind == kind]) for kind in LARGEST}
    for kind, motifs in ranked.items():
        if motifs:
            counts[KIND_NAMES[kind]] = (sum(map(significant, motifs)), len(motifs))
    free = sum(max(0, LARGEST[kind] - count_shown(motifs)) for kind, motifs in ranked.items())
    for kind, motifs in ranked.items():
        wanted = count_shown(motifs)
        number = min(wanted, LARGEST[kind] + free)
        free -= max(0, number - LARGEST[kind])
        chosen += [card(motif, matched) for motif in motifs[:number]]
    return Cards(entry, chosen, counts)


def ranking(motifs: list[Motif]) -> list[Motif]:
    """Sort motifs: matched before others, a matrix's first before its second, by influence, q, support and name."""
    by_weight = sorted(
        motifs,
        key=lambda motif: (
            not significant(motif),
            -(motif.influence or 0.0),
            motif.match.q if motif.match is not None and significant(motif) else 0.0,
            -(motif.support or 0.0),
            motif.name,
        ),
    )
    seen: Counter[str] = Counter()
    repeats = {}
    for motif in by_weight:
        matrix = motif.match.identifier if motif.match is not None and significant(motif) else ""
        repeats[motif.name] = seen[matrix] if matrix else 0
        seen[matrix] += 1
    return sorted(by_weight, key=lambda motif: (not significant(motif), repeats[motif.name]))


def count_shown(ranked: list[Motif]) -> int:
    """Count the motifs of a kind that are worth showing: the significant, or a few of the others."""
    return max(sum(map(significant, ranked)), min(FEWEST, len(ranked)))


def card(motif: Motif, matched: Mapping[str, np.ndarray]) -> Card:
    """Draw a motif, above its match where one is significant."""
    match = motif.match if significant(motif) else None
    target = matched.get(match.identifier) if match is not None else None
    kind, letters = KIND_NAMES[motif.kind], consensus(motif.pwm)
    if match is None or target is None:
        return Card(motif, kind, letters, logo(motif.pwm, motif.name), None, match is not None)
    turned = reverse_complement(target) if match.strand == "-" else target
    before, match_before, width = placement(motif.pwm.shape[1], turned.shape[1], align(motif.pwm, turned))
    return Card(
        motif,
        kind,
        letters,
        logo(motif.pwm, motif.name, before=before, width=width),
        logo(turned, f"{match.identifier} {match.name}", before=match_before, width=width),
        True,
    )
