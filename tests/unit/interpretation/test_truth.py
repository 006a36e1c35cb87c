import json

import numpy as np
import pandas as pd
import pytest
from window_files import write_holdout

from lociflow.command import UserError
from lociflow.interpretation.attributions import Attributions, read_attributions, write_attributions
from lociflow.interpretation.truth import (
    BACKGROUND,
    BOUND,
    DECOY,
    OTHER,
    mark_positions,
    overall,
    score_explanations,
    score_target,
    sites_of,
)

SITES = pd.DataFrame(
    [
        ("a", 2, 5, "+", "X", "decoy", 0, "MX", "AAA", 0),
        ("a", 10, 14, "+", "Y", "pair", 1, "MY", "CCCC", 1),
        ("a", 16, 19, "+", "X", "pair", 1, "MX", "AAA", 1),
        ("a", 30, 34, "-", "Y", "site", 1, "MY", "CCCC", 2),
        ("b", 3, 6, "-", "Z", "decoy", 0, "MZ", "GGG", 3),
    ],
    columns=["contig", "start", "end", "strand", "factor", "kind", "bound", "matrix", "sequence", "element"],
)


def bins_of(*rows):
    table = pd.DataFrame(rows, columns=["contig", "start", "end", "strand"])
    return table.astype({"contig": "category", "strand": pd.CategoricalDtype([".", "+", "-"])})


def test_a_paired_factor_is_explained_by_both_motifs():
    bound, decoys = sites_of(SITES, "X")
    assert bound.index.tolist() == [1, 2]
    assert decoys.index.tolist() == [0]


def test_its_partner_is_explained_by_its_own_motif():
    bound, decoys = sites_of(SITES, "Y")
    assert bound.index.tolist() == [1, 3]
    assert decoys.empty


@pytest.mark.parametrize("factor", ["Z", "W"])
def test_what_is_never_bound_has_no_sites(factor):
    assert sites_of(SITES, factor)[0].empty


def test_positions_of_a_window():
    bins = bins_of(("a", 8, 12, "."))
    # The window of 16 bases centred on base 10 is 2 to 18.
    marks = mark_positions(bins, 16, SITES, *sites_of(SITES, "X"))
    expected = [DECOY] * 3 + [BACKGROUND] * 5 + [BOUND] * 4 + [BACKGROUND] * 2 + [BOUND] * 2
    assert marks.tolist() == [expected]
    marks = mark_positions(bins, 16, SITES, *sites_of(SITES, "Y"))
    expected = [OTHER] * 3 + [BACKGROUND] * 5 + [BOUND] * 4 + [BACKGROUND] * 2 + [OTHER] * 2
    assert marks.tolist() == [expected]


def test_windows_of_the_reverse_strand_other_contigs_and_odd_lengths():
    bins = bins_of(("a", 8, 12, "-"), ("b", 2, 5, "."), ("a", 100, 104, "."))
    marks = mark_positions(bins, 5, SITES, *sites_of(SITES, "Y"))
    # 8 to 13, read backwards; 1 to 6; nothing.
    assert marks.tolist() == [[BOUND] * 3 + [BACKGROUND] * 2, [BACKGROUND] * 2 + [OTHER] * 3, [BACKGROUND] * 5]


def test_neighbouring_sites_do_not_run_into_each_other():
    sites = SITES.iloc[[1, 3]].assign(start=[10, 14], end=[14, 18])
    marks = mark_positions(bins_of(("a", 12, 16, ".")), 10, sites, sites, sites.iloc[:0])
    assert marks.tolist() == [[BACKGROUND] + [BOUND] * 8 + [BACKGROUND]]


def test_perfect_contributions():
    marks = np.array([[BACKGROUND, BOUND, BOUND, OTHER], [DECOY, BACKGROUND, BACKGROUND, BACKGROUND]], dtype=np.uint8)
    contributions = np.array([[-5.0, 2, 4, 1], [0.75, 0, 0, 0]])
    found = score_target(contributions, marks, np.ones((2, 4), dtype=bool))
    assert found == {
        "windows": 2,
        "windows_with_site": 1,
        "positions": 8,
        "base_rate": 0.25,
        "auprc": 1.0,
        "auroc": 1.0,
        "mean": {"bound": 3.0, "decoy": 0.75, "background": 0.0},
        "decoy_ratio": 0.25,
        "background_ratio": 0.0,
    }


def test_equal_contributions_score_the_base_rate():
    marks = np.array([[BOUND, BACKGROUND, BACKGROUND, BACKGROUND]], dtype=np.uint8)
    found = score_target(np.ones((1, 4)), marks, np.ones((1, 4), dtype=bool))
    assert (found["auprc"], found["auroc"], found["base_rate"]) == (0.25, 0.5, 0.25)
    assert found["decoy_ratio"] is None
    assert found["background_ratio"] == 1


def test_scores_by_hand():
    marks = np.array([[BOUND, BACKGROUND, BOUND, BACKGROUND, BACKGROUND]], dtype=np.uint8)
    known = np.array([[True, True, True, True, False]])
    found = score_target(np.array([[4.0, 3, 2, 1, 9]]), marks, known)
    assert found["positions"] == 4
    assert found["auprc"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["auroc"] == 0.75


def test_without_a_site_nothing_is_defined():
    found = score_target(np.ones((1, 2)), np.zeros((1, 2), dtype=np.uint8), np.ones((1, 2), dtype=bool))
    assert (found["auprc"], found["auroc"], found["base_rate"]) == (None, None, 0.0)
    assert found["mean"] == {"bound": None, "decoy": None, "background": 1.0}


def test_overall_is_the_mean_over_factors_of_what_is_defined():
    one = {"windows": 2, "windows_with_site": 1, "positions": 8, "base_rate": 0.2, "auprc": 0.5, "auroc": 0.75}
    ratios = {"decoy_ratio": 0.5, "background_ratio": 0.25}
    other = {**one, "auprc": 0.25, "decoy_ratio": None, "background_ratio": 0.75}
    assert overall({"X": {**one, **ratios}, "Y": other}) == {
        "factors": 2,
        "windows": 4,
        "windows_with_site": 2,
        "positions": 16,
        "base_rate": 0.2,
        "auprc": 0.375,
        "auroc": 0.75,
        "decoy_ratio": 0.5,
        "background_ratio": 0.5,
    }
    assert overall({})["auprc"] is None


@pytest.fixture
def files(tmp_path):
    SITES.to_csv(tmp_path / "sites.tsv", sep="\t", index=False)
    bins = bins_of(("a", 8, 12, "."), ("a", 28, 36, "."), ("b", 0, 8, "."))
    bins["split"] = pd.Categorical(["train", "test", "test"])
    bins["group"] = pd.Categorical([None] * 3)
    write_holdout(tmp_path / "windows.parquet", bins)
    (tmp_path / "targets.tsv").write_text("target\tpeaks\nW\t1\nX\t1\nY\t1\n")
    return {
        "attributions": tmp_path / "attributions.npz",
        "windows": tmp_path / "windows.parquet",
        "target_table": tmp_path / "targets.tsv",
        "sites": tmp_path / "sites.tsv",
        "config": {"block": None, "draws": 50, "level": 0.95, "seed": 1},
        "scores": tmp_path / "truth.json",
    }


def write(files, bins, targets, lit=()):
    hypothetical = np.zeros((len(bins), 4, 8), dtype=np.float32)
    for row, first, last in lit:
        hypothetical[row, 0, first:last] = 1
    codes = np.zeros((len(bins), 8), dtype=np.uint8)
    facts = [{"target": "WXYZ"[column], "column": column} for column in sorted(set(targets))]
    meta = {"method": "toy", "targets": facts}
    write_attributions(
        files["attributions"], Attributions(np.array(bins), np.array(targets), codes, hypothetical, meta)
    )


def test_factors_and_other_targets(files):
    # Windows of Y: 28 to 36, whose site 30 to 34 is lit, and 0 to 8 of b without any. W is no factor.
    write(files, [1, 2, 1], [2, 2, 0], lit=[(0, 2, 6)])
    score_explanations(**files)
    found = json.loads(files["scores"].read_text())
    assert (found["format"], found["version"]) == ("explanation scores", 2)
    assert list(found["factors"]) == ["Y"]
    assert found["not_planted"] == ["W"]
    scores = found["factors"]["Y"]
    assert (scores["windows"], scores["positions"], scores["base_rate"]) == (2, 16, 0.25)
    assert (scores["auprc"], scores["auroc"]) == (1, 1)
    assert found["overall"]["auprc"] == 1


def test_attributions_without_any_factor(files):
    write(files, [1], [0])
    score_explanations(**files)
    found = json.loads(files["scores"].read_text())
    assert found["factors"] == {}
    assert found["overall"]["auprc"] is None


def test_attributions_of_other_windows_are_refused(files):
    write(files, [7], [2])
    with pytest.raises(UserError, match="holds bin 7, expected less than 3"):
        score_explanations(**files)
    write(files, [1], [3])
    with pytest.raises(UserError, match="explains Z, expected targets of"):
        score_explanations(**files)


def test_columns_are_those_of_a_model_of_some_targets(files):
    write(files, [1, 2], [2, 2], lit=[(0, 2, 6)])
    found = read_attributions(files["attributions"])
    facts = [{"target": "Y", "column": 0}]
    write_attributions(files["attributions"], found._replace(target=np.zeros(2), meta={**found.meta, "targets": facts}))
    score_explanations(**files)
    scores = json.loads(files["scores"].read_text())
    assert (list(scores["factors"]), scores["factors"]["Y"]["auprc"]) == (["Y"], 1)


def test_intervals_need_windows(files):
    write(files, [1, 2], [2, 2], lit=[(0, 2, 6)])
    score_explanations(**files)
    found = json.loads(files["scores"].read_text())
    assert found["overall"]["low"] is None
    assert found["overall"]["reason"] == "2 blocks, at least 10 are needed"
    assert found["factors"]["Y"]["reason"] == "2 blocks have labelled bins, at least 10 are needed"
    assert found["draws"] == []
    assert found["method"] == "toy"
