"""Joint against single-target models on toy predictions whose average precisions are known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from lociflow.command import UserError
from lociflow.evaluation.evaluate import IntervalConfig
from lociflow.evaluation.predictions import prediction_table, write_predictions
from lociflow.evaluation.significance import caveat, false_discoveries, least_draws, two_sided
from lociflow.evaluation.task_gain import COLUMNS, GAIN, LOSS, NEITHER, compare_tasks, read_pairs, verdict, write_table
from lociflow.report.experiment_figures import draw_task_gain

SETTINGS = IntervalConfig(block=500, draws=200, level=0.9, seed=1)


def predict(dataset, name, scores, names):
    path = dataset.folder / f"{name}.parquet"
    bins, splits = np.arange(300, 900), ["validation"] * 300 + ["test"] * 300
    write_predictions(path, prediction_table(bins, splits, scores, names), dataset.digest)
    return str(path)


@pytest.fixture
def compared(dataset):
    draws = np.random.default_rng(0)
    truth = np.abs(dataset.targets[300:])
    noise = [draws.random((600, 2)) for _ in range(2)]
    joint = [predict(dataset, f"joint{seed}", 0.7 * truth + noise[seed], dataset.names) for seed in range(2)]
    pairs = []
    for number, target in enumerate(dataset.names):
        # Alone the first target is learnt worse, the second better.
        weight = 0.1 if number == 0 else 2.0
        single = [
            predict(dataset, f"{number}{seed}", weight * truth[:, [number]] + noise[seed][:, [number]], [target])
            for seed in range(2)
        ]
        pairs.append({"model": "net", "target": target, "joint": joint, "single": single})
    files = {key: dataset.arguments[key] for key in ("windows", "targets", "target_table")}
    table = compare_tasks("toy", dataset.arguments["split"], **files, pairs=read_pairs(pairs), settings=SETTINGS)
    return dataset, pairs, table


def test_gains_are_differences_of_means_over_seeds(compared):
    dataset, pairs, table = compared
    for row, pair, column in zip(table.itertuples(), pairs, range(2), strict=True):
        truth = dataset.targets[600:, column]
        known = truth >= 0
        values = {}
        for side in ("joint", "single"):
            found = [pd.read_parquet(path)[pair["target"]].to_numpy()[300:] for path in pair[side]]
            values[side] = np.mean([average_precision_score(truth[known], score[known]) for score in found])
        assert row.joint == pytest.approx(values["joint"], abs=1e-9)
        assert row.single == pytest.approx(values["single"], abs=1e-9)
        assert row.gain == pytest.approx(values["joint"] - values["single"], abs=1e-9)
        assert row.training_positives == (dataset.targets[:300, column] == 1).sum()
        assert row.low < row.gain < row.high
        assert row.seeds == 2


def test_seeds_are_paired_and_their_spread_is_told_apart_from_the_interval(compared):
    dataset, pairs, table = compared
    for row, pair, column in zip(table.itertuples(), pairs, range(2), strict=True):
        truth = dataset.targets[600:, column]
        known = truth >= 0
        gains = []
        for joint, single in zip(pair["joint"], pair["single"], strict=True):
            one, other = (pd.read_parquet(path)[pair["target"]].to_numpy()[300:][known] for path in (joint, single))
            gains.append(average_precision_score(truth[known], one) - average_precision_score(truth[known], other))
        assert row.gain == pytest.approx((gains[0] + gains[1]) / 2, abs=1e-9)
        assert (row.seed_lowest, row.seed_highest) == pytest.approx((min(gains), max(gains)), abs=1e-9)
        # Of two numbers the standard deviation is their difference over the root of 2.
        assert row.seed_sd == pytest.approx(abs(gains[0] - gains[1]) / 2**0.5, abs=1e-9)


def test_a_clear_gain_and_a_clear_loss_are_called_so(compared):
    table = compared[2]
    assert list(table["verdict"]) == [GAIN, LOSS]
    assert list(table["caveat"]) == ["rests on 2 seeds"] * 2
    # Of 200 draws none lies on the other side: 2 of 201, and twice the same p-value is its own q-value.
    assert table["p"].tolist() == pytest.approx([2 / 201] * 2)
    assert table["q"].tolist() == pytest.approx([2 / 201] * 2)


def test_the_figure_says_on_how_many_seeds_its_verdicts_rest(compared, tmp_path):
    draw_task_gain(compared[2], tmp_path / "gain.svg")
    svg = (tmp_path / "gain.svg").read_text()
    for text in ("rests on 2 seeds", "negative transfer (q &lt; 0.05", "standard deviation between seeds", "motif"):
        assert text in svg
    draw_task_gain(compared[2].assign(seeds=1, seed_sd=np.nan, caveat=""), tmp_path / "gain.svg")
    svg = (tmp_path / "gain.svg").read_text()
    assert "rests on" not in svg
    assert "between seeds" not in svg


def test_one_seed_has_no_spread_and_says_so(compared, tmp_path):
    dataset, pairs, _ = compared
    first = [{**pair, "joint": pair["joint"][:1], "single": pair["single"][:1]} for pair in pairs]
    files = {key: dataset.arguments[key] for key in ("windows", "targets", "target_table")}
    found = compare_tasks("toy", dataset.arguments["split"], **files, pairs=read_pairs(first), settings=SETTINGS)
    assert found["seed_sd"].isna().all()
    assert (found["seed_lowest"] == found["gain"]).all()
    assert set(found["caveat"]) == {"rests on 1 seed"}
    write_table(tmp_path / "gain.tsv", found)
    lines = [line.split("\t") for line in (tmp_path / "gain.tsv").read_text().splitlines()]
    assert tuple(lines[0]) == COLUMNS
    assert lines[1][-1] == "rests on 1 seed"
    uneven = [{**pairs[0], "single": pairs[0]["single"][:1]}]
    with pytest.raises(UserError, match="found 2 joint and 1 single-target models, expected one of each"):
        compare_tasks("toy", dataset.arguments["split"], **files, pairs=read_pairs(uneven), settings=SETTINGS)


def test_seeds_that_contradict_each_other_give_no_verdict(compared):
    dataset, pairs, table = compared
    # Two seeds in which learning together costs much, and a third in which it is the other way round.
    joint, single = pairs[1]["joint"], pairs[1]["single"]
    mixed = [{**pairs[1], "joint": [*joint, single[0]], "single": [*single, joint[0]]}]
    files = {key: dataset.arguments[key] for key in ("windows", "targets", "target_table")}
    found = compare_tasks("toy", dataset.arguments["split"], **files, pairs=read_pairs(mixed), settings=SETTINGS)
    row = found.iloc[0]
    assert row["q"] < 0.05
    assert row["seed_lowest"] == pytest.approx(table["seed_lowest"][1])
    assert row["seed_highest"] > 0
    assert (row["verdict"], row["caveat"]) == (NEITHER, "")


def test_the_same_models_differ_nowhere(compared, tmp_path):
    dataset, pairs, _ = compared
    same = [{**pair, "single": pair["joint"]} for pair in pairs]
    files = {key: dataset.arguments[key] for key in ("windows", "targets", "target_table")}
    found = compare_tasks("toy", dataset.arguments["split"], **files, pairs=read_pairs(same), settings=SETTINGS)
    assert (found[["gain", "low", "high"]].to_numpy() == 0).all()
    assert found["p"].tolist() == found["q"].tolist() == [1.0, 1.0]
    assert set(found["verdict"]) == {NEITHER}
    write_table(tmp_path / "gain.tsv", found)
    assert len((tmp_path / "gain.tsv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("draws", "p"),
    [
        # 1 of 9 on the rarer side, and one more: 2 * 2 / 10.
        ([1, 2, 3, 4, 5, 6, 7, 8, -1], 0.4),
        ([-1, -2, -3, -4, -5, -6, -7, -8, 1], 0.4),
        # None there: 2 * 1 / 10; a draw without a value does not count.
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], 0.2),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, np.nan], 0.2),
        # What is exactly 0 is on both sides.
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], 0.4),
        ([0] * 9, 1.0),
        ([-1, 1], 1.0),
    ],
)
def test_p_values_by_hand(draws, p):
    assert two_sided(np.array(draws, float)) == pytest.approx(p, abs=1e-12)


def test_q_values_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.8: times 4 over the rank 0.04, 0.04, 0.04, 0.8, and none above those behind it.
    found = false_discoveries(np.array([0.03, np.nan, 0.8, 0.01, 0.02]))
    np.testing.assert_allclose(found, [0.04, np.nan, 0.8, 0.04, 0.04])
    # 0.04 alone of four: 0.16, which one target of its own would have passed.
    np.testing.assert_allclose(false_discoveries(np.array([0.04, 0.9, 0.9, 0.9])), [0.16, 0.9, 0.9, 0.9])
    assert np.isnan(false_discoveries(np.array([np.nan]))).all()


def test_one_target_among_many_can_be_told():
    for targets in (1, 7, 100):
        p = np.full(targets, 1.0)
        p[0] = 2 / (least_draws(targets) + 1)
        assert false_discoveries(p)[0] < 0.05
    assert least_draws(919) == 10_000


@pytest.mark.parametrize(
    ("q", "lowest", "highest", "told"),
    [
        (0.049, 0.1, 0.2, GAIN),
        (0.049, -0.2, -0.1, LOSS),
        (0.05, -0.2, -0.1, NEITHER),
        (0.001, -0.2, 0.01, NEITHER),
        (0.001, -0.2, 0.0, NEITHER),
        (np.nan, -0.2, -0.1, NEITHER),
    ],
)
def test_verdicts(q, lowest, highest, told):
    assert verdict(q, lowest, highest) == told


def test_few_seeds_are_told():
    assert [caveat(seeds) for seeds in (1, 2, 3, 5)] == ["rests on 1 seed", "rests on 2 seeds", "", ""]
