import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lociflow.sequence.genome_store import write_store

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_windows.py"
CONFIG = {
    "targets": {"files": {"Reb1": "reb1.bed"}},
    "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 10},
    "labels": {"min_overlap": 0.5},
    "split": {
        "name": "holdout",
        "_target_": "lociflow.genome.splits.by_contig",
        "validation": ["chrII"],
        "test": ["chrIII"],
    },
}
OUTPUTS = ("windows.parquet", "targets.npy", "control.npy", "targets.tsv", "windows.json", "removed.tsv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "genome.fa").write_text(
        ">chrI\n" + "A" * 40 + "\n>chrII\n" + "C" * 40 + "\n>chrIII\n" + "G" * 40 + "\n"
    )
    write_store([tmp_path / "genome.fa"], tmp_path / "codes.npy", tmp_path / "store.json", "toy")
    (tmp_path / "reb1.bed").write_text("chrI\t1\t2\nchrII\t1\t2\nchrIII\t1\t2\n")
    return tmp_path


def run(folder: Path, config: dict, **environment: str) -> subprocess.CompletedProcess[str]:
    outputs = zip(
        ("--windows", "--targets", "--control", "--target-table", "--counts", "--removed"), OUTPUTS, strict=True
    )
    command = [sys.executable, SCRIPT, "--store", folder / "store.json", "--config", json.dumps(config)]
    command += ["--sources", folder, "--log", folder / "log" / "windows.log"]
    command += [text for option, name in outputs for text in (option, folder / "out" / name)]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_writes_everything_and_says_what_it_kept(folder: Path):
    done = run(folder, CONFIG)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(OUTPUTS)
    assert "12 bins kept (4 train, 4 validation, 4 test) of 12; dropped: none" in done.stderr
    assert "12 bins kept" in (folder / "log" / "windows.log").read_text()


@pytest.mark.parametrize(
    ("peaks", "changes", "sentence"),
    [
        ("chrI\t1\t2\nchrI\t9\t5\n", {}, "reb1.bed, line 2: found end 5 before start 9"),
        ("chr1\t1\t2\n", {}, "add to the data set contig_aliases: {chr1: chrI}"),
        ("", {}, "reb1.bed: found no peak for Reb1"),
        (None, {}, "peak files: 1 of 1 are missing"),
        (
            "chrI\t1\t2\n",
            {"split": {**CONFIG["split"], "train": ["chrI", "chrIII"]}},
            "found contig chrIII in split.test and in split.train",
        ),
    ],
)
def test_mistakes_end_with_one_sentence_and_no_output(folder: Path, peaks: str | None, changes: dict, sentence: str):
    (folder / "reb1.bed").unlink() if peaks is None else (folder / "reb1.bed").write_text(peaks)
    done = run(folder, {**CONFIG, **changes})
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "out").exists() or not any((folder / "out").iterdir())


def test_no_bedtools(folder: Path):
    done = run(folder, CONFIG, PATH="")
    assert done.returncode == 1
    assert "error: bedtools: no such program on PATH" in done.stderr
