from pathlib import Path

import pytest

from lociflow.provenance.compare import as_table, compare, is_reproduced
from lociflow.provenance.read import CrateFile, CrateSource, ReadCrate

FILES = {
    "report.html": CrateFile("1", None),
    "scores.tsv": CrateFile("2", "2"),
    "../../peaks/windows.parquet": CrateFile("3", "3"),
    "../../peaks/holdout/small/seed1/model.ckpt": CrateFile("4", "4"),
    "../../peaks/holdout/small/seed1/metrics.json": CrateFile("5", "5"),
    "../../peaks/holdout/small/ensemble-1-2/metrics.json": CrateFile("6", "6"),
    "../../peaks/holdout/baselines/gc/metrics.json": CrateFile("7", "7"),
}
HEADER = "dataset\tsplit\tlabel\tseed\tkind\tauroc_mean\tauprc_mean\ttrain_seconds\n"
ROWS = {
    "small": "peaks\tholdout\tsmall\t1\tmodel\t0.9\t0.5\t10\n",
    "ensemble": "peaks\tholdout\tsmall\t\tensemble\t0.92\t\t\n",
    "gc": "peaks\tholdout\tgc\t\tbaseline\t0.6\t\t\n",
}
SOURCES = {"a.bed": CrateSource("a.bed", "aa", "url", ()), "b.bed": CrateSource("b.bed", "bb", "url", ())}


def crate(folder: Path, files=(), sources=(), **rows) -> ReadCrate:
    """A run; files and sources replace those of the same name, None takes one away."""
    folder.mkdir()
    (folder / "scores.tsv").write_text(HEADER + "".join({**ROWS, **rows}.values()))
    kept = {name: file for name, file in {**FILES, **dict(files)}.items() if file}
    read = {name: source for name, source in {**SOURCES, **dict(sources)}.items() if source}
    return ReadCrate(folder, "toy", kept, read, {})


def verdicts(tmp_path, **other):
    parts = compare(crate(tmp_path / "before"), crate(tmp_path / "after", **other))
    return {part.name: (part.verdict, part.told) for part in parts}, is_reproduced(parts)


def test_the_same_run_is_the_same_whatever_its_report_and_the_bytes_of_its_files(tmp_path):
    files = {"report.html": CrateFile("other", None), "../../peaks/windows.parquet": CrateFile("other", "3")}
    found, reproduced = verdicts(tmp_path, files=files)
    assert found == {
        "sources": ("same", "2 files"),
        "runs/toy": ("same", "1 files"),
        "peaks": ("same", "1 files"),
        "peaks/holdout/baselines/gc": ("same", "1 files"),
        "peaks/holdout/small/ensemble-1-2": ("same", "1 files"),
        "peaks/holdout/small/seed1": ("same", "2 files"),
    }
    assert reproduced


def test_other_weights_with_the_same_scores_are_other_bits(tmp_path):
    files = {"../../peaks/holdout/small/seed1/model.ckpt": CrateFile("x", "x")}
    slower = ROWS["small"].replace("\t10\n", "\t99\n")
    found, reproduced = verdicts(tmp_path, files=files, small=slower)
    assert found["peaks/holdout/small/seed1"] == ("same scores, other bits", "model.ckpt")
    assert reproduced


def test_other_scores_differ_by_the_largest_difference(tmp_path):
    files = {f"../../peaks/holdout/small/seed1/{name}": CrateFile("x", "x") for name in ("model.ckpt", "metrics.json")}
    worse = "peaks\tholdout\tsmall\t1\tmodel\t0.89\t0.52\t10\n"
    found, reproduced = verdicts(tmp_path, files=files, small=worse)
    told = "auprc_mean 0.5 before, 0.52 now; metrics.json, model.ckpt"
    assert found["peaks/holdout/small/seed1"] == ("differs", told)
    assert not reproduced


@pytest.mark.parametrize(
    ("row", "entry", "folder"),
    [("ensemble", "small/ensemble-1-2", "0.92"), ("gc", "baselines/gc", "0.6")],
)
def test_means_and_baselines_have_their_own_scores(tmp_path, row, entry, folder):
    name = f"peaks/holdout/{entry}"
    files = {f"../../{name}/metrics.json": CrateFile("x", "x")}
    found, _ = verdicts(tmp_path, files=files, **{row: ROWS[row].replace(folder, "0.7")})
    assert found[name] == ("differs", f"auroc_mean {folder} before, 0.7 now; metrics.json")


def test_a_score_that_is_there_no_more_is_a_difference(tmp_path):
    files = {"../../peaks/holdout/small/seed1/metrics.json": CrateFile("x", "x")}
    found, _ = verdicts(tmp_path, files=files, small="peaks\tholdout\tsmall\t1\tmodel\t0.9\t\t10\n")
    assert found["peaks/holdout/small/seed1"] == ("differs", "auprc_mean 0.5 before, nan now; metrics.json")


def test_what_has_no_scores_differs_by_name(tmp_path):
    found, reproduced = verdicts(tmp_path, files={"../../peaks/windows.parquet": CrateFile("x", "x")})
    assert found["peaks"] == ("differs", "windows.parquet")
    assert not reproduced


def test_what_is_missing_is_named(tmp_path):
    names = ("model.ckpt", "metrics.json")
    found, reproduced = verdicts(tmp_path, files={f"../../peaks/holdout/small/seed1/{name}": None for name in names})
    assert found["peaks/holdout/small/seed1"] == ("missing", "metrics.json, model.ckpt")
    assert not reproduced


def test_a_source_that_differs_is_named_with_both_digests(tmp_path):
    sources = {"a.bed": CrateSource("a.bed", "cc", "url", ()), "b.bed": None}
    found, reproduced = verdicts(tmp_path, sources=sources)
    assert found["source a.bed"] == ("differs", "sha256 cc, expected aa")
    assert found["source b.bed"] == ("missing", "the new run has not read it")
    assert "sources" not in found
    assert not reproduced


def test_the_table_has_a_line_a_part_and_ends_with_counts(tmp_path):
    parts = compare(crate(tmp_path / "before"), crate(tmp_path / "after", sources={"b.bed": None}))
    lines = as_table(parts).splitlines()
    assert lines[0].split() == ["part", "verdict", "what"]
    assert lines[1].split(maxsplit=2) == ["sources", "same", "1 files"]
    assert len(lines) == len(parts) + 3
    assert lines[-1] == "same: 6, missing: 1"
