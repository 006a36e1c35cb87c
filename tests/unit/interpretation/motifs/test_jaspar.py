import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.interpretation.motifs.jaspar import jaspar_motifs


def test_gives_the_latest_matrices_of_a_group() -> None:
    motifs = {motif.matrix_id: motif for motif in jaspar_motifs("JASPAR2024", "CORE", "fungi")}
    assert len(motifs) == 178
    assert list(motifs) == sorted(motifs)
    reb1 = next(motif for motif in motifs.values() if motif.name == "REB1")
    assert reb1.tf_class == "Tryptophan cluster factors"
    assert reb1.pwm.shape[0] == 4
    for motif in motifs.values():
        assert (motif.pwm > 0).all()
        np.testing.assert_allclose(motif.pwm.sum(axis=0), 1)


def test_several_groups_join() -> None:
    both = jaspar_motifs("JASPAR2024", "CORE", ["fungi", "diatoms"])
    assert len(both) == 178 + len(jaspar_motifs("JASPAR2024", "CORE", "diatoms"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("JASPAR2023", "CORE", "fungi"), "jaspar.release: found JASPAR2023, expected one of JASPAR2014"),
        (("JASPAR2024", "CORES", "fungi"), "jaspar.collection: found CORES, expected one of CORE"),
        (("JASPAR2024", "CORE", "yeast"), "jaspar.tax_group: found yeast, expected one of .*fungi"),
    ],
)
def test_refuses_what_jaspar_does_not_have(arguments: tuple[str, str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        jaspar_motifs(*arguments)
