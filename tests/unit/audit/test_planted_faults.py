"""Each fault that is planted in a clean data set is found, by its check and by no other check of leaks."""

import os
from pathlib import Path

import numpy as np
import pytest
from audit_cases import BIN, Case, clean_case, mutated, table_case

from lociflow.audit import dataset
from lociflow.sequence.alphabet import decode, encode, reverse_complement
from lociflow.sequence.fasta import read_fasta

LEAKS = {"duplicates", "overlap", "near_duplicates", "conflicts", "groups", "coordinates"}


def leaks_in(found) -> set[str]:
    return found.not_passed() & LEAKS


def repeat(case: Case, count: int = 12, change=lambda codes: codes, relabel=None) -> np.ndarray:
    """Put copies of training windows into the test set, with the labels of their originals."""
    draws = np.random.default_rng(5)
    sources = draws.choice(case.on("train"), count, replace=False)
    copies = draws.choice(case.on("test"), count, replace=False)
    for source, copy in zip(sources, copies, strict=True):
        case.window(copy)[:] = change(case.window(source))
        case.labels[copy] = case.labels[source] if relabel is None else relabel(case.labels[source])
    return copies


def test_a_clean_data_set_passes(tmp_path: Path):
    found = clean_case().audit(tmp_path)
    assert found.not_passed() == set()
    assert found.json["verdict"] == "pass"
    assert found.json["by_split"] == {"holdout": "pass"}
    assert not found.check("groups")["applies"]


def test_duplicates(tmp_path: Path):
    case = clean_case()
    copies = repeat(case)
    found = case.audit(tmp_path)
    check = found.check("duplicates")
    assert check["verdict"] == "fail"
    assert check["value"] == pytest.approx(12 / len(case.on("test")))
    assert "12 of 150" in check["says"]
    assert "0 of them on the other strand" in check["says"]
    assert sum(place["windows"] for place in check["where"]) == 12
    assert leaks_in(found) == {"duplicates", "near_duplicates"}
    similarity = found.similarity["holdout"]
    exact = similarity[(similarity["identity"] == 1) & (similarity["split"] == "test")]
    assert set(exact["row"]) == set(copies)


def test_reverse_complement_duplicates(tmp_path: Path):
    case = clean_case()
    repeat(case, change=reverse_complement)
    check = case.audit(tmp_path).check("duplicates")
    assert check["verdict"] == "fail"
    assert "12 of them on the other strand" in check["says"]


def test_a_single_duplicate_warns(tmp_path: Path):
    case = clean_case(tiles=250)
    repeat(case, 1)
    assert case.audit(tmp_path).verdict("duplicates") == "warn"


def test_homologs_of_ninety_per_cent_identity(tmp_path: Path):
    case = clean_case()
    draws = np.random.default_rng(3)
    repeat(case, 30, change=lambda codes: mutated(codes, 0.1, draws))
    found = case.audit(tmp_path)
    check = found.check("near_duplicates")
    assert check["verdict"] == "fail"
    assert check["value"] == pytest.approx(30 / len(case.on("test")))
    assert leaks_in(found) == {"near_duplicates"}
    rows = {(row[0], row[1]): row[2] for row in check["details"][0]["rows"]}
    assert rows["test", "80 % or more"] == 30
    assert rows["test", "95 % or more"] == 0


def test_overlap(tmp_path: Path):
    case = clean_case()
    case.bins = [(name, start, start + BIN) for name in case.codes for start in range(0, 29_000, BIN // 2)]
    case.labels = np.resize(case.labels, (len(case.bins), 1))
    sides = np.random.default_rng(2).choice(["train", "validation", "test"], len(case.bins), p=[0.8, 0.1, 0.1])
    case.splits = {"holdout": sides.tolist()}
    check = case.audit(tmp_path).check("overlap")
    assert check["verdict"] == "fail"
    assert check["value"] > 0.9


def test_label_conflict(tmp_path: Path):
    case = clean_case()
    repeat(case, 6, relabel=lambda label: 1 - label)
    check = case.audit(tmp_path).check("conflicts")
    assert check["verdict"] == "warn"
    assert check["value"] == pytest.approx(12 / 600)


def test_a_group_on_two_sides(tmp_path: Path):
    case = clean_case()
    case.groups = [f"{contig}-{start // 2000}" for contig, start, _ in case.bins]
    assert case.audit(tmp_path / "whole").verdict("groups") == "pass"
    case.groups[case.on("test")[0]] = case.groups[case.on("train")[0]]
    found = case.audit(tmp_path / "shared")
    check = found.check("groups")
    assert check["verdict"] == "fail"
    assert check["where"][0] == {"name": "chrA-0", "windows": 1, "remark": "on train, test"}
    assert leaks_in(found) == {"groups"}


def test_gc_shortcut(tmp_path: Path):
    case = clean_case()
    draws = np.random.default_rng(4)
    for number, label in enumerate(case.labels[:, 0]):
        weak, strong = (0.2, 0.3) if label else (0.3, 0.2)
        case.window(number)[:] = draws.choice(4, BIN, p=[weak, strong, strong, weak])
    found = case.audit(tmp_path)
    check = found.check("shortcuts")
    assert check["verdict"] == "warn"
    assert "GC content" in check["says"]
    assert leaks_in(found) == set()


def labelled_by(lengths: tuple[tuple[int, int], tuple[int, int]]) -> Case:
    draws = np.random.default_rng(6)
    labels = (draws.random(600) < 0.5).astype(np.int8)
    sequences = [draws.integers(0, 4, draws.integers(*lengths[label])) for label in labels]
    return table_case(sequences, labels, draws.choice(["train", "validation", "test"], 600, p=[0.6, 0.2, 0.2]))


def test_length_shortcut(tmp_path: Path):
    found = labelled_by(((100, 140), (130, 180))).audit(tmp_path)
    check = found.check("shortcuts")
    assert check["verdict"] == "warn"
    assert "length" in check["says"]
    assert "N content" not in [row["name"] for row in check["figures"][0]["rows"]]
    assert not found.check("overlap")["applies"]
    assert not found.check("coordinates", None)["applies"]


def test_lengths_that_say_nothing_pass(tmp_path: Path):
    assert labelled_by(((100, 180), (100, 180))).audit(tmp_path).not_passed() == set()


def write_vcf(path: Path, case: Case, shift: int = 0, wrong: float = 0.0) -> Path:
    """Write substitutions whose reference bases are the genome's ``shift`` bases away, some of them wrong."""
    draws = np.random.default_rng(8)
    lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    for contig, codes in case.codes.items():
        for position in np.sort(draws.choice(np.arange(10, len(codes) - 10), 100, replace=False)):
            base = (codes[position] + (draws.integers(1, 4) if draws.random() < wrong else 0)) % 4
            lines.append(f"{contig}\t{position + 1 + shift}\t.\t{decode(np.array([base]))}\tN\t.\t.\t.")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("shift", "wrong", "verdict", "says"),
    [
        (0, 0.0, "pass", "the reference bases of all 400 records are the genome's"),
        (0, 0.004, "warn", "disagree with the genome"),
        (0, 0.05, "fail", "another assembly, or edited records"),
        (1, 0.0, "fail", "off by one"),
        (-1, 0.0, "fail", "off by one"),
        (1000, 0.0, "fail", "the file is of another assembly"),
        (0, 1.0, "fail", "the file is of another assembly"),
    ],
    ids=["right", "a few wrong", "some wrong", "one to the right", "one to the left", "far away", "all wrong"],
)
def test_reference_bases(tmp_path: Path, shift: int, wrong: float, verdict: str, says: str):
    case = clean_case()
    case.variants = [write_vcf(tmp_path / "calls.vcf", case, shift, wrong)]
    check = case.audit(tmp_path).check("coordinates", None)
    assert check["verdict"] == verdict
    assert says.lower() in check["says"].lower()


def test_the_limit_that_fired_is_named_and_helps(tmp_path: Path):
    case = clean_case()
    files = [{"file": "p.bed", "read": 1000, "dropped": {"beyond_end": 500}, "clipped": 0}]
    case.variants = [write_vcf(tmp_path / "calls.vcf", case, 0, 0.05)]
    first = case.audit(tmp_path / "default").check("coordinates", None)
    (fired,) = first["exceeded"]
    assert (fired["key"], fired["limit"]) == ("audit.coordinates.mismatches", 0.01)
    assert (first["value"], first["fail"]) == (fired["value"], fired["limit"])
    assert first["unit"] == "of the records of calls.vcf"
    case.config["audit"] = {"coordinates": {"mismatches": 0.2}}
    assert case.audit(tmp_path / "raised").verdict("coordinates", None) == "warn"
    case.counts = {"regions": {"files": files}}
    (fired,) = case.audit(tmp_path / "beyond").check("coordinates", None)["exceeded"]
    assert fired == {"key": "audit.coordinates.fail", "limit": 0.01, "value": 0.5}
    del case.config["audit"]
    both = case.audit(tmp_path / "both").check("coordinates", None)
    assert [each["key"] for each in both["exceeded"]] == ["audit.coordinates.fail", "audit.coordinates.mismatches"]
    assert (both["value"], both["unit"]) == (0.5, "of the intervals")


def test_intervals_beyond_the_end(tmp_path: Path):
    case = clean_case()
    files = [{"file": "p.bed", "read": 1000, "dropped": {"beyond_end": 10, "zero_length": 2}, "clipped": 20}]
    case.counts = {"regions": {"files": files}}
    check = case.audit(tmp_path).check("coordinates", None)
    assert check["verdict"] == "fail"
    assert check["value"] == pytest.approx(0.03)


@pytest.mark.slow
@pytest.mark.real_data
def test_hg19_variants_on_hg38(tmp_path: Path):
    if "LOCIFLOW_REAL_DATA" not in os.environ:
        pytest.skip("LOCIFLOW_REAL_DATA does not name a folder")
    root = Path(os.environ["LOCIFLOW_REAL_DATA"])
    (genome,) = (root / "hg38_chr1_1Mb").glob("*.fa.gz")
    case = clean_case()
    case.codes = {"chr1": encode(bytes(next(iter(read_fasta(genome)))[1]))}
    case.bins = [("chr1", start, start + BIN) for start in range(700_000, 820_000, BIN)]
    case.labels = np.resize(case.labels, (len(case.bins), 1))
    case.splits = {"holdout": ["train"] * 300 + ["validation"] * 100 + ["test"] * 200}
    case.variants = [root / "human_hg19_chr1_3Mb_chain" / "variants" / "HCT116.vcf"]
    case.config["contig_aliases"] = {"1": "chr1"}
    check = case.audit(tmp_path).check("coordinates", None)
    assert check["verdict"] == "fail"
    assert "another assembly" in check["says"]


def test_of_many_held_out_windows_some_are_looked_at(tmp_path: Path):
    case = clean_case()
    repeat(case, 60)
    case.config["audit"] = {"sample": {"held_out": 100}}
    found = case.audit(tmp_path)
    check = found.check("duplicates")
    assert check["verdict"] == "fail"
    assert check["says"].endswith("Looked at 100 of 300 held-out windows, drawn with seed 0.")
    assert len(found.similarity["holdout"]) == 100


def test_thinned_queries_are_held_against_whole_sides(tmp_path: Path):
    case = clean_case()
    validation, test = case.on("validation"), case.on("test")
    for source, copy in zip(test, validation, strict=True):
        case.window(copy)[:] = case.window(source)
        case.labels[copy] = 1 - case.labels[source]
    case.config["audit"] = {"sample": {"held_out": 60}}
    found = case.audit(tmp_path)
    looked = found.similarity["holdout"]["split"].value_counts()
    rows = {row[0]: row[1:3] for row in found.check("duplicates")["details"][0]["rows"]}
    # Every validation window that is looked up finds its twin in the test set, looked up or not.
    assert rows["validation against test"] == [looked["validation"]] * 2
    conflicts = {row[0]: row[1:3] for row in found.check("conflicts")["details"][0]["rows"]}
    assert conflicts["validation"] == [looked["validation"]] * 2
    assert conflicts["test"] == [looked["test"]] * 2


def test_all_windows_near_chromosome_ends_are_counted(tmp_path: Path):
    case = clean_case(tiles=1000)
    ends = [row for row in case.on("test") if case.bins[row][1] < 30_000 or case.bins[row][2] > 170_000]
    # More places than are named, half of them near an end.
    for source, copy in zip(case.on("train"), [*ends[::30], *case.on("test")[200:800:60]], strict=False):
        case.window(copy)[:] = case.window(source)
        case.labels[copy] = case.labels[source]
    case.config["audit"] = {"near_duplicates": {"warn": 0.5}}
    count = len(ends[::30])
    check = case.audit(tmp_path).check("near_duplicates")
    assert f"({count + 10:,} of 1,000)" in check["says"]
    assert f"{100 * count / (count + 10):.1f} % of those lie in subtelomeres" in check["says"]


def test_searches_that_end_early_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = dataset.find_leaks
    for short, verdict in ((4, "pass"), (5, "warn")):
        monkeypatch.setattr(
            dataset, "find_leaks", lambda *a, short=short, **b: (f := real(*a, **b))._replace(
                counts={**f.counts, "cut_short": short}
            )
        )  # fmt: skip
        found = clean_case().audit(tmp_path / str(short))
        check = found.check("near_duplicates")
        # 150 test windows are searched once, 150 validation windows in training and in the test set.
        assert check["verdict"] == verdict
        assert ("1.1 % of the searches (5 of 450) ended before" in check["says"]) == (verdict == "warn")
        assert ["searches that ended early", short] in check["details"][2]["rows"]
        assert found.json["searches"]["holdout"]["cut_short"] == short
