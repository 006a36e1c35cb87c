"""Outputs that an interpretation names are known before anything is trained."""

import pytest
from groups import DATASET, RUN, SCHEMAS, changed, refusal, write

from lociflow.config import Configuration
from lociflow.explained_outputs import check_explained_outputs, planned_outputs
from lociflow.models.outputs import Outputs

TABLE = {
    "genome": None,
    "sequences": {"table": [{"url": "https://a.org/t.tsv"}]},
    "windows": {"_target_": "lociflow.genome.whole_sequences.whole_sequences", "length": 30},
}


def groups(home, **changes):
    write(home, "dataset", "toy", changed(DATASET, **changes))
    return Configuration(home, SCHEMAS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Outputs("binary", ("A", "B"))),
        ({"targets__negative_only": ["B"]}, Outputs("binary", ("A",))),
        ({"labels__kind": "class"}, Outputs("class", ("class",), (("background", "A", "B"),))),
        (
            {"labels__kind": "position_class", "labels__background": "no"},
            Outputs("position_class", ("class",), (("no", "A", "B"),)),
        ),
        ({"targets": {"signal": {"tracks": {"t": {"url": "https://a.org/t.bw"}}}}}, None),
        (
            {**TABLE, "targets": {"columns": ["j"]}, "labels": {"kind": "class", "classes": ["N", "EI"]}},
            Outputs("class", ("j",), (("N", "EI"),)),
        ),
        (
            {**TABLE, "targets": {"columns": ["j", "k"]}, "labels": {"kind": "class", "classes": {"j": ["N", "EI"]}}},
            None,
        ),
        ({**TABLE, "targets": {"columns": ["j"]}, "labels": {"kind": "class"}}, None),
        ({**TABLE, "targets": {"columns": ["j"]}, "labels": {"kind": "real"}}, Outputs("real", ("j",))),
    ],
)
def test_what_a_configuration_says_of_outputs(home, changes, expected):
    changes = {"targets": None, **changes} if "sequences" in changes else changes
    assert planned_outputs("toy", groups(home, **changes)) == expected


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"contrasts": {"x": ["A", "C"]}}, "attribution.contrasts.x: found C, expected one of A, B"),
        ({"contrasts": {"A": ["A", "B"]}}, "attribution.contrasts: A is a column already, expected another name"),
        ({"targets": ["A", "AB"]}, "attribution.targets: found AB, expected targets or outputs of the data set"),
        ({"targets": "C"}, "attribution.targets: found C, expected targets or outputs of the data set"),
    ],
)
def test_an_output_that_does_not_exist_is_refused(home, asked, told):
    whole = groups(home, interpretation={"attribution": asked})
    said = refusal(check_explained_outputs, RUN, whole)
    assert said.startswith(f"interpretation default of dataset toy: {told}")
    # What is not explained is not looked at.
    check_explained_outputs({**RUN, "interpret": []}, whole)


@pytest.mark.parametrize(
    "asked", [{"contrasts": {"x": ["B", "A"]}, "targets": ["B"]}, {"targets": "all"}, {"targets": 3}]
)
def test_outputs_that_exist_are_not_refused(home, asked):
    check_explained_outputs(RUN, groups(home, interpretation={"attribution": asked}))


def test_a_target_stands_for_its_outputs_and_contrasts_are_of_outputs(home):
    asked = {"targets": ["class"], "contrasts": {"x": ["class:A", "class:B"]}}
    check_explained_outputs(RUN, groups(home, labels__kind="class", interpretation={"attribution": asked}))
    asked = {"contrasts": {"x": ["class:A", "B"]}}
    said = refusal(
        check_explained_outputs, RUN, groups(home, labels__kind="class", interpretation={"attribution": asked})
    )
    assert said.endswith("found B, expected one of class:background, class:A, class:B")


def test_an_output_that_a_model_does_not_learn_is_refused(home):
    whole = groups(home, interpretation={"attribution": {"targets": ["A"]}})
    run = {**RUN, "models": ["net", "net+b"], "variants": {"b": ["training.targets=[B]"]}}
    told = refusal(check_explained_outputs, run, whole)
    assert ", model net+b: attribution.targets: found A, expected targets or outputs that the model learns" in told
    check_explained_outputs({**run, "interpret": ["net"]}, whole)


def test_what_only_files_tell_is_left_to_the_step(home):
    signal = {"tracks": {"t": {"url": "https://a.org/t.bw"}}}
    asked = {"attribution": {"contrasts": {"x": ["y", "z"]}}}
    check_explained_outputs(RUN, groups(home, targets__files=None, targets__signal=signal, interpretation=asked))


def test_the_track_of_attention_is_a_target_or_a_signal_on_a_genome(home):
    for track in ("A", None, {"path": "dnase.bw"}):
        check_explained_outputs(RUN, groups(home, interpretation={"attention_track": track}))
    said = refusal(check_explained_outputs, RUN, groups(home, interpretation={"attention_track": "AB"}))
    assert said.startswith("interpretation default of dataset toy: attention_track: found AB, expected one of A, B")
    table = {**TABLE, "targets": {"columns": ["j"]}, "labels": {"kind": "real"}}
    whole = groups(home, **{**table, "interpretation": {"attention_track": {"path": "dnase.bw"}}})
    assert "found a signal for sequences without a genome" in refusal(check_explained_outputs, RUN, whole)
