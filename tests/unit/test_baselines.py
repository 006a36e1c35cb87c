"""Which baselines run on which data set."""

import pytest
from groups import SCHEMAS

from lociflow import baselines
from lociflow.config import Configuration

USUAL = {"baselines": ["usual"]}
SHIPPED = Configuration(SCHEMAS.parents[1] / "config", SCHEMAS)


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("simulated", ["prevalence", "gc_content", "kmer_logistic", "jaspar_motif"]),
        ("nfe2", ["prevalence", "gc_content", "length", "kmer_logistic", "jaspar_motif"]),
        ("uci_splice", ["prevalence", "kmer_logistic"]),
        ("dream_promoters", ["prevalence", "kmer_ridge"]),
        ("rloop_dripc", []),
    ],
)
def test_the_usual_ones_suit_the_data_set(dataset, expected):
    assert baselines.of_dataset(USUAL, SHIPPED, dataset) == expected


def test_others_stand_beside_the_usual_ones_once():
    run = {"baselines": ["kmer_6", "usual", "gc_content", "lsgkm"]}
    found = baselines.of_dataset(run, SHIPPED, "nfe2")
    assert found == ["kmer_6", *baselines.of_dataset(USUAL, SHIPPED, "nfe2"), "lsgkm"]
    assert baselines.to_beat(run, SHIPPED, "nfe2") == found[:-1]


def test_none_are_none():
    assert baselines.of_dataset({"baselines": []}, SHIPPED, "nfe2") == []
