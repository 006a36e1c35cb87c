"""What users write, composed from a small set of groups and checked by the real schemas."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lociflow.command import UserError
from lociflow.config import GROUPS, Configuration, attribution, canonical
from lociflow.run import check_run, is_control, overrides_of
from lociflow.sources import all_sources, blacklist_source, genome_source, genomes, is_simulated, target_sources

SCHEMAS = Path(__file__).parents[2] / "workflow" / "schemas"
DIGEST = "0" * 64
DATASET: dict[str, Any] = {
    "description": "A toy.",
    "citation": "Nobody 2020",
    "genome": {"name": "toy1", "source": {"url": "https://a.org/toy1.fa.gz?raw=true"}},
    "targets": {"files": {"A": {"url": "https://a.org/A.bed"}, "B": {"url": "https://a.org/B.bed"}}},
    "windows": {"_target_": "lociflow.genome.windows.tile_bins", "bin": 10, "length": 30},
    "labels": {"min_overlap": 0.5},
    "split": {"name": "holdout", "_target_": "lociflow.genome.splits.by_contig", "validation": ["c2"], "test": ["c3"]},
}
MODEL: dict[str, Any] = {
    "name": "Net",
    "description": "A toy.",
    "paper": "Nobody 2020",
    "doi": "10.1/1",
    "input_length": "${dataset.windows.length}",
    "views": ["sequence"],
    "strand_specific": False,
    "architecture": {"_target_": "torch.nn.Linear", "in_features": 3},
    "attribution": {"method": "gradient", "valid": ["gradient"], "reason": "the others need a reference"},
}
TRAINING: dict[str, Any] = {
    "torch_threads": 1,
    "batch_size": 8,
    "max_epochs": 5,
    "early_stopping": {"monitor": "validation_loss", "patience": 5, "min_delta": 0.0},
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.001, "eps": 0.1},
    "schedule": None,
    "label_permutation": False,
}
INTERPRETATION: dict[str, Any] = {
    "description": "A toy.",
    "targets": 6,
    "seed": 1,
    "attribution": {
        "targets": "${..targets}",
        "seed": "${..seed}",
        "method": None,
        "methods": {"gradient": {"_target_": "a.gradient"}, "shap": {"_target_": "a.shap", "shuffles": 3}},
    },
    "motifs": {"region": 20},
    "filters": {"windows": 10, "seed": "${..seed}"},
    "jaspar": {"release": "JASPAR2024", "collection": "CORE", "tax_group": "vertebrates"},
}
BASELINE: dict[str, Any] = {
    "_target_": "lociflow.evaluation.kmer.fit_predict",
    "description": "A toy.",
    "window_length": "${dataset.windows.length}",
}
NO_SOURCE = {"url": None, "path": None, "sha256": None, "derived_from": None}
RUN: dict[str, Any] = {
    "run": "toy",
    "datasets": ["toy"],
    "models": ["net"],
    "seeds": [1],
    "training": "default",
    "baselines": ["kmer"],
    "interpretation": "default",
    "interpret": None,
    "variants": {"long": ["training.max_epochs=50", "+training.gradient_clip=1.0"]},
}


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Copy a mapping with other values; ``a__b`` is the key b in a, and None removes a key."""
    whole = copy.deepcopy(base)
    for path, value in changes.items():
        *parents, key = path.split("__")
        place = whole
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is None:
            place.pop(key, None)
        else:
            place[key] = value
    return whole


def write(folder: Path, group: str, name: str, content: Any) -> Path:
    path = folder / group / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return path


def write_groups(folder: Path) -> Path:
    write(folder, "dataset", "toy", DATASET)
    write(folder, "model", "net", MODEL)
    write(folder, "training", "default", TRAINING)
    write(folder, "interpretation", "default", INTERPRETATION)
    write(folder, "baseline", "kmer", BASELINE)
    return folder


@pytest.fixture
def home(tmp_path):
    """A folder of groups with one file each, to be changed."""
    return write_groups(tmp_path / "config")


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    """The same groups unchanged, composed once for all tests."""
    return Configuration(write_groups(tmp_path_factory.mktemp("groups") / "config"), SCHEMAS)


def refusal(function, *args) -> str:
    with pytest.raises(UserError) as caught:
        function(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_genome(source: dict[str, Any]) -> dict[str, Any]:
    return {"name": "toy", "genome": {"name": "toy1", "source": source}}


def trained(groups: Path | Configuration, *overrides: str) -> dict[str, Any]:
    configuration = Configuration(groups, SCHEMAS) if isinstance(groups, Path) else groups
    return configuration.trained("toy", "net", "default", overrides)


# ---------------------------------------------------------------------------------------------------- names and groups


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


def test_a_variant_changes_one_argument_of_an_optimiser(configuration):
    found = trained(configuration, "training.optimizer.lr=0.5")["training"]["training"]["optimizer"]
    assert found == {**TRAINING["optimizer"], "lr": 0.5}


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


def test_an_untrained_network_and_permuted_labels_are_controls(configuration):
    assert not is_control(trained(configuration)["training"])
    assert is_control(trained(configuration, "training.max_epochs=0")["training"])
    assert is_control(trained(configuration, "training.label_permutation=true")["training"])


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


def test_a_run_that_fits_is_accepted(configuration):
    check_run(RUN, configuration)
    check_run(changed(RUN, models=["net", "net+long"], interpret=["net+long"]), configuration)
    assert overrides_of(RUN, "net+long") == ("training.max_epochs=50", "+training.gradient_clip=1.0")
    assert overrides_of(RUN, "net") == ()


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


def test_an_override_of_the_interpretation_by_a_data_set_is_checked_with_the_run(home):
    write(home, "dataset", "toy", changed(DATASET, interpretation={"seeds": 3}))
    assert "unknown key seeds; did you mean seed?" in refusal(check_run, RUN, Configuration(home, SCHEMAS))


# ------------------------------------------------------------------------------------------------------------- sources


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ({"url": "https://a.org/x/toy1.fa.gz?raw=true#top"}, "genomes/toy1/toy1.fa.gz"),
        ({"url": "https://a.org/x/folder/"}, "genomes/toy1/folder"),
        ({"url": "https://a.org/x/my%20toy,1.fa"}, "genomes/toy1/my_20toy_1.fa"),
        ({"path": "/data/genomes/toy1.fa"}, "genomes/toy1/toy1.fa"),
        ({"path": "toy1.fa", "url": None}, "genomes/toy1/toy1.fa"),
        ({"url": "https://a.org/toy1.fa", "file": "shared/toy.fa"}, "shared/toy.fa"),
        ({"url": ["https://a.org/1.fa", "https://a.org/2.fa"], "file": "shared/toy.fa"}, "shared/toy.fa"),
    ],
)
def test_a_genomes_source_lies_under_the_genomes_name_unless_it_says_otherwise(source, file):
    assert genome_source(with_genome(source)) == {**NO_SOURCE, **source, "file": file}


def test_a_path_may_begin_with_the_users_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert genome_source(with_genome({"path": "~/toy1.fa"}))["path"] == "/home/me/toy1.fa"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"url": ["https://a.org/1.fa", "https://a.org/2.fa"]}, "a source with several addresses needs a file"),
        ({"sha256": DIGEST}, "found a source without url, path and file; give it a url or a path"),
        ({"path": "a.fa", "file": "../a.fa"}, "found the file '../a.fa' of a source, expected a relative path"),
        ({"path": "a.fa", "file": "a/../../b.fa"}, "found the file 'a/../../b.fa' of a source"),
        ({"path": "a.fa", "file": "/a.fa"}, "found the file '/a.fa' of a source"),
        ({"path": "a.fa", "file": "a; rm b"}, "found the file 'a; rm b' of a source"),
        ({"path": "a.fa", "file": "simulated/toy/a.fa"}, "simulated/toy/a.fa is kept for simulated genomes"),
    ],
)
def test_a_source_without_a_proper_place_is_refused(source, told):
    assert refusal(genome_source, with_genome(source)).startswith(f"dataset toy: {told}")


def test_targets_come_from_files_from_one_named_file_or_from_a_sheet(home):
    configuration = Configuration(home, SCHEMAS)
    url = "https://a.org/peaks.bed"
    files = {"name": "toy", "targets": {"files": {"A": {"url": url}, "B c": {"url": url}}}}
    assert target_sources(files, configuration) == {
        "A": {**NO_SOURCE, "url": url, "file": "toy/A/peaks.bed"},
        "B c": {**NO_SOURCE, "url": url, "file": "toy/B_c/peaks.bed"},
    }
    named = {"name": "toy", "targets": {"named": {"path": "peaks.bed"}}}
    assert target_sources(named, configuration) == {"": {**NO_SOURCE, "path": "peaks.bed", "file": "toy/peaks.bed"}}
    (home / "dataset" / "toy.tsv").write_text(f"target\turl\tsha256\tfile\nA\t{url}\t{DIGEST}\tpeaks/A.bed\n")
    sheet = {"name": "toy", "targets": {"sheet": "toy.tsv"}}
    source = {**NO_SOURCE, "url": url, "sha256": DIGEST, "file": "peaks/A.bed"}
    assert target_sources(sheet, configuration) == {"A": source}


def test_a_sheet_lies_beside_the_data_set_or_beside_the_one_that_it_takes_over(home, tmp_path):
    own = tmp_path / "own"
    write(home, "dataset", "toy", changed(DATASET, targets={"sheet": "toy.tsv"}))
    path = write(own, "dataset", "mine", {"defaults": ["toy", "_self_"]})
    configuration = Configuration(home, SCHEMAS, [own])
    assert refusal(configuration.beside, "mine", "toy.tsv").startswith(f"{path}: toy.tsv: no such file")
    (home / "dataset" / "toy.tsv").touch()
    assert configuration.beside("mine", "toy.tsv") == home / "dataset" / "toy.tsv"
    (own / "dataset" / "toy.tsv").touch()
    assert configuration.beside("mine", "toy.tsv") == own / "dataset" / "toy.tsv"


def test_the_blacklist_may_be_missing():
    assert blacklist_source({"name": "toy"}) is None
    found = blacklist_source({"name": "toy", "blacklist": {"url": "https://a.org/black.bed"}})
    assert found is not None
    assert found["file"] == "toy/black.bed"


def test_every_source_of_a_run_is_listed_once(home):
    shared = {"url": "https://a.org/toy1.fa", "file": "shared/toy1.fa", "sha256": DIGEST}
    for name in ("toy", "other"):
        path = f"https://a.org/{name}.bed"
        content = changed(DATASET, genome__source=shared, targets={"named": {"url": path}})
        write(home, "dataset", name, {**content, "blacklist": {"url": "https://a.org/black.bed"}})
    found = all_sources(Configuration(home, SCHEMAS), ["toy", "other"])
    assert list(found) == [
        "shared/toy1.fa",
        "toy/black.bed",
        "toy/toy.bed",
        "other/black.bed",
        "other/other.bed",
    ]


def test_two_sources_that_claim_one_file_are_refused(home):
    files = {name: {"url": f"https://a.org/{name}/peaks.bed", "file": "peaks.bed"} for name in ("A", "B")}
    write(home, "dataset", "toy", changed(DATASET, targets={"files": files}))
    told = refusal(all_sources, Configuration(home, SCHEMAS), ["toy"])
    assert told.startswith("dataset toy: source peaks.bed is also named by another source with another address")


def test_two_data_sets_that_give_one_file_different_digests_are_refused(home):
    shared = {"url": "https://a.org/toy1.fa", "file": "shared/toy1.fa"}
    write(home, "dataset", "toy", changed(DATASET, genome__source={**shared, "sha256": DIGEST}))
    write(home, "dataset", "other", changed(DATASET, genome__source={**shared, "sha256": "1" * 64}))
    told = refusal(all_sources, Configuration(home, SCHEMAS), ["toy", "other"])
    assert told.startswith("dataset other: source shared/toy1.fa is also named by another source")


def test_a_missing_local_file_is_told_before_anything_runs(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(home, "dataset", "toy", changed(DATASET, genome__source={"path": "data/toy1.fa"}))
    configuration = Configuration(home, SCHEMAS)
    told = refusal(all_sources, configuration, ["toy"])
    assert told.startswith("dataset toy: data/toy1.fa: no such file; relative paths are relative to where snakemake")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "toy1.fa").write_text(">c1\nA\n")
    assert all_sources(configuration, ["toy"])["genomes/toy1/toy1.fa"]["path"] == "data/toy1.fa"


def test_what_is_simulated_is_not_fetched_and_belongs_to_its_data_set(home):
    content = changed(DATASET, genome__source={}, targets={"named": {}, "names": ["A"]})
    write(home, "dataset", "toy", {**content, "simulation": {"seed": 1}})
    write(home, "dataset", "other", {"defaults": ["toy", "_self_"], "simulation": {"seed": 2}})
    configuration = Configuration(home, SCHEMAS)
    assert all_sources(configuration, ["toy", "other"]) == {}
    found = genomes(configuration, ["toy", "other"])
    for name in ("toy", "other"):
        config = configuration.dataset(name)
        assert is_simulated(config)
        assert config["targets"] == {"named": {"file": f"simulated/{name}/peaks.bed"}, "names": ["A"]}
        assert found[name]["dataset"] == name
        assert found[name]["source"]["file"] == f"simulated/{name}/genome.fa"


def test_two_data_sets_share_a_genome_that_is_the_same(home):
    shared = {"url": "https://a.org/toy1.fa", "file": "shared/toy1.fa"}
    for name in ("toy", "other"):
        write(home, "dataset", name, changed(DATASET, genome__source=shared))
    found = genomes(Configuration(home, SCHEMAS), ["toy", "other"])
    assert found == {"toy1": {"name": "toy1", "source": {**NO_SOURCE, **shared}, "dataset": None}}


@pytest.mark.parametrize(
    "changes",
    [
        {"genome__source": {"url": "https://a.org/toy2.fa", "file": "shared/toy1.fa"}},
        {"genome__soft_mask": True},
        {"genome__contig_md5": {"c1": "0" * 32}},
    ],
)
def test_two_genomes_of_one_name_are_refused(home, changes):
    base = changed(DATASET, genome__source={"url": "https://a.org/toy1.fa", "file": "shared/toy1.fa"})
    write(home, "dataset", "toy", base)
    write(home, "dataset", "other", changed(base, **changes))
    told = refusal(genomes, Configuration(home, SCHEMAS), ["toy", "other"])
    assert told == "dataset other: genome toy1 is another one in another data set of this run; rename one"
