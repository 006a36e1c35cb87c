import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from window_files import write_holdout

from lociflow.command import UserError
from lociflow.evaluation.comparison import Compared, compare_entries, write_comparisons
from lociflow.evaluation.delong import delong
from lociflow.evaluation.evaluate import evaluate
from lociflow.evaluation.median_draws import read_draws
from lociflow.evaluation.pair_table import BETTER, COLUMNS, NEITHER
from lociflow.evaluation.predictions import prediction_table, write_predictions
from lociflow.genome.window_table import split_digest

CONFIG = {"block": 500, "draws": 100, "level": 0.9, "seed": 1}


def scored(folder, name, scores, names, first, digest, config=CONFIG):
    bins = np.arange(first, first + len(scores))
    half = len(scores) // 2
    predictions = folder / f"{name}.parquet"
    splits = ["validation"] * half + ["test"] * (len(scores) - half)
    write_predictions(predictions, prediction_table(bins, splits, scores, names), digest)
    files = {key: folder / f"{key}.{kind}" for key, kind in (("windows", "parquet"), ("targets", "npy"))}
    evaluate(
        **files, target_table=folder / "targets.tsv", predictions=predictions, split="holdout", config=config,
        metrics=folder / f"{name}.json", curves=folder / f"{name}.npz", draws=folder / f"{name}.draws.npz",
    )  # fmt: skip
    return folder / f"{name}.draws.npz", predictions


def entry(label, files, seeds):
    return Compared(label, seeds, [draws for draws, _ in files], [predictions for _, predictions in files])


@pytest.fixture(scope="module")
def genome(make_dataset):
    """A good model with three seeds, one as good, and a baseline that is no better than chance."""
    dataset = make_dataset()
    generator = np.random.default_rng(0)
    truth = np.abs(dataset.targets[300:])
    noise = generator.random((3, 600, 2))

    def model(weight, name, seed=0, jitter=0.0):
        scores = weight * truth + noise[seed] + jitter * generator.random((600, 2))
        return scored(dataset.folder, name, scores, dataset.names, 300, dataset.digest)

    entries = [
        entry("noise", [model(0.0, "noise")], 0),
        entry("good", [model(0.8, f"good{seed}", seed) for seed in range(3)], 3),
        entry("alike", [model(0.8, f"alike{seed}", seed, 0.02) for seed in range(3)], 3),
    ]
    return dataset, entries


def compare(dataset, entries):
    files = {key: dataset.arguments[key] for key in ("windows", "targets", "target_table")}
    return compare_entries("toy", "holdout", **files, folds=[], entries=entries, level=0.9)


def test_every_pair_once_best_first(genome):
    dataset, entries = genome
    table = compare(dataset, entries)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 3
    assert set(table["metric"]) == {"auprc"}
    assert (table["first_value"] >= table["second_value"]).all()
    assert table["second"].tolist()[1:] == ["noise", "noise"]
    assert table["verdict"].tolist() == [NEITHER, BETTER, BETTER]
    assert table["seeds"].tolist() == [3, 3, 3]
    assert table["delong_p"].isna().all()


def test_values_are_means_over_seeds_of_medians_over_targets(genome):
    dataset, entries = genome
    table = compare(dataset, entries).set_index(["first", "second"])
    truth = dataset.targets[600:]
    medians = []
    for path in entries[1].predictions:
        found = pd.read_parquet(path).iloc[300:]
        scores = [
            average_precision_score(truth[truth[:, t] >= 0, t], found[name][truth[:, t] >= 0])
            for t, name in enumerate(dataset.names)
        ]
        medians.append(np.median(scores))
    row = table.loc[("good", "noise")]
    assert row["first_value"] == pytest.approx(np.mean(medians), abs=1e-6)
    drawn = np.mean([read_draws(path).resampled["auprc"] for path in entries[1].draws], axis=0)
    drawn -= read_draws(entries[0].draws[0]).resampled["auprc"]
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(drawn, [0.05, 0.95])))
    assert row["low"] < row["difference"] < row["high"]


def test_a_model_is_no_better_than_itself(genome):
    dataset, entries = genome
    again = Compared("again", 3, entries[1].draws, entries[1].predictions)
    row = compare(dataset, [entries[1], again]).iloc[0]
    assert (row["difference"], row["low"], row["high"], row["p"]) == (0, 0, 0, 1)
    assert row["verdict"] == NEITHER


def test_one_seed_is_told(genome):
    dataset, entries = genome
    one = Compared("one", 1, entries[1].draws[:1], entries[1].predictions[:1])
    assert compare(dataset, [one, entries[0]])["caveat"].tolist() == ["rests on 1 seed"]


def test_draws_of_other_settings_are_refused(genome, tmp_path):
    dataset, entries = genome
    scores = np.random.default_rng(1).random((600, 2))
    other = scored(dataset.folder, "other", scores, dataset.names, 300, dataset.digest, {**CONFIG, "seed": 2})
    with pytest.raises(UserError, match=r"other\.draws\.npz: found the draws of other bins"):
        compare(dataset, [entries[1], entry("other", [other], 1)])


def test_independent_sequences_also_get_delongs_test(tmp_path):
    generator = np.random.default_rng(2)
    count = 120
    windows = pd.DataFrame(
        {
            "contig": [f"s{number}" for number in range(count)], "start": 0, "end": 50,
            "split": ["train"] * 40 + ["validation"] * 40 + ["test"] * 40,
        }
    )  # fmt: skip
    write_holdout(tmp_path / "windows.parquet", windows)
    targets = generator.integers(0, 2, (count, 1)).astype(np.int8)
    np.save(tmp_path / "targets.npy", targets)
    (tmp_path / "targets.tsv").write_text("target\nbound\n")
    digest = split_digest(tmp_path / "windows.parquet", "holdout")
    entries = []
    for label, weight in (("weak", 0.2), ("strong", 3.0)):
        files = [
            scored(tmp_path, f"{label}{seed}", weight * targets[40:] + generator.random((80, 1)), ["bound"], 40, digest)
            for seed in range(2)
        ]
        entries.append(entry(label, files, 2))
    row = compare_entries(
        "toy", "holdout", tmp_path / "windows.parquet", tmp_path / "targets.npy", tmp_path / "targets.tsv", [],
        entries, 0.9,
    ).iloc[0]  # fmt: skip
    means = [
        np.mean([pd.read_parquet(path)["bound"].to_numpy()[40:] for path in one.predictions], axis=0, dtype=float)
        for one in entries
    ]
    truth = targets[80:, 0]
    assert row["first"] == "strong"
    assert row["auroc_difference"] == pytest.approx(roc_auc_score(truth, means[1]) - roc_auc_score(truth, means[0]))
    assert row["delong_p"] == row["delong_q"] == pytest.approx(delong(truth, means[1], means[0]).p)
    write_comparisons(tmp_path / "comparisons.tsv", pd.DataFrame([row]))
    assert pd.read_csv(tmp_path / "comparisons.tsv", sep="\t")["second"].tolist() == ["weak"]
