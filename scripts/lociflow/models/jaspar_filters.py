"""Filters of a first convolution that are motifs of JASPAR, as pyjaspar carries them: no network."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from pyjaspar import jaspar_releases, jaspardb
from torch import Tensor

from lociflow.command import UserError
from lociflow.models.motif_filters import laid_in, log_odds


def jaspar_filters(
    release: str, tax_group: str | Sequence[str], count: int, length: int, collection: str = "CORE"
) -> Tensor:
    """Return the first motifs of a release as log-odds matrices.

    The order is a round through the structural families: one motif of each family (families by name, a family's motifs
    by matrix ID), then a second one of those that have it, and so on. A few filters then stand for many kinds of
    factors instead of for the first families in the database.

    Parameters
    ----------
    release
        For example ``JASPAR2024`` (Rauluseviciute et al. 2024).
    tax_group
        One or several of JASPAR's groups, for example ``vertebrates``, ``fungi``, ``plants``; only the latest version
        of a matrix is taken.
    count
        Number of filters.
    length
        Bases per filter; see :func:`~lociflow.models.motif_filters.laid_in`.
    collection
        ``CORE`` or ``UNVALIDATED``.

    Returns
    -------
    torch.Tensor
        float32, shape ``(count, 4, length)``: log2 of each base's probability over 1/4, and 0 beside the motif.

    Raises
    ------
    UserError
        There is no such release, or it has fewer motifs than ``count``.
    """
    if release not in jaspar_releases:
        raise UserError(
            f"model.architecture: found JASPAR release {release}, expected one of {', '.join(sorted(jaspar_releases))}"
        )
    groups = [tax_group] if isinstance(tax_group, str) else list(tax_group)
    with warnings.catch_warnings():
        # Biopython warns where it finds nothing; the caller is told below.
        warnings.simplefilter("ignore")
        records = jaspardb(release=release).fetch_motifs(collection=collection, tax_group=groups)
    families: dict[str, list[np.ndarray]] = {}
    for record in sorted(records, key=lambda record: record.matrix_id):
        counts = np.array([record.counts[base] for base in "ACGT"], dtype=np.float64)
        families.setdefault("::".join(record.tf_family or []), []).append(counts)
    chosen = [counts for _, counts in zip(range(count), _rounds(families), strict=False)]
    if len(chosen) < count:
        raise UserError(
            f"jaspar: found {len(chosen)} motifs of {', '.join(groups)} in {collection} of {release}, expected at "
            f"least {count}; ask for fewer filters or for more groups"
        )
    return torch.from_numpy(np.stack([laid_in(log_odds(counts), length) for counts in chosen])).float()


def _rounds(families: dict[str, list[np.ndarray]]) -> Iterator[np.ndarray]:
    for number in range(max(map(len, families.values()), default=0)):
        for name in sorted(families):
            if number < len(families[name]):
                yield families[name][number]
