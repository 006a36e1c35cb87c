"""Which models a run exports, and what a card takes from configurations."""

import pytest
from groups import changed, refusal, shipped

from lociflow.exports import about, exported

MODELS = ["deepsea_small", "masked_nucleotides_small", "deepsea_small+untrained"]


def found(**export):
    return exported({"export": export}, shipped(), MODELS, lambda label: label.endswith("+untrained"))


def test_without_the_key_nothing_is_exported() -> None:
    assert exported({"export": None}, shipped(), MODELS, bool) == exported({}, shipped(), MODELS, bool) == []


def test_all_that_are_trained_on_labels_and_no_controls() -> None:
    assert found(formats=["pt2"]) == found(models=None, formats=[]) == ["deepsea_small"]


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("deepsea", "export.models: deepsea is none of this run's models; did you mean deepsea_small?"),
        ("masked_nucleotides_small", "is trained without labels, expected a model with outputs"),
        ("deepsea_small+untrained", "is a control, from which nothing can be learnt"),
    ],
)
def test_a_model_that_cannot_be_exported_is_refused(label: str, told: str) -> None:
    asked = {"export": changed({"formats": []}, models=[label])}
    assert told in refusal(exported, asked, shipped(), MODELS, lambda name: name.endswith("+untrained"))


def test_a_card_is_told_paper_and_licence() -> None:
    said = about(shipped(), "nfe2", "danq_small+long", {"method": "a", "valid": ["a"]}, 7)
    assert said["name"] == "danq_small+long"
    assert said["model"]["doi"] == "10.1093/nar/gkw226"
    assert said["dataset"]["licence"] == "GPL-3.0"
    assert said["attribution"] == {"method": "a", "valid": ["a"], "reason": []}
    assert said["sources"] == 7
