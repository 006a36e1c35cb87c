from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.checks.agreement import (
    compare_explanations,
    differs,
    explanation_of,
    measure_agreement,
    shared,
)

CODES = np.array([[0, 1, 2, 3], [3, 3, 0, 1]], dtype=np.uint8)


def attributed(
    contributions: list[list[float]], codes: np.ndarray = CODES, bins: tuple[int, ...] = (5, 8), column: int = 1
) -> Attributions:
    """Contributions of the bases that stand there; those of the others are not looked at."""
    values = np.array(contributions, dtype=np.float32)
    hypothetical = np.repeat(values[:, None], 4, axis=1)
    target = np.full(len(bins), column)
    return Attributions(
        np.array(bins), target, codes, hypothetical, {"targets": [{"target": "Reb1", "column": column}]}
    )


def test_agreement_by_hand() -> None:
    one = explanation_of("danq/seed1/a", attributed([[1, 2, 3, 4], [1, 0, 0, 0]]))
    other = explanation_of("danq/seed2/a", attributed([[2, 4, 6, 8], [0, 0, 0, 1]]))
    table = compare_explanations([one, other], seed=1)
    (row,) = table.to_dict("records")
    assert (row["first"], row["second"], row["differs"], row["windows"]) == ("danq/seed1/a", "danq/seed2/a", "seed", 2)
    # 1 for the first window; of the second, two of four positions of mean 1/4: -1/16 / (3/16) = -1/3.
    assert row["pearson"] == pytest.approx((1 - 1 / 3) / 2)
    assert row["low"] == pytest.approx(-1 / 3)
    assert row["high"] == pytest.approx(1)


def test_windows_are_found_by_bin_and_name_of_the_target() -> None:
    one = explanation_of("danq/seed1/a", attributed([[1, 2, 3, 4], [4, 3, 2, 1]]))
    other = explanation_of("cnn/seed1/a", attributed([[9, 8, 7, 6]], CODES[1:], bins=(8,), column=3))
    left, right = shared(one, other)
    assert (left.tolist(), right.tolist()) == ([[4, 3, 2, 1]], [[9, 8, 7, 6]])


@pytest.mark.parametrize(("start", "reverse"), [(1, False), (2, True)])
def test_of_a_longer_window_the_middle_is_compared(start: int, reverse: bool) -> None:
    """Five bases around four begin two before the middle, read from the other strand one base later."""
    long = np.array([[0, 1, 2, 3, 0, 1, 2]], dtype=np.uint8)
    values = [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]
    short = long[:, start : start + 4]
    one = explanation_of("danq/seed1/a", attributed(values, long, bins=(5,)))
    other = explanation_of("cnn/seed1/a", attributed([[1, 1, 2, 2]], short, bins=(5,)))
    left, right = shared(one, other)
    assert left.tolist() == [values[0][start : start + 4]]
    assert right.tolist() == [[1, 1, 2, 2]]
    assert [part.tolist() for part in reversed(shared(other, one))] == [left.tolist(), right.tolist()]


def test_explanations_without_a_common_window_have_no_value() -> None:
    one = explanation_of("danq/seed1/a", attributed([[1, 2, 3, 4]], CODES[:1], bins=(5,)))
    other = explanation_of("danq/seed1/b", attributed([[1, 2, 3, 4]], CODES[1:], bins=(8,)))
    (row,) = compare_explanations([one, other], seed=1).to_dict("records")
    assert row["windows"] == 0
    assert np.isnan(row["pearson"])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("danq/seed1/a", "danq/seed2/a", "seed"),
        ("danq/seed1/a", "danq/seed1/b", "method"),
        ("danq/seed1/a", "cnn+long/seed1/a", "model"),
        ("danq/seed1/a", "danq/seed2/b", "seed, method"),
    ],
)
def test_what_tells_two_explanations_apart(one: str, other: str, expected: str) -> None:
    assert differs(one, other) == expected


def test_the_table_holds_every_pair(tmp_path: Path) -> None:
    for name in "abc":
        write_attributions(tmp_path / f"{name}.npz", attributed([[1, 2, 3, 4], [1, 0, 0, 0]]))
    files = [(f"danq/seed1/{name}", tmp_path / f"{name}.npz") for name in "abc"]
    measure_agreement(files, tmp_path / "agreement.tsv")
    table = pd.read_csv(tmp_path / "agreement.tsv", sep="\t")
    assert len(table) == 3
    assert table["pearson"].tolist() == [1, 1, 1]
    measure_agreement(files[:1], tmp_path / "one.tsv")
    assert pd.read_csv(tmp_path / "one.tsv", sep="\t").empty
    with pytest.raises(UserError, match=r"found danq/seed1/a twice"):
        measure_agreement([files[0], files[0]], tmp_path / "twice.tsv")
    with pytest.raises(UserError, match="found label danq, expected MODEL/seedSEED/METHOD"):
        measure_agreement([("danq", tmp_path / "a.npz")], tmp_path / "wrong.tsv")
