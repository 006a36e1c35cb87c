"""What the check of shortcuts says depends on the data alone, and on properties of which something is known."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from audit_cases import Case, clean_case

from lociflow.sequence.alphabet import N

CHECK = """
import json, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_shortcuts import undefined_case
print(json.dumps(undefined_case().audit(Path(sys.argv[1])).check("shortcuts"), sort_keys=True))
"""


def undefined_case() -> Case:
    """Real labels, and Ns in training alone, so that the N content correlates with nothing in the test set."""
    case = clean_case()
    case.kind = "real"
    case.labels = np.random.default_rng(1).normal(size=case.labels.shape).astype(np.float32)
    case.window(case.on("train")[0])[:20] = N
    return case


@pytest.mark.slow
def test_each_process_says_the_same(tmp_path: Path):
    folders = [str(Path(__file__).parents[1]), str(Path(__file__).parent), *sys.path]
    found = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", CHECK, str(tmp_path / seed), *folders]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


def test_a_property_that_is_undefined_is_not_the_best(tmp_path: Path):
    check = undefined_case().audit(tmp_path).check("shortcuts")
    medians = {row["name"]: row["median"] for row in check["figures"][0]["rows"] if row["judged"]}
    assert medians.pop("N content") is None
    best = max(medians, key=lambda name: medians[name])
    assert check["value"] == medians[best]
    assert check["unit"] == f"correlation of {best} alone"


def test_a_property_without_labels_says_nothing(tmp_path: Path):
    case = clean_case()
    case.labels[case.on("test")] = -1
    check = case.audit(tmp_path).check("shortcuts")
    assert check["verdict"] == "pass"
    assert check["value"] is None
    assert check["says"].startswith("No target has labels enough in the test set to say.")
    assert check["unit"] == "AUROC of a property alone"
    assert "NaN" not in json.dumps(check)


def test_the_worst_target_is_one_with_labels_enough(tmp_path: Path):
    case = clean_case()
    gc = np.array([np.isin(case.window(number), (1, 2)).mean() for number in range(len(case.bins))])
    few = np.full(len(case.bins), -1, np.int8)
    # Ten test labels that GC content tells without a mistake are too few to speak of.
    chosen = np.concatenate([case.on("train"), case.on("test")[:10]])
    few[chosen] = gc[chosen] > 0.5
    case.labels = np.stack([case.labels[:, 0], (gc > 0.5).astype(np.int8), few], axis=1)
    case.names = ["chance", "composed", "few"]
    check = case.audit(tmp_path).check("shortcuts")
    assert check["verdict"] == "warn"
    assert "1 target of 2 can be told without a motif, above all composed by" in check["says"]


def test_the_background_is_not_named(tmp_path: Path):
    case = clean_case()
    gc = np.array([np.isin(case.window(number), (1, 2)).mean() for number in range(len(case.bins))])
    case.kind, case.names, case.classes = "class", ["part"], [["background", "exon"]]
    case.labels = (gc > 0.5).astype(np.int16)[:, np.newaxis]
    check = case.audit(tmp_path).check("shortcuts")
    assert check["verdict"] == "warn"
    assert "1 class of 1 can be told without a motif, above all exon by" in check["says"]
    assert "background" not in check["says"]
