import numpy as np
import pandas as pd
import pytest

from lociflow.evaluation.intervals import (
    Measured,
    assign_blocks,
    bootstrap,
    brought_to,
    draw_blocks,
    percentile_interval,
    ranked,
    summary_interval,
)
from lociflow.evaluation.metrics import auprc, auroc, rank
from lociflow.evaluation.reliability import calibration_error, reliability


def table(contigs, starts, groups=None):
    return pd.DataFrame({"contig": contigs, "start": starts, "group": groups})


def test_blocks_are_places_on_a_contig():
    windows = table(["a", "a", "a", "b", "b"], [0, 900, 1000, 0, 2500])
    assert assign_blocks(windows, 1000).tolist() == [0, 0, 1, 2, 3]


def test_a_group_is_a_block():
    groups = ["x", None, "x", None, *(f"g{number}" for number in range(9))]
    windows = table(["a", "a", "b", "b", *["c"] * 9], [0, 5000, 0, 10, *[0] * 9], groups)
    assert assign_blocks(windows, 1000).tolist() == [0, 1, 0, 2, *range(3, 12)]


def test_groups_that_are_too_few_for_an_interval_are_no_blocks():
    windows = table(["a", "b", "c", "c"], [0, 0, 0, 10], ["x"] * 4)
    assert assign_blocks(windows, 1000).tolist() == [0, 1, 2, 2]


def test_windows_that_were_read_from_a_file_have_categories():
    windows = table(pd.Categorical(["a", "b"]), [0, 0], pd.Categorical([None, None], categories=[]))
    assert assign_blocks(windows, 1000).tolist() == [0, 1]


def test_a_draw_depends_on_seed_and_number_only():
    few, many = draw_blocks(12, 3, 7), draw_blocks(12, 8, 7)
    np.testing.assert_array_equal(few, many[:, :3])
    assert (many.sum(axis=0) == 12).all()
    assert not np.array_equal(draw_blocks(12, 3, 8), few)
    assert not np.array_equal(many[:, 0], many[:, 1])


def test_bootstrap_scores_the_bins_that_were_drawn():
    generator = np.random.default_rng(0)
    blocks = np.repeat(np.arange(15), 20)
    labels = generator.choice(np.array([-1, 0, 1], np.int8), (300, 2), p=[0.1, 0.7, 0.2])
    scores = generator.integers(0, 30, (300, 2)).astype(float)
    multiplicities = draw_blocks(15, 6, 1)
    found = bootstrap((ranked(rank(labels[:, t], scores[:, t], blocks, 15)) for t in range(2)), multiplicities)
    for target in range(2):
        assert found.observed["auroc"][target] == pytest.approx(auroc(labels[:, target], scores[:, target]))
        for draw in range(6):
            drawn = np.concatenate(
                [np.flatnonzero(blocks == b).repeat(int(multiplicities[b, draw])) for b in range(15)]
            )
            for metric, function in (("auroc", auroc), ("auprc", auprc)):
                assert found.resampled[metric][target, draw] == pytest.approx(
                    function(labels[drawn, target], scores[drawn, target]), abs=1e-12
                )
    assert found.reasons == [None, None]


def test_few_blocks_and_few_blocks_with_positives_are_told():
    labels = np.zeros(40, np.int8)
    labels[[0, 5]] = 1
    few = bootstrap([ranked(rank(labels, np.arange(40), np.arange(40) // 5, 8))], draw_blocks(8, 4, 0))
    assert few.reasons == ["8 blocks have labelled bins, at least 10 are needed"]
    sparse = bootstrap([ranked(rank(labels, np.arange(40), np.arange(40) // 2, 20))], draw_blocks(20, 4, 0))
    assert sparse.reasons == ["2 blocks have positives, at least 5 are needed"]


def test_percentiles_of_the_defined_draws():
    found = percentile_interval(np.append(np.arange(101.0), np.nan), 0.9)
    assert (found.low, found.high, found.reason) == (pytest.approx(5), pytest.approx(95), None)


def test_no_interval_without_draws_that_are_defined():
    found = percentile_interval(np.array([1.0, np.nan]), 0.95)
    assert found == (None, None, "defined in 1 of 2 draws only")
    assert percentile_interval(np.arange(9.0), 0.95, "because") == (None, None, "because")


def test_interval_of_a_median_over_targets_shares_the_draws():
    # Two targets that move together: their mean moves as much; two that move against each other: not at all.
    drawn = np.arange(101.0)
    together = summary_interval(np.array([drawn, drawn]), np.mean, 0.9, 50)
    against = summary_interval(np.array([drawn, 100 - drawn]), np.mean, 0.9, 50)
    assert (together.low, together.high) == (pytest.approx(5), pytest.approx(95))
    assert (against.low, against.high) == (50, 50)


def test_summary_leaves_undefined_targets_out():
    found = summary_interval(np.array([[1.0, 2.0, 3.0], [np.nan, np.nan, np.nan]]), np.median, 0.5, 50)
    assert (found.low, found.high) == (1.5, 2.5)
    assert summary_interval(np.zeros((2, 3)), np.median, 0.95, 9).reason == "9 blocks, at least 10 are needed"


def simulate(generator, blocks, size):
    """Bins whose labels and scores share an effect of their block, so that neighbours are alike."""
    effect = generator.normal(size=blocks).repeat(size)
    labels = (effect + generator.normal(size=blocks * size) > 1.0).astype(np.int8)
    scores = labels + 1.5 * effect + generator.normal(size=blocks * size)
    return labels, scores, np.arange(blocks).repeat(size)


@pytest.mark.slow
def test_intervals_cover_at_their_nominal_rate():
    generator = np.random.default_rng(5)
    labels, scores, _ = simulate(generator, 20_000, 20)
    true = {"auroc": auroc(labels, scores), "auprc": auprc(labels, scores)}
    repeats, covered, covered_by_bins = 300, {"auroc": 0, "auprc": 0}, 0
    for _ in range(repeats):
        labels, scores, blocks = simulate(generator, 125, 30)
        found = bootstrap([ranked(rank(labels, scores, blocks, 125))], draw_blocks(125, 300, 1))
        for metric, value in true.items():
            interval = percentile_interval(found.resampled[metric][0], 0.9)
            covered[metric] += interval.low <= value <= interval.high
        single = bootstrap([ranked(rank(labels, scores, np.arange(3750), 3750))], draw_blocks(3750, 100, 1))
        interval = percentile_interval(single.resampled["auroc"][0], 0.9)
        covered_by_bins += interval.low <= true["auroc"] <= interval.high
    # The standard error of 300 repeats is 1.7 %, and some 125 blocks (yeast's test chromosomes) are a little narrow.
    assert covered["auroc"] / repeats == pytest.approx(0.9, abs=0.05)
    assert covered["auprc"] / repeats == pytest.approx(0.9, abs=0.05)
    assert covered_by_bins / repeats < 0.75, "bins taken for independent claim too much"


def test_draws_of_an_error_that_chance_raises_are_brought_to_its_value():
    assert brought_to(0.2, np.array([0.2, 0.4, np.nan, 0.6])) == pytest.approx([0, 0.2, np.nan, 0.4], nan_ok=True)
    generator = np.random.default_rng(0)
    probabilities = generator.random(600)
    labels = (generator.random(600) < probabilities).astype(int)
    blocks = np.arange(600) // 10
    sums = reliability(labels, probabilities, blocks, 60)
    measured = Measured(lambda weights: {"ece": calibration_error(sums, weights)}, None)
    drawn = bootstrap([measured], draw_blocks(60, 200, 1), ["ece"])
    interval = percentile_interval(drawn.resampled["ece"][0], 0.95)
    assert interval.low < drawn.observed["ece"][0] < interval.high
