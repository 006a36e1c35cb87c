"""The motifs that were planted in a simulated genome, looked up in JASPAR: matrix, family, logo."""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from lociflow.command import UserError


class Planted(NamedTuple):
    """The motif of one factor."""

    matrix: str
    """JASPAR id."""
    families: tuple[str, ...]
    """Structural families; two for a dimer of unlike halves."""
    pwm: np.ndarray
    """float, shape (4, length): probabilities of A, C, G and T."""


def planted_motifs(simulation: Mapping[str, Any]) -> dict[str, Planted]:
    """Look up the motif of each factor that a simulation plants.

    Parameters
    ----------
    simulation
        Configuration with ``release`` and ``factors``, each factor with its ``matrix``.

    Raises
    ------
    UserError
        The release has no such matrix.
    """
    from pyjaspar import jaspardb  # a second to import, and only simulated genomes need it

    database = jaspardb(release=simulation["release"])
    found = {}
    for factor, entry in simulation["factors"].items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a matrix that is not there, which the next lines say better
            motif = database.fetch_motif_by_id(entry["matrix"])
        if motif is None:
            raise UserError(f"simulation.factors.{factor}: {entry['matrix']} is not in {simulation['release']}")
        counts = np.array([motif.counts[base] for base in "ACGT"], dtype=np.float64)
        found[factor] = Planted(entry["matrix"], tuple(motif.tf_family or ()), counts / counts.sum(axis=0))
    return found
