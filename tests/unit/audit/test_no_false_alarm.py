"""The audit of clean simulated genomes: no verdict but pass."""

from pathlib import Path

import numpy as np
import pytest
from audit_cases import Case

from lociflow.genome.simulation import simulate

# Four matrices of 8 to 10 informative positions, so that nothing need be fetched.
COUNTS = {
    "MA": 1000 * np.eye(4)[[0, 1, 1, 0, 2, 3, 2, 2]],
    "MB": 1000 * np.eye(4)[[2, 2, 3, 1, 0, 0, 3, 1, 0]],
    "MC": 1000 * np.eye(4)[[3, 3, 0, 1, 1, 1, 2, 3]],
    "MD": 1000 * np.eye(4)[[0, 3, 2, 0, 1, 3, 0, 0, 3, 2]],
}
CONTIGS = {"chrA": 160_000, "chrB": 140_000, "chrC": 120_000, "chrD": 100_000, "chrE": 80_000}
SIDES = {"chrA": "train", "chrB": "train", "chrC": "test", "chrD": "train", "chrE": "validation"}


def simulated(seed: int) -> Case:
    """A genome made as the built-in one is, of a quarter of its size: tiles of 200 bases seen through 240."""
    config = {
        "seed": seed,
        "release": "JASPAR2024",
        "contigs": CONTIGS,
        "background": {
            "order": 2,
            "isochores": {"length": 10_000, "gc": [0.36, 0.42, 0.48, 0.54]},
            "words": {"CG": 0.35, "AAA": 1.2, "CCC": 1.1, "TA": 0.8},
        },
        "factors": {
            "A": {"matrix": "MA", "sites": 250},
            "B": {"matrix": "MB", "sites": 150},
            "C": {"matrix": "MC", "sites": 250},
            "D": {"matrix": "MD", "sites": 200},
        },
        "pair": {"factor": "D", "partner": "B", "gap": [4, 20], "orientation": "same"},
        "decoys": {"lone": 60, "weakened": {"sites": 40, "weight": 0.5}, "shuffled": {"sites": 30}},
        "peaks": {"missed": 0.05, "spurious": 0.05, "jitter": 15, "width": [150, 250]},
    }
    found = simulate(config, COUNTS)
    names = ["A", "B", "C", "D"]
    bins = [(name, start, start + 200) for name, length in CONTIGS.items() for start in range(0, length - 199, 200)]
    labels = np.zeros((len(bins), len(names)), np.int8)
    first = {name: next(row for row, entry in enumerate(bins) if entry[0] == name) for name in CONTIGS}
    for peak in found.peaks.itertuples():
        labels[first[peak.contig] + (peak.start + peak.end) // 2 // 200, names.index(peak.factor)] = 1
    splits = {"holdout": [SIDES[name] for name, _, _ in bins]}
    config_of_audit = {"name": "simulated", "windows": {"length": 240}}
    return Case(found.genome, bins, labels, splits, names=names, config=config_of_audit)


def assert_no_alarm(seed: int, folder: Path) -> None:
    found = simulated(seed).audit(folder)
    raised = {name: found.check(name)["says"] for name in found.not_passed()}
    assert raised == {}


@pytest.mark.parametrize("seed", range(3))
def test_simulated_data_raise_no_alarm(seed: int, tmp_path: Path):
    assert_no_alarm(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 20))
def test_more_simulated_data_raise_no_alarm(seed: int, tmp_path: Path):
    assert_no_alarm(seed, tmp_path)
