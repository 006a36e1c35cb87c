import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.report.planted import planted_motifs


def test_matrix_and_family_come_from_jaspar() -> None:
    found = planted_motifs({"release": "JASPAR2024", "factors": {"MYC": {"matrix": "MA0147.4"}}})["MYC"]
    assert (found.matrix, found.families, found.pwm.shape) == ("MA0147.4", ("bHLH-ZIP",), (4, 8))
    np.testing.assert_allclose(found.pwm.sum(axis=0), 1)
    assert "".join("ACGT"[row] for row in found.pwm.argmax(axis=0)) == "CCACGTGC"


def test_unknown_matrix() -> None:
    with pytest.raises(UserError, match=r"simulation.factors.MYC: MA9999.1 is not in JASPAR2024"):
        planted_motifs({"release": "JASPAR2024", "factors": {"MYC": {"matrix": "MA9999.1"}}})
