from pathlib import Path

import numpy as np
import pytest
from audit_cases import Case, clean_case, table_case

from lociflow.audit.balance import count_labels
from lociflow.audit.features import chosen_rows, features
from lociflow.audit.subject import outcomes
from lociflow.command import UserError
from lociflow.sequence.alphabet import encode


def test_binary_targets_are_their_own_outcomes():
    labels = np.array([[1, 0], [-1, 1]], np.int8)
    found = outcomes(labels, "binary", ["a", "b"], None)
    assert found.names == ["a", "b"]
    assert not found.real
    np.testing.assert_array_equal(found.values, labels)


def test_a_class_is_an_outcome_each():
    labels = np.array([[0], [2], [-1]], np.int16)
    found = outcomes(labels, "class", ["site"], [["EI", "IE", "N"]])
    assert found.names == ["EI", "IE", "N"]
    np.testing.assert_array_equal(found.values, [[1, 0, 0], [0, 0, 1], [-1, -1, -1]])
    two = outcomes(np.zeros((1, 2), np.int16), "class", ["x", "y"], [["p", "q"], ["r", "s"]])
    assert two.names == ["x: p", "x: q", "y: r", "y: s"]


def test_a_bin_has_the_classes_of_its_bases_but_for_the_background():
    labels = np.array([[[0], [1]], [[0], [0]], [[-1], [2]], [[-1], [-1]]], np.int8)
    found = outcomes(labels, "position_class", ["splice"], [["none", "donor", "acceptor"]])
    assert found.names == ["donor", "acceptor"]
    np.testing.assert_array_equal(found.values, [[1, 0], [0, 0], [0, 1], [-1, -1]])


def test_a_profile_is_its_logarithmic_sum():
    labels = np.array([[[1.0], [2.0]], [[np.nan], [3.0]], [[np.nan], [np.nan]]], np.float32)
    found = outcomes(labels, "profile", ["atac"], None)
    assert found.real
    np.testing.assert_allclose(found.values[:, 0], [np.log(4), np.log(4), np.nan], rtol=1e-6)


def test_labels_are_counted_by_side():
    values = np.array([[1, 0], [1, -1], [0, 1], [1, 1]], np.int8)
    positives, known = count_labels(values, np.array([0, 0, 2, -1]))
    np.testing.assert_array_equal(positives, [[2, 0], [0, 0], [0, 1]])
    np.testing.assert_array_equal(known, [[2, 1], [0, 0], [1, 1]])


def test_padding_is_no_part_of_a_window(tmp_path: Path):
    sequences = [encode("GGCCAATT"), encode("GGNN"), encode("ACGTACGTACGT")]
    subject = table_case(sequences, np.array([0, 1, 0], np.int8), ["train", "validation", "test"]).subject(tmp_path)
    found = features(subject, np.arange(3))
    np.testing.assert_allclose(found.gc, [0.5, 1.0, 0.5])
    np.testing.assert_allclose(found.unknown, [0, 0.5, 0])
    np.testing.assert_array_equal(found.length, [8, 4, 12])
    np.testing.assert_allclose(found.words.sum(axis=1), 1, rtol=1e-6)


def test_soft_masked_bases_are_the_repeats(tmp_path: Path):
    case = table_case([encode("ACgtac", soft_mask=True)], np.zeros(1, np.int8), ["test"])
    found = features(case.subject(tmp_path), np.array([0]))
    assert found.repeat is not None
    np.testing.assert_allclose(found.repeat, [4 / 6])


def test_of_many_windows_some_are_drawn_the_same_each_time(tmp_path: Path):
    subject = clean_case().subject(tmp_path)
    rows = chosen_rows(subject, 100, 7)
    assert len(np.unique(rows)) == 100
    np.testing.assert_array_equal(rows, chosen_rows(subject, 100, 7))
    assert not np.array_equal(rows, chosen_rows(subject, 100, 8))
    np.testing.assert_array_equal(chosen_rows(subject, 600, 7), np.arange(600))


def gc_of(case: Case) -> np.ndarray:
    return np.array([np.isin(case.window(number), (1, 2)).mean() for number in range(len(case.bins))])


def test_real_labels_that_gc_gives_away_warn(tmp_path: Path):
    case = clean_case()
    noise = np.random.default_rng(1).normal(size=len(case.bins))
    case.kind, case.labels = "real", noise.astype(np.float32)[:, np.newaxis]
    case.labels[::9] = np.nan
    assert case.audit(tmp_path / "noise").not_passed() == set()
    case.labels = (10 * gc_of(case) + 0.1 * noise).astype(np.float32)[:, np.newaxis]
    check = case.audit(tmp_path / "gc").check("shortcuts")
    assert check["verdict"] == "warn"
    assert check["unit"].startswith("correlation of GC content alone")


@pytest.mark.parametrize("kind", ["class", "position_class", "profile"])
def test_every_kind_of_labels_is_audited(kind: str, tmp_path: Path):
    case = clean_case()
    draws = np.random.default_rng(2)
    bins = len(case.bins)
    case.kind, case.names = kind, ["only"]
    if kind == "class":
        case.labels, case.classes = draws.integers(-1, 3, (bins, 1)).astype(np.int16), [["p", "q", "r"]]
    elif kind == "position_class":
        case.labels = (draws.random((bins, 200, 1)) < 0.003).astype(np.int8)
        case.classes = [["none", "site"]]
    else:
        case.labels = draws.poisson(0.2, (bins, 200, 1)).astype(np.float32)
    found = case.audit(tmp_path)
    assert found.not_passed() == set()
    assert found.json["kind"] == kind


def test_few_positives_and_unlike_sides_warn(tmp_path: Path):
    case = clean_case()
    case.labels[case.on("test")[3:]] = 0
    case.codes["chrD"] = (
        np.random.default_rng(1).choice(4, len(case.codes["chrD"]), p=[0.1, 0.4, 0.4, 0.1]).astype("u1")
    )
    check = case.audit(tmp_path).check("balance")
    assert check["verdict"] == "warn"
    assert "1 target of 1 has fewer than 20 positives" in check["says"]
    assert "GC content differs between training and test" in check["says"]


@pytest.mark.parametrize(("side", "word"), [("validation", "validation"), ("train", "training")])
def test_few_positives_on_any_side_warn(side: str, word: str, tmp_path: Path):
    case = clean_case()
    case.labels[case.on(side)] = 0
    check = case.audit(tmp_path).check("balance")
    assert check["verdict"] == "warn"
    assert check["value"] == 1
    assert check["says"] == f"1 target of 1 has fewer than 20 positives in the {word} set (factor 0)."


def test_an_empty_side_warns(tmp_path: Path):
    case = clean_case()
    case.splits["holdout"] = [None if side == "validation" else side for side in case.splits["holdout"]]
    check = case.audit(tmp_path).check("balance")
    assert (check["verdict"], check["says"]) == ("warn", "The validation set is empty.")


def test_classes_are_called_so_and_the_background_is_not_judged(tmp_path: Path):
    case = clean_case()
    draws = np.random.default_rng(2)
    case.kind, case.names, case.classes = "class", ["part"], [["background", "exon", "intron"]]
    case.labels = draws.integers(1, 3, (len(case.bins), 1)).astype(np.int16)
    check = case.audit(tmp_path / "no_background").check("balance")
    assert check["verdict"] == "pass"
    case.labels[case.on("test")] = 2
    check = case.audit(tmp_path / "no_exon").check("balance")
    assert "1 class of 2 has fewer than 20 positives in the test set (exon 0)" in check["says"]
    case.labels[case.on("validation")] = 2
    check = case.audit(tmp_path / "no_exon_twice").check("balance")
    assert "positives in the test set (exon 0), 1 in the validation set (exon 0)" in check["says"]
    assert check["unit"] == "classes with fewer than 20 positives on a side"
    assert check["details"][0]["columns"][-1] == "classes without a positive"


def test_drawn_negatives_that_do_not_match_warn(tmp_path: Path):
    case = clean_case()
    draws = np.random.default_rng(1)
    for number in np.flatnonzero(case.labels[:, 0] == 0):
        case.window(number)[:] = draws.choice(4, 200, p=[0.27, 0.23, 0.23, 0.27])
    assert case.audit(tmp_path / "tiles").verdict("balance") == "pass"
    case.config["windows"]["negatives"] = {"_target_": "lociflow.genome.negatives.background"}
    check = case.audit(tmp_path / "drawn").check("balance")
    assert check["verdict"] == "warn"
    assert "drawn negatives differ from the positives in GC content" in check["says"]


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path):
    case = clean_case()
    case.labels = case.labels[:-1]
    with pytest.raises(UserError, match=r"targets.npy: found int8 of shape \(599, 1\), expected int8 of shape \(600,"):
        case.subject(tmp_path)
