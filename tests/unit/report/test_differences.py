from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from lociflow.evaluation.pair_table import BETTER, COLUMNS, NEITHER
from lociflow.report.differences import MeanRanks, alike, from_best, mean_ranks, undecided
from lociflow.report.read_results import read_results


def pair(first, second, verdict, q=0.01, **more):
    row = {
        "dataset": "data", "split": "holdout", "first": first, "second": second, "difference": 0.2, "low": 0.1,
        "high": 0.4, "q": q, "verdict": verdict,
    }  # fmt: skip
    return {**dict.fromkeys(COLUMNS), **row, **more}


def dataset(models, baselines=(), split="holdout"):
    entries = [SimpleNamespace(label=label, kind="model", to_beat=False) for label in models]
    entries += [SimpleNamespace(label=label, kind="baseline", to_beat=beat) for label, beat in baselines]
    return SimpleNamespace(dataset="data", split=split, entries=entries)


def test_each_entry_against_the_best():
    table = pd.DataFrame([pair("a", "b", NEITHER, 0.3), pair("a", "c", BETTER), pair("b", "c", BETTER)])
    found = from_best(table, dataset("abc"))
    assert {label: each.words for label, each in found.items()} == {"a": "the best", "b": NEITHER, "c": "clearly worse"}
    assert (found["b"].q, found["b"].value, found["b"].low, found["b"].high) == (0.3, -0.2, -0.4, -0.1)
    assert from_best(table, dataset("abc", split="fold1")) == {}


def test_what_is_no_rival_is_not_the_best():
    table = pd.DataFrame([pair("tool", "a", BETTER), pair("tool", "b", BETTER), pair("a", "b", NEITHER, 0.3)])
    found = from_best(table, dataset("a", [("tool", False), ("b", True)]))
    assert {label: each.words for label, each in found.items()} == {
        "a": "the best", "tool": "clearly better", "b": NEITHER,
    }  # fmt: skip
    assert (found["tool"].value, found["tool"].low, found["tool"].high) == (0.2, 0.1, 0.4)
    assert from_best(table[:1], dataset("a", [("tool", False)]))["tool"].words == "clearly better"


def test_a_baseline_on_top_says_nothing_of_two_models():
    table = pd.DataFrame([pair("base", "a", NEITHER, 0.5), pair("base", "b", NEITHER, 0.2), pair("a", "b", BETTER)])
    assert undecided(table, dataset("ab", [("base", True)]), "a") == {"base"}
    tied = pd.DataFrame([pair("base", "a", BETTER), pair("base", "b", BETTER), pair("a", "b", NEITHER, 0.4)])
    assert undecided(tied, dataset("ab", [("base", True)]), "a") == {"b"}


def scored(results, scores):
    """Data sets on which the models have these AUROC, given as a row a data set."""
    for number, row in enumerate(scores):
        data = results.dataset(f"data{number}", ["A"])
        for model, value in zip("abc", row, strict=True):
            results.entry(data, model, value)
    return read_results(results.manifest)


def test_ranks_over_data_sets(results):
    found = mean_ranks(scored(results, [[0.95, 0.8, 0.6]] * 3 + [[0.8, 0.95, 0.6]] * 3))
    assert found.ranks == {"a": 1.5, "b": 1.5, "c": 3.0}
    assert found.datasets == 6
    table = np.array([[1, 2, 3]] * 3 + [[2, 1, 3]] * 3)
    assert found.p == pytest.approx(friedmanchisquare(*table.T).pvalue)
    # Demšar 2006, table 5: q is 2.343 for three models at 0.05.
    assert found.critical == pytest.approx(2.343 * np.sqrt(3 * 4 / (6 * 6)), abs=1e-3)
    assert alike(found) == [("a", "b"), ("b", "c")] if found.critical > 1.5 else [("a", "b")]


def test_few_data_sets_are_not_ranked(results):
    assert mean_ranks(scored(results, [[0.95, 0.8, 0.6]] * 4)) is None


def test_groups_are_as_large_as_they_can_be():
    ranks = MeanRanks({"a": 1.0, "b": 1.4, "c": 2.1, "d": 4.0}, 10, 0.01, 1.2)
    assert alike(ranks) == [("a", "b", "c")]
    assert alike(ranks._replace(critical=0.8)) == [("a", "b"), ("b", "c")]
