from typing import Any

import numpy as np
import pytest

from lociflow.interpretation.experiments.spacing_effects import ORIENTATIONS
from lociflow.interpretation.experiments.spacing_rule import check_rule, planted_orientation

PAIR: dict[str, Any] = {"factor": "NFYA", "partner": "REST", "gap": [4, 8], "orientation": "same"}
GAPS = [0, 4, 8, 12]


def values(within: float, other_gaps: float, other_orientations: float, orientation: str = "++") -> np.ndarray:
    """Twenty backgrounds, all alike but for a little noise."""
    found = np.full((20, 4, 4), other_orientations)
    row = ORIENTATIONS.index(orientation)
    found[:, row] = [other_gaps, within, within, other_gaps]
    return found + np.random.default_rng(1).normal(0, 0.01, (20, 1, 1))


def judged(found: np.ndarray, first: str = "REST", **changed: Any) -> dict[str, Any]:
    return check_rule(found, first, GAPS, {**PAIR, **changed}, draws=200, level=0.95, seed=1)


@pytest.mark.parametrize(
    ("first", "orientation", "expected"),
    [("REST", "same", "++"), ("NFYA", "same", "--"), ("REST", "opposite", "+-"), ("NFYA", "opposite", "+-")],
)
def test_the_pair_is_found_from_either_side(first: str, orientation: str, expected: str) -> None:
    assert planted_orientation(first, {**PAIR, "orientation": orientation}) == expected


def test_an_interaction_within_the_rule_alone_has_recovered_it() -> None:
    found = judged(values(1.0, -0.1, -0.2))
    assert found["verdict"] == "recovered"
    assert found["within"]["mean"] == pytest.approx(1.0, abs=0.01)
    assert found["other_gaps"]["mean"] == pytest.approx(-0.1, abs=0.01)
    assert found["other_orientations"]["mean"] == pytest.approx(-0.2, abs=0.01)
    # Two places at other gaps and twelve in other orientations.
    assert found["difference"]["mean"] == pytest.approx(1 + (2 * 0.1 + 12 * 0.2) / 14)


def test_one_that_is_elsewhere_too_is_a_preference() -> None:
    assert judged(values(1.0, 0.5, -0.2))["verdict"] == "preferred"
    assert judged(values(1.0, -0.1, 0.5))["verdict"] == "preferred"


@pytest.mark.parametrize("found", [values(0.5, 0.5, 0.5), values(-0.5, -1.0, -1.0), values(0.1, 0.8, 0.8)])
def test_one_that_is_not_larger_within_or_not_above_0_is_none(found: np.ndarray) -> None:
    assert judged(found)["verdict"] == "not recovered"


def test_one_other_orientation_is_enough_for_a_preference() -> None:
    found = values(1.0, -0.1, -0.5)
    found[:, ORIENTATIONS.index("-+"), 1:3] = 0.6 + np.random.default_rng(2).normal(0, 0.01, (20, 1))
    judgement = judged(found)
    assert judgement["other_orientations"]["mean"] == pytest.approx(0.6, abs=0.01)
    assert judgement["verdict"] == "preferred"


def test_the_orientation_counts() -> None:
    assert judged(values(1.0, -0.1, -0.2, orientation="--"))["verdict"] == "not recovered"
    assert judged(values(1.0, -0.1, -0.2, orientation="--"), first="NFYA")["verdict"] == "recovered"


def test_gaps_that_were_not_measured_are_told() -> None:
    found = judged(values(1.0, -0.1, -0.2), gap=[20, 30])
    assert (found["within"], found["difference"], found["verdict"]) == (None, None, "not recovered")
