"""Match motifs to JASPAR's, and to those of the user's own library, with TOMTOM."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from memelite import tomtom
from scipy.stats import false_discovery_control

from lociflow.command import UserError, atomic, status
from lociflow.interpretation.checks.verdicts import distrusted
from lociflow.interpretation.motifs.jaspar import JasparMotif, jaspar_motifs
from lociflow.interpretation.motifs.meme import Motif, core, information, read_meme, write_meme
from lociflow.interpretation.settings import read_settings

COLUMNS = (
    "label", "motif", "kind", "match_id", "match_name", "family", "class", "p", "q", "overlap", "offset", "strand",
)  # fmt: skip

# Before the names of motifs of the user's own library, so that they are never taken for JASPAR's.
LIBRARY = "library:"


class Comparison(NamedTuple):
    """Every query against every target; each array has shape ``(queries, targets)``."""

    p: np.ndarray
    q: np.ndarray
    overlap: np.ndarray
    """Positions that the best alignment shares."""
    offset: np.ndarray
    """Position of the target, on the strand named, where the query's first position lies."""
    reverse: np.ndarray
    """``bool``: whether the best alignment is with the target's reverse complement."""


def match_motifs(
    motifs: Sequence[tuple[str, Path]],
    config: Mapping[str, Any],
    matches: Path,
    matched_meme: Path | None = None,
    checks: Sequence[tuple[str, Path]] | None = None,
    library: Path | None = None,
) -> None:
    """Write the best matches, in JASPAR and in a library of the user's own, of every motif of several files.

    All files are matched in one call, so that q-values stand for everything that a run claims: all motifs of all models
    against JASPAR and the library together.

    Parameters
    ----------
    motifs
        Label and MEME file of each set; the second word of a motif's line is its kind.
    config
        ``release``, ``collection``, ``tax_group`` as :func:`lociflow.interpretation.motifs.jaspar.jaspar_motifs`;
        ``top``: matches kept per motif; ``core_bits``, ``min_width`` and ``min_bits`` as :func:`queries_of`.
    matches
        Table to write (TSV); motifs in the order given, best match first, as many of JASPAR and of the library. Motifs
        that were left out have no row.
    matched_meme
        File to write with the matched matrices (``MOTIF matrix_id name``).
    checks
        Label of a set of motifs and file of the checks of the explanation that it was made from. Where one has failed,
        the set is left out: what it holds is no claim of the run, and would weigh on the q-values of those that are.
    library
        MEME file of the user's own motifs; in the table ``library:`` stands before their names, and they have no family
        and no class.

    Raises
    ------
    UserError
        The configuration has an unknown key or value, a label is given twice, or a file is not MEME's.
    """
    settings = read_settings(MatchConfig, "jaspar", config)
    labels = [label for label, _ in motifs]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UserError(f"--motifs: found {', '.join(twice)} twice, expected each label once")
    wrong = distrusted(checks or ())
    for label, names in wrong.items():
        status(f"{label}: left out, because the explanation that its motifs are from failed {', '.join(names)}")
    found = [(label, motif) for label, path in motifs if label not in wrong for motif in read_meme(path)]
    jaspar = jaspar_motifs(settings.release, settings.collection, settings.tax_group)
    own = library_motifs(library) if library else []
    targets = [*jaspar, *own]
    kept, pwms = queries_of([motif for _, motif in found], settings.core_bits, settings.min_width, settings.min_bits)
    comparison = compare(pwms, [target.pwm for target in targets])
    table = best_matches([found[index] for index in kept], targets, comparison, settings.top, len(jaspar))
    with atomic(matches) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.6g")
    if matched_meme is not None:
        used = set(table["match_id"])
        write_meme(
            matched_meme,
            (
                Motif(motif.matrix_id, motif.name, motif.pwm, motif.sites)
                for motif in targets
                if motif.matrix_id in used
            ),
        )
    status(
        f"{len(kept)} motifs matched to {len(jaspar)} of {settings.release} ({settings.tax_group})"
        + (f" and {len(own)} of {library}" if library else "")
        + f", {int((comparison.q < 0.05).any(axis=1).sum())} of them at q < 0.05; {len(found) - len(kept)} too short "
        "or with too little information left out"
    )


class MatchConfig(NamedTuple):
    """What ``config/interpretation/*.yaml`` says under ``jaspar``."""

    release: str
    collection: str
    tax_group: str | list[str]
    top: int = 3
    core_bits: float = 0.5
    min_width: int = 5
    min_bits: float = 6.0


def queries_of(
    motifs: Sequence[Motif], core_bits: float, min_width: int, min_bits: float
) -> tuple[list[int], list[np.ndarray]]:
    """Choose what is worth comparing, by the motifs alone.

    A query that says little resembles much: of filters with random weights, nineteen positions long with three tenths
    of a bit in each, nine in ten match a long matrix of JASPAR at q < 0.05, flat stretch on flat stretch. So only a
    motif's core is compared, and one that is then too short or says too little is left out before anything is
    compared: it neither matches nor weighs on the other motifs' q-values.

    Parameters
    ----------
    motifs
        Of any width.
    core_bits
        As ``bits`` of :func:`lociflow.interpretation.motifs.meme.core`.
    min_width, min_bits
        Positions, and bits in total, that a core must have.

    Returns
    -------
    list of int
        Indices of the motifs that remain.
    list of numpy.ndarray
        Their cores, each of shape ``(4, width)``.
    """
    kept, pwms = [], []
    for index, motif in enumerate(motifs):
        pwm = motif.pwm[:, core(motif.pwm, motif.sites, core_bits)]
        if pwm.shape[1] >= min_width and information(pwm).sum() >= min_bits:
            kept.append(index)
            pwms.append(np.ascontiguousarray(pwm))
    return kept, pwms


def compare(queries: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> Comparison:
    """Compare every query with every target and its reverse complement.

    TOMTOM (Gupta et al. 2007), with the p-values of memelite; q-values by Benjamini and Hochberg (1995) over all pairs.
    Targets are the background of the p-values: give a whole collection, not a selection.

    Parameters
    ----------
    queries, targets
        Matrices of shape ``(4, width)``.
    """
    if not len(queries):
        none = np.empty((0, len(targets)))
        return Comparison(none, none, none.astype(int), none.astype(int), none.astype(bool))
    with warnings.catch_warnings():
        # Small collections (JASPAR's nematodes) are the user's choice.
        warnings.filterwarnings("ignore", message="tomtom was given")
        p, _, offset, overlap, strand = tomtom(list(queries), list(targets), n_jobs=1)
    p = np.clip(p, 0.0, 1.0)
    q = false_discovery_control(p.ravel(), method="bh").reshape(p.shape)
    return Comparison(p, q, overlap.astype(int), offset.astype(int), strand.astype(bool))


def library_motifs(path: Path) -> list[JasparMotif]:
    """Read the motifs of the user's own library.

    Raises
    ------
    UserError
        The file is not MEME's, or holds no motif.
    """
    found = read_meme(path)
    if not found:
        raise UserError(f"{path}: found no motif, expected some; correct jaspar.library, or set it to null")
    return [
        JasparMotif(LIBRARY + motif.name, motif.alternate or motif.name, "", "", motif.pwm, motif.sites)
        for motif in found
    ]


def best_matches(
    queries: Sequence[tuple[str, Motif]], targets: Sequence[JasparMotif], comparison: Comparison, top: int, jaspar: int
) -> pd.DataFrame:
    """Return the ``top`` matches of each query among the first ``jaspar`` targets, and as many among the others.

    Best first; equal p-values in the order of the targets.
    """
    rows = []
    for index, (label, motif) in enumerate(queries):
        order = np.argsort(comparison.p[index], kind="stable")
        first, others = order[order < jaspar][:top], order[order >= jaspar][:top]
        for best in order[np.isin(order, np.concatenate([first, others]))]:
            target = targets[best]
            rows.append(
                (
                    label, motif.name, motif.alternate, target.matrix_id, target.name, target.family, target.tf_class,
                    comparison.p[index, best], comparison.q[index, best], comparison.overlap[index, best],
                    comparison.offset[index, best], "-" if comparison.reverse[index, best] else "+",
                )
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))
