"""The alleles of a file with the largest effects."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lociflow.effects.records import Record

MOST = 10
Rows = Sequence[dict[str, np.ndarray] | None]


def with_larger(
    kept: Sequence[dict[str, Any]],
    record: Record,
    rows: Rows,
    effects: Sequence[np.ndarray | None],
    columns: Sequence[str],
) -> list[dict[str, Any]]:
    """Return the largest effects among those that were kept and those of a record.

    Parameters
    ----------
    kept
        Of the records before, as this function returns them.
    record
        The record.
    rows, effects
        As in :class:`lociflow.effects.annotate.Scored`.
    columns
        Names of the columns of effects.

    Returns
    -------
    list of dict
        At most :data:`MOST` alleles, the largest first, of equal ones those that come first in the file. Each has
        ``contig``, ``position`` (1-based), ``id``, ``ref``, ``alt``, the ``target`` on which its effect is largest,
        and there ``effect``, ``sd`` (None of one seed) and ``percentile``.
    """
    contig, position, _, reference, *_ = record.fields
    found = list(kept)
    for letters, row, effect in zip(record.alternatives, rows, effects, strict=True):
        if row is None or effect is None:
            continue
        top = int(np.nanargmax(np.abs(effect)))
        found.append(
            {
                "contig": contig,
                "position": int(position),
                "id": record.identifier,
                "ref": reference,
                "alt": letters,
                "target": columns[top],
                "effect": _known(effect[top]),
                "sd": _known(row["sd"][top]),
                "percentile": _known(row["percentile"][top]),
            }
        )
    return sorted(found, key=lambda one: -abs(one["effect"]))[:MOST]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.6g}") + 0.0
