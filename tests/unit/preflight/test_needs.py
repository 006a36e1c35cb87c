from pathlib import Path
from typing import Any

import pytest

from lociflow.preflight import needs
from lociflow.preflight.finding import ERROR, OK, WARN
from lociflow.preflight.needs import Needs, check_disk, check_memory, needs_of, size


def config(**more: Any) -> dict[str, Any]:
    def source(file: str) -> dict[str, Any]:
        return {"file": file, "url": "https://a.org", "path": None, "sha256": None, "derived_from": None}

    return {
        "name": "toy",
        "genome": {"source": [source("g.fa.gz")]},
        "targets": {"files": {"A": source("A.bed"), "B": source("B.bed")}},
        "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 200, "length": 500},
        "labels": {},
        **more,
    }


SIZES = {"g.fa.gz": 1_000_000, "A.bed": 300, "B.bed": 300}


def test_needs_by_hand() -> None:
    found = needs_of(config(), {}, SIZES, trainings=3)
    # 4 Mb of bases are 20,000 bins of 2 targets; predictions take 4 bytes where labels take 1.
    labels = 20_000 * 2
    assert found.disk == 1_000_600 + 4_000_000 + labels + 3 * (needs.CHECKPOINT_BYTES + 4 * labels)
    # The audit takes more than making the windows does.
    assert found.memory == needs.AUDIT_BYTES + 20_000 * needs.AUDIT_BIN_BYTES
    assert found.unknown == ()


def test_memory_is_that_of_the_windows_where_there_are_many_peaks() -> None:
    found = needs_of(config(), {}, {**SIZES, "A.bed": 3_000_000_000}, trainings=0)
    # Lines of 30 bytes, both files together.
    assert found.memory == needs.PROCESS_BYTES + 20_000 * needs.BIN_BYTES + 100_000_010 * 40


def test_what_is_fetched_is_not_written_again() -> None:
    place = Path("resources/sources/g.fa.gz")
    one, other = (needs_of(config(), here, SIZES, 0).disk for here in ({}, {"g.fa.gz": place}))
    assert one - other == 1_000_000


def test_a_source_that_tells_no_size_is_named() -> None:
    assert needs_of(config(), {}, {"A.bed": 300, "B.bed": 300}, 1).unknown == ("g.fa.gz",)


def test_profiles_have_a_label_for_every_base() -> None:
    one, other = (needs_of(config(labels={"kind": kind}), {}, SIZES, 0).disk for kind in ("real", "profile"))
    assert other - one == 20_000 * 2 * 4 * 199


def test_disk_is_summed_and_memory_is_the_largest() -> None:
    assert Needs(1, 5, ("a",)) + Needs(2, 3, ("a", "b")) == Needs(3, 5, ("a", "b"))


@pytest.mark.parametrize(("share", "verdict"), [(0.5, OK), (0.9, WARN), (1.1, ERROR)])
def test_disk_that_is_short_stops_the_run(monkeypatch: pytest.MonkeyPatch, share: float, verdict: str) -> None:
    class Usage:
        free = 1_000_000

    monkeypatch.setattr(needs.shutil, "disk_usage", lambda _: Usage)
    assert check_disk(Needs(int(share * 1_000_000)), Path()).verdict == verdict


def test_memory_that_is_short_is_a_warning() -> None:
    assert check_memory(Needs(0, 1)).verdict == OK
    assert check_memory(Needs(0, 1 << 60)).verdict == WARN


def test_sizes_read_well() -> None:
    assert [size(number) for number in (7, 1500, 3.14e9, 2e15)] == ["7 bytes", "2 kB", "3.1 GB", "2000.0 TB"]
