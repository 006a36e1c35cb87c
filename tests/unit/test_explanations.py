"""By which methods a run explains its models."""

import pytest
from groups import DATASET, MODEL, RUN, SCHEMAS, changed, refusal, write

from lociflow.config import Configuration
from lociflow.plan import Plan
from lociflow.run import check_run

PLACE = "results/toy/holdout/net/seed1/interpretation"


def plan(home, valid=("gradient", "shap"), **run):
    write(home, "model", "net", changed(MODEL, attribution={**MODEL["attribution"], "valid": list(valid)}))
    return Plan({**RUN, **run}, Configuration(home, SCHEMAS))


def test_without_a_list_a_model_has_one_method(home):
    found = plan(home)
    assert found.methods("toy", "net") == ["gradient"]
    assert found.invalid_methods("toy", "net") == {}
    assert found.method_files("toy", ["net"], "a.npz") == [f"{PLACE}/gradient/a.npz"]


def test_the_methods_of_a_model_are_those_of_the_run_in_its_order(home):
    found = plan(home, explanation_methods=["shap", "gradient"])
    assert found.methods("toy", "net") == ["shap", "gradient"]
    assert found.method_files("toy", ["net"], "a.npz", "b.json") == [
        f"{PLACE}/{name}" for name in ("shap/a.npz", "gradient/a.npz", "shap/b.json", "gradient/b.json")
    ]
    assert found.explanation_files("toy", ["net"], "a.npz") == [f"{PLACE}/shap/a.npz"]
    assert found.interpretation_files("toy", ["net"], "filters.tsv") == [f"{PLACE}/filters.tsv"]
    assert found.labelled_motifs("toy") == [
        f"net/seed1/modisco={PLACE}/shap/modisco.meme", f"net/seed1/filters={PLACE}/filters.meme",
    ]  # fmt: skip
    assert found.manifest()["datasets"][0]["models"] == [
        {"label": "net", "control": False, "methods": ["shap", "gradient"], "attention": False}
    ]


def test_a_method_that_is_not_valid_for_a_model_is_left_out_with_the_reason(home):
    found = plan(home, ["gradient"], explanation_methods=["shap", "gradient"])
    assert found.methods("toy", "net") == ["gradient"]
    assert found.invalid_methods("toy", "net") == {"shap": "the others need a reference"}


def test_motifs_are_of_the_first_method_unless_the_interpretation_says_all(home):
    asked = {"explanation_methods": ["shap", "gradient"]}
    both = {f"{PLACE}/shap/modisco.tsv", f"{PLACE}/gradient/modisco.tsv"}
    assert both & set(plan(home, **asked).explained_files()) == {f"{PLACE}/shap/modisco.tsv"}
    write(home, "dataset", "toy", changed(DATASET, interpretation={"motifs_of": "all"}))
    assert both <= set(plan(home, **asked).explained_files())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["shap"], "interpretation: method shap is not valid for model net (the others need a reference); choose one"),
        (["gradient", "sharp"], "explanation_methods: sharp: there is no such method; did you mean shap?"),
        (
            ["shap", "other"],
            "explanation_methods: none of shap, other is valid for model net (the others need a reference); add one of "
            "gradient, or leave the model out of interpret",
        ),
    ],
)
def test_methods_that_explain_nothing_are_refused(home, asked, told):
    methods = {name: {"_target_": f"a.{name}"} for name in ("gradient", "shap", "other")}
    write(home, "dataset", "toy", changed(DATASET, interpretation={"attribution": {"methods": methods}}))
    configuration = plan(home, ["gradient"]).groups
    assert refusal(check_run, {**RUN, "explanation_methods": asked}, configuration).startswith(told)


def test_explanations_are_compared_between_methods_and_with_the_first_method_of_the_second_seed(home):
    found = plan(home, explanation_methods=["shap", "gradient"], seeds=[1, 2, 3])
    second = PLACE.replace("seed1", "seed2")
    assert found.compared_explanations("toy") == {
        "net/seed1/shap": f"{PLACE}/shap/attributions.npz",
        "net/seed1/gradient": f"{PLACE}/gradient/attributions.npz",
        "net/seed2/shap": f"{second}/shap/few.npz",
    }
    assert set(plan(home, seeds=[1]).compared_explanations("toy")) == {"net/seed1/gradient"}


def test_the_checks_behind_motifs_are_those_of_the_first_method_and_of_no_control(home):
    asked = {"explanation_methods": ["shap", "gradient"], "models": ["net", "net+untrained"]}
    found = plan(home, **asked, variants={"untrained": ["training.max_epochs=0"]})
    assert found.labelled_checks("toy") == [f"net/seed1/modisco={PLACE}/shap/checks.json"]
    files = found.explained_files()
    assert {f"{PLACE}/{method}/checks.json" for method in ("shap", "gradient")} <= set(files)
    assert f"{PLACE.replace('net', 'net+untrained')}/shap/checks.json" in files
