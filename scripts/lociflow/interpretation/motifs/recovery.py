"""Score found motifs against the planted ones of a simulated genome: recovered or not, how well, and which are false.

A motif is compared by TOMTOM with JASPAR's matrices of the data set's group and the planted ones among them, as in
:mod:`lociflow.interpretation.motifs.match`; q-values are Benjamini and Hochberg's over all motifs of the file and all
matrices. A factor is recovered where a motif matches its planted matrix itself at q < 0.05: a relative of the same
family is not enough. A motif that matches no factor's matrix is false. Matrices that were planted and are never bound
(foreign decoys) make no factor: a motif of theirs is false as well, and named.

Motifs of what lowers a prediction recover nothing and are counted apart; so are motifs that are too short or say too
little to be compared. Untrained networks match something too: counts are read against those of a control.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lociflow.command import status, write_json
from lociflow.formats import stamp
from lociflow.genome.grammar import fetch_counts, frequencies, matrix_ids
from lociflow.interpretation.checks.verdicts import distrusted
from lociflow.interpretation.motifs.jaspar import JasparMotif, jaspar_motifs
from lociflow.interpretation.motifs.match import MatchConfig, compare, queries_of
from lociflow.interpretation.motifs.meme import Motif, information, read_meme
from lociflow.interpretation.settings import read_settings

KIND = "motif recovery"
SIGNIFICANT = 0.05
# A planted matrix's column that says at least this many bits takes part in the similarity.
INFORMATIVE_BITS = 0.5
NEGATIVE = "negative"


class PlantedMatrix(NamedTuple):
    """A matrix that was planted in a simulated genome."""

    name: str
    """The factor, or the foreign decoy."""
    matrix: str
    """JASPAR id."""
    pwm: np.ndarray
    """``float64``, shape ``(4, width)``: probabilities of A, C, G and T."""
    foreign: bool
    """Whether it is never bound."""


class Similarity(NamedTuple):
    """How like a planted matrix a motif is."""

    pearson: float
    """Of the best alignment; between -1 and 1."""
    overlap: int
    """Informative columns of the planted matrix that the motif covers there."""
    offset: int
    """Position of the planted matrix where the motif's first position lies."""
    reverse: bool
    """Whether the motif's reverse complement is aligned."""


def planted_matrices(simulation: Mapping[str, Any]) -> list[PlantedMatrix]:
    """Return the matrices that a simulation plants: factors, then foreign decoys.

    Parameters
    ----------
    simulation
        Configuration with ``release``, ``factors`` and, optionally, ``decoys.foreign``.

    Raises
    ------
    UserError
        The release does not exist, or has no such matrix.
    """
    counts = fetch_counts(simulation["release"], dict.fromkeys(matrix_ids(simulation)))
    foreign = (simulation.get("decoys") or {}).get("foreign") or {}
    return [
        PlantedMatrix(name, entry["matrix"], np.ascontiguousarray(frequencies(counts[entry["matrix"]]).T), is_foreign)
        for entries, is_foreign in ((simulation["factors"], False), (foreign, True))
        for name, entry in entries.items()
    ]


def similarity(planted: np.ndarray, motif: np.ndarray) -> Similarity:
    """Align a motif with a planted matrix and correlate them over the planted one's informative columns.

    Pearson's correlation is that of all probabilities in these columns, at the offset and on the strand where it is
    highest. Where the motif does not reach, it says nothing: a quarter for each base. So a motif that is a part of the
    planted one is less like it than a whole one, and flat columns of the planted matrix neither help nor harm.

    Parameters
    ----------
    planted, motif
        Probabilities, shapes ``(4, width)``; the widths differ.

    Returns
    -------
    Similarity
        ``pearson`` 0 where no alignment correlates: no informative column, or a flat motif.
    """
    informative = information(planted) >= INFORMATIVE_BITS
    best = Similarity(0.0, 0, 0, False)
    if not informative.any():
        return best
    expected = planted[:, informative].ravel() - 0.25
    for reverse in (False, True):
        aligned = motif[::-1, ::-1] if reverse else motif
        for offset in range(1 - aligned.shape[1], planted.shape[1]):
            placed = np.full(planted.shape, 0.25)
            first, last = max(offset, 0), min(offset + aligned.shape[1], planted.shape[1])
            placed[:, first:last] = aligned[:, first - offset : last - offset]
            # Columns sum to 1, so that the mean of both sides is a quarter.
            found = placed[:, informative].ravel() - 0.25
            scale = np.sqrt((expected @ expected) * (found @ found))
            value = float(expected @ found / scale) if scale > 0 else 0.0
            if value > best.pearson:
                best = Similarity(value, int(informative[first:last].sum()), offset, reverse)
    return best


def recover(
    motifs: Sequence[Motif],
    planted: Sequence[PlantedMatrix],
    collection: Sequence[JasparMotif],
    settings: MatchConfig,
) -> dict[str, Any]:
    """Say which planted matrices some motifs recover, and which motifs are false.

    Parameters
    ----------
    motifs
        Found ones; :data:`NEGATIVE` as ``alternate`` marks those of what lowers a prediction.
    planted
        As :func:`planted_matrices`.
    collection
        Matrices that stand beside the planted ones, the background of the p-values.
    settings
        Which motifs are worth comparing.

    Returns
    -------
    dict
        ``motifs``, ``negative`` and ``left_out``: how many were given, were of what lowers a prediction, and said too
        little. ``factors``: for each, ``matrix``, ``recovered``, and ``motif``, ``q`` and ``similarity`` (Pearson's
        correlation, see :func:`similarity`) of the most similar motif of those that match it, of all compared ones
        where none does; null without any. ``recovered``: factors recovered. ``false_motifs``: names of the motifs that
        match no factor. ``foreign``: those of them that match a foreign decoy.
    """
    positive = [motif for motif in motifs if motif.alternate != NEGATIVE]
    kept, pwms = queries_of(positive, settings.core_bits, settings.min_width, settings.min_bits)
    names = [positive[index].name for index in kept]
    targets = {motif.matrix_id: motif.pwm for motif in collection}
    targets.update((truth.matrix, truth.pwm) for truth in planted)
    columns = list(targets)
    q = compare(pwms, list(targets.values())).q
    matched = {truth.name: q[:, columns.index(truth.matrix)] < SIGNIFICANT for truth in planted}
    of_factor = np.zeros(len(names), dtype=bool)
    of_foreign = np.zeros(len(names), dtype=bool)
    factors = {}
    for truth in planted:
        if truth.foreign:
            of_foreign |= matched[truth.name]
            continue
        of_factor |= matched[truth.name]
        factors[truth.name] = _best(truth, names, pwms, q[:, columns.index(truth.matrix)])
    return {
        "motifs": len(motifs),
        "negative": len(motifs) - len(positive),
        "left_out": len(positive) - len(kept),
        "factors": factors,
        "recovered": sum(found["recovered"] for found in factors.values()),
        "false_motifs": [name for name, is_true in zip(names, of_factor, strict=True) if not is_true],
        "foreign": [name for name, decoy in zip(names, of_foreign & ~of_factor, strict=True) if decoy],
    }


def _best(truth: PlantedMatrix, names: Sequence[str], pwms: Sequence[np.ndarray], q: np.ndarray) -> dict[str, Any]:
    if not names:
        return {"matrix": truth.matrix, "recovered": False, "motif": None, "q": None, "similarity": None}
    matching = [int(place) for place in np.flatnonzero(q < SIGNIFICANT)]
    like = {place: similarity(truth.pwm, pwms[place]).pearson for place in matching or range(len(q))}
    best = max(like, key=lambda place: like[place])
    return {
        "matrix": truth.matrix,
        "recovered": bool(matching),
        "motif": names[best],
        "q": float(q[best]),
        "similarity": like[best],
    }


def score_motifs(
    motifs: Sequence[tuple[str, Path]],
    simulation: Mapping[str, Any],
    config: Mapping[str, Any],
    scores: Path,
    checks: Sequence[tuple[str, Path]] | None = None,
) -> None:
    """Score files of motifs against the planted ones, each by itself.

    q-values are corrected over one file at a time, so that what else a run explains changes no score.

    Parameters
    ----------
    motifs
        Label and MEME file of each set; the second word of a motif's line is its kind.
    simulation
        Configuration of the simulated genome.
    config
        As for :func:`lociflow.interpretation.motifs.match.match_motifs`.
    scores
        JSON to write: ``sets``, what :func:`recover` returns of each, by label; ``distrusted``, the titles of the
        checks that were failed, by label of the sets that are left out.
    checks
        Label of a set and file of the checks of the explanation that it was made from. A set is left out where one has
        failed: its motifs are no claim of the run.

    Raises
    ------
    UserError
        A file is not MEME's, the configuration has an unknown key or value, or JASPAR has no such matrix.
    """
    settings = read_settings(MatchConfig, "jaspar", config)
    planted = planted_matrices(simulation)
    collection = jaspar_motifs(settings.release, settings.collection, settings.tax_group)
    wrong = distrusted(checks or ())
    for label, names in wrong.items():
        status(f"{label}: left out, because the explanation that its motifs are from failed {', '.join(names)}")
    sets = {
        label: recover(read_meme(path), planted, collection, settings) for label, path in motifs if label not in wrong
    }
    write_json(scores, {**stamp(KIND), "sets": sets, "distrusted": wrong})
    for label, found in sets.items():
        status(
            f"{label}: {found['recovered']} of {len(found['factors'])} planted motifs recovered; of "
            f"{found['motifs'] - found['negative'] - found['left_out']} compared motifs {len(found['false_motifs'])} "
            "match none of them"
        )
