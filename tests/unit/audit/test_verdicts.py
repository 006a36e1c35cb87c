import pytest

from lociflow.audit.verdicts import DEFAULTS, Check, counted, judge, on_failure, percent, settings, worst
from lociflow.command import UserError


def test_without_settings_the_defaults_hold():
    assert settings(None) == DEFAULTS
    assert settings("warn") == DEFAULTS
    assert settings({"on_failure": "warn"}) == DEFAULTS


def test_a_threshold_changes_alone():
    found = settings({"near_duplicates": {"fail": 0.3}})
    assert found["near_duplicates"] == {**DEFAULTS["near_duplicates"], "fail": 0.3}
    assert found["duplicates"] == DEFAULTS["duplicates"]
    assert DEFAULTS["near_duplicates"]["fail"] != 0.3


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"duplicate": {}}, "audit: found the key 'duplicate', expected one of .*; did you mean duplicates?"),
        ({"duplicates": {"fial": 1}}, "audit.duplicates: found the key 'fial', .*; did you mean fail?"),
        ({"duplicates": 0.1}, "audit.duplicates: found 0.1, expected a mapping with warn, fail"),
        ({"duplicates": {"fail": "much"}}, "audit.duplicates.fail: found 'much', expected a number"),
        ({"duplicates": {"fail": True}}, "audit.duplicates.fail: found True, expected a number"),
        ({"duplicates": {"fail": -1}}, "audit.duplicates.fail: found -1, expected a number"),
        ({"duplicates": {"fail": float("nan")}}, "audit.duplicates.fail: found nan, expected a number"),
        ({"on_failure": "explode"}, "audit: found 'explode', expected stop or warn"),
        ("ignore", "audit: found 'ignore', expected stop or warn"),
    ],
)
def test_bad_settings_are_refused(config, sentence: str):
    with pytest.raises(UserError, match=sentence):
        settings(config)


@pytest.mark.parametrize(
    ("config", "expected"), [(None, "stop"), ({}, "stop"), ("warn", "warn"), ({"on_failure": "warn"}, "warn")]
)
def test_what_a_failure_does(config, expected: str):
    assert on_failure(config) == expected


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.0, "pass"), (0.1, "pass"), (0.11, "warn"), (0.2, "warn"), (0.21, "fail")]
)
def test_a_value_at_the_threshold_is_still_good(value: float, verdict: str):
    assert judge(value, {"warn": 0.1, "fail": 0.2}) == verdict


def test_without_a_limit_nothing_fails():
    assert judge(1.0, {"warn": 0.1}) == "warn"
    assert judge(1.0, {}) == "pass"


@pytest.mark.parametrize(("verdict", "limits"), [("pass", []), ("warn", []), ("fail", [("audit.overlap.fail", 0.2)])])
def test_a_failed_check_names_its_limit(verdict: str, limits: list):
    found = Check("overlap", "a", verdict, "", 0.5, "", 0.1, 0.2, "", "").as_json()
    assert [(each["key"], each["limit"]) for each in found["exceeded"]] == limits


def test_numbers_have_nouns():
    assert [counted(1, "class"), counted(2, "class"), counted(1000, "target")] == [
        "1 class",
        "2 classes",
        "1,000 targets",
    ]


def test_the_worst_verdict():
    assert worst(["pass", "fail", "warn"]) == "fail"
    assert worst([]) == "pass"


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0 %"), (1, "100 %"), (0.00001, "less than 0.01 %"), (0.9999, "more than 99.9 %"),
        (0.0023, "0.23 %"), (0.0512, "5.1 %"), (0.5, "50.0 %"),
    ],
)  # fmt: skip
def test_percent(fraction: float, text: str):
    assert percent(fraction) == text
