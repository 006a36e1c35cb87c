from dataclasses import replace

import pandas as pd
import pytest

from lociflow.report.cost import entry_costs, step_costs
from lociflow.report.read_results import read_benchmarks, read_results

JOBS = [
    ("d/holdout/cnn/seed1/train", 60.0, 900.0),
    ("d/holdout/cnn/seed1/predict", 4.0, 2000.0),
    ("d/holdout/cnn/seed1/evaluate", 1.0, None),
    ("d/holdout/cnn/seed1/attribute", 10.0, 500.0),
    ("d/holdout/cnn/seed1/discover_motifs", 20.0, 500.0),
    ("d/holdout/cnn/seed2/train", 600.0, 9000.0),
    ("d/other/cnn/seed1/train", 600.0, 9000.0),
    ("d/holdout/baselines/kmer_logistic/fit", 7.0, 300.0),
    ("d/make_windows", 3.0, 100.0),
]


def benchmarks(*jobs) -> pd.DataFrame:
    return pd.DataFrame(jobs or JOBS, columns=["step", "seconds", "memory_mb"]).astype({"memory_mb": float})


@pytest.fixture
def dataset(results):
    data = results.dataset("d", ["A"])
    results.entry(data, "cnn", 0.9)
    results.entry(data, "kmer_logistic", 0.8, kind="baseline", seed=None)
    return read_results(results.manifest).datasets[0]


def test_a_model_and_a_baseline(dataset) -> None:
    cnn, kmer = entry_costs(dataset, benchmarks())
    assert cnn == ("cnn", 48211, 12, 60.0, None, 900.0, 5.0, 30.0)
    assert kmer == ("kmer_logistic", None, None, 7.0, None, 300.0, None, None)


def test_folds_are_added_up(dataset) -> None:
    jobs = [(f"d/cv{fold}/cnn/seed1/train", 10.0 * fold, 100.0 * fold) for fold in (1, 2)]
    jobs += [("d/cv/cnn/seed1/pool_folds", 1.0, 50.0), ("d/cv/cnn/seed1/evaluate", 2.0, 50.0)]
    (cnn, *_) = entry_costs(replace(dataset, split="cv", folds=("cv1", "cv2")), benchmarks(*jobs))
    assert (cnn.training_seconds, cnn.memory_mb, cnn.predicting_seconds) == (30.0, 200.0, 3.0)


def test_what_was_not_measured_is_none_and_not_zero(dataset) -> None:
    (cnn,) = entry_costs(dataset, read_benchmarks([]))
    assert (cnn.parameters, cnn.epochs) == (48211, 12)
    assert cnn[3:] == (None,) * 5


def test_steps_are_summed_and_the_longest_comes_first() -> None:
    table = step_costs(benchmarks())
    assert table["rule"].tolist()[:2] == ["train", "discover_motifs"]
    train = table.iloc[0]
    assert (train["jobs"], train["seconds"], train["memory_mb"]) == (3, 1260.0, 9000.0)
    assert table.set_index("rule")["memory_mb"].isna()["evaluate"]
    assert not len(step_costs(read_benchmarks([])))
