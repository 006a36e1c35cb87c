import json

import numpy as np
import pytest

from lociflow.formats import stamp
from lociflow.interpretation.checks.verdicts import CHECKS
from lociflow.interpretation.motifs.jaspar import jaspar_motifs
from lociflow.interpretation.motifs.match import MatchConfig
from lociflow.interpretation.motifs.meme import Motif, write_meme
from lociflow.interpretation.motifs.recovery import planted_matrices, recover, score_motifs, similarity

SETTINGS = MatchConfig("JASPAR2024", "CORE", "fungi")
SIMULATION = {
    "release": "JASPAR2024",
    "factors": {"Reb1": {"matrix": "MA0363.3", "sites": 10}, "Rap1": {"matrix": "MA0359.3", "sites": 10}},
    "decoys": {"foreign": {"TP53": {"matrix": "MA0106.3", "sites": 5}}},
}


def word(text, sure=1.0):
    pwm = np.full((4, len(text)), (1 - sure) / 3)
    for position, base in enumerate(text):
        if base == "N":
            pwm[:, position] = 0.25
        else:
            pwm["ACGT".index(base), position] = sure
    return pwm


@pytest.fixture(scope="module")
def planted():
    return planted_matrices(SIMULATION)


@pytest.fixture(scope="module")
def fungi():
    return jaspar_motifs("JASPAR2024", "CORE", "fungi")


def test_factors_come_before_foreign_decoys(planted):
    assert [(truth.name, truth.matrix, truth.foreign) for truth in planted] == [
        ("Reb1", "MA0363.3", False),
        ("Rap1", "MA0359.3", False),
        ("TP53", "MA0106.3", True),
    ]
    for truth in planted:
        np.testing.assert_allclose(truth.pwm.sum(axis=0), 1)


def test_a_motif_is_like_itself_wherever_and_on_either_strand():
    assert similarity(word("ACCG"), word("NACCGN")) == (pytest.approx(1), 4, -1, False)
    assert similarity(word("ACCG"), word("CGGT")) == (pytest.approx(1), 4, 0, True)


def test_a_part_is_less_like_the_whole():
    # Two of four columns: 2 columns' product over the root of 4 times 2 columns' squares.
    found = similarity(word("ACCG"), word("CG"))
    assert found == (pytest.approx(np.sqrt(2 / 4)), 2, 2, False)


def test_a_weaker_motif_of_the_same_shape_correlates_fully():
    assert similarity(word("ACCG"), word("ACCG", 0.5)).pearson == pytest.approx(1)


def test_flat_columns_of_the_planted_matrix_do_not_count():
    assert similarity(word("ANCG"), word("ATCG")).pearson == pytest.approx(1)
    assert similarity(word("ANCG"), word("ATCG")).overlap == 3


def test_one_wrong_base_by_hand():
    # A column against itself: 3/4 squared and three times 1/4 squared, 3/4; against another: two times -3/16 and two
    # times 1/16, -1/4.
    assert similarity(word("ACG"), word("ATG")).pearson == pytest.approx((0.75 - 0.25 + 0.75) / (3 * 0.75))


def test_what_cannot_correlate():
    assert similarity(word("NNN"), word("ACG")) == (0, 0, 0, False)
    assert similarity(word("ACG"), word("NNN")) == (0, 0, 0, False)


def test_recovered_false_foreign_negative_and_left_out(planted, fungi):
    reb1, rap1, tp53 = (truth.pwm for truth in planted)
    motifs = [
        Motif("found", "positive", reb1[::-1, ::-1], 100),
        Motif("lowers", "negative", rap1, 100),
        Motif("decoy", "positive", tp53, 100),
        Motif("strange", "positive", word("GACTGCATGCAAGTCC", 0.97), 100),
        Motif("short", "positive", word("ACG"), 100),
    ]
    found = recover(motifs, planted, fungi, SETTINGS)
    assert (found["motifs"], found["negative"], found["left_out"], found["recovered"]) == (5, 1, 1, 1)
    assert found["false_motifs"] == ["decoy", "strange"]
    assert found["foreign"] == ["decoy"]
    reb, rap = found["factors"]["Reb1"], found["factors"]["Rap1"]
    assert (reb["recovered"], reb["motif"], rap["recovered"]) == (True, "found", False)
    assert reb["q"] < 1e-4
    assert reb["similarity"] > 0.98 > rap["similarity"]


def test_another_matrix_of_jaspar_recovers_nothing(planted, fungi):
    others = [motif for motif in fungi if motif.name == "ABF1"]
    found = recover([Motif("other", "positive", others[0].pwm, 1000)], planted, fungi, SETTINGS)
    assert found["left_out"] == 0
    assert found["recovered"] == 0
    assert found["false_motifs"] == ["other"]


def test_no_motif_is_a_valid_result(tmp_path):
    write_meme(tmp_path / "none.meme", [])
    sets = [("cnn/saliency", tmp_path / "none.meme")]
    score_motifs(sets, SIMULATION, SETTINGS._asdict(), tmp_path / "scores.json")
    written = json.loads((tmp_path / "scores.json").read_text())
    assert (written["format"], written["version"], written["distrusted"]) == ("motif recovery", 1, {})
    found = written["sets"]["cnn/saliency"]
    assert (found["recovered"], found["false_motifs"]) == (0, [])
    assert found["factors"]["Reb1"] == {
        "matrix": "MA0363.3",
        "recovered": False,
        "motif": None,
        "q": None,
        "similarity": None,
    }


def test_motifs_of_an_explanation_that_failed_are_left_out_by_name(tmp_path):
    write_meme(tmp_path / "none.meme", [])
    sets, checks = [], []
    for label, verdict in (("cnn/saliency", "fail"), ("cnn/shap", "pass")):
        sets.append((label, tmp_path / "none.meme"))
        checks.append((label, tmp_path / f"{verdict}.json"))
        found = {key: {"verdict": verdict} for key in CHECKS}
        checks[-1][1].write_text(json.dumps({**stamp("explanation checks"), **found}))
    score_motifs(sets, SIMULATION, SETTINGS._asdict(), tmp_path / "scores.json", checks=checks)
    written = json.loads((tmp_path / "scores.json").read_text())
    assert list(written["sets"]) == ["cnn/shap"]
    assert written["distrusted"] == {"cnn/saliency": list(CHECKS.values())}


def test_the_motif_of_a_factor_is_the_most_similar_of_those_that_match(planted, fungi):
    reb1 = planted[0].pwm
    motifs = [Motif("part", "positive", reb1[:, 4:], 500), Motif("whole", "positive", reb1, 500)]
    found = recover(motifs, planted, fungi, SETTINGS)
    assert found["false_motifs"] == []
    assert found["factors"]["Reb1"]["motif"] == "whole"
    assert not found["factors"]["Rap1"]["recovered"]
    assert found["factors"]["Rap1"]["q"] >= 0.05
