import numpy as np

from lociflow.interpretation.motifs.known_motifs import fitting, found_motifs, own_motifs, planted, words_of
from lociflow.interpretation.motifs.meme import Motif, consensus

JASPAR = ("JASPAR2024", "CORE", "vertebrates")


def motif(name: str, sites: float = 10, width: int = 4) -> Motif:
    return Motif(name, "", np.full((4, width), 0.25), sites)


def test_targets_have_the_motif_of_their_name() -> None:
    found = own_motifs(["nothing", "ctcf", "K562|NFYA|None"], *JASPAR)
    assert [each.name for each in found] == ["CTCF", "NFYA"]
    assert all(np.allclose(each.pwm.sum(axis=0), 1) for each in found)
    assert "CCAAT" in consensus(found[1].pwm) or "ATTGG" in consensus(found[1].pwm)


def test_a_factor_of_two_targets_is_there_once() -> None:
    assert [each.name for each in own_motifs(["A_CTCF", "B_CTCF"], *JASPAR)] == ["CTCF"]


def test_a_name_may_hold_a_hyphen() -> None:
    assert words_of("HepG2 Nkx2-5") == ["hepg2 nkx2-5", "hepg2", "nkx2-5"]


def test_the_pair_of_a_simulated_genome_comes_first() -> None:
    factors = {"CTCF": {"matrix": "MA0139.2"}, "NFYA": {"matrix": "MA0060.4"}, "REST": {"matrix": "MA0138.3"}}
    simulation = {"release": "JASPAR2024", "factors": factors, "pair": {"factor": "NFYA", "partner": "REST"}}
    assert [each.name for each in planted(simulation)] == ["REST", "NFYA", "CTCF"]
    assert [each.alternate for each in planted({**simulation, "pair": None})] == ["MA0139.2", "MA0060.4", "MA0138.3"]


def test_found_motifs_take_turns_between_targets() -> None:
    found = [
        motif("A.positive_0", 90),
        motif("A.positive_1", 80),
        motif("B.x.positive_0", 20),
        motif("C.positive_0", 5),
    ]
    assert [each.name for each in found_motifs(found)] == [
        "A.positive_0",
        "B.x.positive_0",
        "C.positive_0",
        "A.positive_1",
    ]
    assert [each.name for each in found_motifs(found, without=["a", "B.x"])] == ["C.positive_0"]


def test_what_is_left_out_is_told() -> None:
    kept, left = fitting([motif("a"), motif("wide", width=30), motif("b"), motif("c")], length=30, most=2)
    assert [each.name for each in kept] == ["a", "b"]
    assert {each["motif"]: each["reason"] for each in left} == {
        "wide": "30 bases do not fit into windows of 30",
        "c": "max_motifs is 2",
    }
