import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError, write_json
from lociflow.formats import stamp
from lociflow.interpretation.motifs.jaspar import JasparMotif, jaspar_motifs
from lociflow.interpretation.motifs.match import COLUMNS, compare, library_motifs, match_motifs, queries_of
from lociflow.interpretation.motifs.meme import Motif, read_meme, write_meme

FUNGI = {"release": "JASPAR2024", "collection": "CORE", "tax_group": "fungi"}


@pytest.fixture(scope="module")
def jaspar() -> list[JasparMotif]:
    return jaspar_motifs("JASPAR2024", "CORE", "fungi")


def one(jaspar: list[JasparMotif], name: str) -> int:
    return next(index for index, motif in enumerate(jaspar) if motif.name == name)


def test_a_motif_matches_itself_on_either_strand(jaspar: list[JasparMotif]) -> None:
    index = one(jaspar, "REB1")
    pwm = jaspar[index].pwm
    found = compare([pwm, pwm[::-1, ::-1]], [motif.pwm for motif in jaspar])
    assert found.p.argmin(axis=1).tolist() == [index, index]
    assert (found.q[:, index] < 1e-6).all()
    assert found.reverse[:, index].tolist() == [False, True]
    assert found.overlap[:, index].tolist() == [pwm.shape[1]] * 2


def test_offset_is_where_the_query_lies_on_the_target(jaspar: list[JasparMotif]) -> None:
    index = one(jaspar, "RAP1")
    pwm = jaspar[index].pwm
    inner = pwm[:, 2:-1]
    found = compare([inner, inner[::-1, ::-1]], [motif.pwm for motif in jaspar])
    assert found.offset[:, index].tolist() == [2, 1]
    assert found.overlap[:, index].tolist() == [inner.shape[1]] * 2


def test_q_is_benjamini_hochberg_over_all_pairs(jaspar: list[JasparMotif]) -> None:
    draws = np.random.default_rng(1)
    queries = [jaspar[one(jaspar, "REB1")].pwm, *(draws.dirichlet(np.full(4, 0.3), 9).T for _ in range(4))]
    found = compare(queries, [motif.pwm for motif in jaspar])
    p = found.p.ravel()
    by_hand = np.empty_like(p)
    lowest = 1.0
    for rank, index in reversed(list(enumerate(np.argsort(p, kind="stable"), start=1))):
        lowest = min(lowest, p[index] * len(p) / rank)
        by_hand[index] = lowest
    np.testing.assert_allclose(found.q.ravel(), by_hand)


def test_random_motifs_rarely_match(jaspar: list[JasparMotif]) -> None:
    draws = np.random.default_rng(1)
    queries = [draws.dirichlet(np.full(4, 0.2), 8).T for _ in range(200)]
    found = compare(queries, [motif.pwm for motif in jaspar])
    assert (found.p < 0.05).mean() < 0.06
    assert (found.q < 0.05).any(axis=1).mean() < 0.02


def test_flat_flanks_are_cut_and_poor_motifs_left_out() -> None:
    flat = np.full((4, 3), 0.25)
    sharp = np.eye(4)[:, [0, 1, 2, 3, 0]]
    motifs = [
        Motif("kept", "", np.concatenate([flat, sharp, flat], axis=1), 0),
        Motif("short", "", sharp[:, :4], 0),
        Motif("vague", "", np.tile([[0.5], [0.5], [0], [0]], 5), 1),
        Motif("flat", "", flat, 1),
    ]
    kept, pwms = queries_of(motifs, core_bits=0.5, min_width=5, min_bits=6)
    assert kept == [0]
    np.testing.assert_array_equal(pwms[0], sharp)


def test_flat_columns_alone_are_no_match(jaspar: list[JasparMotif]) -> None:
    draws = np.random.default_rng(1)
    vague = [Motif(str(number), "", draws.dirichlet(np.full(4, 2.0), 19).T, 5000) for number in range(100)]
    assert queries_of(vague, core_bits=0.5, min_width=5, min_bits=6)[0] == []
    whole = [
        motif for motif in jaspar if motif.name in ("REB1", "RAP1", "MCM1", "ABF1", "CBF1", "HSF1", "GCN4", "TBF1")
    ]
    named = [Motif(motif.name, "", motif.pwm, motif.sites) for motif in whole]
    assert len(queries_of(named, core_bits=0.5, min_width=5, min_bits=6)[0]) == len(named) >= 7


def test_writes_the_best_matches_and_their_matrices(tmp_path: Path, jaspar: list[JasparMotif]) -> None:
    reb1, mcm1 = jaspar[one(jaspar, "REB1")], jaspar[one(jaspar, "MCM1")]
    write_meme(
        tmp_path / "a.meme",
        [Motif("Reb1.positive_0", "positive", reb1.pwm, 9), Motif("x", "", np.full((4, 9), 0.25), 9)],
    )
    write_meme(tmp_path / "b.meme", [Motif("filter_3", "filter", mcm1.pwm[::-1, ::-1], 9)])
    files = [("danq/seed1", tmp_path / "a.meme"), ("filters", tmp_path / "b.meme")]
    match_motifs(files, {**FUNGI, "top": 2}, tmp_path / "matches.tsv", tmp_path / "matched.meme")
    table = pd.read_csv(tmp_path / "matches.tsv", sep="\t", keep_default_na=False)
    assert tuple(table.columns) == COLUMNS
    assert table["motif"].tolist() == ["Reb1.positive_0"] * 2 + ["filter_3"] * 2
    assert table["kind"].tolist() == ["positive"] * 2 + ["filter"] * 2
    assert table["label"].tolist() == ["danq/seed1"] * 2 + ["filters"] * 2
    assert table.loc[0, ["match_id", "match_name", "strand"]].tolist() == [reb1.matrix_id, "REB1", "+"]
    assert table.loc[2, ["match_name", "class", "strand"]].tolist() == ["MCM1", "MADS box factors", "-"]
    assert table["q"].dtype == float
    matched = read_meme(tmp_path / "matched.meme")
    assert {motif.name for motif in matched} == set(table["match_id"])
    assert {motif.name: motif.alternate for motif in matched}[reb1.matrix_id] == "REB1"


def test_no_motif_at_all_gives_empty_files(tmp_path: Path) -> None:
    write_meme(tmp_path / "a.meme", [])
    match_motifs([("a", tmp_path / "a.meme")], FUNGI, tmp_path / "matches.tsv", tmp_path / "matched.meme")
    assert (tmp_path / "matches.tsv").read_text() == "\t".join(COLUMNS) + "\n"
    assert read_meme(tmp_path / "matched.meme") == []


def test_refuses_a_label_given_twice_and_unknown_keys(tmp_path: Path) -> None:
    write_meme(tmp_path / "a.meme", [])
    with pytest.raises(UserError, match="found a twice"):
        match_motifs([("a", tmp_path / "a.meme")] * 2, FUNGI, tmp_path / "matches.tsv")
    with pytest.raises(UserError, match=r"jaspar: .*'taxon'"):
        match_motifs([("a", tmp_path / "a.meme")], {**FUNGI, "taxon": 1}, tmp_path / "matches.tsv")


def test_motifs_of_an_explanation_that_failed_a_check_are_left_out(jaspar: list[JasparMotif], tmp_path: Path) -> None:
    reb1 = next(motif for motif in jaspar if motif.name == "REB1")
    files, checks = [], []
    for label, verdict in (("good", "pass"), ("bad", "fail")):
        write_meme(tmp_path / f"{label}.meme", [Motif("a", "positive", reb1.pwm, 40)])
        rest = {name: {"verdict": "pass"} for name in ("deletion", "insertion", "completeness")}
        found = {**stamp("explanation checks"), "randomisation": {"verdict": verdict}, **rest}
        write_json(tmp_path / f"{label}.json", found)
        files.append((label, tmp_path / f"{label}.meme"))
        checks.append((label, tmp_path / f"{label}.json"))
    match_motifs(files, FUNGI, tmp_path / "matches.tsv", checks=checks)
    assert set(pd.read_csv(tmp_path / "matches.tsv", sep="\t")["label"]) == {"good"}
    match_motifs(files, FUNGI, tmp_path / "matches.tsv")
    assert set(pd.read_csv(tmp_path / "matches.tsv", sep="\t")["label"]) == {"good", "bad"}


def test_a_library_is_matched_beside_jaspar(tmp_path: Path, jaspar: list[JasparMotif]) -> None:
    reb1, mcm1 = jaspar[one(jaspar, "REB1")], jaspar[one(jaspar, "MCM1")]
    write_meme(tmp_path / "a.meme", [Motif("Reb1.positive_0", "positive", reb1.pwm, 9)])
    own = [Motif("mine_1", "", mcm1.pwm, 9), Motif(reb1.matrix_id, "mine", reb1.pwm[::-1, ::-1], 9)]
    write_meme(tmp_path / "own.meme", own)
    arguments = ([("a", tmp_path / "a.meme")], {**FUNGI, "top": 1}, tmp_path / "matches.tsv", tmp_path / "matched.meme")
    match_motifs(*arguments)
    alone = pd.read_csv(tmp_path / "matches.tsv", sep="\t", keep_default_na=False)
    match_motifs(*arguments, library=tmp_path / "own.meme")
    table = pd.read_csv(tmp_path / "matches.tsv", sep="\t", keep_default_na=False)
    found = table[["match_id", "match_name", "family", "strand"]].to_numpy().tolist()
    assert found[0] == [reb1.matrix_id, "REB1", reb1.family, "+"]
    assert found[1] == [f"library:{reb1.matrix_id}", "mine", "", "-"]
    assert alone["match_id"].tolist() == [reb1.matrix_id]
    assert {motif.name for motif in read_meme(tmp_path / "matched.meme")} == set(table["match_id"])


def test_an_empty_library_is_refused(tmp_path: Path) -> None:
    write_meme(tmp_path / "a.meme", [])
    with pytest.raises(UserError, match=r"a\.meme: found no motif, .*jaspar\.library"):
        match_motifs([("a", tmp_path / "a.meme")], FUNGI, tmp_path / "matches.tsv", library=tmp_path / "a.meme")


@pytest.mark.skipif("LOCIFLOW_REAL_DATA" not in os.environ, reason="LOCIFLOW_REAL_DATA names no folder")
@pytest.mark.parametrize(
    ("file", "motifs"), [("Basset_CISBP_Homo_sapiens.meme", 734), ("gReLU_jaspar_2024_consensus.meme", 182)]
)
def test_libraries_of_other_programs_are_read(file: str, motifs: int) -> None:
    found = library_motifs(Path(os.environ["LOCIFLOW_REAL_DATA"]) / "motifs" / file)
    assert len(found) == motifs
    assert all(motif.matrix_id.startswith("library:") and motif.name for motif in found)
