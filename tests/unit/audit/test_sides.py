from pathlib import Path

import numpy as np
from audit_cases import BIN, Case, clean_case, table_case

from lociflow.audit.sides import Share, places, telling

LIMITS = {"warn": 0.0, "fail": 0.1}


def share(side: str, leaking: int, of: int = 100) -> Share:
    return Share(side, "train", leaking, of)


def test_the_test_set_is_spoken_of_first():
    test, validation = share("test", 1), share("validation", 5)
    assert telling([test, validation], LIMITS) is test


def test_unless_another_side_is_worse():
    validation = share("validation", 50)
    assert telling([share("test", 1), validation], LIMITS) is validation
    assert telling([share("test", 0), share("validation", 5)], LIMITS).side == "validation"
    assert telling([share("test", 0), share("validation", 0)], LIMITS).side == "test"


def test_an_empty_side_leaks_nothing():
    assert share("test", 0, 0).fraction == 0


def chromosomes() -> Case:
    case = clean_case()
    draws = np.random.default_rng(1)
    case.codes = {name: draws.integers(0, 4, 200_000).astype(np.uint8) for name in ("chrA", "chrB")}
    case.bins = [(name, start, start + BIN) for name in case.codes for start in range(0, 200_000, BIN)]
    case.labels = np.resize(case.labels, (len(case.bins), 1))
    case.splits = {"holdout": ["train"] * 1000 + ["test"] * 1000}
    return case


def test_neighbours_are_one_place_and_the_densest_comes_first(tmp_path: Path):
    subject = chromosomes().subject(tmp_path)
    # Three neighbours in the middle of chrB, one at its start, and the last of chrA, far from all of them.
    rows = np.array([999, 1000, 1500, 1501, 1503])
    found = places(subject, rows, np.array([-1, 10, 300, 301, 303]), lambda group: f"{len(group)} of them")
    assert [(place.name, place.windows) for place in found] == [
        ("chrB:100000-100800", 3),
        ("chrA:199800-200000", 1),
        ("chrB:0-200", 1),
    ]
    assert found[0].remark == "like chrA:60000-60800; 3 of them"
    assert found[1].remark == "subtelomere, 0 kb from the end of the chromosome; 1 of them"


def test_only_some_places_are_named_and_the_rest_is_counted(tmp_path: Path):
    subject = chromosomes().subject(tmp_path)
    rows = np.arange(0, 1000, 40)
    found = places(subject, rows, np.full(len(rows), -1))
    assert len(found) == 21
    assert found[-1].name == "and 5 more places"
    assert sum(place.windows for place in found) == 25


def test_sequences_of_a_table_have_names(tmp_path: Path):
    sequences = [np.zeros(10, np.uint8)] * 3
    subject = table_case(sequences, np.zeros(3, np.int8), ["train", "test", "test"]).subject(tmp_path)
    found = places(subject, np.array([1, 2]), np.array([0, -1]))
    assert [(place.name, place.remark) for place in found] == [("s1", "as s0"), ("s2", "")]
    assert places(subject, np.empty(0, np.int64), np.empty(0, np.int64)) == []
