import numpy as np

from lociflow.effects.largest import MOST, with_larger
from lociflow.effects.records import Record


def record(position: int, *alternatives: str) -> Record:
    return Record(["chrI", str(position), ".", "A", ",".join(alternatives), ".", ".", "."], position)


def row(*percentiles: float) -> dict[str, np.ndarray]:
    return {"sd": np.array([np.nan, 0.5]), "percentile": np.array(percentiles)}


def test_an_allele_stands_for_the_target_that_it_changes_most() -> None:
    effects = [np.array([0.1, -0.75]), None, np.array([0.5, np.nan])]
    kept = with_larger([], record(7, "C", "*", "G"), [row(1, 99), None, row(50, 2)], effects, ("a", "b"))
    shared = {"contig": "chrI", "position": 7, "id": ".", "ref": "A"}
    assert kept == [
        {**shared, "alt": "C", "target": "b", "effect": -0.75, "sd": 0.5, "percentile": 99.0},
        {**shared, "alt": "G", "target": "a", "effect": 0.5, "sd": None, "percentile": 50.0},
    ]


def test_the_largest_are_kept_and_of_equal_ones_the_first() -> None:
    values = [0.1, 0.9, *[0.5] * 9, -2.0]
    kept: list[dict[str, object]] = []
    for position, value in enumerate(values, 1):
        kept = with_larger(kept, record(position, "C"), [row(1, 1)], [np.array([value, 0.0])], ("a", "b"))
    assert [one["position"] for one in kept] == [12, 2, *range(3, 11)]
    assert len(kept) == MOST
