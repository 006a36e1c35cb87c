"""The motifs of JASPAR, as pyjaspar carries them: no network."""

import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from pyjaspar import jaspar_releases, jaspardb

from lociflow.command import UserError

# Added to each column's counts, a quarter to each base, so that no probability is 0.
PSEUDOCOUNT = 1.0


class JasparMotif(NamedTuple):
    """One matrix of JASPAR."""

    matrix_id: str
    name: str
    family: str
    """Structural family; of a dimer, both, joined by ``::``; empty where JASPAR has none."""
    tf_class: str
    pwm: np.ndarray
    """``float64``, shape ``(4, width)``: probabilities of A, C, G and T."""
    sites: float


def jaspar_motifs(release: str, collection: str, tax_group: str | Iterable[str]) -> list[JasparMotif]:
    """Return the latest version of every matrix of a release, sorted by matrix ID.

    Parameters
    ----------
    release
        For example ``JASPAR2024`` (Rauluseviciute et al. 2024).
    collection
        ``CORE`` or ``UNVALIDATED``.
    tax_group
        One or several of JASPAR's groups, for example ``vertebrates``, ``fungi``, ``plants``.

    Raises
    ------
    UserError
        pyjaspar has no such release, or the release no such collection or group.
    """
    if release not in jaspar_releases:
        raise UserError(f"jaspar.release: found {release}, expected one of {', '.join(sorted(jaspar_releases))}")
    groups = [tax_group] if isinstance(tax_group, str) else list(tax_group)
    database = jaspardb(release=release)
    known = {
        "tax_group": _values(database, "SELECT DISTINCT val FROM MATRIX_ANNOTATION WHERE tag = 'tax_group'"),
        "collection": _values(database, "SELECT DISTINCT collection FROM MATRIX"),
    }
    for key, found in [("collection", collection), *(("tax_group", group) for group in groups)]:
        if found not in known[key]:
            raise UserError(f"jaspar.{key}: found {found}, expected one of {', '.join(known[key])} ({release})")
    with warnings.catch_warnings():
        # Biopython warns where it finds nothing; the caller is told below.
        warnings.simplefilter("ignore")
        records = database.fetch_motifs(collection=collection, tax_group=groups)
    if not len(records):
        raise UserError(f"jaspar: {release} has no motif of {', '.join(groups)} in {collection}, expected some")
    motifs = []
    for record in records:
        counts = np.array([record.counts[base] for base in "ACGT"], dtype=np.float64)
        pwm = (counts + PSEUDOCOUNT / 4) / (counts.sum(axis=0) + PSEUDOCOUNT)
        motifs.append(
            JasparMotif(
                record.matrix_id,
                record.name,
                "::".join(record.tf_family or []),
                "::".join(record.tf_class or []),
                pwm,
                float(counts.sum(axis=0).max()),
            )
        )
    return sorted(motifs, key=lambda motif: motif.matrix_id)


def _values(database: jaspardb, query: str) -> list[str]:
    return sorted(row[0] for row in database.conn.execute(query))
