"""Which models have found which motif: the planted ones where they are known, JASPAR's families elsewhere."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from lociflow.report.results import SIGNIFICANT, DatasetResults, Entry, Match, Motif, in_family

LARGEST_MATRIX = 24


class MatrixRow(NamedTuple):
    """One motif or family, and who has found it."""

    name: str
    matrix: str | None
    """JASPAR id of the planted matrix."""
    found: dict[str, dict[str, Motif]]
    """By entry (its key) and kind of motif, the best motif that counts as found."""

    @property
    def finders(self) -> int:
        """Count the entries that have found it."""
        return len(self.found)


def significant(motif: Motif) -> bool:
    """Say whether a motif's best match is significant over all queries and targets of the run."""
    return motif.match is not None and motif.match.q < SIGNIFICANT


def counts_as_found(motif: Motif) -> bool:
    """Say whether a motif has a significant match and speaks for its target: what lowers a prediction does not."""
    return significant(motif) and motif.kind != "negative"


def planted_matrix(dataset: DatasetResults) -> list[MatrixRow]:
    """Say for every planted factor by whom it was found: best match in the planted family at q < 0.05."""
    return [
        MatrixRow(factor, truth.matrix, found_by(dataset, partial(in_family, planted=truth)))
        for factor, truth in (dataset.planted or {}).items()
    ]


def family_matrix(dataset: DatasetResults) -> list[MatrixRow]:
    """Say for every JASPAR family that a model or control has matched, or factor without one, by whom it was found.

    Returns
    -------
    list[MatrixRow]
        Those found by most entries first, ``LARGEST_MATRIX`` at most; families that only controls have found stay in,
        because they are what a model's finds are to be judged against.
    """
    names = sorted(
        {
            family
            for entry in dataset.entries
            for motif in entry.motifs
            if not entry.given_motifs
            if counts_as_found(motif) and motif.match is not None
            for family in motif.match.groups
        }
    )
    rows = [MatrixRow(family, None, found_by(dataset, partial(of_family, family=family))) for family in names]
    return sorted(rows, key=lambda row: (-row.finders, row.name))[:LARGEST_MATRIX]


def of_family(match: Match, family: str) -> bool:
    """Say whether a match belongs to a family, or is the factor that stands for itself."""
    return family in match.groups


def found_by(dataset: DatasetResults, counts: Callable[[Match], bool]) -> dict[str, dict[str, Motif]]:
    """Find the best motif of each entry and kind that counts as found and whose best match counts.

    Entries that were given motifs have found none.
    """
    found: dict[str, dict[str, Motif]] = {}
    for entry in dataset.entries:
        if entry.given_motifs:
            continue
        for motif in entry.motifs:
            if motif.match is None or not counts_as_found(motif) or not counts(motif.match):
                continue
            kinds = found.setdefault(entry.key, {})
            best = kinds.get(motif.kind)
            if best is None or best.match is None or motif.match.q < best.match.q:
                kinds[motif.kind] = motif
    return found


def interpreted(dataset: DatasetResults) -> list[Entry]:
    """Return the entries that were searched for motifs, controls last."""
    entries = [entry for entry in dataset.entries if entry.interpreted]
    return sorted(entries, key=lambda entry: entry.kind == "control")
