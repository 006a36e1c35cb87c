"""What a run asks for, checked before a job exists."""

import pytest
from groups import DATASET, MODEL, RUN, SCHEMAS, changed, refusal, trained, write

from lociflow.config import Configuration
from lociflow.run import check_dataset, check_run, check_trainable, explained_models, is_control, splits_of

MASKED = "lociflow.training.masked.MaskedTokens"


def test_an_untrained_network_and_permuted_labels_are_controls(configuration):
    assert not is_control(trained(configuration)["training"])
    assert is_control(trained(configuration, "training.max_epochs=0")["training"])
    assert is_control(trained(configuration, "training.label_permutation=true")["training"])


def test_a_run_that_fits_is_accepted(configuration):
    check_run(RUN, configuration)
    check_run(changed(RUN, models=["net", "net+long"], interpret=["net+long"]), configuration)


def test_the_keys_of_a_run_that_have_a_default_may_be_missing(configuration):
    check_run(changed(RUN, interpret=None), configuration)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": ["net"]}, "configuration of the run: unknown key model; did you mean models?"),
        ({"seeds": ["one"]}, "configuration of the run: seeds.0: 'one' is not of type 'integer'"),
        ({"seeds": [1, 1]}, "configuration of the run: seeds: [1, 1] has non-unique elements"),
        ({"datasets": ["toi"]}, "dataset toi: there is no such dataset; did you mean toy?"),
        ({"baselines": ["kmeer"]}, "baseline kmeer: there is no such baseline; did you mean kmer?"),
        ({"training": "defualt"}, "training defualt: there is no such training; did you mean default?"),
        ({"interpretation": None, "importance": True}, "importance: found true and interpretation null, expected an"),
        ({"interpretation": "defalt"}, "interpretation defalt: there is no such interpretation; did you mean default?"),
        ({"models": ["nett"]}, "model nett: there is no such model; did you mean net?"),
        ({"models": ["net+lang"]}, "models: net+lang names the variant lang; did you mean long?; declare it under"),
        ({"interpret": ["net+long"]}, "interpret: net+long is none of this run's models"),
        (
            {"variants": {"v": ["dataset.windows.length=9"]}},
            "variants.v: dataset.windows.length=9 changes dataset, whi",
        ),
        ({"variants": {"v": ["++interpretation.seed=9"]}}, "variants.v: ++interpretation.seed=9 changes interpretatio"),
        ({"variants": {"v": ["model=other"]}}, "variants.v: model=other replaces the whole model; override one of its"),
        (
            {"variants": {"v": ["model.training.max_epochs=3"]}},
            "variants.v: model.training.max_epochs=3 would change nothing; write training.max_epochs=…",
        ),
        ({"variants": {"v": []}}, "configuration of the run: variants.v: [] should be non-empty"),
    ],
)
def test_a_run_that_does_not_fit_is_refused(configuration, changes, told):
    assert refusal(check_run, {**RUN, **changes}, configuration).startswith(told)


def test_a_contig_in_two_splits_is_refused(home):
    path = write(home, "dataset", "toy", changed(DATASET, split__train=["c1", "c3"]))
    told = refusal(check_run, RUN, Configuration(home, SCHEMAS))
    assert told == f"{path}: split: contig c3 is named for train and for test; name it once"


def test_a_model_that_cannot_be_explained_is_refused_only_where_it_is_to_be_explained(home):
    write(home, "model", "mute", changed(MODEL, attribution=None))
    configuration = Configuration(home, SCHEMAS)
    run = {**RUN, "models": ["net", "mute"]}
    assert refusal(check_run, run, configuration).startswith("model mute: its file does not say how it may be")
    check_run({**run, "interpret": ["net"]}, configuration)
    check_run({**run, "interpret": []}, configuration)
    check_run({**run, "interpretation": None}, configuration)


def test_what_has_no_outputs_is_not_explained(home):
    write(
        home,
        "model",
        "blind",
        changed(MODEL, labels=["none"], training={"objective": {"_target_": MASKED}}),
    )
    configuration = Configuration(home, SCHEMAS)
    run = {**RUN, "models": ["net", "blind"]}
    assert explained_models(run, configuration) == ["net"]
    assert explained_models({**run, "interpretation": None}, configuration) == []
    assert refusal(check_run, {**run, "interpret": ["blind"]}, configuration).startswith(
        "interpret: blind is trained without labels"
    )


def test_an_override_of_the_interpretation_by_a_data_set_is_checked_with_the_run(home):
    write(home, "dataset", "toy", changed(DATASET, interpretation={"seeds": 3}))
    assert "unknown key seeds; did you mean seed?" in refusal(check_run, RUN, Configuration(home, SCHEMAS))


# ------------------------------------------------------------------------------------------------------------- sources


def test_a_model_sees_every_base_that_has_a_label():
    bases = {**DATASET, "name": "toy", "labels": {"kind": "position_class"}}
    check_trainable(bases, 10)
    told = refusal(check_trainable, bases, 13)
    assert "an odd number more, which no crop shares out alike on both strands" in told
    told = refusal(check_trainable, bases, 9)
    assert told.startswith(
        "dataset toy: has a label for each of the 10 bases of a bin, and a model reads 9; set model."
    )


def test_a_model_that_sees_more_than_the_split_has_looked_at_is_refused():
    data = {**DATASET, "name": "toy"}
    check_trainable(data, 1000)  # whole contigs
    data["split"] = {"name": "alike", "_target_": "lociflow.genome.splits.homology_aware", "fractions": {}}
    check_trainable(data, 30)
    told = refusal(check_trainable, data, 1000)
    assert told.startswith("dataset toy: the split alike keeps windows of 30 bases apart, and a model reads 1000")
    check_trainable({**data, "genome": None, "sequences": {}}, 1000)


def test_the_splits_of_a_run_are_the_data_sets_or_those_that_it_names():
    data = {**DATASET, "name": "toy", "clean": True}
    assert splits_of(RUN, data) == ["holdout", "leakfree"]
    assert splits_of({**RUN, "splits": {"toy": ["leakfree"]}}, data) == ["leakfree"]
    told = refusal(splits_of, {**RUN, "splits": {"toy": ["leakfre"]}}, data)
    assert told.startswith("splits.toy: the data set has no split leakfre; did you mean leakfree?; expected some of")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"labels": {"kind": "real"}}, "labels.kind: found real, expected binary or class or position_class for targe"),
        ({"targets": {"columns": ["x"]}}, "targets: found columns, expected columns with sequences"),
        (
            {"windows": {"_target_": "lociflow.genome.whole_sequences.whole_sequences", "length": 9}},
            "windows._target_: found lociflow.genome.whole_sequences.whole_sequences, expected a maker of bins on a",
        ),
        ({"split": [DATASET["split"], DATASET["split"]]}, "split: found the name holdout twice"),
    ],
)
def test_parts_of_a_data_set_that_do_not_fit_each_other(tmp_path, changes, told):
    assert refusal(check_dataset, {**DATASET, "name": "toy", **changes}, tmp_path / "toy.yaml").startswith(
        f"{tmp_path / 'toy.yaml'}: {told}"
    )
