"""What users write, composed from a small set of groups and checked by the real schemas."""

import pytest
from groups import BASELINE, DATASET, INTERPRETATION, MODEL, SCHEMAS, TRAINING, changed, refusal, trained, write

from lociflow.config import GROUPS, Configuration, attribution, canonical


def test_names_are_the_files_of_all_folders(home, tmp_path):
    own = tmp_path / "own"
    path = write(own, "model", "mine", MODEL)
    found = Configuration(home, SCHEMAS, [own])
    assert found.names("model") == {"net": home / "model" / "net.yaml", "mine": path}
    assert set(found.names("dataset")) == {"toy"}
    assert found.group("model", "mine").name == "Net"


def test_a_name_that_two_folders_define_is_refused(home, tmp_path):
    path = write(tmp_path / "own", "model", "net", MODEL)
    told = refusal(Configuration(home, SCHEMAS, [tmp_path / "own"]).group, "model", "net")
    assert told == f"{path}: model net is also defined in {home / 'model' / 'net.yaml'}; rename one of the two"


@pytest.mark.parametrize("name", ["my project", "a,b (c) [d]", "it's {mine}", "a=b"])
def test_an_own_folder_may_have_any_name(home, tmp_path, name):
    write(tmp_path / name, "model", "mine", MODEL)
    assert Configuration(home, SCHEMAS, [tmp_path / name]).group("model", "mine").name == "Net"


def test_an_own_file_takes_over_a_file_that_ships_with_lociflow(home, tmp_path):
    write(tmp_path / "own", "dataset", "mine", {"defaults": ["toy", "_self_"], "windows": {"length": 50}})
    found = Configuration(home, SCHEMAS, [tmp_path / "own"]).dataset("mine")
    assert found["name"] == "mine"
    assert found["windows"] == {**DATASET["windows"], "length": 50}


def test_a_folder_that_is_none_is_refused(home, tmp_path):
    told = refusal(Configuration, home, SCHEMAS, [tmp_path / "none"])
    assert told.startswith(f"config_dirs: {tmp_path / 'none'} is no folder")


@pytest.mark.parametrize("group", GROUPS)
def test_an_unknown_name_is_told_with_the_nearest_and_all_known(configuration, group):
    (known,) = configuration.names(group)
    told = refusal(configuration.group, group, f"{known}x")
    assert told == f"{group} {known}x: there is no such {group}; did you mean {known}?; known: {known}"


@pytest.mark.parametrize(
    ("group", "content", "told"),
    [
        ("dataset", changed(DATASET, labels__min_overlp=1), "unknown key labels.min_overlp; did you mean min_overlap?"),
        ("dataset", changed(DATASET, labels__min_overlap=2), "labels.min_overlap: 2 is greater than the maximum of 1"),
        ("dataset", changed(DATASET, split=None), "'split' is a required property"),
        ("dataset", changed(DATASET, targets__sheet="a.tsv"), "targets: "),
        ("model", changed(MODEL, input_lenght=3), "unknown key input_lenght; did you mean input_length?; known here: "),
        ("model", changed(MODEL, views=[]), "views: [] should be non-empty; expected named inputs"),
        ("training", changed(TRAINING, max_epochs=-1), "max_epochs: -1 is less than the minimum of 0; expected epochs"),
        ("baseline", {"description": "A toy."}, "'_target_' is a required property"),
        ("model", "a: [1\n", "cannot be read ("),
        ("model", "defaults: [nothing]\n", "cannot be read ("),
        ("model", "- a\n- b\n", "expected keys and values, found"),
    ],
)
def test_a_file_that_is_not_what_the_schema_says_is_refused_with_its_path(home, group, content, told):
    path = write(home, group, "bad", content)
    found = refusal(Configuration(home, SCHEMAS).group, group, "bad")
    assert found.startswith(f"{path}: {told}")


@pytest.mark.parametrize("group", GROUPS)
def test_files_that_are_composed_together_are_what_each_is_alone(group):
    together, alone = (Configuration(SCHEMAS.parents[1] / "config", SCHEMAS) for _ in range(2))
    names = list(alone.names(group))
    together.compose_together(group, names)
    assert [together.group(group, name) for name in names] == [alone.group(group, name) for name in names]


def test_a_file_that_is_composed_with_others_may_refer_to_itself(home):
    write(home, "model", "own", {**MODEL, "name": "Net of ${model.doi}"})
    groups = Configuration(home, SCHEMAS)
    groups.compose_together("model", ["net", "own"])
    assert groups.group("model", "own").name == f"Net of {MODEL['doi']}"


def test_of_files_that_cannot_be_composed_together_the_one_that_is_wrong_is_named(home):
    write(home, "model", "broken", {"defaults": ["nothing", "_self_"], **MODEL})
    groups = Configuration(home, SCHEMAS)
    groups.compose_together("model", ["net", "broken"])
    assert groups.group("model", "net").name == "Net"
    assert refusal(groups.group, "model", "broken").startswith(f"{home / 'model' / 'broken.yaml'}: cannot be read")


@pytest.mark.parametrize("content", ["", "# nothing\n"])
def test_an_empty_file_is_refused_with_its_path(home, content):
    path = write(home, "model", "empty", content)
    assert refusal(Configuration(home, SCHEMAS).group, "model", "empty").startswith(f"{path}: ")


def test_a_reference_to_nothing_is_refused(home):
    path = write(home, "dataset", "bad", changed(DATASET, labels__positive_score="${windows.none}"))
    # A text where a number is wanted is only a number once it is resolved.
    assert refusal(Configuration(home, SCHEMAS).dataset, "bad").startswith(f"{path}: ")


def test_contig_names_that_yaml_reads_as_numbers_are_text(home):
    write(home, "dataset", "toy", changed(DATASET, contig_aliases={1: "chr1", "X": "chrX"}))
    assert Configuration(home, SCHEMAS).dataset("toy")["contig_aliases"] == {"1": "chr1", "X": "chrX"}


def test_an_unknown_data_set_is_told_whatever_is_asked_of_it(configuration):
    told = "dataset toi: there is no such dataset; did you mean toy?"
    assert refusal(configuration.dataset, "toi").startswith(told)
    assert refusal(configuration.interpretation, "toi", "default").startswith(told)
    assert refusal(configuration.baseline, "toi", "kmer").startswith(told)
    assert refusal(configuration.trained, "toi", "net", "default", ()).startswith(told)


# ------------------------------------------------------------------------------------------------------------ training


def test_training_then_recipe_then_data_set_then_variant(home):
    write(home, "model", "net", changed(MODEL, training={"batch_size": 16, "max_epochs": 6, "torch_threads": 2}))
    write(home, "dataset", "toy", changed(DATASET, training={"batch_size": 32, "max_epochs": 7}))
    found = trained(home, "training.batch_size=64")["training"]["training"]
    assert (found["batch_size"], found["max_epochs"], found["torch_threads"]) == (64, 7, 2)
    assert found["schedule"] is None
    assert found["early_stopping"] == TRAINING["early_stopping"]


def test_another_training_is_the_default_with_what_it_says_otherwise(home):
    own = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1}
    write(home, "training", "short", {"max_epochs": 1, "optimizer": own})
    found = Configuration(home, SCHEMAS).trained("toy", "net", "short", ())["training"]["training"]
    assert found == {**TRAINING, "max_epochs": 1, "optimizer": own}


def test_a_model_reads_one_view_and_both_strands_unless_it_says_otherwise(home):
    write(home, "model", "net", changed(MODEL, views=None, strand_specific=None))
    found = trained(home)["training"]["model"]
    assert (found["views"], found["strand_specific"]) == (["sequence"], False)


def test_an_optimiser_of_a_recipe_replaces_the_default_whole(home):
    own = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1}
    write(home, "model", "net", changed(MODEL, training={"optimizer": own}))
    assert trained(home)["training"]["training"]["optimizer"] == own


LOSSES = {"binary": {"_target_": "lociflow.training.losses.Focal", "gamma": 1.0}}
HEADLINE = {"monitor": "headline", "patience": 5, "min_delta": 0.0}


def test_the_kind_of_labels_decides_loss_and_headline(home):
    write(home, "training", "default", {**TRAINING, "losses": LOSSES, "early_stopping": HEADLINE})
    own = {"class": {"_target_": "lociflow.training.class_losses.CrossEntropy"}}
    write(home, "model", "net", changed(MODEL, training={"losses": own}))
    found = trained(home, "training.losses.binary.gamma=3")["training"]["training"]
    assert found["loss"] == {**LOSSES["binary"], "gamma": 3}
    assert found["early_stopping"]["monitor"] == "validation_auprc"
    assert "losses" not in found
    write(home, "dataset", "toy", changed(DATASET, labels__kind="class"))
    found = trained(home)["training"]["training"]
    assert (found["loss"], found["early_stopping"]["monitor"]) == (own["class"], "validation_accuracy")


def test_a_model_for_other_labels_is_refused(home):
    write(home, "model", "bases", changed(MODEL, labels=["position_class"]))
    write(home, "dataset", "toy", changed(DATASET, labels__kind="position_class"))
    told = (
        "dataset toy: has position_class labels, and model net is for binary or class or real ones; choose one of bas"
    )
    assert refusal(trained, home).startswith(told)


def test_a_variant_changes_one_argument_of_an_optimiser(configuration):
    found = trained(configuration, "training.optimizer.lr=0.5")["training"]["training"]["optimizer"]
    assert found == {**TRAINING["optimizer"], "lr": 0.5}


def test_a_rate_that_the_schedule_overwrites_is_not_changed_in_vain(configuration):
    cycle = "training.schedule={_target_: torch.optim.lr_scheduler.OneCycleLR, _partial_: true, max_lr: 0.1}"
    told = refusal(trained, configuration, cycle, "training.optimizer.lr=0.5")
    assert told == (
        "toy with net: training.optimizer.lr changes nothing under OneCycleLR, which sets the rate itself; leave lr "
        "out and change training.schedule.max_lr, or set training.schedule to null"
    )
    sgd = "training.optimizer={_target_: torch.optim.SGD, _partial_: true%s}"
    assert "changes nothing under OneCycleLR" in refusal(trained, configuration, cycle, sgd % ", lr: 0.5")
    assert trained(configuration, cycle, sgd % "")
    found = trained(configuration, cycle, "training.schedule.max_lr=0.2")["training"]["training"]["schedule"]
    assert found["max_lr"] == 0.2
    assert trained(configuration, cycle, "training.schedule=null", "training.optimizer.lr=0.5")


def test_a_variant_replaces_an_optimiser_a_loss_and_a_transfer_whole(configuration):
    sgd = {"_target_": "torch.optim.SGD", "_partial_": True}
    found = trained(configuration, "training.optimizer={_target_: torch.optim.SGD, _partial_: true}")
    assert found["training"]["training"]["optimizer"] == sgd
    first, second = "+training.transfer={model: a, dataset: toy}", "training.transfer={model: b}"
    assert trained(configuration, first, second)["training"]["training"]["transfer"] == {"model": "b"}
    nested = trained(configuration, first, "+training.transfer.freeze=[trunk]")["training"]["training"]["transfer"]
    assert nested == {"model": "a", "dataset": "toy", "freeze": ["trunk"]}


def test_a_value_may_stand_for_the_data_sets(home):
    write(home, "model", "net", changed(MODEL, training={"batch_size": "${dataset.windows.bin}"}))
    found = trained(home, "training.max_epochs=${dataset.windows.length}")["training"]
    assert found["model"]["input_length"] == 30
    assert found["training"]["batch_size"] == 10
    assert found["training"]["max_epochs"] == 30


def test_what_only_a_reader_needs_is_not_in_the_configuration_of_a_training(home):
    found = trained(home)
    assert set(found["training"]) == {"dataset", "model", "training"}
    assert found["training"]["dataset"] == {"name": "toy"}
    assert set(found["training"]["model"]) == {"name", "input_length", "views", "strand_specific", "architecture"}
    before = canonical(found["training"])
    write(home, "model", "net", changed(MODEL, description="Other words.", paper="Else 2021", doi="10.1/2"))
    write(home, "dataset", "toy", changed(DATASET, description="Other words.", licence="MIT"))
    assert canonical(trained(home)["training"]) == before


def test_how_a_model_is_explained_is_kept_apart(home):
    assert trained(home)["attribution"] == MODEL["attribution"]
    write(home, "model", "net", changed(MODEL, attribution=None))
    assert trained(home)["attribution"] == {}


def test_the_shared_groups_stay_as_they_were(configuration):
    configuration.trained("toy", "net", "default", ("training.max_epochs=50", "model.input_length=20"))
    found = configuration.trained("toy", "net", "default", ())["training"]
    assert (found["training"]["max_epochs"], found["model"]["input_length"]) == (5, 30)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("training.max_epoch=3", "unknown key max_epoch; did you mean max_epochs?"),
        ("training.max_epochs=many", "max_epochs: 'many' is not of type 'integer'; expected epochs at the most"),
        ("training.early_stopping.patienc=3", "unknown key early_stopping.patienc; did you mean patience?"),
        ("model.input_lenght=20", "unknown key input_lenght; did you mean input_length?"),
        ("model.input_length=0", "input_length: 0 is less than the minimum of 1"),
        ("model.input_length=${dataset.none}", "cannot be resolved ("),
        ("training.batch_size=???", "cannot be resolved ("),
    ],
)
def test_an_override_that_does_not_fit_names_data_set_and_model(configuration, override, told):
    assert refusal(trained, configuration, override).startswith(f"toy with net: {told}")


@pytest.mark.parametrize("override", ["training.max_epochs=[1", "training.max_epochs.x.y=1"])
def test_an_override_that_cannot_be_read_or_merged_is_told(configuration, override):
    assert refusal(trained, configuration, override).startswith("toy with net")


@pytest.mark.parametrize("override", ["training.batch_size=1,2", "training.max_epochs=range(1,3)"])
def test_an_override_with_several_values_is_refused(configuration, override):
    assert f"{override} names several values; declare a variant for each" in refusal(trained, configuration, override)


@pytest.mark.parametrize("group", ["model", "dataset"])
def test_an_unknown_key_of_a_recipe_is_refused(home, group):
    base, name = {"model": (MODEL, "net"), "dataset": (DATASET, "toy")}[group]
    write(home, group, name, changed(base, training={"batchsize": 3}))
    assert "toy with net: unknown key batchsize; did you mean batch_size?" in refusal(trained, home)


def test_a_baseline_takes_the_data_sets_values(configuration):
    assert configuration.baseline("toy", "kmer") == {"_target_": BASELINE["_target_"], "window_length": 30}


# ------------------------------------------------------------------------------------------------------ interpretation


def test_a_data_set_overrides_the_interpretation(home):
    own = {"targets": ["A"], "jaspar": {"tax_group": ["fungi", "plants"]}}
    write(home, "dataset", "toy", changed(DATASET, interpretation=own))
    found = Configuration(home, SCHEMAS).interpretation("toy", "default")
    assert found["targets"] == found["attribution"]["targets"] == ["A"]
    assert found["jaspar"] == {**INTERPRETATION["jaspar"], "tax_group": ["fungi", "plants"]}
    assert found["filters"] == {"windows": 10, "seed": 1}
    assert "description" not in found


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"motifs": {"regoin": 3}}, "unknown key motifs.regoin; did you mean region?"),
        ({"filters": {"threshold": 2}}, "filters.threshold: 2 is greater than or equal to the maximum of 1"),
        ({"jaspar": "fungi"}, "jaspar: 'fungi' is not of type 'object'"),
        ({"seed": -1}, "seed: -1 is less than the minimum of 0"),
    ],
)
def test_what_a_data_set_says_of_the_interpretation_is_checked(home, own, told):
    path = write(home, "dataset", "toy", changed(DATASET, interpretation=own))
    found = refusal(Configuration(home, SCHEMAS).interpretation, "toy", "default")
    assert f"interpretation default with what {path} says of it: " in found
    assert told.rpartition(": ")[2] in found


def test_a_model_is_explained_as_it_says_unless_the_interpretation_says_otherwise(configuration):
    found = attribution(configuration.interpretation("toy", "default"), "net", MODEL["attribution"])
    assert found == {"targets": 6, "seed": 1, "method": "gradient", "call": {"_target_": "a.gradient"}}
    asked = changed(configuration.interpretation("toy", "default"), attribution__method="shap")
    found = attribution(asked, "net", {"method": "gradient", "valid": ["gradient", "shap"]})
    assert (found["method"], found["call"]) == ("shap", {"_target_": "a.shap", "shuffles": 3})


@pytest.mark.parametrize(
    ("method", "offered", "told"),
    [
        ("shap", MODEL["attribution"], "method shap is not valid for model net (the others need a reference); choose"),
        (
            "shap",
            {"method": "gradient", "valid": ["gradient"]},
            "for model net (its file leaves it out); choose one of",
        ),
        ("shapp", MODEL["attribution"], "method shapp: there is no such method; did you mean shap?"),
        (None, {"method": "gradeint", "valid": ["gradient"]}, "method gradeint: there is no such method; did you mean"),
        (None, {}, "model net: its file does not say how it may be explained; add, for example, attribution:"),
    ],
)
def test_a_method_that_is_not_valid_is_refused_with_the_reason(configuration, method, offered, told):
    asked = configuration.interpretation("toy", "default")
    asked["attribution"]["method"] = method
    assert told in refusal(attribution, asked, "net", offered)


# ----------------------------------------------------------------------------------------------------------------- run
