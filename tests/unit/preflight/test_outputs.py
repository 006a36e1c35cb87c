from typing import Any

import pytest
from groups import DATASET, SCHEMAS, changed, refusal, write

from lociflow.config import Configuration
from lociflow.models.outputs import Outputs
from lociflow.preflight.outputs import control_shape, expected_outputs

TRACK = {"url": "https://a.org/a.bw"}
PAIR = {"plus": TRACK, "minus": {"url": "https://a.org/b.bw"}}
SIGNAL = {"tracks": {"A": TRACK, "B": PAIR}}
SEQUENCES = {
    "genome": None,
    "sequences": {"table": [{"url": "https://a.org/a.csv"}], "sequence": "seq"},
    "windows": {"_target_": "lociflow.genome.whole_sequences.whole_sequences", "length": 30},
}


@pytest.mark.parametrize(
    ("changes", "recipe", "expected"),
    [
        ({}, {}, Outputs("binary", ("A", "B"))),
        ({"targets__negative_only": ["A"]}, {}, Outputs("binary", ("B",))),
        ({}, {"targets": ["B"]}, Outputs("binary", ("B",))),
        ({}, {"objective": {"_target_": "a.b"}}, Outputs("none", ())),
        ({"targets": {"named": TRACK}}, {}, Outputs("binary", ("1", "2"))),
        ({"targets": {"named": TRACK}}, {"targets": ["x"]}, Outputs("binary", ("x",))),
        ({"targets": {"named": TRACK, "names": ["x"]}}, {}, Outputs("binary", ("x",))),
        ({"labels__kind": "class"}, {}, Outputs("class", ("class",), (("background", "A", "B"),))),
        (
            {"labels__kind": "position_class", "labels__background": "between"},
            {},
            Outputs("position_class", ("class",), (("between", "A", "B"),), 10),
        ),
        ({"targets": {"signal": SIGNAL}, "labels": {}}, {}, Outputs("real", ("A", "B.plus", "B.minus"))),
        (
            {"targets": {"signal": SIGNAL}, "labels": {"kind": "profile"}},
            {"targets": ["A"]},
            Outputs("profile", ("A",), (), 10),
        ),
        (
            {**SEQUENCES, "targets": {"columns": {"X": "x", "Y": "y"}}, "labels": {"kind": "class"}},
            {},
            Outputs("class", ("X", "Y"), (("1", "2"), ("1", "2"))),
        ),
        (
            {
                **SEQUENCES,
                "targets": {"columns": ["x", "y"]},
                "labels": {"kind": "class", "classes": {"x": ["a", "b", "c"]}},
            },
            {"targets": ["x"]},
            Outputs("class", ("x",), (("a", "b", "c"),)),
        ),
    ],
)
def test_what_the_configuration_tells_of_the_outputs(
    home: Any, changes: dict[str, Any], recipe: dict[str, Any], expected: Outputs
) -> None:
    write(home, "dataset", "mine", changed(DATASET, **changes))
    groups = Configuration(home, SCHEMAS)
    assert expected_outputs(groups.dataset("mine"), groups, recipe) == expected


def test_a_target_that_the_data_set_lacks_is_refused(home: Any) -> None:
    groups = Configuration(home, SCHEMAS)
    told = refusal(expected_outputs, groups.dataset("toy"), groups, {"targets": ["C"]})
    assert told == "training.targets: found C, expected some of A, B; correct the name"


@pytest.mark.parametrize(("kind", "shape"), [("real", (3,)), ("profile", (10, 3))])
def test_a_control_has_the_shape_of_the_labels(home: Any, kind: str, shape: tuple[int, ...]) -> None:
    for name, control in (("with", {"control": TRACK}), ("without", {})):
        signal = {"signal": {**SIGNAL, **control}}
        write(home, "dataset", name, changed(DATASET, targets=signal, labels={"kind": kind}))
    groups = Configuration(home, SCHEMAS)
    assert control_shape(groups.dataset("with"), groups) == shape
    assert control_shape(groups.dataset("without"), groups) is None
    assert control_shape(groups.dataset("toy"), groups) is None
