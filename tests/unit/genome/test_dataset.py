import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.genome import label_array
from lociflow.genome.dataset import make_windows
from lociflow.genome.window_table import read_windows
from lociflow.sequence.genome_store import write_store

ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")
REPOSITORY = Path(__file__).parents[3]

Make = Callable[..., dict[str, Path]]


def config(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "targets": {"files": {"T": "t.bed", "U": "u.bed"}},
        "contig_aliases": None,
        "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 10, "stride": 10, "length": 30},
        "labels": {"min_overlap": 0.5, "positive_score": 5, "allow_empty_targets": False},
        "split": {
            "name": "holdout",
            "_target_": "lociflow.genome.splits.by_contig",
            "validation": ["c2"],
            "test": ["c3"],
        },
    }
    for key, value in changes.items():
        plain[key] = {**plain[key], **value} if isinstance(value, dict) and key in ("labels",) else value
    return plain


@pytest.fixture
def make(tmp_path: Path, store_of: Callable) -> Make:
    store = store_of(
        {"c1": "ACGTACGTAC" * 3 + "ACG", "c2": "ACGTACGTAC" * 2, "c3": "ACGTACGTACNNACGTACGT" + "ACGTACGTAC"}
    )
    (tmp_path / "t.bed").write_text("c1\t1\t2\tp\t9\t.\nc1\t12\t13\tp\t4\t.\nc2\t5\t15\tp\t9\t.\nc3\t22\t23\tp\t5\t.\n")
    (tmp_path / "u.bed").write_text("c1\t1\t1\tp\t9\t.\nc2\t3\t4\tp\t9\t.\nc1\t31\t32\tp\t9\t.\nc3\t1\t2\tp\t1\t.\n")
    (tmp_path / "black.bed").write_text("c1\t25\t26\n")

    def run(config: dict[str, Any], folder: str = "out", **more: Any) -> dict[str, Path]:
        names = {
            "windows": "w.parquet", "targets": "t.npy", "control": "c.npy", "target_table": "t.tsv",
            "counts": "w.json", "removed": "r.tsv",
        }  # fmt: skip
        paths = {what: tmp_path / folder / name for what, name in names.items()}
        arguments = {"sheet": None, "blacklist": tmp_path / "black.bed", **more}
        make_windows(store=store.path, config=config, sources=tmp_path, **arguments, **paths)
        return paths

    return run


def test_intervals_with_a_published_split_and_negatives_of_their_own(make: Make, tmp_path: Path):
    header = "id,region,start,end,strand\n"
    for name, rows in {
        "train/yes": "1,chr1,2,8,+\n2,chr1,10,16,-\n3,chr1,20,26,+\n",
        "test/yes": "4,chr2,4,10,-\n",
        "train/no": "5,chr1,11,17,+\n6,chr2,12,18,+\n",
        "test/no": "7,chr1,11,17,+\n",
    }.items():
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(header + rows)
    files = {
        kind: [{"file": f"{side}/{kind}.csv", "split": side} for side in ("train", "test")] for kind in ("yes", "no")
    }
    asked = config(
        targets={"files": files, "negative_only": ["no"]},
        contig_aliases={"chr1": "c1", "chr2": "c2"},
        windows={"_target_": "lociflow.genome.windows.peak_centred_bins", "bin": 6, "length": 6, "stranded": True},
        split={"name": "published", "_target_": "lociflow.genome.splits.published", "validation_fraction": 0.4},
    )
    # Only the very interval counts, on its own strand.
    asked["labels"] = {"min_overlap": 1.0}
    paths = make(asked, blacklist=None)
    windows = read_windows(paths["windows"], "published")
    places = windows[["contig", "start", "end", "strand"]].astype(str).agg(":".join, axis=1)
    expected = {
        "c1:2:8:+": [1], "c1:10:16:-": [1], "c1:11:17:+": [0, 0], "c1:20:26:+": [1],
        "c2:4:10:-": [1], "c2:12:18:+": [0],
    }  # fmt: skip
    labels = np.load(paths["targets"])[:, 0]
    assert {place: labels[places == place].tolist() for place in dict.fromkeys(places)} == expected
    # The place that is published on both sides stays on both.
    assert sorted(places[windows["split"] == "test"]) == ["c1:11:17:+", "c2:4:10:-"]
    assert (windows["split"] != "test").sum() == 5
    assert "published" not in windows


def test_the_whole_step_by_hand(make: Make):
    paths = make(config())
    windows = read_windows(paths["windows"], "holdout")
    assert windows[["contig", "start", "end", "split"]].values.tolist() == [
        ["c1", 0, 10, "train"],
        ["c1", 10, 20, "train"],
        ["c2", 0, 10, "validation"],
        ["c2", 10, 20, "validation"],
        ["c3", 0, 10, "test"],
        ["c3", 20, 30, "test"],
    ]
    targets = np.load(paths["targets"], mmap_mode="r")
    assert targets.dtype == np.int8
    assert targets.tolist() == [[1, 0], [-1, 0], [1, 1], [1, 0], [0, -1], [1, 0]]
    assert paths["target_table"].read_text() == (
        "target\tpeaks\tkept\tpositives_train\tpositives_validation\tpositives_test\tignored\n"
        "T\t4\t4\t1\t2\t1\t1\n"
        "U\t4\t2\t0\t1\t0\t1\n"
    )
    counts = json.loads(paths["counts"].read_text())
    assert counts["bins"] == {
        "made": 9,
        "background": 0,
        "dropped": {"tail": 1, "blacklist": 1, "n": 1, "no_split": 0},
        "kept": 6,
        "shuffled": 0,
        "negatives": [],
    }
    holdout = counts["splits"]["holdout"]
    assert holdout["bins"] == {"train": 2, "validation": 2, "test": 2}
    assert holdout["labels"] == {
        "train": {"known": [1, 2], "missing": [1, 0], "positives": [1, 0]},
        "validation": {"known": [2, 2], "missing": [0, 0], "positives": [2, 1]},
        "test": {"known": [2, 1], "missing": [0, 1], "positives": [1, 0]},
    }
    assert counts["regions"]["read"] == {"T": 4, "U": 4}
    assert (counts["regions"]["on_genome"], counts["regions"]["kept"]) == (7, 6)
    assert counts["regions"]["without_bin"] == {"T": 0, "U": 1}
    assert counts["regions"]["files"][1]["dropped"] == {"zero_length": 1, "excluded_contig": 0, "beyond_end": 0}
    assert np.load(paths["control"]).shape == (6, 0)
    assert paths["removed"].read_text() == "from\tsplit\tcontig\tstart\tend\treason\tof\n"
    assert counts["blacklist"] == {
        "file": "black.bed",
        "read": 1,
        "dropped": {"zero_length": 0, "excluded_contig": 0, "beyond_end": 0},
        "clipped": 0,
    }
    assert (counts["format"], counts["version"]) == ("windows", 2)


def test_the_same_bytes_twice_and_in_small_blocks(make: Make, monkeypatch: pytest.MonkeyPatch):
    first = make(config())
    monkeypatch.setattr(label_array, "BLOCK", 2)
    second = make(config(), "again")
    for what, path in first.items():
        assert path.read_bytes() == second[what].read_bytes(), what


def test_the_digest_of_the_labels_changes_with_a_label(make: Make):
    digests = [
        json.loads(make(config(labels={"positive_score": score}))["counts"].read_text())["digests"] for score in (5, 6)
    ]
    assert digests[0]["windows"] == digests[1]["windows"]
    assert digests[0]["targets"] != digests[1]["targets"]


def test_bins_of_no_split_are_dropped_and_counted(make: Make, store_of: Callable):
    store_of({"c1": "A" * 40, "c2": "A" * 20, "c3": "A" * 30, "c4": "A" * 50})
    paths = make(config(split={**config()["split"], "train": ["c1"]}))
    assert json.loads(paths["counts"].read_text())["bins"]["dropped"]["no_split"] == 5
    assert set(read_windows(paths["windows"])["contig"]) == {"c1", "c2", "c3"}
    assert len(np.load(paths["targets"])) == 8


def test_peak_centred_with_background(make: Make):
    windows = {
        "_target_": "lociflow.genome.windows.peak_centred_bins",
        "bin": 4,
        "negatives": {"_target_": "lociflow.genome.negatives.background", "ratio": 0.4, "seed": 1},
    }
    paths = make(config(windows=windows))
    counts = json.loads(paths["counts"].read_text())["bins"]
    assert counts["background"] == 2
    assert counts["dropped"] == {"duplicate": 0, "outside": 2, "blacklist": 0, "n": 0, "no_split": 0}
    targets = np.load(paths["targets"])
    assert (targets == 0).all(axis=1).sum() == 2


def test_a_failed_step_leaves_nothing(make: Make, tmp_path: Path):
    with pytest.raises(UserError):
        make(config(split={**config()["split"], "test": ["c1", "c3"]}))
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"window": {}}, "dataset: found the key 'window', expected one of .*; did you mean windows?"),
        ({"targets": None}, "targets: found None, expected a mapping"),
        ({"labels": {"min_overlp": 1}}, "labels: found the key 'min_overlp', .*did you mean min_overlap?"),
        ({"labels": {"min_overlap": 0}}, "labels.min_overlap: found 0, expected a fraction above 0 and up to 1"),
        ({"labels": {"positive_score": "high"}}, "labels.positive_score: found 'high', expected a number or null"),
        ({"windows": {"bin": 10}}, "windows: found {'bin': 10}, expected a mapping with _target_"),
        (
            {"windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 10, "strid": 5}},
            "windows: found the key 'strid', .*did you mean stride?",
        ),
        (
            {"windows": {"_target_": "lociflow.genome.windows.tile_bins"}},
            "windows: found no key 'bin', which tile_bins",
        ),
        (
            {"windows": {"_target_": "lociflow.genome.windows.tile"}},
            r"windows\._target_: found .*did you mean .*\.tile_bins",
        ),
        (
            {"windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 200, "length": 100}},
            "windows.length: found 100 with bins of 200, expected at least the bin.*; set windows.length to 200",
        ),
        ({"labels": {"stranded": True}}, "labels: found the key 'stranded'"),
        (
            {
                "windows": {
                    "_target_": "lociflow.genome.windows.peak_centred_bins",
                    "bin": 4,
                    "negatives": {"_target_": "lociflow.genome.negatives.background", "ratios": 1},
                }
            },
            "windows.negatives: found the key 'ratios', .*did you mean ratio?",
        ),
        (
            {"split": {"name": "holdout", "_target_": "lociflow.genome.splits.by_contig", "test": ["c3"]}},
            "split: found no key 'validation'",
        ),
        ({"contig_aliases": {"c1": "chr1"}}, "contig_aliases: c1 is called chr1, which the genome does not have"),
    ],
)
def test_configurations_that_are_refused(make: Make, changes: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        make(config(**changes))


def test_a_peak_without_score_where_the_score_decides(make: Make, tmp_path: Path):
    (tmp_path / "u.bed").write_text("c1\t1\t2\n")
    with pytest.raises(UserError, match=r"labels.positive_score: found a peak of U without score \(c1:1-2\)"):
        make(config())
    assert make(config(labels={"positive_score": None}))


def test_an_empty_target_is_kept_where_the_configuration_says_so(make: Make, tmp_path: Path):
    (tmp_path / "u.bed").write_text("")
    with pytest.raises(UserError, match=r"u\.bed: found no peak for U"):
        make(config())
    paths = make(config(labels={"allow_empty_targets": True}))
    assert not np.load(paths["targets"])[:, 1].any()


def test_no_torch_is_imported():
    code = "import sys, lociflow.genome.dataset; sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


@pytest.mark.real_data
def test_yeast_chipexo_against_bedtools(tmp_path: Path):
    if "LOCIFLOW_REAL_DATA" not in os.environ:
        pytest.skip("LOCIFLOW_REAL_DATA does not name a folder")
    data = Path(os.environ["LOCIFLOW_REAL_DATA"])
    yeast = data / "yeast_sacCer3_chain"
    write_store([yeast / "genome/sacCer3.nuclear.fa"], tmp_path / "codes.npy", tmp_path / "store.json", "sacCer3")
    blacklist = yeast / "chipexo_peaks/ChExMix_Peak_Filter_List_190612.bed"
    aliases = {f"chr{number}": f"chr{roman}" for number, roman in enumerate(ROMAN, start=1)}
    started = time.perf_counter()
    make_windows(
        store=tmp_path / "store.json",
        config={
            "targets": {"sheet": True},
            "contig_aliases": {**aliases, "chrM": None, "chr2-micron": None},
            "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 200},
            "labels": {"min_overlap": 0.5},
            "split": {
                "name": "holdout",
                "_target_": "lociflow.genome.splits.by_contig",
                "validation": ["chrVII"],
                "test": ["chrIV", "chrXVI"],
            },
        },
        sources=data,
        sheet=REPOSITORY / "config/dataset/yeast_chipexo.targets.tsv",
        blacklist=blacklist,
        windows=tmp_path / "windows.parquet",
        targets=tmp_path / "targets.npy",
        control=tmp_path / "control.npy",
        removed=tmp_path / "removed.tsv",
        target_table=tmp_path / "targets.tsv",
        counts=tmp_path / "windows.json",
    )
    seconds = time.perf_counter() - started
    print(f"{seconds:.1f} s, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    assert seconds < 60

    windows = read_windows(tmp_path / "windows.parquet")
    targets = np.load(tmp_path / "targets.npy", mmap_mode="r")
    table = pd.read_csv(tmp_path / "targets.tsv", sep="\t")
    assert targets.shape == (len(windows), 186)
    counts = json.loads((tmp_path / "windows.json").read_text())["bins"]
    assert (counts["made"], counts["kept"], counts["dropped"]["blacklist"]) == (60_365, 57_066, 3_283)

    # The same with bedtools alone: tiles, those without blacklist, those with a peak.
    def renamed(path: Path) -> str:
        lines = [line.split("\t") for line in path.read_text().splitlines()]
        return "".join(f"{aliases[line[0]]}\t{line[1]}\t{line[2]}\n" for line in lines if line[0] in aliases)

    def bedtools(*arguments: str | Path) -> str:
        return subprocess.run(["bedtools", *arguments], check=True, capture_output=True, text=True).stdout

    (tmp_path / "black.bed").write_text(renamed(blacklist))
    tiles = bedtools("makewindows", "-g", yeast / "genome/sacCer3.nuclear.fa.fai", "-w", "200")
    whole = [line for line in tiles.splitlines() if int(line.split("\t")[2]) - int(line.split("\t")[1]) == 200]
    (tmp_path / "tiles.bed").write_text("\n".join(whole) + "\n")
    kept = bedtools("intersect", "-v", "-a", tmp_path / "tiles.bed", "-b", tmp_path / "black.bed")
    (tmp_path / "kept.bed").write_text(kept)
    bins = {f"{row.contig}\t{row.start}\t{row.end}" for row in windows.itertuples()}
    assert bins == set(kept.splitlines())
    names = windows["contig"].astype(str) + "\t" + windows["start"].astype(str) + "\t" + windows["end"].astype(str)
    for target in ("Reb1", "Rap1", "Spt15", "Mcm1"):
        (tmp_path / "peaks.bed").write_text(renamed(yeast / f"chipexo_peaks/bed/{target}_CX.bed"))
        hit = bedtools(
            "intersect", "-u", "-f", "0.5", "-F", "0.5", "-e", "-a", tmp_path / "kept.bed", "-b", tmp_path / "peaks.bed"
        )
        column = int(table.index[table["target"] == target][0])
        assert set(names[targets[:, column] == 1]) == set(hit.splitlines())
