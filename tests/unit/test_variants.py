"""What the names of variants mean, those that a run declares and those that its experiments make."""

import re

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from lociflow.command import UserError
from lociflow.variants import Share, Single, chosen, overrides, shares, singles, trials

RUN = {
    "models": ["net", "net+long"],
    "variants": {"long": ["training.max_epochs=50"], "wide": ["model.architecture.filters=[9]"]},
    "learning_curve": {"models": ["net", "net+long"], "shares": [0.005, 0.1, 1]},
    "single_task": {"models": ["net"], "targets": None},
    "search": {
        "size": {
            "model": "net+long",
            "grid": {"model.architecture.kernels": [[19, 5], [8, 3]], "training.optimizer.lr": [0.001, 0.01]},
        }
    },
}


def test_the_whole_of_the_labels_is_the_model_itself():
    assert shares(RUN) == {
        "net+labels-0.5pct": Share("net", 0.005),
        "net+labels-10pct": Share("net", 0.1),
        "net": Share("net", 1),
        "net+long+labels-0.5pct": Share("net+long", 0.005),
        "net+long+labels-10pct": Share("net+long", 0.1),
        "net+long": Share("net+long", 1),
    }
    assert shares({"models": ["net"], "learning_curve": None}) == {}


def test_single_targets_are_those_of_the_data_set_that_are_asked_for():
    assert singles(RUN, ["Reb1", "H2A.Z (a)"]) == {
        "net+only-Reb1": Single("net", "Reb1"),
        "net+only-H2A.Z-a-": Single("net", "H2A.Z (a)"),
    }
    some = {**RUN, "single_task": {"models": ["net"], "targets": ["Rap1"]}}
    assert list(singles(some, ["Reb1", "Rap1"])) == ["net+only-Rap1"]


def test_two_targets_of_one_name_are_refused():
    with pytest.raises(UserError, match=r"targets a b and a\+b would both be net\+only-a-b; rename one"):
        singles(RUN, ["a b", "a+b"])


def test_a_search_tries_every_combination():
    found = trials(RUN)
    assert list(found) == [
        "net+long+kernels-19-5_lr-0.001",
        "net+long+kernels-19-5_lr-0.01",
        "net+long+kernels-8-3_lr-0.001",
        "net+long+kernels-8-3_lr-0.01",
    ]
    last = found["net+long+kernels-8-3_lr-0.01"]
    assert last == {"model.architecture.kernels": [8, 3], "training.optimizer.lr": 0.01}


def test_the_best_trial_of_another_grid_has_another_name():
    (name,) = chosen(RUN)
    assert re.fullmatch(r"net\+long\+chosen-size-[0-9a-f]{6}", name)
    size = RUN["search"]["size"]
    grid = {**size["grid"], "training.optimizer.lr": [0.001]}
    assert list(chosen({**RUN, "search": {"size": {**size, "grid": grid}}})) != [name]


def test_a_trial_of_two_searches_is_trained_once():
    rates = {"model": "net", "grid": {"training.optimizer.lr": [0.001, 0.01]}}
    more = {"model": "net", "grid": {"training.optimizer.lr": [0.01, 0.1]}}
    run = {**RUN, "search": {"rates": rates, "more": more}}
    assert list(trials(run)) == ["net+lr-0.001", "net+lr-0.01", "net+lr-0.1"]
    assert list(trials(run, "more")) == ["net+lr-0.01", "net+lr-0.1"]
    clash = {**run["search"], "more": {"model": "net", "grid": {"training.schedule.lr": [0.01]}}}
    with pytest.raises(UserError, match=r"search\.more: two combinations would both be net\+lr-0\.01"):
        trials({**run, "search": clash})


def test_values_whose_names_are_the_same_are_refused():
    run = {**RUN, "search": {"size": {"model": "net", "grid": {"model.name": ["a b", "a+b"]}}}}
    with pytest.raises(UserError, match=r"search\.size: two combinations would both be net\+name-a-b"):
        trials(run)


def test_overrides_are_those_of_all_variants_in_their_order():
    assert overrides(RUN, "net") == ()
    assert overrides(RUN, "net+wide+long") == ("model.architecture.filters=[9]", "training.max_epochs=50")
    assert overrides(RUN, "net+long+labels-10pct") == ("training.max_epochs=50", "training.label_fraction=0.1")
    assert overrides(RUN, "net+only-Reb1", ["Reb1"]) == ("training.targets=['Reb1']",)
    assert overrides(RUN, "net+long+kernels-8-3_lr-0.01") == (
        "training.max_epochs=50", "model.architecture.kernels=[8,3]", "training.optimizer.lr=0.01",
    )  # fmt: skip


@pytest.mark.parametrize(
    "value",
    ["plain", "it's", "a,b", "{x}", 3, 0.5, True, None, [1, [2, "b"]], {"_target_": "a.b", "c": [1, {"d": None}]}],
)
def test_hydra_reads_back_what_is_written(value):
    run = {**RUN, "search": {"one": {"model": "net", "grid": {"training.key": [value]}}}}
    (override,) = overrides(run, next(iter(trials(run))))
    assert OverridesParser.create().parse_override(override).value() == value


def test_an_unknown_variant_is_refused():
    with pytest.raises(UserError, match="names the variant lang; did you mean long"):
        overrides(RUN, "net+long+lang")


def test_searches_of_two_models_do_not_share_their_trials():
    searches = {
        "a": {"model": "net", "grid": {"training.optimizer.lr": [0.001]}},
        "b": {"model": "net+long", "grid": {"training.schedule.lr": [0.001]}},
    }
    run = {**RUN, "search": searches}
    assert overrides(run, "net+lr-0.001") == ("training.optimizer.lr=0.001",)
    assert overrides(run, "net+long+lr-0.001") == ("training.max_epochs=50", "training.schedule.lr=0.001")


def test_a_trial_with_the_name_of_a_variant_is_refused():
    run = {**RUN, "variants": {"long": ["a=1"], "kernels-8-3_lr-0.01": ["training.max_epochs=1"]}}
    with pytest.raises(UserError, match=r"search\.size: a trial would be net\+long\+kernels-8-3_lr-0\.01, and the run"):
        trials(run)
