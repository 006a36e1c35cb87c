"""Files and configurations that would run something, or reach what they should not, are refused and run nothing."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from groups import DATASET, RUN, SCHEMAS, changed, refusal, trained, write

from lociflow.command import UserError
from lociflow.config import Configuration, check_schema
from lociflow.models.checkpoint import load_model
from lociflow.published import read_published
from lociflow.run import check_run
from lociflow.sources import dataset_files, run_source
from lociflow.stamped_arrays import read_arrays
from lociflow.training.resume import state_path


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self):
        return Path.touch, (self.sprung,)


@pytest.fixture
def trap(tmp_path):
    made = Trap(tmp_path / "sprung")
    pickle.loads(pickle.dumps(made))
    assert made.sprung.exists()
    made.sprung.unlink()
    return made


def test_a_checkpoint_that_holds_more_than_weights_is_refused_and_runs_nothing(trap, tmp_path):
    path = tmp_path / "model.ckpt"
    torch.save({"format": "checkpoint", "version": 1, "state_dict": {"weight": trap}}, path)
    told = refusal(load_model, path)
    assert told.startswith(f"{path}: cannot be read as a checkpoint (it is damaged, or holds more than weights")
    path.write_bytes(pickle.dumps(trap))
    assert refusal(load_model, path).startswith(f"{path}: ")
    assert not trap.sprung.exists()


def test_a_state_for_resuming_that_holds_more_than_weights_is_not_taken_up(trap, tmp_path):
    folder = tmp_path / "resume"
    path = state_path(folder, "key")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"epoch": 3, "callbacks": trap}, path)
    state_path(folder, "key")
    assert not trap.sprung.exists()


@pytest.mark.parametrize("name", ["lociflow", "values"])
def test_arrays_of_objects_are_refused_and_run_nothing(trap, tmp_path, name):
    path = tmp_path / "draws.npz"
    np.savez(path, **{name: np.array([trap], dtype=object)})
    assert refusal(read_arrays, path, "draws", ["values"]).startswith(f"{path}: cannot be read as draws (")
    assert not trap.sprung.exists()


TAGS = [
    "!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [SPRUNG]]",
    "!!python/object/apply:os.system ['touch SPRUNG']",
    "!!python/object/new:os.system ['touch SPRUNG']",
    "!!python/name:os.system",
    "!!python/module:os",
]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("group", ["dataset", "published"])
def test_yaml_with_tags_of_python_is_refused_and_runs_nothing(home, tmp_path, group, tag):
    sprung = tmp_path / "sprung"
    path = write(home, group, "toy", f"description: {tag.replace('SPRUNG', str(sprung))}\n")
    told = (
        refusal(Configuration(home, SCHEMAS).group, "dataset", "toy")
        if group == "dataset"
        else refusal(read_published, path, SCHEMAS)
    )
    assert told.startswith(f"{path}: cannot be read (")
    assert not sprung.exists()


@pytest.mark.parametrize("reference", ["${oc.env:SECRET}", "${oc.env:SECRET,none}", "${oc.decode:${oc.env:SECRET}}"])
@pytest.mark.parametrize("place", ["description", "genome__source__url", "windows__length"])
def test_a_configuration_does_not_learn_what_stands_in_the_environment(home, monkeypatch, reference, place):
    monkeypatch.setenv("SECRET", "never told")
    value = f"https://a.org/{reference}" if place.endswith("url") else reference
    write(home, "dataset", "toy", changed(DATASET, **{place: value}))
    with pytest.raises(UserError) as caught:
        Configuration(home, SCHEMAS).dataset("toy")
    assert "never told" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_override_does_not_either(home, monkeypatch):
    monkeypatch.setenv("SECRET", "5")
    assert "oc.env" in refusal(trained, home, "training.max_epochs=${oc.env:SECRET}")


# ---------------------------------------------------------------------------------------------------------------- names

HOSTILE = {
    "up": "../x",
    "above": "..",
    "here": ".",
    "absolute": "/etc/x",
    "flag": "-rf",
    "hidden": ".x",
    "zero byte": "a\0b",
    "line end": "a\nb",
    "line end at the end": "a\n",
    "blank": "a b",
    "command": "a;touch sprung",
    "substitution": "$(touch sprung)",
    "backquotes": "`touch sprung`",
    "quote": "a'b",
    "double quote": 'a"b',
    "pipe": "a|b",
    "placeholder": "{threads}",
    "star": "a*",
    "long": "a" * 300,
    "empty": "",
    "letters that look alike": "dаta",
}


ASKED = {
    "run": lambda name: {"run": name},
    "datasets": lambda name: {"datasets": [name]},
    "models": lambda name: {"models": [name]},
    "baselines": lambda name: {"baselines": [name]},
    "training": lambda name: {"training": name},
    "interpretation": lambda name: {"interpretation": name},
    "splits": lambda name: {"splits": {"toy": [name]}},
    "regions": lambda name: {"tracks": {"regions": {name: {"contigs": "all"}}}},
    "variants of a file": lambda name: {"variant_effects": {"files": {name: {"url": "https://a.org/x.vcf"}}}},
    "saturation": lambda name: {"variant_effects": {"saturation": {name: "c1:1-9"}}},
}
# These stand behind MODEL+ in a path, where points and dashes lead nowhere.
BEHIND = {
    "variants": lambda name: {"models": [f"net+{name}"], "variants": {name: ["training.max_epochs=5"]}},
    "search": lambda name: {"search": {name: {"model": "net", "grid": {"training.max_epochs": [1]}}}},
    "grid": lambda name: {"search": {"a": {"model": "net", "grid": {f"training.{name}": [1]}}}},
}
HARMLESS_BEHIND = ("above", "here", "hidden", "flag", "empty")


@pytest.mark.parametrize("asked", [*ASKED.values(), *BEHIND.values()], ids=[*ASKED, *BEHIND])
def test_names_that_are_no_names_are_refused_wherever_they_become_paths(configuration, asked):
    for what, name in HOSTILE.items():
        # null leaves an interpretation out, and so does nothing.
        if asked is ASKED["interpretation"] and not name:
            continue
        if asked not in BEHIND.values() or what not in HARMLESS_BEHIND:
            refusal(check_run, {**RUN, **asked(name)}, configuration)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_names_that_are_no_names_are_refused_in_data_sets(name):
    for place in ("genome__name", "split__name"):
        content = changed(DATASET, **{place: name})
        with pytest.raises(UserError, match=r"genome\.name|split"):
            check_schema(content, SCHEMAS / "dataset.schema.yaml", "toy")
    with pytest.raises(UserError, match="predictions"):
        check_schema(
            changed(DATASET, predictions={name: [{"url": "https://a/x"}]}), SCHEMAS / "dataset.schema.yaml", "t"
        )


@pytest.mark.parametrize(
    "file",
    [
        "...yaml",
        "-rf.yaml",
        "a b.yaml",
        "$(touch sprung).yaml",
        "a;b.yaml",
        "a'b.yaml",
        "a\nb.yaml",
        f"{'a' * 120}.yaml",
    ],
)
def test_files_of_configuration_with_names_that_are_no_names_are_refused(home, file):
    path = home / "dataset" / file
    path.write_text(yaml.safe_dump(DATASET))
    told = refusal(lambda: Configuration(home, SCHEMAS).dataset(path.stem))
    assert "expected at most 100 letters, digits and _ - . that begin with" in told
    assert told.endswith("rename the file")


OUTSIDE = ["a/../../x", "a//b", "a/./b", "a/", "a/..", "a\\b", "a/" + "b" * 250]


@pytest.mark.parametrize("file", [*(name for key, name in HOSTILE.items() if key not in ("hidden", "empty")), *OUTSIDE])
def test_files_of_sources_stay_among_the_sources(file):
    told = refusal(run_source, "place", {"url": "https://a.org/x", "file": file})
    assert "expected a relative path of letters, digits and . _ + = - without" in told


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "gopher://a.org/x", "/etc/passwd", "http://[a/x", "https://me:word@a.org/x"]
)
def test_addresses_of_a_sample_sheet_are_of_the_schemes_allowed(home, address):
    (home / "dataset" / "sheet.tsv").write_text(f"target\turl\nA\t{address}\n")
    write(home, "dataset", "toy", changed(DATASET, targets__files=None, targets__sheet="sheet.tsv"))
    groups = Configuration(home, SCHEMAS)
    told = refusal(dataset_files, groups.dataset("toy"), groups)
    assert "word" not in told
    assert told.startswith((f"{address}: ", "https://***@a.org/x: found a login"))


@pytest.mark.parametrize(
    "address", ["https://a.org/..", "https://a.org/x/../../etc", "https://a.org/%2e%2e", "https://a/-rf"]
)
def test_addresses_name_no_file_outside_of_the_sources(address):
    try:
        file = run_source("place", {"url": address})["file"]
    except UserError:
        return
    assert file.startswith("place/")
    assert ".." not in file.split("/")


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://a b", "data:text/html,x", "https://a.org/\n", "file:///x"]
)
def test_links_of_published_numbers_lead_to_the_web(home, address):
    source = {"paper": "Nobody 2020", "address": address, "place": "Table 1"}
    content = {
        "description": "x", "source": source, "data": "x", "protocol": "x", "tolerance": {"value": 0.1, "reason": "x"},
        "entries": {"a": {"method": "x", "metric": "auroc", "value": 0.5}},
    }  # fmt: skip
    path = write(home, "published", "toy", content)
    assert "source.address" in refusal(read_published, path, SCHEMAS)
