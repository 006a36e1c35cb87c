from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.evaluation.metrics import auprc
from lociflow.evaluation.motif_scan import (
    background_of,
    best_match,
    best_of_all,
    best_of_own,
    candidates_by_name,
    choose_motifs,
    draw_bins,
    scan_bins,
)
from lociflow.genome.placement import place_windows
from lociflow.instantiate import instantiate
from lociflow.sequence.alphabet import encode, reverse_complement

EQUAL = np.full(4, 0.25)


def motif_of(letters, name="", matrix_id=""):
    """A base with the probability 0.7 at each position, the others with 0.1."""
    pwm = np.full((4, len(letters)), 0.1)
    for position, letter in enumerate(letters):
        pwm[:, position] = np.where(np.arange(4) == "ACGT".index(letter), 0.7, 0.1)
    return SimpleNamespace(matrix_id=matrix_id, name=name, pwm=pwm)


# The right motif is in neither the first nor the last place.
LIBRARY = [
    motif_of("TTTTAAAA", "other", "M1"),
    motif_of("ACGTGACC", "MOTIF", "M2"),
    motif_of("GGCCGGCC", "noise", "M3"),
]


def test_scores_by_hand():
    # The best place of ACG in TACGT is 0.7 / 0.25 three times; in its other strand ACGTA as well.
    # AAA: A matches and two do not; the reverse complement TTT has one match too.
    codes = np.stack([encode("TACGT"), encode("AAAAA")])
    hit, miss = np.log2(0.7 / 0.25), np.log2(0.1 / 0.25)
    found = best_match(codes, motif_of("ACG").pwm, EQUAL)
    np.testing.assert_allclose(found, [3 * hit, hit + 2 * miss], rtol=1e-6)


def test_a_rare_base_counts_more():
    background = np.array([0.4, 0.1, 0.1, 0.4])
    found = best_match(encode("C")[np.newaxis], motif_of("C").pwm, background)
    np.testing.assert_allclose(found, [np.log2(0.7 / 0.1)], rtol=1e-6)


def test_both_strands_score_alike():
    codes = np.random.default_rng(0).integers(0, 5, (30, 40)).astype(np.uint8)
    pwm = motif_of("ACGTTGA").pwm
    # The sums run in opposite orders.
    other = best_match(reverse_complement(codes), pwm, EQUAL)
    np.testing.assert_allclose(best_match(codes, pwm, EQUAL), other, rtol=1e-5)


def test_soft_masked_letters_count_and_n_is_the_worst_base():
    pwm = motif_of("ACG").pwm
    codes = np.stack([encode("TACGT"), encode("tacgt", soft_mask=True), encode("NANNN")])
    found = best_match(codes, pwm, EQUAL)
    assert found[0] == found[1]
    hit, miss = np.log2(0.7 / 0.25), np.log2(0.1 / 0.25)
    np.testing.assert_allclose(found[2], hit + 2 * miss, rtol=1e-6)


def test_matches_are_centred_in_the_bin(dataset):
    # The motif of 8 bases begins at base 20 of a bin of 50: its centre lies between bases 23 and 24.
    positive = dataset.windows[dataset.targets[:, 0] == 1].iloc[[0]]
    origin = positive["start"] + 20
    best = 8 * np.log2(0.7 / 0.25)
    found = {}
    for start in range(-14, 15):
        place = place_windows(positive.assign(start=origin + start, end=origin + start + 8), dataset.store)
        found[start] = scan_bins(dataset.store, place, np.array([0]), 8, LIBRARY[1].pwm, EQUAL)[0]
    whole = [start for start, score in found.items() if score == pytest.approx(best, rel=1e-5)]
    # A bin of 8 bases holds the left one of the motif's two middle bases, its base 3, for 8 starts.
    assert whole == list(range(-4, 4))


def test_background_is_that_of_both_strands(dataset):
    place = place_windows(dataset.windows, dataset.store)
    found = background_of(dataset.store, place, np.arange(300), 50)
    assert found.sum() == pytest.approx(1)
    assert found[0] == found[3]
    assert found[1] == found[2]


def test_the_best_candidate_is_chosen_and_ties_go_to_the_first():
    values = np.array([[0.2, 0.5], [0.7, 0.9], [0.7, np.nan]])
    choices = choose_motifs(values, LIBRARY, [[0, 1, 2], [2, 0]])
    assert [choice.motif.matrix_id for choice in choices] == ["M2", "M1"]
    assert [choice.auprc for choice in choices] == [0.7, 0.5]


def test_a_target_without_positives_has_its_first_candidate():
    (choice,) = choose_motifs(np.full((3, 1), np.nan), LIBRARY, [[2, 1]])
    assert choice.motif.matrix_id == "M3"
    assert np.isnan(choice.auprc)


def test_names_are_compared_in_upper_case():
    assert candidates_by_name(["motif", "Noise"], [*LIBRARY, LIBRARY[1]]) == [[1, 3], [2]]
    with pytest.raises(UserError, match="no motif called Abf1, expected one for each target"):
        candidates_by_name(["motif", "Abf1"], LIBRARY)


@pytest.mark.parametrize("fit_predict", [best_of_all, best_of_own])
def test_the_planted_motif_is_found(dataset, fit_predict):
    arguments = (dataset.store, dataset.windows, dataset.targets, dataset.names)
    found = fit_predict(*arguments, motifs=LIBRARY, bin_length=50)
    assert list(found) == ["bin", "split", "motif", "noise"]
    assert found["bin"].tolist() == list(range(300, 900))
    assert found["split"].tolist() == ["validation"] * 300 + ["test"] * 300
    assert found["motif"].between(0, 1).all()
    assert auprc(dataset.targets[600:, 0], found["motif"].to_numpy()[300:]) > 0.99
    # The probabilities are those of the training bins, where the motif is in a quarter of the bins.
    assert found["motif"].mean() == pytest.approx((dataset.targets[300:, 0] == 1).mean(), abs=0.05)


def test_the_order_of_the_bins_is_that_of_the_matches(dataset):
    place = place_windows(dataset.windows, dataset.store)
    background = background_of(dataset.store, place, np.arange(300), 50)
    scores = scan_bins(dataset.store, place, np.arange(300, 900), 50, LIBRARY[0].pwm, background)
    # Labels that contradict the matches: the fitted slope is below 0.
    targets = np.zeros_like(dataset.targets)
    targets[:300, 0] = scan_bins(dataset.store, place, np.arange(300), 50, LIBRARY[0].pwm, background) < scores.mean()
    arguments = (dataset.store, dataset.windows, targets[:, :1], ["other"])
    found = best_of_own(*arguments, motifs=LIBRARY, bin_length=50)["other"].to_numpy()
    order = np.argsort(scores, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert found[order[0]] < found[order[-1]]


def test_the_test_labels_are_not_read(dataset):
    arguments = (dataset.store, dataset.windows)
    changed = dataset.targets.copy()
    changed[600:] = 1 - np.abs(changed[600:])
    found = [
        best_of_all(*arguments, labels, dataset.names, motifs=LIBRARY, bin_length=50)
        for labels in (dataset.targets, changed)
    ]
    pd.testing.assert_frame_equal(*found, check_exact=True)


def test_a_library_by_configuration(dataset):
    config = {
        "_target_": "lociflow.evaluation.motif_scan.best_of_all",
        "_partial_": True,
        "motifs": {
            "_target_": "lociflow.interpretation.motifs.jaspar.jaspar_motifs",
            "release": "JASPAR2024",
            "collection": "CORE",
            "tax_group": "urochordates",
        },
        "bin_length": 50,
    }
    found = instantiate(config)(dataset.store, dataset.windows, dataset.targets, dataset.names)
    assert len(found) == 600


def test_an_empty_library_is_refused(dataset):
    with pytest.raises(UserError, match="found no motif, expected at least one"):
        best_of_all(dataset.store, dataset.windows, dataset.targets, dataset.names, motifs=[], bin_length=50)


def test_drawn_bins_stand_for_all_of_their_kind():
    labels = np.zeros((1000, 2), np.int8)
    labels[:30, 0] = 1
    labels[30:40, 1] = 1
    labels[40:60] = -1
    drawn, weights = draw_bins(labels, 100, 3)
    assert len(drawn) == 100 == len(set(drawn))
    # All positives, and 60 of 960 others.
    assert drawn[:40].tolist() == list(range(40))
    assert weights.tolist() == [1.0] * 40 + [16.0] * 60
    again, _ = draw_bins(labels, 100, 3)
    assert again.tolist() == drawn.tolist()
    assert draw_bins(labels, 100, 4)[0].tolist() != drawn.tolist()


def test_many_positives_take_half_of_the_draw():
    drawn, weights = draw_bins(np.repeat([1, 0], 500).astype(np.int8)[:, None], 100, 0)
    assert ((drawn < 500).sum(), (drawn >= 500).sum()) == (100, 50)
    assert weights == pytest.approx(np.repeat([5.0, 10.0], [100, 50]))


def test_a_rare_target_keeps_its_positives_beside_a_common_one():
    labels = np.zeros((20_000, 2), np.int8)
    labels[:10_000, 0] = 1
    labels[[5, 15_000], 1] = 1
    drawn, weights = draw_bins(labels, 1000, 0)
    assert {5, 15_000} <= set(drawn.tolist())
    # 250 of 10,000, but the bin that the rare target has too is always there.
    assert weights[drawn.tolist().index(5)] == 1
    common = weights[(drawn < 10_000) & (drawn != 5)]
    assert common == pytest.approx(np.full(len(common), 40.0))
    # The weights stand for all bins: 10,000 positives, 9,999 others, but for the draw.
    assert weights.sum() == pytest.approx(20_000, rel=0.02)


@pytest.mark.parametrize("most", [None, 4, 9])
def test_few_bins_are_all_taken(most):
    drawn, weights = draw_bins(np.array([[1], [0], [0], [-1]], np.int8), most, 0)
    assert drawn.tolist() == [0, 1, 2, 3]
    assert weights is None


def test_the_planted_motif_is_found_on_drawn_bins(dataset):
    arguments = dataset.store, dataset.windows, dataset.targets, dataset.names
    whole, drawn = (best_of_all(*arguments, motifs=LIBRARY, bin_length=50, max_bins=most) for most in (None, 200))
    assert drawn["motif"].tolist() == whole["motif"].tolist()
