"""A data set with leaks, from its table to the report: stopped by its audit, let through with a warning, or cleaned."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

HOME = Path(__file__).parents[2]
LENGTH = 60
SIDES = {"train": 200, "validation": 40, "test": 60}
# The first sequences of the test set are some of the training set, which is a sixth of them.
REPEATED = 10
MODEL = {
    "defaults": ["deepbind_small", "_self_"],
    "description": "Small enough for a test",
    "architecture": {"detectors": 4, "kernel": 8, "hidden": 4},
    "training": {"max_epochs": 1, "schedule": None},
}
DATASET = {
    "description": "300 short sequences, half of which hold a word",
    "sequences": {"alphabet": "dna", "table": [{"path": "sequences.tsv"}], "split": "side"},
    "targets": {"columns": ["bound"]},
    "labels": {"kind": "binary"},
    "windows": {"_target_": "lociflow.genome.whole_sequences.whole_sequences", "length": LENGTH},
    "split": {"name": "published", "_target_": "lociflow.genome.splits.published"},
    "evaluation": {"draws": 20},
}
RUN = {
    "run": "gate",
    "datasets": ["leaky"],
    "models": ["tiny"],
    "seeds": [1],
    "baselines": [],
    "interpretation": None,
    "config_dirs": ["own"],
}


def table() -> pd.DataFrame:
    """Return 300 different random sequences in three sides, of which some test ones are training ones."""
    drawn = np.random.Generator(np.random.Philox(key=3)).choice(list("ACGT"), (sum(SIDES.values()), LENGTH))
    bound = np.arange(len(drawn)) % 2
    drawn[bound == 1, 20:28] = list("TTACCCGG")
    found = pd.DataFrame(
        {
            "name": [f"s{number}" for number in range(len(drawn))],
            "side": np.repeat(list(SIDES), list(SIDES.values())),
            "sequence": ["".join(letters) for letters in drawn],
            "bound": bound,
        }
    )
    test = found.index[found["side"] == "test"][:REPEATED]
    found.loc[test, "sequence"] = found["sequence"].iloc[:REPEATED].to_numpy()
    return found


class Place:
    """A user's folder with a table and a configuration of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for group in ("dataset", "model"):
            (folder / "own" / group).mkdir(parents=True)
        table().to_csv(folder / "sequences.tsv", sep="\t", index=False)
        self.write("own/model/tiny.yaml", MODEL)
        self.write("own/dataset/leaky.yaml", DATASET)

    def write(self, name: str, content: dict) -> None:
        (self.folder / name).write_text(yaml.safe_dump(content, sort_keys=False))

    def snakemake(self, *arguments: str, **keys) -> subprocess.CompletedProcess[str]:
        """Run snakemake here with these keys of the run."""
        self.write("run.yaml", {**RUN, **keys})
        command = ["snakemake", "--snakefile", HOME / "Snakefile", "--cores", "2", "--configfile", "run.yaml"]
        return subprocess.run(
            [sys.executable, "-m", *command, *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def found(self, pattern: str) -> list[str]:
        return sorted(str(path.relative_to(self.folder / "results")) for path in self.folder.glob(f"results/{pattern}"))

    def audit(self) -> dict:
        return json.loads((self.folder / "results/leaky/audit.json").read_text())


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that its audit has stopped, and what it said."""
    place = Place(tmp_path_factory.mktemp("stopped"))
    said = place.snakemake()
    # Noted now: the tests below go on in this folder.
    place.left = {
        "trained": place.found("leaky/*/*/seed*/*"),
        "admitted": place.found("leaky/*/admitted.json"),
        "verdict": place.audit()["verdict"],
    }
    return place, said


@pytest.fixture(scope="module")
def warned(stopped):
    """The same folder, run on with a warning."""
    place, _ = stopped
    return place, place.snakemake(audit="warn")


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    """A run of both the published split and the one without its leaks; the published one is let through."""
    place = Place(tmp_path_factory.mktemp("cleaned"))
    place.write("own/dataset/leaky.yaml", {**DATASET, "clean": True})
    return place, place.snakemake(audit="warn")


def test_the_run_stops_after_the_audit_with_one_sentence(stopped):
    _, ran = stopped
    assert ran.returncode == 1
    said = ran.stdout + ran.stderr
    sentence = next(line for line in said.splitlines() if line.startswith("error: leaky, split published"))
    assert "the audit failed: exact duplicates: 16.7 % of the test windows (10 of 60)" in sentence
    assert "see results/leaky/audit.html" in sentence
    assert "clean: true" in sentence
    assert "audit: warn" in sentence
    assert "Traceback" not in said


def test_what_was_stopped_trained_nothing_and_leaves_the_audit(stopped):
    place, _ = stopped
    assert place.left == {"trained": [], "admitted": [], "verdict": "fail"}
    page = (place.folder / "results/leaky/audit.html").read_text()
    assert "10 of 60" in page
    failed = {check["check"] for check in place.audit()["checks"] if check["verdict"] == "fail"}
    assert failed == {"duplicates", "near_duplicates"}


@pytest.mark.slow
def test_audit_warn_goes_on_and_says_so(warned):
    place, ran = warned
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = ran.stdout + ran.stderr
    assert "going on, because the configuration says audit: warn" in said
    assert place.found("leaky/*/*/seed*/model.ckpt") == ["leaky/published/tiny/seed1/model.ckpt"]
    assert place.found("runs/gate/report.html") == ["runs/gate/report.html"]
    assert place.audit()["verdict"] == "fail"


@pytest.mark.slow
def test_going_on_is_not_going_on_once_the_run_says_stop_again(warned):
    place, _ = warned
    ran = place.snakemake(audit="stop")
    assert ran.returncode == 1
    assert "the audit failed" in ran.stdout + ran.stderr


def test_the_leakfree_split_passes_and_the_published_one_fails_beside_it(cleaned):
    place, ran = cleaned
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert place.audit()["by_split"]["published"] == "fail"
    leaks = {
        (check["check"], check["split"]): (check["verdict"], check["value"])
        for check in place.audit()["checks"]
        if check["check"] in ("duplicates", "near_duplicates")
    }
    assert leaks == {
        ("duplicates", "published"): ("fail", pytest.approx(REPEATED / 60)),
        ("near_duplicates", "published"): ("fail", pytest.approx(REPEATED / 60)),
        ("duplicates", "leakfree"): ("pass", 0),
        ("near_duplicates", "leakfree"): ("pass", 0),
    }


def test_removed_lists_exactly_the_repeated_sequences_and_what_they_repeat(cleaned):
    place, _ = cleaned
    removed = pd.read_csv(place.folder / "results/leaky/removed.tsv", sep="\t")
    expected = [
        ("leakfree", "test", f"s{240 + number}", "duplicate", f"s{number}:0-{LENGTH}") for number in range(REPEATED)
    ]
    assert list(removed[["from", "split", "contig", "reason", "of"]].itertuples(index=False, name=None)) == expected
    summary = json.loads((place.folder / "results/leaky/windows.json").read_text())
    assert summary["splits"]["published"]["bins"] == SIDES
    assert summary["splits"]["leakfree"]["bins"] == {**SIDES, "test": 60 - REPEATED}


def test_both_splits_are_trained_scored_and_set_side_by_side_in_the_report(cleaned):
    place, _ = cleaned
    assert place.found("leaky/*/*/seed*/model.ckpt") == [
        f"leaky/{split}/tiny/seed1/model.ckpt" for split in ("leakfree", "published")
    ]
    scored = {
        split: json.loads((place.folder / f"results/leaky/{split}/tiny/seed1/metrics.json").read_text())
        for split in ("published", "leakfree")
    }
    assert {split: found["bins"]["test"] for split, found in scored.items()} == {"published": 60, "leakfree": 50}
    scores = pd.read_csv(place.folder / "results/runs/gate/scores.tsv", sep="\t")
    assert scores["split"].tolist() == ["published", "leakfree"]
    page = (place.folder / "results/runs/gate/report.html").read_text()
    assert "leaky: published beside leakfree" in page
    assert "AUROC published" in page
    assert "AUROC leakfree" in page


@pytest.mark.slow
def test_the_leakfree_split_alone_needs_no_warning(tmp_path):
    place = Place(tmp_path)
    place.write("own/dataset/leaky.yaml", {**DATASET, "clean": True})
    ran = place.snakemake("--", "results/leaky/leakfree/admitted.json")
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert place.audit()["by_split"]["published"] == "fail"
