"""The crate, read by the library that others read it with."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
import torch
from rocrate.rocrate import ROCrate

from lociflow.command import write_json
from lociflow.models.checkpoint import save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.provenance.compare import compare, is_reproduced
from lociflow.provenance.files import run_files
from lociflow.provenance.read import read_crate
from lociflow.provenance.record import measured, record, training_devices

from .conftest import BASELINE, CONFIG, MANIFEST, RUN, TRAINED, record_run

DATA = ("audit.json", "control.npy", "removed.tsv", "targets.npy", "targets.tsv", "windows.json", "windows.parquet")
OF_TRAINING = ("config.json", "history.csv", "model.ckpt")
SCORED = ("curves.npz", "draws.npz", "metrics.json", "predictions.parquet")


@pytest.fixture
def crate(recorded_once):
    return ROCrate(recorded_once / "work" / RUN)


def action_of(crate):
    (action,) = crate.get_by_type("CreateAction")
    return action


def test_it_conforms_to_the_profiles_that_it_names(crate):
    root = crate.root_dataset
    assert {entity.id for entity in root["conformsTo"]} == {
        "https://w3id.org/ro/wfrun/process/0.5",
        "https://w3id.org/ro/wfrun/workflow/0.5",
        "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
    }
    assert all(entity.type == "CreativeWork" for entity in root["conformsTo"])
    assert set(crate.mainEntity.type) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert crate.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    assert root["mentions"] == action_of(crate)
    assert root["license"]
    assert root["name"] == "lociflow run toy"


def test_the_action_says_what_was_read_what_came_of_it_and_when(crate):
    action = action_of(crate)
    assert action["instrument"] == crate.mainEntity
    assert {unquote(entity.id) for entity in action["result"]} == {
        *("manifest.json", "report.html", "scores.tsv"),
        *(f"../../peaks/{name}" for name in DATA),
        *(
            f"../../peaks/holdout/small+long/seed7/{name}"
            for name in (*SCORED, "config.json", "history.csv", "model.ckpt")
        ),
        *(f"../../peaks/holdout/baselines/gc/{name}" for name in SCORED),
    }
    objects = [entity for entity in action["object"] if entity.type == "File"]
    assert [entity.id for entity in objects] == ["configuration/run.yaml", "#source/peaks/peaks.bed"]
    assert action["startTime"] < action["endTime"]


def test_the_keys_of_the_run_are_parameters_with_values(crate):
    values = {entity["name"]: entity for entity in action_of(crate)["object"] if entity.type == "PropertyValue"}
    assert set(values) == {key for key, value in CONFIG.items() if value is not None}
    assert values["seeds"]["value"] == "[7]"
    assert values["run"]["value"] == "toy"
    for key, value in values.items():
        parameter = value["exampleOfWork"]
        assert (parameter.type, parameter["name"], parameter["workExample"]) == ("FormalParameter", key, value)
        assert parameter in crate.mainEntity["input"]
    kinds = {key: value["exampleOfWork"]["additionalType"] for key, value in values.items()}
    assert (kinds["run"], kinds["seeds"]) == ("Text", "PropertyValue")


def test_every_file_is_there_with_its_digest_and_size_wherever_the_results_are_copied(recorded, tmp_path):
    shutil.copytree(recorded / "work/results", tmp_path / "copy" / "results")
    shutil.rmtree(recorded)
    copied = ROCrate(tmp_path / "copy" / RUN)
    assert len(copied.data_entities) == 23
    for entity in copied.data_entities:
        path = tmp_path / "copy" / RUN / unquote(entity.id)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entity["sha256"]
        assert str(path.stat().st_size) == entity["contentSize"]


def test_digests_versions_machine_and_use_are_told(crate):
    action = action_of(crate)
    told = {entity["name"]: entity["value"] for entity in action["additionalProperty"]}
    assert told["windows of peaks"] == "aa"
    assert told["targets of peaks"] == "bb"
    assert len(told["split:holdout of peaks"]) == len(told["code digest"]) == 64
    assert told["machine: cores"] == os.cpu_count()
    assert told["trainings on Tesla T4"] == 1
    used = {entity["name"]: entity["value"] for entity in action["resourceUsage"]}
    assert used == {"train: jobs": 2, "train: seconds": 32.5, "train: megabytes": 300.25}
    packages = {entity["name"]: entity["softwareVersion"] for entity in crate.mainEntity["softwareRequirements"]}
    assert {"python", "snakemake", "torch", "numpy"} <= set(packages)
    first, *commands = action["description"].splitlines()
    assert first == "How to make it again:"
    assert commands[-1].startswith("snakemake --cores all --configfile configuration/run.yaml")


def test_no_password_token_or_environment_gets_into_the_folder(finished, monkeypatch):
    monkeypatch.setenv("LOCIFLOW_TEST_SECRET", "swordfish")
    record_run()
    texts = [path.read_text() for path in (finished / RUN).rglob("*") if path.is_file()]
    assert not [
        text for text in texts for word in ("hunter2", "abc123", "swordfish", "LOCIFLOW_TEST_SECRET") if word in text
    ]
    (source,) = (
        entity for entity in action_of(ROCrate(finished / RUN))["object"] if entity.id == "#source/peaks/peaks.bed"
    )
    assert source["contentUrl"] == ["https://***@example.org/peaks.bed?token=***&part=1"]


def test_recording_again_lists_nothing_of_the_record_itself(finished):
    record_run()
    first = json.loads((finished / RUN / "ro-crate-metadata.json").read_text())
    record_run()
    second = json.loads((finished / RUN / "ro-crate-metadata.json").read_text())
    assert {entity["@id"] for entity in first["@graph"] if entity["@id"][0] != "#"} == {
        entity["@id"] for entity in second["@graph"] if entity["@id"][0] != "#"
    }


def test_what_the_manifest_names_and_is_not_there_is_told(finished, caplog):
    (finished / TRAINED / "curves.npz").unlink()
    assert run_files(MANIFEST).missing == [f"{TRAINED}/curves.npz"]
    caplog.set_level("INFO", logger="lociflow")
    record_run()
    assert "1 that the manifest names are not there" in caplog.text


def test_a_training_comes_with_those_whose_weights_it_starts_from(finished):
    other = finished / "results/genome/all/lm/seed7"
    other.mkdir(parents=True)
    (other / "model.ckpt").write_bytes((finished / TRAINED / "model.ckpt").read_bytes())
    write_json(other / "config.json", {"training": {}})
    transfer = {"dataset": "genome", "split": "all", "model": "lm", "seed": 7, "parts": ["trunk"]}
    write_json(finished / TRAINED / "config.json", {"training": {"transfer": transfer}})
    found = run_files(MANIFEST).results
    assert [path.name for path in found if path.is_relative_to("results/genome")] == ["config.json", "model.ckpt"]


def test_the_trainings_of_folds_are_those_of_the_run(finished):
    for fold in ("fold1", "fold2"):
        shutil.copytree(finished / TRAINED, finished / "results/peaks" / fold / "small+long/seed7")
    pooled = {**MANIFEST, "datasets": [{**MANIFEST["datasets"][0], "folds": ["fold1", "fold2"]}]}
    found = {str(path) for path in run_files(pooled).results}
    for fold in ("fold1", "fold2"):
        folder = f"results/peaks/{fold}/small+long/seed7"
        assert {f"{folder}/{name}" for name in OF_TRAINING} <= found
        assert f"{folder}/predictions.parquet" not in found


def test_what_lies_beside_and_is_of_another_run_is_left_out(finished):
    (finished / BASELINE / "spacing.json").write_text("{}")
    (finished / TRAINED / "resume").mkdir()
    (finished / TRAINED / "resume" / "state.json").write_text("{}")
    names = {path.name for path in run_files(MANIFEST).results}
    assert not names & {"spacing.json", "state.json"}


def test_a_source_of_no_data_set_is_recorded_too(finished):
    extra = finished / "resources/sources/variants/mine.vcf.source.json"
    extra.parent.mkdir()
    told = json.loads((finished / "resources/sources/peaks/peaks.bed.source.json").read_text())
    write_json(extra, {**told, "file": "variants/mine.vcf", "via": "path", "from": ["mine.vcf"]})
    record(MANIFEST, [extra], [], RUN / "ro-crate-metadata.json", RUN / "Snakefile", RUN / "configuration")
    assert ROCrate(finished / RUN).get("#source/variants/mine.vcf")["disambiguatingDescription"] == "path"


def checkpoint(path, **provenance):
    save_checkpoint(path, {"weight": torch.tensor([0.5])}, {}, Outputs("binary", ("CTCF",)), provenance)
    return path


def test_the_devices_of_all_trainings_are_told_also_of_checkpoints_that_know_no_name(tmp_path):
    told = (
        {"device": "cuda", "device_name": "NVIDIA H200"},
        {"device": "cpu", "device_name": "AMD EPYC 9554"},
        {"device": "cuda", "device_name": "NVIDIA H200"},
        {"device": "cuda"},
        {},
    )
    paths = [checkpoint(tmp_path / f"{number}.ckpt", **about) for number, about in enumerate(told)]
    assert training_devices(paths) == {"AMD EPYC 9554": 1, "NVIDIA H200": 2, "cuda": 1, "unknown": 1}
    assert training_devices([]) == {}


def test_the_same_weights_from_another_device_are_the_same_run(recorded, monkeypatch):
    shutil.rmtree(recorded / "again")
    shutil.copytree(recorded / "work", recorded / "again")
    checkpoint(recorded / "again" / TRAINED / "model.ckpt", device="cuda", device_name="NVIDIA H200")
    monkeypatch.chdir(recorded / "again")
    record_run()
    before, after = (read_crate(recorded / name / RUN) for name in ("work", "again"))
    assert (before.properties["trainings on Tesla T4"], after.properties["trainings on NVIDIA H200"]) == (1, 1)
    name = next(name for name in before.files if name.endswith("model.ckpt"))
    assert before.files[name].sha256 != after.files[name].sha256
    assert is_reproduced(compare(before, after))


def test_a_run_begins_with_its_first_job(tmp_path):
    for name, ended, row in (
        ("fetch", 1000.0, {"s": 10.0, "max_rss": "NA"}),
        ("train", 1100.0, {"s": 95.0, "max_rss": 5.0}),
    ):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
        os.utime(tmp_path / f"{name}.jsonl", (ended, ended))
    usage, started = measured(sorted(tmp_path.glob("*.jsonl")))
    assert started == 990.0
    assert usage == {
        "fetch": {"jobs": 1, "seconds": 10.0, "megabytes": 0.0},
        "train": {"jobs": 1, "seconds": 95.0, "megabytes": 5.0},
    }
    assert measured([]) == ({}, None)


def test_the_copy_of_the_workflow_is_lociflows(recorded_once):
    home = Path(__file__).parents[3]
    assert (recorded_once / "work" / RUN / "Snakefile").read_bytes() == (home / "workflow/Snakefile").read_bytes()
