from pathlib import Path

import yaml

from lociflow.provenance.configuration import names_used, write_configuration

CONFIG = {"run": "mine", "datasets": ["mine"], "variants": {"long": ["training.max_epochs=9"]}, "interpretation": None}


def own_folder(folder: Path) -> Path:
    for group in ("dataset/genomes", "model", "published"):
        (folder / group).mkdir(parents=True)
    (folder / "dataset/mine.yaml").write_text(
        "defaults:\n  - genomes/base@_here_\n  - _self_\n# why\ntargets: {sheet: mine.tsv}\n"
        "blacklist: {url: 'https://me:secret@x.org/b.bed'}\n"
    )
    (folder / "dataset/genomes/base.yaml").write_text("genome: {name: mm39}\n")
    (folder / "dataset/mine.tsv").write_text("target\turl\nCTCF\thttps://x.org/a?token=secret\n")
    (folder / "dataset/private.yaml").write_text("description: not of this run\n")
    (folder / "model/small.yaml").write_text("defaults: [tiny]\n")
    (folder / "model/tiny.yaml").write_text("input_length: 5\n")
    (folder / "published/paper.yaml").write_text("entries: []\n")
    return folder


def written(tmp_path: Path, folders: list[Path]) -> dict[str, str]:
    output = tmp_path / "configuration"
    paths = write_configuration(CONFIG, {"dataset": ["mine"], "model": {"small"}}, folders, output)
    assert paths == sorted(path for path in output.rglob("*") if path.is_file())
    return {str(path.relative_to(output)): path.read_text() for path in paths}


def test_the_run_alone_has_every_key(tmp_path):
    found = written(tmp_path, [])
    assert list(found) == ["run.yaml"]
    assert yaml.safe_load(found["run.yaml"]) == CONFIG


def test_own_groups_come_with_what_they_take_over_and_name_and_nothing_else(tmp_path):
    found = written(tmp_path, [own_folder(tmp_path / "my_config")])
    assert set(found) == {
        "run.yaml",
        "groups/dataset/genomes/base.yaml",
        "groups/dataset/mine.tsv",
        "groups/dataset/mine.yaml",
        "groups/model/small.yaml",
        "groups/model/tiny.yaml",
        "groups/published/paper.yaml",
    }
    assert yaml.safe_load(found["run.yaml"])["config_dirs"] == ["configuration/groups"]
    assert not [text for text in found.values() if "secret" in text]
    assert "https://***@x.org/b.bed" in found["groups/dataset/mine.yaml"]
    assert "# why" in found["groups/dataset/mine.yaml"]


def test_what_a_call_before_has_left_is_gone(tmp_path):
    written(tmp_path, [own_folder(tmp_path / "my_config")])
    assert list(written(tmp_path, [])) == ["run.yaml"]


def test_names_are_those_of_the_run_and_of_what_its_trainings_start_from():
    manifest = {
        "config": {"datasets": ["a"], "training": "default", "interpretation": None},
        "datasets": [{"baselines": ["gc"]}, {"baselines": ["kmers"]}],
    }
    trained = [Path("results/a/holdout/small+long/seed1/config.json"), Path("results/b/fold2/lm/seed1/config.json")]
    assert names_used(manifest, trained) == {
        "dataset": {"a", "b"},
        "model": {"small", "lm"},
        "training": {"default"},
        "interpretation": {"None"},
        "baseline": {"gc", "kmers"},
    }
