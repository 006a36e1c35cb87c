"""Motifs that a model's outputs are asked about: the targets' own, those that were found for a model, or a file's."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lociflow.genome.grammar import fetch_counts, frequencies
from lociflow.interpretation.motifs.jaspar import JasparMotif, jaspar_motifs
from lociflow.interpretation.motifs.meme import Motif, word


def planted(simulation: Mapping[str, Any]) -> list[Motif]:
    """Return the matrices of a simulated genome's factors, those of its pair first.

    Parameters
    ----------
    simulation
        Of the data set: ``release``, ``factors`` and optionally ``pair``.
    """
    pair = simulation.get("pair") or {}
    factors = [
        *(pair[part] for part in ("partner", "factor") if part in pair),
        *sorted(factor for factor in simulation["factors"] if factor not in pair.values()),
    ]
    ids = {factor: simulation["factors"][factor]["matrix"] for factor in factors}
    found = fetch_counts(simulation["release"], ids.values())
    tables = {factor: found[name] for factor, name in ids.items()}
    return [
        Motif(word(factor), ids[factor], frequencies(table).T, float(table.sum(axis=1).max()))
        for factor, table in tables.items()
    ]


def own_motifs(targets: Iterable[str], release: str, collection: str, tax_group: str | Iterable[str]) -> list[Motif]:
    """Return the motif that JASPAR has under a target's name, for the targets that have one.

    Parameters
    ----------
    targets
        Names. Upper and lower case are the same, and a name of several words, such as ``K562|CTCF``, has the motif that
        one of its words names, the first such.
    release, collection, tax_group
        As :func:`lociflow.interpretation.motifs.jaspar.jaspar_motifs`.

    Returns
    -------
    list of Motif
        Each once, in the order of the targets, named by the factor; of several matrices of a factor the one with the
        most sites.
    """
    best: dict[str, JasparMotif] = {}
    for motif in jaspar_motifs(release, collection, tax_group):
        name = motif.name.casefold()
        if name not in best or motif.sites > best[name].sites:
            best[name] = motif
    found = {}
    for target in targets:
        if name := next((name for name in words_of(target) if name in best), ""):
            found[name] = best[name]
    return [Motif(word(motif.name), motif.matrix_id, motif.pwm, motif.sites) for motif in found.values()]


def words_of(target: str) -> list[str]:
    """Return a target's name and the words in it, in lower case."""
    return [target.casefold(), *re.split(r"[^0-9a-z-]+", target.casefold())]


def found_motifs(discovered: Sequence[Motif], without: Iterable[str] = ()) -> list[Motif]:
    """Return what TF-MoDISco has found, the motif of most sites of each target first, then the second of each.

    Parameters
    ----------
    discovered
        Named ``TARGET.positive_NUMBER`` or ``TARGET.negative_NUMBER``.
    without
        Names of targets whose motifs are left out.
    """
    passed = {word(target).casefold() for target in without}
    ranks: dict[str, int] = {}
    ranked = []
    for motif in sorted(discovered, key=lambda motif: -motif.sites):
        target = motif.name.rpartition(".")[0]
        if target.casefold() not in passed:
            ranks[target] = ranks.get(target, -1) + 1
            ranked.append((ranks[target], motif))
    return [motif for _, motif in sorted(ranked, key=lambda found: found[0])]


def fitting(motifs: Sequence[Motif], length: int, most: int) -> tuple[list[Motif], list[dict[str, str]]]:
    """Return the motifs that are asked about, and those that are not, each with its reason."""
    short = [motif for motif in motifs if motif.pwm.shape[1] < length]
    reasons = {
        **{motif.name: f"{motif.pwm.shape[1]} bases do not fit into windows of {length}" for motif in motifs},
        **{motif.name: f"max_motifs is {most}" for motif in short[most:]},
    }
    kept = short[:most]
    names = {motif.name for motif in kept}
    return kept, [{"motif": name, "reason": reason} for name, reason in reasons.items() if name not in names]
