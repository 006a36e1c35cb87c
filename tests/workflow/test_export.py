"""The export of models as jobs of the DAG."""

import pytest
import yaml


def write_run(copy, **keys):
    whole = {"run": "toy", "models": ["deepsea_small"], "interpretation": None, "baselines": [], **keys}
    (copy.folder / "toy.yaml").write_text(yaml.safe_dump(whole))


def test_every_seed_is_exported_and_controls_are_not(copy):
    models = ["deepsea_small", "deepbind_small", "deepsea_small+untrained"]
    write_run(copy, models=models, seeds=[1, 2], export={"formats": ["pt2"]})
    assert copy.jobs("--configfile", "toy.yaml")["export_model"] == 4


@pytest.mark.slow
def test_the_folders_alone_need_no_report(copy):
    write_run(copy, export={"formats": ["pt2", "onnx"]})
    counts = copy.jobs("export", "--configfile", "toy.yaml")
    assert counts["export_model"] == 1
    assert not counts["report"]
    copy.run("export", "--configfile", "toy.yaml")
    assert (copy.folder / "results/simulated/holdout/deepsea_small/seed1/export").is_dir()
    assert not copy.jobs("export", "--configfile", "toy.yaml")
    write_run(copy, export={"formats": ["pt2"]})
    assert copy.jobs("export", "--configfile", "toy.yaml") == {"export": 1, "export_model": 1}


def test_a_control_is_refused_with_its_sentence(copy):
    models = ["deepsea_small", "deepsea_small+untrained"]
    write_run(copy, models=models, export={"models": models, "formats": ["pt2"]})
    ran = copy.snakemake("--dry-run", "--configfile", "toy.yaml")
    assert ran.returncode != 0
    assert "export.models: deepsea_small+untrained is a control" in ran.stderr
    assert "Traceback" not in ran.stderr
