"""A mistake in the configuration ends the run at once, with one sentence that names it and its remedy."""

import shutil

import pytest
import yaml

CASES = {
    "unknown key": ({"model": ["danq_small"]}, ["unknown key model", "did you mean models?"]),
    "unknown model": (
        {"models": ["danq_smal"]},
        ["model danq_smal", "there is no such model", "did you mean danq_small?"],
    ),
    "unknown data set": ({"datasets": ["simulatd"]}, ["dataset simulatd", "did you mean simulated?"]),
    "unknown variant": ({"models": ["danq_small+untraind"]}, ["variant untraind", "did you mean untrained?"]),
    "unknown baseline": ({"baselines": ["kmer_logistc"]}, ["did you mean kmer_logistic?"]),
    "wrong type": ({"seeds": ["one"]}, ["seeds.0", "'one' is not of type 'integer'"]),
    "override of shared data": (
        {"variants": {"wide": ["dataset.windows.length=1000"]}},
        ["variants.wide", "dataset.windows.length=1000", "which runs share"],
    ),
    "interpreting what is not run": ({"interpret": ["deepsea"]}, ["interpret: deepsea is none of this run's models"]),
    "no such folder of configuration": ({"config_dirs": ["nowhere"]}, ["config_dirs", "nowhere is no folder"]),
}


@pytest.mark.parametrize(("keys", "told"), CASES.values(), ids=CASES.keys())
def test_a_mistake_in_the_run_is_told_in_one_sentence(copy, keys, told):
    (copy.folder / "run.yaml").write_text(yaml.safe_dump(keys))
    ran = copy.snakemake("--dry-run", "--configfile", "run.yaml")
    assert ran.returncode == 1
    for words in told:
        assert words in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_a_test_contig_also_named_for_training_is_refused(copy):
    copy.edit(
        "config/dataset/yeast_chipexo.yaml", "validation: [chrVII]", "train: [chrI, chrIV]\n  validation: [chrVII]"
    )
    ran = copy.snakemake("--dry-run", "--configfile", "config/runs/yeast_chipexo.yaml")
    assert ran.returncode == 1
    assert "contig chrIV is named for train and for test" in ran.stdout + ran.stderr


def test_an_unknown_key_in_a_data_set_names_file_and_key(copy):
    copy.edit("config/dataset/yeast_chipexo.yaml", "  min_overlap: 0.5", "  min_overlp: 0.5")
    ran = copy.snakemake("--dry-run", "--configfile", "config/runs/yeast_chipexo.yaml")
    assert ran.returncode == 1
    said = "config/dataset/yeast_chipexo.yaml: unknown key labels.min_overlp; did you mean min_overlap?"
    assert said in ran.stdout + ran.stderr


def test_a_missing_local_file_is_named_before_anything_runs(copy):
    (copy.folder / "run.yaml").write_text(yaml.safe_dump({"datasets": ["mine"], "config_dirs": ["my_config"]}))
    own = copy.folder / "my_config" / "dataset"
    own.mkdir(parents=True)
    config = yaml.safe_load((copy.folder / "config/dataset/simulated.yaml").read_text())
    del config["simulation"]
    config["genome"] = {"name": "mine", "source": {"path": "nowhere/genome.fa"}}
    config["targets"] = {"files": {"CTCF": {"path": "nowhere/peaks.bed"}}}
    (own / "mine.yaml").write_text(yaml.safe_dump(config))
    ran = copy.snakemake("--dry-run", "--configfile", "run.yaml")
    assert ran.returncode == 1
    assert "nowhere/genome.fa: no such file" in ran.stdout + ran.stderr


def test_a_model_that_does_not_fit_its_windows_ends_the_run_before_its_first_job(copy):
    run = {"models": ["deepsea_small+short"], "variants": {"short": ["model.input_length=60"]}, "interpretation": None}
    (copy.folder / "run.yaml").write_text(yaml.safe_dump(run))
    ran = copy.snakemake("--configfile", "run.yaml")
    assert ran.returncode == 1
    assert "error: preflight: " in ran.stderr
    assert "deepsea_small.yaml with model.input_length=60, on dataset simulated: model.input_length" in ran.stderr
    assert not (copy.folder / "resources").exists()


def test_no_bedtools_is_told_with_the_lines_that_install_it(copy, tmp_path):
    for name in ("bash", "sh", "which", "git"):
        (tmp_path / name).symlink_to(shutil.which(name))
    ran = copy.snakemake("--dry-run", PATH=str(tmp_path))
    assert ran.returncode == 1
    assert "bedtools: no such program" in ran.stdout + ran.stderr
    assert "apt-get install bedtools" in ran.stdout + ran.stderr
